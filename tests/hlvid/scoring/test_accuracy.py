"""Accuracies and their intervals against scipy, closed forms and simulated coverage.

pytest tests/hlvid/scoring/test_accuracy.py
"""

import csv
import json
import math
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from hlvid.errors import AnswerError
from hlvid.scoring.accuracy import clustered, summarize, wilson
from hlvid.scoring.clusters import cluster_sums, effective_clusters, standard_error

Rows = list[dict[str, Any]]
MakeRows = Callable[..., Rows]


@pytest.mark.parametrize(("correct", "n"), [(133, 268), (0, 10), (10, 10), (1, 1), (0, 1), (48, 48), (7, 48)])
@pytest.mark.parametrize("level", [0.8, 0.95, 0.99])
def test_wilson_equals_scipy(correct: int, n: int, level: float) -> None:
    expected = stats.binomtest(correct, n).proportion_ci(confidence_level=level, method="wilson")
    interval = wilson(correct, n, level)
    assert (interval.low, interval.high) == pytest.approx((expected.low, expected.high), abs=1e-12)
    assert 0 <= interval.low <= correct / n <= interval.high <= 1


def test_wilson_of_a_textbook() -> None:
    """Newcombe 1998, table I: 81 of 263 and 15 of 148."""
    assert (wilson(81, 263).low, wilson(81, 263).high) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert (wilson(15, 148).low, wilson(15, 148).high) == pytest.approx((0.0624, 0.1605), abs=5e-5)


@pytest.mark.parametrize(("correct", "n", "level"), [(5, 4, 0.95), (-1, 4, 0.95), (1, 4, 0.0), (1, 4, 95.0)])
def test_wilson_refuses(correct: int, n: int, level: float) -> None:
    with pytest.raises(ValueError, match=r"allowed|give"):
        wilson(correct, n, level)


def test_standard_error_is_what_drawing_recordings_anew_gives() -> None:
    """Against 20,000 bootstrap draws, and for single questions against scipy's standard error of a mean."""
    rng = np.random.default_rng(3)
    sizes = rng.integers(4, 12, 200)
    clusters = np.repeat(np.arange(200), sizes)
    correct = rng.random(len(clusters)) < np.repeat(rng.beta(2, 2, 200), sizes)
    sums, totals = cluster_sums(correct, clusters.tolist())
    times = rng.multinomial(200, [1 / 200] * 200, size=20_000)
    drawn = (times @ sums[:, 0]) / (times @ totals)
    assert standard_error(sums, totals) == pytest.approx(drawn.std(), rel=0.03)
    alone, ones = cluster_sums(correct, range(len(correct)))
    assert standard_error(alone, ones) == pytest.approx(stats.sem(correct), rel=1e-9)


def test_single_questions_have_wilsons_interval_with_students_t() -> None:
    ours = clustered([1] * 300 + [0] * 200, range(500))
    assert (ours.low, ours.high) == pytest.approx((wilson(300, 500).low, wilson(300, 500).high), abs=5e-4)


def test_copies_of_a_question_add_nothing() -> None:
    """Ten copies of each answer in one cluster: the interval stays, while Wilson's shrinks by sqrt(10)."""
    correct = [1, 0] * 30
    clusters = list(range(60))
    once = clustered(correct, clusters)
    copies = clustered(np.repeat(correct, 10), np.repeat(clusters, 10).tolist())
    assert (copies.low, copies.high) == pytest.approx((once.low, once.high), abs=1e-12)


def test_effective_clusters_of_the_benchmark(shared: Path) -> None:
    with (shared / "hlvid" / "questions.csv").open() as file:
        sources = [line["source_video"] for line in csv.DictReader(file)]
    _, sizes = cluster_sums(np.ones(len(sources)), sources)
    assert (len(sizes), sizes.max(), sizes.sum()) == (30, 59, 268)
    assert effective_clusters(sizes) == pytest.approx(12.3, abs=0.05)


def coverage(sizes: np.ndarray, rate: float, icc: float, runs: int) -> dict[str, float]:
    """Share of simulated benchmarks whose interval holds the true rate, answers beta-binomial by recording."""
    rng = np.random.default_rng(20_261_121)
    clusters = np.repeat(np.arange(len(sizes)), sizes).tolist()
    scale = (1 - icc) / icc
    hits = {"wilson": 0, "ours": 0}
    for _ in range(runs):
        rates = rng.beta(rate * scale, (1 - rate) * scale, len(sizes))
        correct = (rng.random(len(clusters)) < np.repeat(rates, sizes)).astype(int)
        hits["wilson"] += rate in wilson(int(correct.sum()), len(clusters))
        hits["ours"] += rate in clustered(correct, clusters)
    return {name: count / runs for name, count in hits.items()}


HLVID = np.array([59, 22, 19, 15, 14, 12, 12, 12, 11, 9, 9, 8, 8, 6, 5, 5, *[4] * 6, 3, 3, 3, 2, 2, 2, 2, 1])


@pytest.mark.parametrize(
    ("sizes", "rate", "icc"),
    [(HLVID, 0.5, 0.2), (HLVID, 0.3, 0.1), (np.full(30, 9), 0.5, 0.2), (np.full(6, 8), 0.5, 0.1)],
    ids=["hlvid", "hlvid-low", "equal", "mini"],
)
def test_coverage(sizes: np.ndarray, rate: float, icc: float) -> None:
    """Nominal 95 %; 400 runs have a standard error of 1.1 points."""
    share = coverage(sizes, rate, icc, runs=400)
    assert 0.91 <= share["ours"] <= 0.99
    assert share["wilson"] < 0.90 < share["ours"]


def test_nothing_known_is_the_whole_scale_and_says_why() -> None:
    one = clustered([1, 0, 1], ["s"] * 3)
    assert (one.low, one.high, one.reason) == (0.0, 1.0, "one recording says nothing about others")
    none = clustered([], [])
    assert (none.low, none.high, none.reason) == (0.0, 1.0, "no answers")
    assert wilson(0, 0).reason == "no answers"


@pytest.mark.parametrize("value", [0, 1])
def test_all_alike_is_not_certain(value: int) -> None:
    """The standard error alone would give [1, 1]; as if each of 6 recordings were one answer is the cautious end."""
    interval = clustered([value] * 48, [number // 8 for number in range(48)])
    assert interval.high - interval.low > 0.3
    assert value in interval
    many = clustered([value] * 300, list(range(300)))
    assert (many.low, many.high) == pytest.approx(
        (wilson(300 * value, 300).low, wilson(300 * value, 300).high), abs=1e-3
    )


@given(st.lists(st.tuples(st.booleans(), st.sampled_from("abcdef")), min_size=1, max_size=30))
def test_interval_holds_the_value(answers: list[tuple[bool, str]]) -> None:
    correct = [right for right, _ in answers]
    interval = clustered(correct, [source for _, source in answers])
    assert 0 <= interval.low <= interval.high <= 1
    assert interval.low - 1e-9 <= sum(correct) / len(correct) <= interval.high + 1e-9


def test_bad_arguments() -> None:
    with pytest.raises(ValueError, match="2 values but 1 cluster"):
        clustered([1, 0], ["a"])
    with pytest.raises(ValueError, match="level is 95"):
        clustered([1, 0], ["a", "b"], level=95)


def test_summary_of_real_results(real_pair: tuple[Rows, Rows]) -> None:
    summary = summarize(real_pair[0])
    assert (summary.overall.correct, summary.overall.n, summary.overall.unparsed) == (133, 268, 0)
    assert summary.overall.value == pytest.approx(133 / 268)
    assert (summary.overall.wilson.low, summary.overall.wilson.high) == pytest.approx(
        (0.4369, 0.5558), abs=1e-4
    )
    assert {name: one.n for name, one in summary.by_category.items()} == {"av": 146, "household": 122}
    assert summary.by_tier == {}
    json.dumps(asdict(summary), allow_nan=False)


def test_unparsed_stays_in_the_denominator(make_rows: MakeRows) -> None:
    rows = make_rows([1, 1, 0, 0], ["s1", "s1", "s2", "s3"], tier="44px")
    rows[3]["parsed"] = None
    summary = summarize(rows)
    assert (summary.overall.n, summary.overall.unparsed, summary.overall.value) == (4, 1, 0.5)
    assert summary.by_tier["44px"].n == 4


def test_questions_without_a_recording_stand_alone(make_rows: MakeRows) -> None:
    summary = summarize(make_rows([1, 0] * 20))
    assert summary.overall.clustered.reason is None


def test_no_rows() -> None:
    overall = summarize([]).overall
    assert overall.n == 0
    assert math.isnan(overall.value)
    assert overall.wilson.reason == overall.clustered.reason == "no answers"


@pytest.mark.parametrize(
    ("change", "told"),
    [({"correct": "yes"}, "'correct' is 'yes'"), ({"correct": math.nan}, "'correct' is nan"),
     ({"correct": None}, "None"),
     ({"question_id": "0"}, "occurs twice"), ({"parsed": None}, "'parsed' is empty")],
)  # fmt: skip
def test_rows_that_would_score_wrongly(make_rows: MakeRows, change: dict[str, Any], told: str) -> None:
    rows = make_rows([1, 1])
    rows[1].update(change)
    with pytest.raises(AnswerError, match="row 2: question") as error:
        summarize(rows)
    assert told in str(error.value)


def test_missing_fields(make_rows: MakeRows) -> None:
    rows = make_rows([1, 1])
    del rows[1]["parsed"]
    with pytest.raises(AnswerError, match="row 2: field 'parsed' is missing"):
        summarize(rows)
