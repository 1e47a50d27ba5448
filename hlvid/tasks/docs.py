"""From `Question`s to what lmms-eval loads, and back.

Example::

    prepare("hlvid_mini", mini_folder())    # -> a folder that lmms-eval loads with `load_from_disk: true`
    question_of(doc)                        # -> Question

lmms-eval reads data through `datasets`, whose errors name no row and are retried five times. So the
questions come through `hlvid.dataset.load`, every video is looked at before the first model is built, and
lmms-eval gets an Arrow folder that cannot be wrong any more. The folder's name carries the fingerprint of
questions and videos.
"""

import fcntl
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hlvid import dataset
from hlvid.dataset_question import Question
from hlvid.errors import DatasetError
from hlvid.paths import data_home, hlvid_root
from hlvid.tasks import ledger

INFO = "hlvid_task.json"
MAX_SHOWN = 5


def hlvid_folder() -> Path:
    """The downloaded benchmark.

    Raises:
        DatasetError: nothing downloaded; the message names `hlvid download`.
    """
    return dataset.locate("hlvid").root if hlvid_root().exists() else _not_downloaded()


def mini_folder() -> Path:
    """HLVid-Mini, generated now if it is not there; `HLVID_MINI_PRESET` chooses its size ("default")."""
    from hlvid.mini import make

    data_home().mkdir(parents=True, exist_ok=True)
    with (data_home() / ".mini.lock").open("w") as lock:  # the ranks of one run start together
        fcntl.flock(lock, fcntl.LOCK_EX)
        return make(preset=os.environ.get("HLVID_MINI_PRESET", "default"))


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

    With HLVID_PARTIAL=1 in the environment, questions whose videos are absent are left out, for those who
    downloaded a part; the fingerprint tells such a run from a whole one.
    """
    ledger.clear()
    questions = _asked_for(dataset.load(root), root)
    _check_answers(questions, root)
    check_videos(questions, root)
    fingerprint = fingerprint_of(questions)
    folder = data_home() / "tasks" / f"{task}-{fingerprint.removeprefix('sha256:')[:16]}"
    if not (folder / INFO).is_file():
        info = {
            "task": task,
            "root": str(root),
            "questions": len(questions),
            "fingerprint": fingerprint,
            "revision": dataset.dataset_revision(root),
            "prompts": prompt_hash(questions),
        }
        _save([doc_of(question, fingerprint) for question in questions], info, folder)
    return folder


def doc_of(question: Question, fingerprint: str) -> dict[str, str | None]:
    """A question as a flat row of text; `options` as JSON, since Arrow would give every row every letter."""
    return {
        "question_id": question.id,
        "video": question.video,
        "source": question.source,
        "category": question.category,
        "tier": question.tier,
        "stem": question.stem,
        "options": json.dumps(dict(question.options), ensure_ascii=False),
        "answer": question.answer,
        "video_path": str(question.video_path),
        "dataset": fingerprint,
    }


def question_of(doc: Mapping[str, Any]) -> Question:
    """The question that `doc_of` wrote."""
    return Question(
        id=doc["question_id"],
        video=doc["video"],
        source=doc["source"],
        category=doc["category"],
        stem=doc["stem"],
        options=json.loads(doc["options"]),
        answer=doc["answer"],
        tier=doc["tier"],
        video_path=Path(doc["video_path"]),
    )


def fingerprint_of(questions: Sequence[Question]) -> str:
    """ "sha256:<hex>" over every question, its prompt, and the name, place and size of its video.

    Not over the videos' bytes: reading 152 GB takes minutes, and `hlvid verify` does it.
    """
    digest = hashlib.sha256()
    for question in questions:
        assert question.video_path is not None  # check_videos has seen it
        size = question.video_path.stat().st_size
        row = [*doc_of(question, "").values(), question.prompt(), size]
        digest.update(json.dumps(row, ensure_ascii=False).encode() + b"\n")
    return f"sha256:{digest.hexdigest()}"


def prompt_hash(questions: Sequence[Question]) -> str:
    """ "sha256:<hex>" over all prompts in order: two runs with the same one asked the same text."""
    text = "\n\n".join(question.prompt() for question in questions)
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def check_videos(questions: Sequence[Question], root: Path) -> None:
    """Open every video once, so that a run does not fail at its two-hundredth question.

    Raises:
        DatasetError: naming the first few broken videos, a question of each, and the remedy.
    """
    first_of: dict[Path, Question] = {}
    for question in questions:
        if question.video_path is None:
            raise DatasetError(f"{root}: question {question.id}: has no video path")
        first_of.setdefault(question.video_path, question)
    faults = [(question, fault) for path, question in first_of.items() if (fault := _video_fault(path))]
    if not faults:
        return
    shown = "; ".join(f"question {one.id}: video {one.video} {fault}" for one, fault in faults[:MAX_SHOWN])
    more = f"; and {len(faults) - MAX_SHOWN} more videos" if len(faults) > MAX_SHOWN else ""
    names = ",".join(question.video for question, _ in faults[:MAX_SHOWN])
    raise DatasetError(f"{shown}{more}, under {root / 'videos'}; {_remedy(root, names)}")


def _video_fault(path: Path) -> str | None:
    """What is wrong with a video as far as its first picture tells, or None."""
    import av

    if not path.is_file():
        return "not found"
    if path.stat().st_size == 0:
        return "is an empty file"
    try:
        with av.open(str(path)) as container:
            if not container.streams.video:
                return "has no video stream"
            if next(iter(container.decode(video=0)), None) is None:
                return "has no picture that decodes"
    except (av.FFmpegError, OSError) as error:
        return f"does not decode ({error})"
    return None


def _remedy(root: Path, videos: str) -> str:
    if root == hlvid_root():
        return f"run 'hlvid download --videos {videos}', or set HLVID_PARTIAL=1 to ask only what is there"
    if root.parent == data_home() and root.name.startswith("mini-"):
        return f"delete {root} and run again to have it made anew"
    return "put the files there"


def _asked_for(questions: list[Question], root: Path) -> list[Question]:
    """All questions, or with HLVID_PARTIAL=1 those whose videos are there."""
    if os.environ.get("HLVID_PARTIAL") != "1":
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
    raise DatasetError(
        f"task hlvid: no dataset at {hlvid_root()}; run 'hlvid download' (152 GB; --videos takes a part), "
        "or use the task hlvid_mini, which needs no download"
    )
