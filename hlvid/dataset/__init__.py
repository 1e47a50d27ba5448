"""Questions of HLVid, HLVid-Mini or a folder of your own: `load(source)` gives a list of `Question`.

A dataset folder holds `data/test-00000-of-00001.parquet` (or any parquet, jsonl, json or csv there or beside
it) and `videos/NAME.mp4`. Columns: question_id, category, question, answer, video_path; optional: tier,
source, and options either as one column `options` (list, mapping or JSON text of one) or as columns A, B, C,
…
"""

import hashlib
import re
from dataclasses import dataclass, replace
from pathlib import Path

from hlvid.benchmarks import locate as places
from hlvid.benchmarks.registry import HLVID
from hlvid.dataset.question import Question
from hlvid.dataset.rows import parse_files
from hlvid.errors import DatasetError
from hlvid.paths import mini_root

__all__ = ["DatasetFiles", "Question", "dataset_revision", "file_hash", "load", "locate"]

QUESTION_SUFFIXES = (".parquet", ".jsonl", ".json", ".csv")
HLVID_LETTERS = "ABCD"  # the options of every question of the real benchmark
NOT_QUESTIONS = {"evidence.jsonl", "mini.json", "hlvid-download.json"}  # what our own tools write beside them

_SHARD = re.compile(r"(?P<split>.+)-\d{5}-of-(?P<count>\d{5})")


@dataclass(frozen=True)
class DatasetFiles:
    """Where a dataset lies: `root` holds `videos/`; `files` are the question files, shards of one split."""

    root: Path
    files: tuple[Path, ...]


def load(source: str | Path) -> list[Question]:
    """All questions of `source`, in file order.

    Args:
        source: "hlvid" (what `hlvid download` fetched), "mini" (what `hlvid mini` made; also
        "mini-PRESET-SEED"),
            a dataset folder, or one question file. A folder called hlvid is given as "./hlvid".

    Raises:
        DatasetError: nothing there (with the command that makes it), or a malformed file; the message lists
        the
            faults with file, row and field.
    """
    found = locate(source)
    real = source == "hlvid" or found.root in places.folders(HLVID)
    questions = parse_files(found.root, found.files, HLVID_LETTERS if real else None)
    return _wherever(questions) if real else questions


def locate(source: str | Path) -> DatasetFiles:
    """The root folder and question files of `source` (see `load`)."""
    path = _as_path(source)
    if source == "hlvid" and (tables := places.tables(HLVID, "hlvid")):
        return DatasetFiles(tables[0].parent.parent, tuple(tables))
    if path.is_file():
        root = path.parent.parent if path.parent.name == "data" else path.parent
        return DatasetFiles(root, (path,))
    if not path.is_dir():
        raise DatasetError(f"{path}: no such file or folder; {_remedy(source)}")
    for folder in (path / "data", path):
        if files := _question_files(folder):
            return DatasetFiles(path, files)
    raise DatasetError(
        f"{path}: no {', '.join(QUESTION_SUFFIXES)} file in it or in its data/; {_remedy(source)}"
    )


def dataset_revision(source: str | Path) -> str:
    """ "sha256:<hex>" of the question file's bytes (all shards in order): what results record as dataset
    revision.

    For the real benchmark this is the hash that the hub shows for its parquet file.
    """
    return file_hash(*locate(source).files)


def file_hash(*paths: Path) -> str:
    """ "sha256:<hex>" of the bytes of files, one after the other."""
    digest = hashlib.sha256()
    for path in paths:
        digest.update(path.read_bytes())
    return f"sha256:{digest.hexdigest()}"


def _as_path(source: str | Path) -> Path:
    if source == "hlvid":
        return places.home(HLVID)
    if source == "mini":
        return mini_root()
    if isinstance(source, str) and (made := re.fullmatch(r"mini-([\w.]+)-(\d+)", source)):
        return mini_root(made[1], int(made[2]))
    return Path(source).expanduser()


def _wherever(questions: list[Question]) -> list[Question]:
    """HLVid's questions with each video where the rule of `hlvid.benchmarks.locate` finds it."""
    folders = places.folders(HLVID)
    found = {one.video: places.first(folders, (f"videos/{one.video}", one.video)) for one in questions}
    return [replace(one, video_path=found[one.video] or one.video_path) for one in questions]


def _remedy(source: str | Path) -> str:
    if source == "hlvid":
        return "run 'hlvid download' to fetch the benchmark"
    if isinstance(source, str) and re.fullmatch(r"mini(-[\w.]+-\d+)?", source):
        return "run 'hlvid mini' to make it"
    return 'give "hlvid", "mini", a folder with data/*.parquet and videos/, or a question file'


def _question_files(folder: Path) -> tuple[Path, ...]:
    """A folder's question files: one file, or all shards of one split ("test" if there are several)."""
    if not folder.is_dir():
        return ()
    files = sorted(
        path
        for path in folder.iterdir()
        if path.suffix.lower() in QUESTION_SUFFIXES
        and path.name not in NOT_QUESTIONS
        and not path.name.startswith(".")
    )
    groups: dict[str, list[Path]] = {}
    for path in files:
        match = _SHARD.fullmatch(path.stem)
        groups.setdefault((match["split"] if match else path.stem) + path.suffix.lower(), []).append(path)
    if len(groups) > 1:
        groups = {key: paths for key, paths in groups.items() if key.startswith("test")} or groups
    if len(groups) > 1:
        names = ", ".join(path.name for path in files[:6])
        raise DatasetError(f"{folder}: several question files ({names}); name the one to load")
    return _complete(next(iter(groups.values()))) if groups else ()


def _complete(shards: list[Path]) -> tuple[Path, ...]:
    """The shards of one split, or an error naming how many are absent."""
    match = _SHARD.fullmatch(shards[0].stem)
    if match and len(shards) != int(match["count"]):
        raise DatasetError(
            f"{shards[0]}: {len(shards)} of {int(match['count'])} shards found; fetch the others"
        )
    return tuple(shards)
