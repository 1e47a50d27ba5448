"""The letter from a model's output: every labelled reply, and what must hold for any text at all.

pytest tests/hlvid/scoring/test_answers.py
"""

import cProfile
import json
import pstats
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hlvid.scoring.answers import parse_answer
from tests.hlvid.scoring.answers.outputs import generated

CASES = [
    json.loads(line)
    for line in (Path(__file__).parent / "answers.jsonl").read_text(encoding="utf-8").splitlines()
]
LABELLED = [case for case in CASES if case["kind"] != "known gap"]
GAPS = [case for case in CASES if case["kind"] == "known gap"]
SIGN = {"A": "DL3", "B": "DL5", "C": "DL8", "D": "DL6"}
ANYTHING = st.text(max_size=80) | st.lists(
    st.sampled_from([*"ABCDEabcde()[]*:.,/\n", " ", "the", " answer", " is", " not", "DL3", "DL8", "{", "}", "<think>",
                     "</think>", "\\boxed{", "{'answer': '", "答案", " or ", " wrong"]),
    max_size=25,
).map("".join)  # fmt: skip


def name(case: dict[str, Any]) -> str:
    return f"{case['kind']}: {case['text'][:40]!r}"


def test_labelled() -> None:
    assert _wrong((case["text"], case["options"], case["letter"]) for case in LABELLED) == []


def test_generated() -> None:
    """The half that rules were written with: none wrong."""
    assert _wrong((case.text, case.options, case.letter) for case in generated("seen")) == []


def test_held_out() -> None:
    """The last set that no rule was written with; what it scored at first stands in docs/results.md."""
    assert _wrong((case.text, case.options, case.letter) for case in generated("held out")) == []


def test_cases_of_the_review(shared: Path) -> None:
    lines = (shared / "cases" / "answers.jsonl").read_text(encoding="utf-8").splitlines()
    cases = [json.loads(line) for line in lines]
    assert cases and _wrong((case["output"], case["options"], case["letter"]) for case in cases) == []


def _wrong(cases: Iterable[tuple[str, Mapping[str, str], str | None]]) -> list[str]:
    found = [(text, letter, parse_answer(text, options)) for text, options, letter in cases]
    return [f"{text!r}: {parsed}, not {letter}" for text, letter, parsed in found if parsed.letter != letter]


@pytest.mark.parametrize("case", GAPS, ids=name)
def test_gaps_are_abstentions(case: dict[str, Any]) -> None:
    """What is not understood has no letter; should one of these be understood one day, move it up."""
    assert case["letter"] is not None
    assert parse_answer(case["text"], case["options"]).letter is None


def test_the_set_is_large_and_mixed() -> None:
    assert len(CASES) >= 200
    letters = [case["letter"] for case in CASES]
    assert letters.count(None) > 100
    assert {"A", "B", "C", "D", "E"} <= set(letters)


@pytest.mark.parametrize(
    ("text", "how"),
    [("", "empty"), ("?", "empty"), ("<think>A", "unfinished thinking"),
     ("A. DL3\nB. DL5", "options restated"),
     ("A ❌, C ✅", "verdicts"), ("A or B", "contradiction"), ("A. DL5", "contradiction"),
     ("The answer is F.", "no such option"), ("I cannot tell.", "refusal"), ("a sign", "no letter"),
     ("C", "bare letter"),
     ("\\boxed{C}", "bare letter"), ("DL8", "option text"), ("The answer is C", "declared"),
     ("I see option C", "mentioned"),
     ("It says DL8 there", "option text inside")],
)  # fmt: skip
def test_says_how(text: str, how: str) -> None:
    assert parse_answer(text, SIGN).how == how


@given(ANYTHING, st.dictionaries(st.sampled_from("ABCDEFGHIJ"), ANYTHING, max_size=6))
def test_never_raises_and_names_an_option_or_none(text: str, options: dict[str, str]) -> None:
    letter = parse_answer(text, options).letter
    assert letter is None or letter in options


@given(
    ANYTHING,
    st.sampled_from(["", " ", "\n", "\t ", "\n\n", " \r\n"]),
    st.sampled_from(["", " ", "\n", " \n\n"]),
)
def test_surrounding_space_changes_nothing(text: str, before: str, after: str) -> None:
    assert parse_answer(before + text + after, SIGN) == parse_answer(text.strip(), SIGN)


@given(
    st.sampled_from("ABCD"),
    st.sampled_from(
        ["Answer: {}", "the answer is {}", "option {}", "({})", "{}", "I choose {}.", "final answer: {}"]
    ),
)
def test_case_of_the_words_around_changes_nothing(letter: str, template: str) -> None:
    for words in (template, template.upper(), template.title(), template.lower()):
        assert parse_answer(words.format(letter), SIGN).letter == letter


@given(
    st.permutations("ABCD"),
    st.sampled_from(["DL3", "DL5", "DL8", "DL6"]),
    st.sampled_from(["{}", "It says {}."]),
)
def test_texts_follow_the_options_not_the_alphabet(letters: list[str], text: str, template: str) -> None:
    options = dict(zip(letters, SIGN.values(), strict=True))
    assert options[str(parse_answer(template.format(text), options).letter)] == text


@given(st.text(alphabet="DL3568OI0SB", min_size=2, max_size=5))
def test_look_alikes_are_never_confused(text: str) -> None:
    """A text that is no option, however near, gives no letter."""
    letter = parse_answer(f"The sign says {text}.", SIGN).letter
    assert letter == next((key for key, option in SIGN.items() if option == text), None)


def test_own_spelling_of_the_letters() -> None:
    assert parse_answer("The answer is B", {"a": "x1", "b": "x2"}).letter == "b"


HOSTILE = (
    "The sign might be A or it might be DL3, I cannot tell. ",
    "{",
    "<answer>",
    "\\boxed{",
    "<think>",
    "</think>",
    "A or ",
    "{'answer': '",
    " ",
    "A. DL3, ",
    "DL3 ",
    "A\n",
    "A ❌ ",
    "~~A",
    "\\text{A",
    "$",
    "$A",
    "if ",
    "no, ",
    "<s>A",
    "A.",
    "A 10% ",
    "1. A\n",
    "<details ",
    "a_a_",
    "D L 3 ",
    "<|",
    "[",
    "&lt;",
    "A: yes, ",
    "\u0301",
    "<b>A",
    "DL3 or ",
    "DL3, ",
    "so the A ",
    "is it A? ",
    "It is: A",
    "&amp;",
)


@pytest.mark.parametrize("unit", HOSTILE)
def test_time_grows_with_length_at_most(unit: str) -> None:
    """Counted in calls and not in seconds, which other processes move: twice the text, about twice the work."""
    work = [_calls(unit * (length // len(unit))) for length in (2000, 4000)]
    assert work[1] < 2.6 * work[0] + 2000


def _calls(text: str) -> int:
    profile = cProfile.Profile()
    profile.runcall(parse_answer, text, SIGN)
    return int(pstats.Stats(profile).total_calls)  # type: ignore[attr-defined]


@pytest.mark.parametrize("unit", ["{", "<think>", "A or ", " ", "$", "\\boxed{"])
def test_endless_output_ends(unit: str) -> None:
    """Two megabytes cost about a second of CPU; the limit is far above, for slow machines."""
    start = time.process_time()
    parse_answer(unit * (2_000_000 // len(unit)), SIGN)
    assert time.process_time() - start < 20


def test_an_endless_reply_is_read_at_both_ends() -> None:
    rambling = "The road goes on and on. " * 5000
    assert parse_answer(f"{rambling}\nThe answer is C.", SIGN).letter == "C"
    assert parse_answer(f"C.\n{rambling}", SIGN).letter == "C"
    assert parse_answer(f"<think>{rambling} A?</think>C", SIGN).letter == "C"
