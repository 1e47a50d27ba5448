"""What `hlvid compare` says, as text, JSON and CSV, on HLVid's two real systems and on runs made here."""

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hlvid.errors import AnswerError
from hlvid.scoring.compare import compare_table
from hlvid.scoring.correctness import is_correctness, read_correctness
from hlvid.scoring.multiple import holm
from hlvid.scoring.report import compare_runs
from hlvid.scoring.table import Table
from tests.hlvid.scoring.conftest import compare

Rows = list[dict[str, Any]]
MakeRows = Callable[..., Rows]


def test_the_real_pair(real_pair: tuple[Rows, Rows], shared: Path) -> None:
    folder = shared / "hlvid"
    systems = read_correctness(folder / "paired_correctness.csv", folder / "questions.csv")
    report = compare_runs(systems)
    (pair,) = report.pairs
    expected = compare(*real_pair, names=("system_a", "system_b"))
    assert (pair.interval, pair.clustered_p, pair.conclusion) == (
        expected.interval,
        expected.clustered_p,
        "no_evidence",
    )
    assert [one.overall.correct for one in report.systems] == [133, 130]
    assert (len(report.changed), sum(one.right == "system_a" for one in report.changed)) == (29, 16)
    assert pair.needed is not None and 5_000 < pair.needed < 15_000
    text = report.text()
    assert "system_a: 49.6 %" in text and expected.verdict in text and "only system_b right: 5, 6, 7" in text
    assert f"it would take about {pair.needed:,} questions" in text
    found = json.loads(report.json())
    assert found["pairs"][0]["conclusion"] == "no_evidence" and found["pairs"][0]["needed"] == pair.needed
    lines = list(csv.DictReader(io.StringIO(report.csv())))
    assert [line["group"] for line in lines] == ["all", "av", "household"]
    assert float(lines[0]["low"]) == pair.interval.low


def test_groups_are_corrected_together(real_pair: tuple[Rows, Rows]) -> None:
    none = [{**row, "correct": False, "parsed": "B"} for row in real_pair[0]]
    report = compare_runs({"a": real_pair[0], "b": real_pair[1], "none": none})
    assert report.pairs == tuple(
        compare_table(Table.of({"a": real_pair[0], "b": real_pair[1], "none": none}))
    )
    tests = [one for pairs in report.groups["category"].values() for one in pairs]
    assert [one.adjusted_p for one in tests] == holm([one.clustered_p for one in tests])
    assert {one.pairs for one in tests} == {6}
    assert [one.conclusion for one in tests] == ["no_evidence", "a_better", "a_better"] * 2


def test_means_of_categories(make_rows: MakeRows) -> None:
    sources = [f"s{number % 30}" for number in range(90)]
    categories = ["count" if number < 30 else "plot" for number in range(90)]
    sides = [
        [{**row, "category": name} for row, name in zip(make_rows(right, sources), categories, strict=True)]
        for right in ([1] * 30 + [1, 0] * 30, [1, 0] * 45)
    ]
    report = compare_runs({"a": sides[0], "b": sides[1]}, mean_of="categories")
    assert [one.value for one in report.systems] == [0.75, 0.5]
    assert report.pairs[0].difference == pytest.approx(0.25)
    assert report.pairs[0].conclusion == "a_better"
    assert "as the mean of the categories" in report.text()


def test_a_table_of_right_and_wrong(tmp_path: Path) -> None:
    path = tmp_path / "pairs.csv"
    path.write_text("question_id,a_correct,b_correct,source\n0,1,0,s\n1,true,0,t\n")
    assert is_correctness(path)
    found = read_correctness(path)
    assert [row["correct"] for row in found["a"]] == [True, True] and found["b"][1]["source"] == "t"
    path.write_text("question_id,a_correct,b_correct\n0,1,2\n")
    with pytest.raises(AnswerError, match=r"pairs\.csv: line 2: field 'b_correct' is '2'"):
        read_correctness(path)
    other = tmp_path / "questions.csv"
    other.write_text("question_id,source\n7,s\n")
    with pytest.raises(AnswerError, match="question 0 is not in"):
        read_correctness(path, other)
