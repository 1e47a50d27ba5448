"""Run with: pytest tests/hlvid/tasks/suite/test_prompts.py. Every prompt as a snapshot, ours and lmms-eval's.

A change of a prompt changes every number made with it: change the snapshot and docs/tasks.md together.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hlvid.benchmarks import registry
from hlvid.dataset.question import INSTRUCTION
from hlvid.dataset.text import split_question, squeeze
from hlvid.tasks import hooks, parity
from hlvid.tasks.suite.prepare import prepare

OURS = {
    "hlvid_videomme": """\
Select the best answer to the following multiple-choice question based on the video. Respond with only the \
letter (A, B, C, or D) of the correct option.
When demonstrating the Germany modern Christmas tree, which of these are on it?
A. Apples.
B. Candles and berries.
C. A man.
D. None.

Answer with the option's letter from the given choices directly.""",
    "hlvid_videomme_w_subtitle": """\
This video's subtitles are listed below:\x20
Hi, I'm John Green
plain words, no tags
and this is the end
Select the best answer to the following multiple-choice question based on the video and the subtitles. \
Respond with only the letter (A, B, C, or D) of the correct option.
When demonstrating the Germany modern Christmas tree, which of these are on it?
A. Apples.
B. Candles and berries.
C. A man.
D. None.
The best answer is:""",
    "hlvid_mvbench": """\
Question:What does he hold?
Option:
(A) a cup
(B) a book
(C) a bag
(D) a long rope
Only give the best option.
""",
    "hlvid_nextqa_mc": """\
how do the two man play the instrument
A. roll the handle
B. tap their feet
C. strum the string
D. hit with sticks
E. pat animal
Answer with the option's letter from the given choices directly.""",
    "hlvid_longvideobench_val": """\
At the beginning, a woman with a braid is talking. What is she doing?
A. Reading
B. A dance
C. Cooking
D. Driving
E. Singing
Answer with the option's letter from the given choices directly.
""",
    "hlvid_egoschema": """\
Taking into account all the actions performed by c, what can you deduce?
A. C is cooking.
B. C is doing laundry.
C. C is cleaning the kitchen.
D. C is cleaning dishes.
E. C is cleaning the bath.
Answer with the option's letter from the given choices directly.""",
    "hlvid_mlvu_dev": """\
What colour is the shirt?
(A) Yellow
(B) Red
(C) Green
(D) Blue
Only give the best option.
Best option: (""",
    "hlvid_mlvu_test": """\
Which team scores?
(A) Red
(B) Blue
(C) Pink
(D) Grey
(E) Lime
(F) None
Only give the best option.
Best option: (""",
}
OURS["hlvid_egoschema_subset"] = OURS["hlvid_egoschema"]

# Where lmms-eval 0.7.3 asks something else (the list in docs/tasks.md); elsewhere the two are the same.
THEIRS = {
    "hlvid_videomme": OURS["hlvid_videomme"].replace("on the video.", "on the video and the subtitles."),
    "hlvid_videomme_w_subtitle": OURS["hlvid_videomme_w_subtitle"].replace("plain words, no tags\n", ""),
    "hlvid_nextqa_mc": OURS["hlvid_nextqa_mc"].rpartition("\n")[0],
    "hlvid_mlvu_test": OURS["hlvid_mlvu_test"].removesuffix("\nOnly give the best option.\nBest option: ("),
}


# A blank at the end of every text that is shown, and a label or two with none behind it.
BLANKS = {
    "hlvid_videomme": {
        "question": "What is said? ",
        "options": ["A. One. ", "B.Two.", "C. Three.", "D.  Four. "],
    },
    "hlvid_mvbench": {"question": "What is held? ", "candidates": ["a cup ", "a book", "a  bag", " rope"]},
    "hlvid_nextqa_mc": {"question": "how ", "a0": "roll ", "a1": " tap", "a4": "pat\t"},
    "hlvid_longvideobench_val": {"question": "What? ", "option0": "Reading ", "option1": " A dance"},
    "hlvid_egoschema_subset": {
        "question": "What? ",
        "option": ["A. C is cooking. ", "B.  C sits.", "C. C ", "D. x", "E. y "],
    },
    "hlvid_mlvu_dev": {"question": "What? \n(A)  Yellow \n(B) Red\n(C) Green\n(D) Blue "},
}


@pytest.mark.parametrize("task", BLANKS)
def test_what_is_shown_is_never_stripped(task: str, make_bench: Callable[..., Any]) -> None:
    bench = make_bench(registry.get(task).name)
    table = next(path for path in sorted(bench.root.rglob("*")) if path.suffix in (".json", ".parquet"))
    table = bench.root / "Subset/test-00000-of-00001.parquet" if "subset" in task else table
    rows = bench.rows(str(table.relative_to(bench.root)))
    rows[0] |= BLANKS[task]
    rows[0] |= {"answer": BLANKS[task]["candidates"][0]} if "candidates" in BLANKS[task] else {}
    bench.write(str(table.relative_to(bench.root)), rows)
    asked = first_prompt(task)
    shown = [
        text for value in BLANKS[task].values() for text in ([value] if isinstance(value, str) else value)
    ]
    assert all(text in asked for text in shown)
    if task != "hlvid_nextqa_mc":  # which strips in lmms-eval
        assert asked.replace("on the video.", "on the video and the subtitles.") == their_text(task, rows[0])


def their_text(task: str, row: dict[str, Any]) -> str:
    """What the installed lmms-eval asks about a row."""
    return parity.prompt(task, row, Path("data/v.mp4"))


def first_prompt(task: str) -> str:
    from datasets import load_from_disk

    return hooks.doc_to_text(load_from_disk(str(prepare(task)))["test"][0])


@pytest.mark.parametrize("task", OURS)
def test_our_prompt(task: str, make_bench: Callable[..., Any]) -> None:
    make_bench(registry.get(task).name)
    assert first_prompt(task) == OURS[task]


@pytest.mark.parametrize("task", OURS)
def test_one_wording_for_all(
    task: str, make_bench: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stem, options and instruction in one form; subtitles stay in front of them."""
    make_bench(registry.get(task).name)
    published = first_prompt(task)
    monkeypatch.setenv("HLVID_PROMPT", "normalised")
    before, sign, asked = first_prompt(task).partition("Question: ")
    parts = split_question(asked)
    assert sign and asked.endswith(f"\n{INSTRUCTION}") and parts.instruction == INSTRUCTION
    assert list(parts.labels.values()) == [f"{letter}." for letter in parts.options]
    squeezed = squeeze(published)
    assert all(text in squeezed for text in (parts.stem, *parts.options.values()))
    assert ("subtitles" in before) == ("w_subtitle" in task)


@pytest.mark.parametrize("task", OURS)
def test_their_prompt(task: str, make_bench: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    make_bench(registry.get(task).name)
    monkeypatch.setenv("HLVID_PROMPT", "lmms_eval")
    assert first_prompt(task) == THEIRS.get(task, OURS[task])


def test_options_that_are_not_there_are_not_shown(make_bench: Callable[..., Any]) -> None:
    from datasets import load_from_disk

    make_bench("longvideobench")
    docs = load_from_disk(str(prepare("hlvid_longvideobench_val")))["test"]
    assert "N/A" not in hooks.doc_to_text(docs[1])
    assert json.loads(docs[1]["options"]) == {"A": "Reading", "B": "A dance"}


@pytest.mark.parametrize(
    ("frames", "shown"),
    [
        ("1", ["Hi, I'm John Green"]),  # the frame at 0 s
        ("2", ["Hi, I'm John Green", "and this is the end"]),  # 0 s and 1.9 s
        ("all", ["Hi, I'm John Green", "plain words, no tags", "and this is the end"]),
    ],
)
def test_subtitles_are_those_of_the_sampled_frames(
    frames: str, shown: list[str], make_bench: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    make_bench("videomme")
    monkeypatch.setenv("HLVID_SUBTITLE_FRAMES", frames)
    lines = first_prompt("hlvid_videomme_w_subtitle").splitlines()
    assert lines[1 : lines.index(next(line for line in lines if line.startswith("Select")))] == shown


def test_a_video_without_subtitles_says_so(make_bench: Callable[..., Any]) -> None:
    folder = make_bench("videomme").root / "subtitle"
    (folder / "vid1.srt").rename(folder / "vid2.srt")
    assert first_prompt("hlvid_videomme_w_subtitle").splitlines()[1] == "No subtitles available"


def test_the_table_says_which_settings_made_it(
    make_bench: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    from hlvid.errors import RunError
    from hlvid.tasks.folder import INFO

    make_bench("videomme")
    monkeypatch.setenv("HLVID_SUBTITLE_FRAMES", "8")
    info = json.loads((Path(prepare("hlvid_videomme_w_subtitle")) / INFO).read_text())
    assert (info["parser"], info["prompt"], info["subtitle_frames"]) == ("hlvid", "published", 8)
    for name in ("HLVID_PARSER", "HLVID_PROMPT", "HLVID_SUBTITLE_FRAMES"):
        with monkeypatch.context() as patch:
            patch.setenv(name, "vlmevalkit")
            with pytest.raises(RunError, match=f"{name} is 'vlmevalkit'; allowed"):
                prepare("hlvid_videomme_w_subtitle")
