"""From `Question`s to what lmms-eval loads, and back.

lmms-eval reads data through `datasets`, whose errors name no row and are retried five times. So the
questions come through `hlvid.dataset.load`, every video is looked at before the first model is built, and
lmms-eval gets an Arrow folder that cannot be wrong any more. It lies in the state folder, under a name that
carries the hash of all its rows: other code, data or places make another one.
"""

import contextlib
import hashlib
import json
import os
import shutil
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hlvid import dataset
from hlvid.benchmarks import locate
from hlvid.benchmarks.registry import HLVID
from hlvid.dataset import identity
from hlvid.dataset.question import Question
from hlvid.download.catalogue import commit_of
from hlvid.errors import DatasetError
from hlvid.paths import data_roots, state_root
from hlvid.tasks import costs
from hlvid.tasks.arguments import TaskArguments, arguments_of, switched_on
from hlvid.tasks.doc import doc_of
from hlvid.tasks.screening import screen

INFO = "hlvid_task.json"
FORMAT = 2  # of the folder; raise it when what a row or the info means changes
STALE_DAYS = 14
MAX_SHOWN = 5


def hlvid_folder() -> Path:
    """The downloaded benchmark.

    Raises:
        DatasetError: nothing downloaded; the message names `hlvid download`.
    """
    tables = locate.tables(HLVID, "hlvid")
    return tables[0].parent.parent if tables else _not_downloaded()


def mini_folder() -> Path:
    """HLVid-Mini, generated now if it is not there (see `hlvid.mini.wanted`)."""
    from hlvid.mini import make, wanted

    preset, seed = wanted()
    return make(preset=preset, seed=seed)


def prepare(task: str, root: Path) -> Path:
    """Check a dataset folder and write it for lmms-eval.

    Args:
        task: the lmms-eval task; names the folder.
        root: a dataset folder as `hlvid.dataset.load` reads it.

    Returns:
        A folder saved by `datasets` with the split "test" and a file `hlvid_task.json` that says what it
        holds.

    Raises:
        DatasetError: a malformed row, a withheld answer, a missing, empty or unreadable video; with its name.

    With HLVID_PARTIAL=1 in the environment, questions whose videos are absent or broken are left out, for those
    who downloaded a part; the fingerprint tells such a run from a whole one. With HLVID_DAMAGED=1 videos are asked
    about that are damaged but can be read; `video_damage` of their rows says how.
    """
    costs.clear()
    chosen = arguments_of(task)
    whole = dataset.load(root)
    there = _asked_for(whole, root)
    _check_answers(there, root)
    sound, damage = check_videos(there, root)
    worded = [one.normalised() for one in sound] if chosen.prompt == "normalised" else sound
    asked = [(one, {"video_damage": damage.get(one.video_path or Path())}) for one in worded]
    about = {"revision": dataset.dataset_revision(root), "commit": commit_of(root)}
    return publish(task, chosen, whole, asked, {**about, "left_out": _left_out(whole, sound)})


def _left_out(whole: Sequence[Question], asked: Sequence[Question]) -> dict[str, str]:
    """Question -> why it is not asked, for the record of a run."""
    kept = {one.id for one in asked}
    return {
        one.id: f"{one.video} is {'broken' if one.video_path and one.video_path.is_file() else 'not here'}"
        for one in whole
        if one.id not in kept
    }


def publish(
    task: str,
    chosen: TaskArguments,
    whole: Sequence[Question],
    asked: Sequence[tuple[Question, Mapping[str, str | None]]],
    about: Mapping[str, Any],
) -> Path:
    """The folder TASK-HASH for lmms-eval, written unless it is there.

    Its `hlvid_task.json` says what it holds and goes into the record of each run: `about`, the arguments, what the
    `whole` set is and what is `asked` of it, and the hash of all prompts. Folders of the task that nobody used for
    `STALE_DAYS` go.

    Args:
        asked: questions, each with the further columns of its rows: one for each order of its options.
    """
    arranged = [(q, {**columns, **told}) for one, columns in asked for q, told in chosen.arranged([one])]
    questions, name = [question for question, _ in arranged], task + chosen.variant()
    sets = identity.of_sets(whole, questions)
    rows = [{**doc_of(one, sets["fingerprint"]), "task": task, **columns} for one, columns in arranged]
    told = {
        "format": FORMAT, "task": name, **sets, **about, **chosen.as_json(task), "prompts": prompt_hash(questions)
    }  # fmt: skip
    key = hashlib.sha256(json.dumps([told, rows], ensure_ascii=False, sort_keys=True).encode())
    folder = state_root() / "tasks" / f"{name}-{key.hexdigest()[:16]}"
    if (folder / INFO).is_file():
        os.utime(folder)
    else:
        _save(rows, told, folder)
    _forget_stale(folder, name)
    return folder


def _forget_stale(used: Path, name: str) -> None:
    """Remove what other code or data prepared for this task, unless another run may still read it."""
    for other in used.parent.glob(f"{name}-" + "[0-9a-f]" * 16):
        with contextlib.suppress(OSError):  # another process was faster
            if other != used and time.time() - other.stat().st_mtime > STALE_DAYS * 86400:
                shutil.rmtree(other)


def prompt_hash(questions: Sequence[Question]) -> str:
    """ "sha256:<hex>" over all prompts in order: two runs with the same one asked the same text."""
    text = "\n\n".join(question.prompt() for question in questions)
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def check_videos(questions: Sequence[Question], root: Path) -> tuple[list[Question], Mapping[Path, str]]:
    """Look at every video once, so that a run does not fail at its two-hundredth question.

    Returns:
        The questions to ask, and what is wrong with those videos that are asked about although damaged.

    Raises:
        DatasetError: naming the first few broken videos, a question of each, and the remedy.
    """
    first_of: dict[Path, Question] = {}
    for question in questions:
        if question.video_path is None:
            raise DatasetError(f"{root}: question {question.id}: has no video path")
        first_of.setdefault(question.video_path, question)
    screened = screen(first_of)
    kept = [one for one in questions if one.video_path not in screened.left_out]
    if kept and not screened.refused:
        return kept, screened.kept
    faults = [(first_of[path], fault) for path, fault in (screened.refused or screened.left_out).items()]
    shown = "; ".join(f"question {one.id}: video {one.video} {fault}" for one, fault in faults[:MAX_SHOWN])
    more = f"; and {len(faults) - MAX_SHOWN} more videos" if len(faults) > MAX_SHOWN else ""
    names = ",".join(question.video for question, _ in faults[:MAX_SHOWN])
    raise DatasetError(f"{shown}{more}, under {root / 'videos'}; {_remedy(root, names)}")


def _remedy(root: Path, names: str) -> str:
    if root in locate.folders(HLVID):
        return f"run 'hlvid download --videos {names}', or set HLVID_PARTIAL=1 to ask only what is there and sound"
    if root.name.startswith("mini-"):
        return f"delete {root} and run again to have it made anew"
    return "put the files there"


def _asked_for(questions: list[Question], root: Path) -> list[Question]:
    """All questions, or with HLVID_PARTIAL=1 those whose videos are there."""
    if not switched_on("HLVID_PARTIAL"):
        return questions
    there = [one for one in questions if one.video_path is not None and one.video_path.is_file()]
    if not there:
        raise DatasetError(f"{root}: HLVID_PARTIAL=1, but not one video is there; {_remedy(root, 'NAME')}")
    return there


def _check_answers(questions: Sequence[Question], root: Path) -> None:
    secret = next((question.id for question in questions if question.answer is None), None)
    if secret is not None:
        raise DatasetError(f"{root}: question {secret}: no answer given; an evaluation needs them to score")


def _save(docs: Sequence[Mapping[str, str | None]], info: Mapping[str, Any], folder: Path) -> None:
    """Write beside the goal and rename, so that a killed or parallel run leaves no half-written folder."""
    from datasets import Dataset, DatasetDict, Features, Value

    features = Features({name: Value("string") for name in docs[0]})
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".new-") as fresh:
        made = Path(fresh) / folder.name
        DatasetDict({"test": Dataset.from_list(list(docs), features=features)}).save_to_disk(str(made))
        (made / INFO).write_text(json.dumps(info, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        if folder.exists() and not (folder / INFO).is_file():
            shutil.rmtree(folder)
        try:
            made.rename(folder)
        except OSError:
            if not (folder / INFO).is_file():  # else another process was faster with the same content
                raise


def _not_downloaded() -> Path:
    roots = ", ".join(map(str, data_roots()))
    raise DatasetError(
        f"task hlvid: no dataset in {roots}; run 'hlvid download' (152 GB; --videos takes a part), "
        "or use the task hlvid_mini, which needs no download"
    )
