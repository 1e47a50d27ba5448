"""Paired tests, Holm, comparisons and power: golden values from scipy, published examples and simulation.

pytest tests/hlvid/scoring/test_compare.py
"""

import itertools
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from hlvid.errors import AnswerError
from hlvid.scoring.clusters import cluster_sums
from hlvid.scoring.compare import compare_table
from hlvid.scoring.multiple import holm
from hlvid.scoring.paired import mcnemar, paired_design_effect, sign_flip
from hlvid.scoring.power import minimum_detectable_difference, power_of, questions_needed
from hlvid.scoring.table import Table
from tests.hlvid.scoring.conftest import compare

Rows = list[dict[str, Any]]
MakeRows = Callable[..., Rows]


def _sums(differences: Any, clusters: list[Any]) -> Any:
    return cluster_sums(np.asarray(differences, float), clusters)[0][:, 0]


@given(st.integers(0, 300), st.integers(0, 300))
def test_mcnemar_equals_scipys_binomial_test(only_a: int, only_b: int) -> None:
    expected = stats.binomtest(only_a, only_a + only_b).pvalue if only_a + only_b else 1.0
    assert mcnemar(only_a, only_b) == pytest.approx(expected, rel=1e-9)
    assert mcnemar(only_a, only_b) == mcnemar(only_b, only_a)


def test_mcnemar_known_values() -> None:
    assert mcnemar(16, 13) == pytest.approx(0.7110711, abs=1e-7)  # R: binom.test(13, 29)
    assert mcnemar(5, 0) == 2 / 32
    assert mcnemar(0, 0) == 1.0
    with pytest.raises(ValueError, match="allowed: 0"):
        mcnemar(-1, 3)


@given(st.lists(st.sampled_from([-1, 0, 1]), min_size=1, max_size=60))
def test_sign_flip_of_single_questions_is_mcnemar(differences: list[int]) -> None:
    expected = mcnemar(differences.count(1), differences.count(-1))
    assert sign_flip(np.array(differences, float)) == pytest.approx(expected, rel=1e-9)


@given(st.lists(st.tuples(st.sampled_from([-1, 0, 1]), st.sampled_from("abcdefg")), min_size=1, max_size=40))
def test_sign_flip_equals_trying_all_swaps(answers: list[tuple[int, str]]) -> None:
    totals: dict[str, int] = {}
    for difference, cluster in answers:
        totals[cluster] = totals.get(cluster, 0) + difference
    seen = abs(sum(totals.values()))
    swaps = list(itertools.product([1, -1], repeat=len(totals)))
    far = sum(abs(int(np.dot(signs, list(totals.values())))) >= seen for signs in swaps)
    p = sign_flip(np.array(list(totals.values()), float))
    assert p == pytest.approx(far / len(swaps), abs=1e-12)


@given(st.lists(st.integers(-1000, 1000).map(lambda whole: whole / 1000), min_size=1, max_size=9))
def test_weighted_sign_flip_equals_trying_all_swaps(totals: list[float]) -> None:
    swaps = np.array(list(itertools.product([1, -1], repeat=len(totals)))) @ np.array(totals)
    far = np.abs(swaps) >= abs(sum(totals)) - 1e-9 * sum(map(abs, totals))
    assert sign_flip(np.array(totals)) == pytest.approx(far.mean(), abs=1e-3)


def test_many_weighted_recordings_are_counted_on_a_fine_grid() -> None:
    """Against 200,000 random swaps: standard error 0.001."""
    rng = np.random.default_rng(7)
    totals = rng.normal(0.15, 1, 40)
    swaps = rng.choice([-1.0, 1.0], (200_000, 40)) @ totals
    assert sign_flip(totals) == pytest.approx((np.abs(swaps) >= abs(totals.sum())).mean(), abs=0.004)


def test_a_recording_of_next_to_no_weight_changes_nothing() -> None:
    """On the grid its size is 0, which once was a crash."""
    totals = np.linspace(0.51, 1.53, 14) * np.resize([1, 1, -1], 14)
    assert sign_flip(np.append(totals, 1e-4)) == pytest.approx(sign_flip(totals), abs=0.002)


def test_categories_that_count_alike(make_rows: MakeRows) -> None:
    """Board review A6: 20 counting and 180 plot questions. Number, difference and verdict are of one statistic."""
    count, plot = range(20), range(20, 200)
    sources = [f"s{number % 40}" for number in range(200)]
    names = ["count" if number in count else "plot" for number in range(200)]

    def rows(counts: float, plots: float) -> Rows:
        right = [number < 20 * counts for number in count] + [number - 20 < 180 * plots for number in plot]
        return [{**row, "category": name} for row, name in zip(make_rows(right, sources), names, strict=True)]

    one, other = rows(1.0, 0.4), rows(0.0, 0.8)
    alike, parts = compare(one, other), compare(one, other, mean_of="categories")
    assert (alike.conclusion, parts.conclusion) == ("b_better", "a_better")
    assert (parts.accuracy_a, parts.accuracy_b) == pytest.approx((0.7, 0.4))
    assert parts.difference == pytest.approx(0.3) and parts.difference in parts.interval
    assert "70.0 %, B 40.0 % as the mean of the categories of 200 questions" in parts.verdict
    with pytest.raises(AnswerError, match="question 0: has no category"):
        compare([{**one[0], "category": None}, *one[1:]], other, mean_of="categories")


def test_sign_flip_equals_scipys_permutation_test() -> None:
    rng = np.random.default_rng(4)
    totals = rng.integers(-3, 5, 12)
    differences = np.concatenate([np.full(abs(total), np.sign(total)) for total in totals])
    clusters = np.concatenate([np.full(abs(total), index) for index, total in enumerate(totals)]).tolist()
    expected = stats.permutation_test(
        (totals,), np.sum, permutation_type="samples", n_resamples=2**12
    )  # all of them
    assert sign_flip(_sums(differences, clusters)) == pytest.approx(expected.pvalue, abs=1e-12)


def test_one_recording_can_prove_nothing() -> None:
    """20 wins to 0 within one recording: McNemar is impressed, one coin toss is not."""
    assert mcnemar(20, 0) < 1e-5
    assert sign_flip(_sums([1] * 20, ["s"] * 20)) == 1.0


def test_sign_flip_keeps_its_level_on_clustered_answers() -> None:
    """Equal systems whose luck is shared within recordings: McNemar cries wolf, the clustered test does not."""
    rng = np.random.default_rng(0)
    clusters = np.repeat(np.arange(20), 12)
    false = {"mcnemar": 0, "sign_flip": 0}
    for _ in range(400):
        lean = np.repeat(rng.choice([-0.4, 0.0, 0.4], 20), 12)
        toss = rng.random(240)
        differences = np.where(toss < 0.25 + lean / 2, 1, np.where(toss > 0.75 + lean / 2, -1, 0))
        false["mcnemar"] += mcnemar(int((differences == 1).sum()), int((differences == -1).sum())) < 0.05
        false["sign_flip"] += sign_flip(_sums(differences, clusters.tolist())) < 0.05
    assert false["sign_flip"] / 400 < 0.08
    assert false["mcnemar"] / 400 > 0.12


def test_holm_known_values() -> None:
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    # R: p.adjust(c(0.01, 0.02, 0.03, 0.04, 0.05), "holm")
    assert holm([0.01, 0.02, 0.03, 0.04, 0.05]) == pytest.approx([0.05, 0.08, 0.09, 0.09, 0.09])
    assert holm([]) == []
    with pytest.raises(ValueError, match="allowed: 0 to 1"):
        holm([1.5])


@given(st.lists(st.floats(0, 1), max_size=20))
def test_holm_lies_between_raw_and_bonferroni(values: list[float]) -> None:
    for raw, adjusted in zip(values, holm(values), strict=True):
        assert raw <= adjusted <= min(1.0, raw * len(values)) + 1e-12


def test_the_real_pair_shows_no_difference(real_pair: tuple[Rows, Rows]) -> None:
    found = compare(*real_pair, names=("full", "gazed"))
    assert (found.only_a, found.only_b, found.n, found.recordings) == (16, 13, 268, 30)
    assert found.difference == pytest.approx(3 / 268)
    assert found.mcnemar_p == pytest.approx(0.7110711, abs=1e-7)
    assert found.interval.low < 0 < found.interval.high
    assert (found.interval.low, found.interval.high) == pytest.approx((-0.0304, 0.0528), abs=1e-4)
    assert found.conclusion == "no_evidence"
    assert "no evidence of a difference" in found.verdict
    assert "+1.1 points, 95 % interval -3.0 to +5.3" in found.verdict
    assert "full alone is right on 16, gazed alone on 13" in found.verdict


def test_swapping_the_systems_mirrors_the_result(real_pair: tuple[Rows, Rows]) -> None:
    one, other = compare(*real_pair), compare(*real_pair[::-1])
    assert one.clustered_p == other.clustered_p
    assert one.difference == -other.difference
    assert (one.interval.low, one.interval.high) == pytest.approx((-other.interval.high, -other.interval.low))


def test_a_clear_difference_is_found_and_named(make_rows: MakeRows) -> None:
    sources = [f"s{number // 5}" for number in range(100)]
    good = make_rows([number % 5 != 0 for number in range(100)], sources)
    poor = make_rows([number % 5 in (1, number // 5 % 5) for number in range(100)], sources)
    found = compare(poor, good, names=("poor", "good"))
    assert found.conclusion == "b_better"
    assert "evidence that good is better" in found.verdict
    assert found.interval.high < 0


def test_identical_runs(make_rows: MakeRows) -> None:
    rows = make_rows([1, 0] * 20, [f"s{number // 4}" for number in range(40)])
    found = compare(rows, rows)
    assert (found.difference, found.mcnemar_p, found.clustered_p, found.detectable) == (0, 1.0, 1.0, None)
    assert found.interval.low < 0 < found.interval.high  # unseen recordings might differ
    assert found.interval.reason is not None
    assert found.conclusion == "no_evidence" and "right on the very same questions" in found.verdict


def test_one_recording_gives_no_verdict_however_clear(make_rows: MakeRows) -> None:
    found = compare(make_rows([1] * 20, ["s"] * 20), make_rows([0] * 20, ["s"] * 20))
    assert (found.interval.low, found.interval.high) == (-1.0, 1.0)
    assert "one recording says nothing about others" in found.verdict
    assert found.conclusion == "no_evidence"


def test_few_recordings_are_said_to_be_too_few(make_rows: MakeRows) -> None:
    """47 against 10 right on four recordings: p cannot fall below 2 / 2^4, which does not make the two alike."""
    sources = [f"s{number % 4}" for number in range(48)]
    found = compare(
        make_rows([number > 0 for number in range(48)], sources),
        make_rows([number % 5 == 1 for number in range(48)], sources),
    )
    assert found.conclusion == "no_evidence" and found.deciding == 4
    assert (
        "4 recordings, and on so few the sign-flip test cannot fall below p = 0.12; it takes 6."
        in found.verdict
    )


def test_every_recording_agrees_without_spread(make_rows: MakeRows) -> None:
    """A wins exactly one question in each of 12 recordings: no spread, yet not certain."""
    sources = [f"s{number // 4}" for number in range(48)]
    found = compare(make_rows([number % 4 < 2 for number in range(48)], sources),
                    make_rows([number % 4 < 1 for number in range(48)], sources))  # fmt: skip
    assert found.interval.low < found.difference < found.interval.high
    assert found.interval.reason is not None


def test_difference_interval_covers(make_rows: MakeRows) -> None:
    """Paired answers whose difference varies by recording, unequal sizes; 300 runs: standard error 1.3 points."""
    rng = np.random.default_rng(5)
    sizes = np.array([40, 20, 15, 15, 12, 12, 10, 10, 8, 8, 8, 6, 6, 5, 5, 5, 4, 4, 4, 3, 3, 3, 2, 2])
    sources = [f"s{index}" for index in np.repeat(np.arange(len(sizes)), sizes)]
    hits = 0
    for _ in range(300):
        gain = np.repeat(rng.normal(0.1, 0.12, len(sizes)), sizes)  # true mean difference 0.1
        toss = rng.random(len(sources))
        a = make_rows((toss < 0.5 + gain).astype(int), sources)
        b = make_rows((toss < 0.5).astype(int), sources)
        hits += 0.1 in compare(a, b).interval
    assert 0.91 <= hits / 300 <= 0.99


def test_all_pairs_are_corrected_together(real_pair: tuple[Rows, Rows]) -> None:
    none = [{**row, "correct": False, "parsed": "B"} for row in real_pair[0]]
    found = compare_table(Table.of({"a": real_pair[0], "b": real_pair[1], "none": none}))
    assert [(one.a, one.b) for one in found] == [("a", "b"), ("a", "none"), ("b", "none")]
    alone = [compare(real_pair[0], real_pair[1]), compare(real_pair[0], none), compare(real_pair[1], none)]
    assert [one.clustered_p for one in found] == [one.clustered_p for one in alone]
    assert [one.adjusted_p for one in found] == holm([one.clustered_p for one in alone])
    assert [one.interval for one in found] == [one.interval for one in alone]
    assert [one.conclusion for one in found] == ["no_evidence", "a_better", "a_better"]
    assert "after Holm over 3 pairs" in found[0].verdict


def test_faults(make_rows: MakeRows) -> None:
    rows = make_rows([1, 0, 1], ["a", "a", "b"])
    with pytest.raises(AnswerError, match="new: no answer to questions 2;"):
        compare(rows, rows[:2], names=("old", "new"))
    with pytest.raises(AnswerError, match="old: no answer to questions 2;"):
        compare(rows[:2], rows, names=("old", "new"))
    with pytest.raises(AnswerError, match="field 'source' is 'x'"):
        compare(rows, [{**row, "source": "x"} for row in rows])
    with pytest.raises(AnswerError, match="no questions"):
        compare([], [])
    with pytest.raises(AnswerError, match="no runs"):
        compare_table(Table.of({}))
    with pytest.raises(AnswerError, match="B: row 1: question 0: field 'correct'"):
        compare(rows, [{**row, "correct": 7} for row in rows])


def test_order_of_rows_does_not_matter(real_pair: tuple[Rows, Rows]) -> None:
    assert compare(real_pair[0], real_pair[1][::-1]) == compare(*real_pair)


def test_paired_design_effect() -> None:
    differences = np.array([1, 0, 0, -1, 1, 0, 0, 0, 1, -1] * 10)
    assert paired_design_effect(
        np.repeat(differences, 6), np.repeat(np.arange(100), 6).tolist()
    ) == pytest.approx(6, rel=0.05)
    assert math.isnan(paired_design_effect([1, 0], ["s", "s"]))
    assert math.isnan(paired_design_effect([0, 0], ["s", "t"]))


@pytest.mark.parametrize(
    ("difference", "discordance", "n"), [(0.0565, 0.11, 268), (0.1, 0.3, 235), (0.2, 0.5, 96)]
)
def test_power_is_what_simulation_finds(difference: float, discordance: float, n: int) -> None:
    """The normal formula against 20,000 simulated benchmarks, tested by the (asymptotic) McNemar statistic."""
    rng = np.random.default_rng(0)
    shares = [(discordance + difference) / 2, (discordance - difference) / 2, 1 - discordance]
    wins, losses, _ = rng.multinomial(n, shares, size=20_000).T
    found = (wins - losses) / np.sqrt(np.maximum(wins + losses, 1)) >= stats.norm.ppf(0.975)
    assert power_of(difference, n, discordance) == pytest.approx(found.mean(), abs=0.03)


def test_detectable_difference_and_questions_needed_are_inverse() -> None:
    smallest = minimum_detectable_difference(268, 29 / 268)
    assert smallest is not None
    assert smallest == pytest.approx(0.0561, abs=2e-4)
    assert power_of(smallest, 268, 29 / 268) == pytest.approx(0.8, abs=1e-9)
    assert questions_needed(smallest, 29 / 268) in (268, 269)
    doubled = minimum_detectable_difference(268, 29 / 268, design_effect=2)
    assert doubled == pytest.approx(minimum_detectable_difference(134, 29 / 268))
    assert doubled is not None
    assert doubled > smallest


def test_questions_needed_of_a_textbook() -> None:
    """Connor 1987: cells 0.25 and 0.15 (difference 0.1, discordance 0.4), two-sided 5 %, power 0.9: 417."""
    sided, other = 1.959964, 1.281552
    expected = math.ceil(((sided * 0.4**0.5 + other * 0.39**0.5) / 0.1) ** 2)
    assert questions_needed(0.1, 0.4, power=0.9) == expected == 417


def test_too_few_questions_to_find_anything() -> None:
    assert minimum_detectable_difference(3, 0.1) is None


@pytest.mark.parametrize("wrong", [{"discordance": 0}, {"discordance": 1.1}, {"power": 1.0}, {"level": 95}, {"n": 0},
                                   {"design_effect": 0}, {"design_effect": math.inf}])  # fmt: skip
def test_power_refuses(wrong: dict[str, float]) -> None:
    arguments: dict[str, Any] = {"n": 268, "discordance": 0.1, **wrong}
    with pytest.raises(ValueError, match=next(iter(wrong))):
        minimum_detectable_difference(**arguments)
