"""`hlvid download`: the real benchmark from the hub to a dataset folder, whole or in part.

Example::

    from hlvid.download.hlvid import download
    download(videos=["clip_av_video_5_001.mp4"]).summary()    # 2 GB instead of 152

The hub keeps the videos in 16 tar parts. We never store a tar: its headers tell where each video lies, and
each video is fetched by byte range straight to `videos/`, so the disk holds one copy only, a subset costs its
own size, and a killed download goes on in mid-file. When all videos of a part are there, the part's sha256 is
recomputed from them and compared with the one that the hub states. What was fetched stands in
`hlvid-download.json`.
"""

import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tqdm import tqdm

from hlvid.dataset import QUESTION_SUFFIXES, load
from hlvid.download.choose import select
from hlvid.download.manifest import Manifest, PartRecord, VideoRecord, open_manifest
from hlvid.download.parallel import fetch_members
from hlvid.download.part_index import Member, index_part
from hlvid.download.parts import Span, fetch, git_sha1_of, sha256_of, sha256_of_part, trusted_length
from hlvid.download.remote import FolderSource, HubSource, RemoteFile, Source
from hlvid.errors import DownloadError
from hlvid.files import locked
from hlvid.paths import hlvid_root

REPO = "bfshi/HLVid"
PINNED = "4956b601aec0bb9d455bb8f57552f78cbd3f0338"
QUESTIONS_SHA256 = (
    "ed2a1a47603fd19f5d7fae0db4f9792369f5aff6548f35e0225c3b4bd35e112a"  # of the parquet at PINNED
)
SPARE_BYTES = 256 * 1024**2  # left free on the disk, for whatever else writes to it


CATEGORIES = ("av", "household")
"""Of HLVid's questions."""


@dataclass(frozen=True)
class DownloadReport:
    """What a download did. Names are files of `root`/videos; `verified` are parts of proven sha256."""

    root: Path
    repo: str
    revision: str
    questions: int
    fetched: tuple[str, ...]
    kept: tuple[str, ...]
    missing: tuple[str, ...]
    fetched_bytes: int
    verified: tuple[str, ...]
    notes: tuple[str, ...] = ()

    def summary(self) -> str:
        """A few lines for the terminal."""
        lines = [
            f"{self.repo} at {self.revision[:12]} in {self.root}",
            f"{self.questions} questions; {len(self.fetched)} videos fetched "
            f"({size_text(self.fetched_bytes)}), {len(self.kept)} already there; "
            f"{len(self.verified)} parts verified by sha256",
        ]
        if self.missing:
            lines.append(f"in no part of the repository: {', '.join(self.missing)}")
        return "\n".join([*lines, *self.notes])


def download(
    root: Path | None = None,
    repo: str = REPO,
    revision: str = PINNED,
    videos: Iterable[str] | None = None,
    questions: Iterable[str] | None = None,
    category: str | None = None,
    source: Source | Path | None = None,
    workers: int = 4,
    progress: bool = True,
) -> DownloadReport:
    """Fetch the questions and the chosen videos; run again after any interruption to go on.

    Args:
        root: dataset folder to fill; `hlvid_root()` by default.
        repo, revision: of the hub; the revision is pinned and recorded. $HF_ENDPOINT names a mirror.
        videos: file names, with or without suffix; questions: question ids. Both together add up.
        category: narrows the choice ("av" or "household"). With none of the three: everything, 152 GB.
        source: a folder of the repository's layout instead of the hub, or any `Source`.
        workers: videos fetched at the same time.
        progress: whether to show a bar on stderr.

    Raises:
        DownloadError: no space, wrong hash, unsafe archive, unknown name, another revision already in `root`,
            another download running there, or the hub out of reach. What was fetched stays.
    """
    if category is not None and category not in CATEGORIES:  # known without asking the hub
        raise DownloadError(f"--category {category}: is none of {', '.join(CATEGORIES)}")
    root = root or hlvid_root()
    origin = FolderSource(source) if isinstance(source, Path) else source or HubSource(repo, revision)
    root.mkdir(parents=True, exist_ok=True)
    with _only_one(root):
        manifest = open_manifest(root, origin.repo, origin.revision)
        files = origin.files()
        _fetch_question_files(origin, files, root, manifest)
        asked = load(root)
        members = _index(origin, files, root, manifest, progress)
        chosen = select(asked, members, videos, questions, category)
        kept, todo = _split_present(root, manifest, chosen.members)
        check_space(root / "videos", todo)
        fetched_bytes = fetch_members(
            origin,
            root / "videos",
            todo,
            workers,
            progress,
            on_done=lambda member, digest: _note_video(root, manifest, member, digest),
        )
        _verify_parts(origin, root, manifest, progress)
        return DownloadReport(
            root=root,
            repo=origin.repo,
            revision=origin.revision,
            questions=len(asked),
            fetched=tuple(member.name for member in todo),
            kept=tuple(member.name for member in kept),
            missing=chosen.missing,
            fetched_bytes=fetched_bytes,
            verified=tuple(name for name, part in manifest.parts.items() if part.verified),
            notes=_notes(manifest),
        )


def size_text(count: float) -> str:
    """1234567890 -> "1.23 GB" (decimal units, as the hub shows them)."""
    for unit in ("B", "kB", "MB"):
        if count < 1000:
            return f"{count:.3g} {unit}"
        count /= 1000
    return f"{count:.2f} GB"


def check_space(folder: Path, todo: Sequence[Member]) -> None:
    """Raise DownloadError before the first byte if the disk of `folder` cannot take what is left."""
    folder.mkdir(parents=True, exist_ok=True)
    needed = sum(m.size - trusted_length(folder / m.name, m.size) for m in todo)
    free = shutil.disk_usage(folder).free
    if todo and needed + SPARE_BYTES > free:
        raise DownloadError(
            f"{folder}: {size_text(needed)} to fetch, {size_text(free)} free; "
            "free some, choose another disk with --root, "
            "or take a part with --videos, --questions or --category"
        )


@contextmanager
def _only_one(root: Path) -> Iterator[None]:
    """Two downloads into one folder would write the same partial files. The lock dies with its process."""
    busy = DownloadError(f"{root}: another download is running into this folder")
    with locked(root / ".hlvid-download.lock", busy):
        yield


def _fetch_question_files(
    source: Source, files: Sequence[RemoteFile], root: Path, manifest: Manifest
) -> None:
    """Question files under data/, checked against the source's hashes."""
    tables = [f for f in files if f.path.startswith("data/") and Path(f.path).suffix in QUESTION_SUFFIXES]
    if not tables:
        raise DownloadError(f"{source.repo}: no question file under data/ at revision {source.revision}")
    for file in tables:
        target = root / "data" / Path(file.path).name
        if target.is_file() and manifest.questions.get(file.path) == sha256_of(target):
            continue
        digest = fetch(source, Span(file.path, 0, file.size), target, lambda count: None)
        sha1 = git_sha1_of(target) if file.git_sha1 else None
        if digest != (file.sha256 or digest) or sha1 != file.git_sha1:
            target.unlink()
            raise DownloadError(f"{file.path}: came with another hash than {source.repo} states; run again")
        manifest.questions[file.path] = digest
        manifest.save(root)


def _index(
    source: Source, files: Sequence[RemoteFile], root: Path, manifest: Manifest, progress: bool
) -> list[Member]:
    """All videos of all parts; each part's headers are read once and remembered."""
    parts = [file for file in files if Path(file.path).suffix == ".tar"]
    if not parts:
        raise DownloadError(f"{source.repo}: no tar parts with videos at revision {source.revision}")
    for part in tqdm(parts, desc="reading tar headers", unit="part", disable=not progress, leave=False):
        if part.path not in manifest.parts:
            members = index_part(source, part)
            manifest.parts[part.path] = PartRecord(size=part.size, sha256=part.sha256, members=members)
            manifest.save(root)
    found = [member for record in manifest.parts.values() for member in record.members]
    first: dict[str, Member] = {}
    for member in found:
        if (other := first.setdefault(member.name, member)) != member:
            raise DownloadError(
                f"'{member.name}' lies in {other.part} and in {member.part}; refusing to choose"
            )
    return found


def _split_present(
    root: Path, manifest: Manifest, members: Sequence[Member]
) -> tuple[list[Member], list[Member]]:
    """(already there, still to fetch). A file under its final name is whole, unless others have written
    there.
    """
    kept: list[Member] = []
    todo: list[Member] = []
    for member in members:
        path = root / "videos" / member.name
        if not path.is_file() or path.stat().st_size != member.size:
            manifest.videos.pop(member.name, None)
            manifest.parts[member.part].verified = False
            todo.append(member)
            continue
        if member.name not in manifest.videos:  # killed between the rename and the note of it
            _note_video(root, manifest, member, sha256_of(path))
        kept.append(member)
    return kept, todo


def _note_video(root: Path, manifest: Manifest, member: Member, digest: str) -> None:
    manifest.videos[member.name] = VideoRecord(part=member.part, size=member.size, sha256=digest)
    manifest.save(root)


def _verify_parts(source: Source, root: Path, manifest: Manifest, progress: bool) -> None:
    """Recompute the sha256 of every part whose videos are all there; a wrong one costs its videos."""
    folder = root / "videos"
    due = [
        name
        for name, part in manifest.parts.items()
        if part.sha256 and not part.verified and all(m.name in manifest.videos for m in part.members)
    ]
    for name in tqdm(due, desc="checking sha256", unit="part", disable=not progress, leave=False):
        part = manifest.parts[name]
        if sha256_of_part(source, RemoteFile(name, part.size), part.members, folder) == part.sha256:
            part.verified = True
            manifest.save(root)
            continue
        for member in part.members:
            (folder / member.name).unlink()
            del manifest.videos[member.name]
        manifest.save(root)
        names = ", ".join(member.name for member in part.members)
        raise DownloadError(
            f"{name}: wrong sha256; its videos ({names}) were removed, run again to refetch them"
        )


def _notes(manifest: Manifest) -> tuple[str, ...]:
    """What a user should know although nothing failed."""
    if (manifest.repo, manifest.revision) != (REPO, PINNED):
        return ()
    if QUESTIONS_SHA256 in manifest.questions.values():
        return ()
    return (
        f"note: the question file's sha256 is not the one reported for {PINNED[:12]}; the hub's own matches",
    )
