"""Thousands of damaged submissions: each is accepted with the right score, or refused naming line and field.

The oracle below shares no code with `leaderboard`: it reads what was accepted with plain `json` and counts. The
default run tries 1,000; `pytest -m slow tests/leaderboard/format/test_hostile.py` 10,000.
"""

import json
import random
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from hlvid.scoring.accuracy import summarize
from hlvid.scoring.answers import parse_answer
from leaderboard.benchmarks import AnswerKey, Keys
from leaderboard.format.validate import Report, check_folder

TOML = """schema_version = 1
benchmark = "hlvid"
dataset_revision = "REVISION"
claimed_accuracy_percent = 99
notes = "nothing"
left_out = {}

[model]
name = "some-model"
openness = 'open_weights'
parameters_b = 8

[settings]
frames = 64
resolution = 896
"""
SECONDS = 20.0  # far above what any of these needs: a hang, not slowness, is what this finds
WHOLE_FILE = {"(file)", "(folder)", "(toml)"}

ODD_JSON = [
    "NaN", "Infinity", "-Infinity", "1e999", "-1", "true", "null", '""', '"  "', "[]", "{}", "[[[[]]]]", '"\\u0000"',
    '"\\ud800"', '"A\\u202e"', '"F"', '"a"', '" b "', '"AB"', '"A or B"', '"C."', '"\uff21"', "9" * 30, "9" * 4500,
    "0.5", '"0"', '"12"', '"../../etc/passwd"', '"<script>alert(1)</script>"', '"x" : 1', '"The answer is C."',
    json.dumps("x" * 1000), "'A'", "",
]  # fmt: skip
ODD_TOML = [
    "null", "true", "-1", "nan", "inf", "9" * 30, "9" * 5000, "[1, 2]", "{a = 1}", "*x", "0x" + "f" * 3000, "0x10",
    '""', "'", '"', '"\\u0000"', '"\\u202e"', '"""', "'''a\nb = 1\n'''", "2024-01-01", "12:30:00", "yes", '"<b>"',
    "'{{ 7*7 }}'", "[" * 2000, "{a=" * 500, "= =", "@", '"hlvid"', '"mvbench"', '"closed"', "1.0", "0", "\t", "\x00",
    "\x85", "\ufeff", f'"{"x" * 3000}"', f'"{"x" * 9000}"', "1e400", "1979-05-27T07:32:00Z", '"\\ud800"', '"a" # = "b"',
    '{"0" = "not shared"}', "{" + ".".join("z" * 1500) + " = 1}", '"\x7f"',
]  # fmt: skip
NAMES = [
    "question_id",
    "answer",
    "raw_output",
    "frames",
    "width",
    "height",
    "tokens",
    "seconds",
    "colour",
    "ANSWER",
]
FIELDS = [
    "reported",
    "reproduces",
    "dataset_revision",
    "contact",
    "model",
    "settings",
    "cost",
    "training_data",
    "left_out.3",
    '"model" . colour',
    "z",
]

Draw = Callable[[st.SearchStrategy[Any]], Any]


def records(key: AnswerKey, draw: Draw) -> list[str]:
    """One line a question: letters, texts or both, right and wrong; all by one draw, for draws take the time."""
    lines, luck = list[str](), random.Random(draw(st.integers(0, 2**32)))
    for question in key.questions:
        letter = luck.choice("ABCD")
        record: dict[str, Any] = {"question_id": question.id}
        form = luck.choice(["letter", "text", "both", "none"])
        if form in ("letter", "both"):
            record["answer"] = letter
        if form in ("text", "both"):
            record["raw_output"] = luck.choice([f"({letter})", "no idea", f"Answer: {letter}", "A or B"])
        lines.append(json.dumps(record))
    return lines


def damage_lines(lines: list[str], draw: Draw) -> list[str]:
    """One change of structure or content."""
    at = draw(st.integers(0, max(len(lines) - 1, 0)))
    kind = draw(st.sampled_from(["value", "remove", "repeat", "swap", "text", "junk", "add", "many", "none"]))
    event(f"lines: {kind}")
    if not lines or kind == "none":
        return lines
    if kind == "value" or kind == "add":
        name, value = draw(st.sampled_from(NAMES)), draw(st.sampled_from(ODD_JSON))
        kept = [
            part for part in lines[at].strip("{}").split(", ") if f'"{name}"' not in part or kind == "add"
        ]
        return [*lines[:at], "{" + ", ".join([*kept, f'"{name}": {value}']) + "}", *lines[at + 1 :]]
    if kind == "remove":
        return lines[:at] + lines[at + 1 :]
    if kind == "repeat":
        return [*lines, lines[at]]
    if kind == "swap":
        return [*lines[at:], *lines[:at]]
    if kind == "text":
        cut = draw(st.integers(0, len(lines[at])))
        return [
            *lines[:at],
            lines[at][:cut] + draw(st.text(max_size=5)) + lines[at][cut + 1 :],
            *lines[at + 1 :],
        ]
    if kind == "many":
        return lines * draw(st.integers(2, 15))
    return [*lines[:at], draw(st.text(max_size=30)), *lines[at:]]


def damage_toml(text: str, draw: Draw) -> str:
    lines = text.split("\n")
    at = draw(st.integers(0, len(lines) - 1))
    kind = draw(st.sampled_from(["value", "remove", "repeat", "text", "add", "table", "none"]))
    event(f"toml: {kind}")
    if kind == "value":
        return "\n".join(
            [*lines[:at], f"{lines[at].split('=')[0]}= {draw(st.sampled_from(ODD_TOML))}", *lines[at + 1 :]]
        )
    if kind == "remove":
        return "\n".join(lines[:at] + lines[at + 1 :])
    if kind == "repeat":
        return "\n".join([*lines, lines[at]])
    if kind == "text":
        cut = draw(st.integers(0, len(text)))
        return text[:cut] + draw(st.text(max_size=5)) + text[cut + 1 :]
    if kind == "add":
        added = f"{draw(st.sampled_from(FIELDS))} = {draw(st.sampled_from(ODD_TOML))}"
        return "\n".join([*lines[:at], added, *lines[at:]])
    return (
        "\n".join([*lines[:at], f"[{draw(st.sampled_from(FIELDS))}]", *lines[at:]])
        if kind == "table"
        else text
    )


def damage_bytes(data: bytes, draw: Draw) -> bytes:
    kind = draw(
        st.sampled_from(["none"] * 6 + ["bom", "crlf", "cr", "utf16", "latin1", "cut", "bytes", "zeros"])
    )
    event(f"bytes: {kind}")
    at = draw(st.integers(0, len(data)))
    changed = {
        "bom": b"\xef\xbb\xbf" + data,
        "crlf": data.replace(b"\n", b"\r\n"),
        "cr": data.replace(b"\n", b"\r"),
        "latin1": data + "é".encode("latin-1"),
        "cut": data[:at],
        "bytes": data[:at] + draw(st.binary(max_size=4)) + data[at:],
        "zeros": data[:at] + b"\0" * 9 + data[at:],
    }
    if kind == "utf16":
        return data.decode("utf-8", "replace").encode("utf-16")
    return changed.get(kind, data)


def expected(data: bytes, key: AnswerKey) -> int:
    """How many are right in a file that was accepted; fails where it should not have been."""
    answers: dict[str, str | None] = {}
    for line in data.decode("utf-8-sig").split("\n"):
        if line.strip():
            record = json.loads(line)
            options = next(one.options for one in key.questions if one.id == str(record["question_id"]))
            assert str(record["question_id"]) not in answers
            if record.get("raw_output") is not None:
                answers[str(record["question_id"])] = parse_answer(record["raw_output"], options).letter
            else:
                answers[str(record["question_id"])] = (record.get("answer") or "").strip().upper()
    assert len(answers) == len(key.questions)
    return sum(answers[question.id] == question.answer for question in key.questions)


def judge(report: Report, data: bytes, key: AnswerKey) -> None:
    if not report.faults:
        event("accepted")
        assert report.submission is not None
        if report.submission.reported is None:
            overall = summarize(report.rows).overall
            assert (overall.correct, overall.n) == (expected(data, key), len(key.questions))
        return
    event("refused")
    for fault in report.faults:
        assert fault.file and fault.field and fault.problem and fault.remedy
        missing_question = fault.field == "question_id" and "have no line" in fault.problem
        assert fault.line is not None or missing_question or fault.field in WHOLE_FILE, fault
        assert len(str(fault)) < 1000
        assert str(fault).isprintable(), "control characters would reach the terminal"


def run(key: AnswerKey, draw: Draw) -> None:
    lines, toml = records(key, draw), TOML.replace("REVISION", key.revision)
    for _ in range(draw(st.integers(0, 2))):
        lines = damage_lines(lines, draw)
    for _ in range(draw(st.integers(0, 2))):
        toml = damage_toml(toml, draw)
    data = damage_bytes("".join(line + "\n" for line in lines).encode("utf-8", "surrogatepass"), draw)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "hlvid" / "some-model"
        folder.mkdir(parents=True)
        (folder / "submission.toml").write_bytes(damage_bytes(toml.encode("utf-8", "surrogatepass"), draw))
        (folder / "predictions.jsonl").write_bytes(data)
        started = time.monotonic()
        report = check_folder(folder, Keys([key]), placed=True)
        assert time.monotonic() - started < SECONDS
    judge(report, data, key)


QUIET = {"deadline": None, "suppress_health_check": list(HealthCheck)}


@settings(max_examples=1_000, **QUIET)
@given(st.data())
def test_damaged_submissions(key: AnswerKey, data: st.DataObject) -> None:
    run(key, data.draw)


@pytest.mark.slow
@settings(max_examples=10_000, **QUIET)
@given(st.data())
def test_ten_thousand_damaged_submissions(key: AnswerKey, data: st.DataObject) -> None:
    run(key, data.draw)


def test_long_texts_take_bounded_time(key: AnswerKey, tmp_path: Path) -> None:
    """Texts as long as allowed on every line that is read, 24 MB in all, of kinds that are slow to parse."""
    folder = tmp_path / "some-model"
    folder.mkdir()
    (folder / "submission.toml").write_text(TOML.replace("REVISION", key.revision))
    texts = [
        "A or B " * 28_000,
        "(((((" * 40_000,
        "answer " * 28_000,
        "\\boxed{" * 28_000,
        "<answer>" * 24_000,
    ]
    lines = [{"question_id": str(n % 12), "raw_output": texts[n % len(texts)][:200_000]} for n in range(120)]
    (folder / "predictions.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    started = time.monotonic()
    report = check_folder(folder, Keys([key]))
    assert time.monotonic() - started < 3 * SECONDS
    assert any("again" in fault.problem for fault in report.faults)
