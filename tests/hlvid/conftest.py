"""A stand-in for the hub repository: the same layout, videos of some hundred kilobytes of seeded noise."""

import csv
import hashlib
import io
import random
import tarfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

TEXT = "What does the sign say?\n A. DL3\nB. DL5\nC.DL8\n D. DL6\nPlease answer directly with the letter."


@dataclass(frozen=True)
class StandIn:
    """`folder` is laid out like the hub's repository; `videos` maps each video's name to its content."""

    folder: Path
    videos: dict[str, bytes]

    def sign(self) -> None:
        """Write SHA256SUMS for the files as they are now."""
        files = [
            path for path in sorted(self.folder.rglob("*")) if path.is_file() and path.name != "SHA256SUMS"
        ]
        lines = [
            f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.relative_to(self.folder).as_posix()}"
            for path in files
        ]
        (self.folder / "SHA256SUMS").write_text("\n".join(lines) + "\n")


@pytest.fixture
def make_standin(tmp_path: Path) -> Callable[..., StandIn]:
    """make_standin(parts=3, per_part=2, size=300_000): a signed stand-in repository."""

    def make(parts: int = 3, per_part: int = 2, size: int = 300_000) -> StandIn:
        rng = random.Random(7)
        folder = tmp_path / "hub"
        (folder / "data").mkdir(parents=True)
        names = [
            f"clip_{'av' if part % 2 else 'household'}_video_{part}_{clip:03d}.mp4"
            for part in range(parts)
            for clip in range(per_part)
        ]
        videos = {name: rng.randbytes(size + 17 * i) for i, name in enumerate(names)}
        for part in range(parts):
            with tarfile.open(folder / f"videos_part_{part + 1:04d}.tar", "w") as archive:
                for name in names[part * per_part : (part + 1) * per_part]:
                    info = tarfile.TarInfo(f"videos/{name}")
                    info.size = len(videos[name])
                    archive.addfile(info, io.BytesIO(videos[name]))
        with (folder / "data" / "test-00000-of-00001.csv").open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["question_id", "category", "question", "answer", "video_path"])
            writer.writerows([i, name.split("_")[1], TEXT, "B", name] for i, name in enumerate(names))
        standin = StandIn(folder, videos)
        standin.sign()
        return standin

    return make
