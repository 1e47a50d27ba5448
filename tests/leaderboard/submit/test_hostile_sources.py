"""Damaged tables, samples and run records: a draft with the right score, or one clean error; never a traceback."""

import csv
import io
import json
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hlvid.errors import HlvidError
from leaderboard.benchmarks import AnswerKey, Keys
from leaderboard.submit.drafts import make_draft, write_folder

NUMBERS = [True, 5, -1, 1.5, float("nan"), float("inf"), 10**30]
ODD = [None, *NUMBERS, "", "x", "\x00", "\u202e", "A" * 300, [], [1], [None], {}, {"a": 1}]
CELLS = [",", '"', "\n", "\r", ";", "\t", "\x00", "B", "0,A\n"]
GIVEN = {"benchmark": "hlvid", "model": {"name": "m", "openness": "closed"}}
RESULTS = {"config": {"model": "gaze_reader", "model_args": "selector=detail,ratio=0.1"}}
ENTRY: dict[str, Any] = {
    "command": ["lmms_eval", "--output_path", "/x", "--tasks", "hlvid"],
    "environment": {
        "hlvid": "0.1.0",
        "git": {"commit": "c"},
        "cpu": "x",
        "cores": 2,
        "gpus": [{"name": "H200"}],
    },
    "datasets": {"hlvid": {"root": "/d", "prompts": None, "revision": None}},
}
DETAILS = {
    "frames": 12, "pixels": [504, 896], "tokens_selected": 100, "decoder": "pyav", "selector": {"name": "detail"},
    "ratio_of_valid": 0.1, "seconds": {"decode": 1.0},
}  # fmt: skip
QUIET: dict[str, Any] = {"deadline": None, "suppress_health_check": list(HealthCheck)}


def paths(value: Any, prefix: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Where every part of a JSON value is."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [prefix, *(path for name, part in inner for path in paths(part, (*prefix, name)))]


def replaced(value: Any, path: tuple[Any, ...], by: Any) -> Any:
    if not path:
        return by
    copy = value.copy()
    copy[path[0]] = replaced(value[path[0]], path[1:], by)
    return copy


def damaged(value: Any, data: st.DataObject) -> Any:
    if not data.draw(st.booleans()):
        return value
    return replaced(value, data.draw(st.sampled_from(paths(value))), data.draw(st.sampled_from(ODD)))


def score(source: Path, keys: Keys, out: Path) -> int | None:
    """How many are right, or None where the source is refused."""
    try:
        draft = make_draft(source, GIVEN, keys=keys)
        write_folder(draft, out)
    except HlvidError as error:
        assert str(error).replace("\n", "").isprintable()
        return None
    assert draft.matched is not None and len(draft.matched.rows) == 12
    return sum(row["correct"] for row in draft.matched.rows)


@settings(max_examples=150, **QUIET)
@given(data=st.data())
def test_damaged_runs(key: AnswerKey, data: st.DataObject) -> None:
    judge_run(key, data)


@pytest.mark.slow
@settings(max_examples=10_000, **QUIET)
@given(data=st.data())
def test_ten_thousand_damaged_runs(key: AnswerKey, data: st.DataObject) -> None:
    judge_run(key, data)


@settings(max_examples=1_000, **QUIET)
@given(data=st.data())
def test_damaged_tables(key: AnswerKey, data: st.DataObject) -> None:
    judge_table(key, data)


@pytest.mark.slow
@settings(max_examples=10_000, **QUIET)
@given(data=st.data())
def test_ten_thousand_damaged_tables(key: AnswerKey, data: st.DataObject) -> None:
    judge_table(key, data)


def judge_run(key: AnswerKey, data: st.DataObject) -> None:
    rows = [
        {"doc_id": n, "question_id": q.id, "input": q.prompt(), "resps": [[q.answer]], "details": DETAILS}
        for n, q in enumerate(key.questions)
    ]
    hit = data.draw(st.integers(0, 11))
    rows[hit] = damaged(rows[hit], data)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        text = "".join(json.dumps(row) + "\n" for row in rows)
        (folder / "d_samples_hlvid.jsonl").write_text(text)
        (folder / "d_results.json").write_text(json.dumps(damaged(RESULTS, data)))
        (folder / "record_d_results.json").write_text(json.dumps(damaged(ENTRY, data)))
        right = score(folder, Keys([key]), folder / "out")
    if right is not None:
        changed = rows[hit].get("resps") != [[key.questions[hit].answer]]
        assert right == 12 or (changed and right == 11)


def judge_table(key: AnswerKey, data: st.DataObject) -> None:
    text = "question_id,answer\n" + "".join(f"{one.id},{one.answer}\n" for one in key.questions)
    for _ in range(data.draw(st.integers(0, 2))):
        at = data.draw(st.integers(0, len(text)))
        insert = data.draw(st.text(max_size=3) | st.sampled_from(CELLS))
        text = text[:at] + insert + text[at + data.draw(st.integers(0, 2)) :]
    content = text.encode("utf-8", "surrogatepass")
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "predictions.csv"
        path.write_bytes(content)
        right = score(path, Keys([key]), Path(scratch) / "out")
    if right is not None:
        rows = csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline=""))
        cells = [{str(k).strip().lower(): "".join(v or "").strip() for k, v in row.items()} for row in rows]
        answers = {row["question_id"]: row["answer"].upper() for row in cells if any(row.values())}
        assert right == sum(answers[one.id] == one.answer for one in key.questions)


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00", b"PK\x03\x04", b"\x00" * 1000, b"[" * 10_000])
@pytest.mark.parametrize("name", ["p.csv", "p.jsonl", "d_samples_hlvid.jsonl"])
def test_other_files_under_these_names(name: str, content: bytes, keys: Keys, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    assert score(tmp_path / name, keys, tmp_path / "out") is None
