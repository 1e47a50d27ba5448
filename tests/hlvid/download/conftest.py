"""Stand-ins for hub repositories: the same question files, columns, archives and folders, small videos of noise."""

import io
import json
import random
import tarfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from hlvid.benchmarks.registry import ABILITIES

SRT = b"1\n00:00:00,000 --> 00:00:02,000\nHello\n" * 50


@dataclass(frozen=True)
class Hub:
    """`folder` is laid out like the repository; `needed` maps where a file belongs to its content."""

    folder: Path
    needed: dict[str, bytes]

    def table(self, name: str, rows: list[dict[str, Any]]) -> None:
        """A question file, as parquet or JSON."""
        import pyarrow
        import pyarrow.parquet

        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix == ".json":
            path.write_text(json.dumps(rows))
        else:
            pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), path)

    def zip(self, name: str, files: dict[str, bytes], method: int = zipfile.ZIP_STORED) -> None:
        """An archive with folder entries and what macOS adds."""
        with zipfile.ZipFile(self.folder / name, "w", method) as archive:
            archive.mkdir("data")
            archive.writestr("__MACOSX/data/._x.mp4", b"junk")
            for path, content in files.items():
                archive.writestr(path, content)

    def tar_in_pieces(self, name: str, files: dict[str, bytes], piece: int) -> None:
        """`name`.part.aa, .ab, … of `piece` bytes each."""
        whole = io.BytesIO()
        with tarfile.open(fileobj=whole, mode="w") as archive:
            for path, content in files.items():
                info = tarfile.TarInfo(path)
                info.size = len(content)
                archive.addfile(info, io.BytesIO(content))
        data = whole.getvalue()
        for number, start in enumerate(range(0, len(data), piece)):
            (self.folder / f"{name}.part.a{chr(97 + number)}").write_bytes(data[start : start + piece])


def noise(seed: int, size: int = 60_000) -> bytes:
    """What does not pack."""
    return random.Random(seed).randbytes(size + seed)


def _videomme(hub: Hub) -> None:
    rows = [
        {
            "videoID": f"vid{video}",
            "question_id": f"00{video}-1",
            "duration": "short",
            "domain": "Knowledge",
            "sub_category": "Law",
            "task_type": "OCR Problems",
            "question": "What?",
            "options": ["A. One.", "B. Two.", "C. Three.", "D. Four."],
            "answer": "A",
        }
        for video in range(4)
    ]
    hub.table("videomme/test-00000-of-00001.parquet", rows)
    videos = {f"data/vid{video}.mp4": noise(video) for video in range(4)}
    first, second = dict(list(videos.items())[:2]), dict(list(videos.items())[2:])
    hub.zip("videos_chunked_01.zip", first)
    hub.zip("videos_chunked_02.zip", {**second, "data/never_asked.mp4": noise(9)}, zipfile.ZIP_DEFLATED)
    hub.zip("subtitle.zip", {"subtitle/vid1.srt": SRT}, zipfile.ZIP_DEFLATED)
    hub.needed.update(videos | {"subtitle/vid1.srt": SRT})


def _longvideobench(hub: Hub) -> None:
    columns = {f"option{number}": text for number, text in enumerate(["a", "b", "N/A", "N/A", "N/A"])}
    rows = [
        {
            "video_id": f"v{video}",
            "id": f"v{video}_0",
            "video_path": f"v{video}.mp4",
            "correct_choice": 1,
            "question": "What?",
            "duration_group": 60,
            "question_category": "T2E",
            **columns,
        }
        for video in range(3)
    ]
    hub.table("validation-00000-of-00001.parquet", rows)
    hub.table("test-00000-of-00001.parquet", rows[:1])
    videos = {f"videos/v{video}.mp4": noise(video) for video in range(3)}
    hub.tar_in_pieces("videos.tar", {"videos/only_in_test.mp4": noise(7), **videos}, piece=50_000)
    hub.needed.update(videos)


def _mvbench(hub: Hub) -> None:
    for seed, (ability, folder) in enumerate(ABILITIES.items()):
        row = {"video": f"{ability}.mp4", "question": "What?", "candidates": ["x", "y"], "answer": "y"}
        hub.table(f"json/{ability}.json", [row])
        path = f"{folder}/{ability}.mp4"
        (hub.folder / path).parent.mkdir(parents=True, exist_ok=True)
        (hub.folder / path).write_bytes(noise(seed, 2000))
        hub.needed[path] = noise(seed, 2000)


def _egoschema(hub: Hub) -> None:
    rows = [
        {"video_idx": f"uid{n}", "question": "What?", "option": ["A. x", "B. y"], "answer": None}
        for n in range(3)
    ]
    hub.table("GENERATION/test-00000-of-00001.parquet", rows)
    hub.table("Subset/test-00000-of-00001.parquet", [{**rows[1], "answer": "0"}])
    videos = {f"videos/uid{n}.mp4": noise(n) for n in range(3)}
    hub.zip("videos_chunked_01.zip", videos)
    hub.needed.update(videos)


MAKERS: dict[str, Callable[[Hub], None]] = {
    "videomme": _videomme,
    "longvideobench": _longvideobench,
    "mvbench": _mvbench,
    "egoschema": _egoschema,
}


@pytest.fixture
def make_hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Hub]:
    """make_hub("videomme"): its stand-in; the data folder and the hub's cache are this test's own."""
    monkeypatch.setenv("HLVID_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    monkeypatch.delenv("HF_HUB_CACHE", raising=False)

    def make(name: str) -> Hub:
        hub = Hub(tmp_path / "hub" / name, {})
        hub.folder.mkdir(parents=True)
        MAKERS[name](hub)
        return hub

    return make
