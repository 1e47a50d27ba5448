"""The browser's statistics are `hlvid.scoring`'s: the same numbers, the same sentence (in Node)."""

import json
import random
from collections.abc import Callable
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hlvid.scoring.compare import compare_table
from hlvid.scoring.paired import mcnemar, sign_flip
from hlvid.scoring.table import MeanOf, Table
from leaderboard.benchmarks import mean_of
from leaderboard.board import load_board
from leaderboard.site.facts import answers_of
from leaderboard.site.paired import constants
from tests.hlvid.scoring.conftest import compare

Open = Callable[..., Any]
Row = dict[str, Any]


def section_of(runs: dict[str, list[Row]], mean_of: MeanOf) -> dict[str, Any]:
    """What `facts.answers_of` ships, for made-up runs."""
    entries = [
        {"name": name, "label": name, "correct": "".join("1" if row["correct"] else "0" for row in rows)}
        for name, rows in runs.items()
    ]
    return {"entries": entries, "questions": [], "paired": constants(Table.of(runs, mean_of))}


def run_of(right: list[bool], sources: list[str]) -> list[Row]:
    """Categories of unequal size, so that weights are no whole numbers."""
    return [
        {
            "question_id": str(number),
            "correct": ok,
            "parsed": "A",
            "source": source,
            "category": f"c{len(bin(number))}",
        }
        for number, (ok, source) in enumerate(zip(right, sources, strict=True))
    ]


def in_browser(page: Any, section: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = page.evaluate("(section) => HlvidStatistics.compare(section, 0, 1)", section)
    return found


def check(page: Any, runs: dict[str, list[Row]], mean_of: MeanOf = "questions") -> str:
    """Both agree; returns the verdict."""
    (name_a, a), (name_b, b) = runs.items()
    here = compare(a, b, (name_a, name_b), mean_of=mean_of)
    there = in_browser(page, section_of(runs, mean_of))
    assert there["verdict"] == here.verdict
    assert there["shown"] == (here.conclusion != "no_evidence")
    numbers = [there["interval"]["low"], there["interval"]["high"], there["mcnemar"], there["signFlip"]]
    assert numbers == pytest.approx(
        [here.interval.low, here.interval.high, here.mcnemar_p, here.clustered_p], rel=1e-9, abs=1e-12
    )
    return here.verdict


def test_every_pair_of_the_board(node: Any, boards: Any) -> None:
    for section in load_board(boards.submissions, boards.keys).sections:
        scored = section.scored()
        for one, other in combinations(scored, 2):
            check(
                node,
                {one.name: list(one.rows), other.name: list(other.rows)},
                mean_of(section.benchmark),
            )


def test_what_is_shown_among_all_pairs_is_what_places_rest_on(node: Any, boards: Any) -> None:
    told = set()
    for section in load_board(boards.submissions, boards.keys).sections:
        scored = {entry.name: entry.rows for entry in section.scored()}
        table, answers = Table.of(scored, mean_of(section.benchmark)), answers_of(section)
        for pair, one in zip(combinations(range(len(scored)), 2), compare_table(table), strict=True):
            code = f"(section) => HlvidStatistics.compare(section, {pair[0]}, {pair[1]})"
            there = node.evaluate(code, answers)
            assert there["shownTogether"] == (one.conclusion != "no_evidence")
            told.add((there["shown"], there["shownTogether"]))
    assert told == {(False, False), (True, False), (True, True)}


def test_random_pairs_on_many_shapes(node: Any) -> None:
    """Few and many recordings, single questions, equal runs, opposite runs: each branch of the interval."""
    draw = random.Random(3)
    verdicts = ""
    for trial in range(40):
        groups, n = draw.choice([1, 2, 5, 12, 30]), draw.choice([1, 8, 48, 160])
        sources = [f"s{draw.randrange(groups)}" for _ in range(n)]
        right = [draw.random() < 0.6 for _ in range(n)]
        flip = draw.choice([0.0, 0.1, 0.5, 1.0])
        other = [not ok if draw.random() < flip else ok for ok in right]
        if trial % 4 == 0:
            other = [
                ok or draw.random() < 0.6 for ok in right
            ]  # one-sided, so that some differences are shown
        runs = {"one": run_of(right, sources), "two": run_of(other, sources)}
        verdicts += check(node, runs, "categories" if trial % 3 == 0 else "questions")
    for words in (
        "evidence that",
        "no evidence",
        "one recording",
        "same difference",
        "hardly any",
        "8 times in 10",
        "mean of the categories",
        "there are 5 recordings, and on so few",
    ):
        assert words in verdicts


def test_hlvids_two_real_systems(node: Any, shared: Path) -> None:
    """133 against 130 of 268 on 30 recordings: no evidence of a difference."""
    lines = (shared / "hlvid" / "paired_correctness.csv").read_text().split()[1:]
    sources = [
        line.rsplit(",", 1)[1] for line in (shared / "hlvid" / "questions.csv").read_text().split()[1:]
    ]
    pairs = [line.split(",") for line in lines]
    runs = {
        name: run_of([pair[column] == "1" for pair in pairs], sources)
        for name, column in (("full", 1), ("gazed", 2))
    }
    verdict = check(node, runs)
    assert "no evidence of a difference" in verdict and "268 questions" in verdict


def test_exact_tests_on_large_counts(node: Any) -> None:
    for one, other in [(0, 0), (0, 1), (16, 13), (700, 600), (1500, 1400), (3, 2000)]:
        assert node.evaluate(f"HlvidStatistics.mcnemar({one}, {other})") == pytest.approx(
            mcnemar(one, other), rel=1e-9
        )
    sums = [3, -2, 0, 5, 1, 1, -4, 12]
    expected = pytest.approx(sign_flip(np.array(sums, float)), rel=1e-12)
    assert node.evaluate(f"HlvidStatistics.signFlip({json.dumps(sums)})") == expected


def test_numbers_are_rounded_as_python_does(node: Any) -> None:
    values = [0, 6.25, 6.35, 18.75, 0.05, 0.15, 31.25, 99.95, 100, 2.5, 43.75, -6.25, -0.04]
    values += [100 * right / 48 for right in range(49)]
    shown = node.evaluate("(values) => values.map((value) => HlvidStatistics.fixed(value))", values)
    assert shown == [f"{value:.1f}" for value in values]


def test_the_page_compares_what_is_chosen(open_page: Open, boards: Any) -> None:
    page = open_page("compare.html#section=mvbench&a=sys-7&b=sys-0")
    page.wait_for_selector("#verdict")
    (section,) = [
        one for one in load_board(boards.submissions, boards.keys).sections if one.benchmark == "mvbench"
    ]
    rows = {entry.name: entry.rows for entry in section.scored()}
    assert (
        page.inner_text("#verdict")
        == compare(rows["sys-7"], rows["sys-0"], ("sys-7", "sys-0"), mean_of="categories").verdict
    )
    counts = [int(text) for text in page.locator("figure td").all_inner_texts()]
    assert sum(counts) == 90
    won = page.locator("details.questions li").count()
    assert won == counts[1] + counts[2]
    page.click("#swap")
    page.wait_for_selector("text=Only A right: sys-0")
    assert "a=sys-0&b=sys-7" in page.url
    page.select_option("select[name=b]", "sys-0")
    page.wait_for_selector("text=Choose two different entries")
    page.select_option("select[name=section]", "hlvid")
    page.wait_for_selector("#verdict")
    assert "of 12 questions" in page.inner_text("#verdict")


def test_too_few_recordings_to_show_anything_are_named(open_page: Open) -> None:
    """12 right against 12 wrong, on 4 recordings: the sign-flip test cannot fall below 2 / 2^4."""
    page = open_page("compare.html#section=hlvid&a=all-right&b=all-wrong")
    page.wait_for_selector("#verdict")
    assert "no evidence" in page.inner_text("#verdict")
    assert "there are 4 recordings" in page.inner_text("#verdict") and "p = 0.12" in page.inner_text(
        "#verdict"
    )
    page.goto(page.url.replace("hlvid&a=all-right&b=all-wrong", "mvbench&a=sys-7&b=sys-0"))
    page.wait_for_selector("text=of 90 questions")
    assert "recordings, and on so few" not in page.inner_text("#verdict")


def test_reported_numbers_cannot_be_chosen(open_page: Open) -> None:
    page = open_page("compare.html#section=hlvid&a=paper&b=all-right")
    page.wait_for_selector("#result > *")
    options = page.locator("select[name=a] option").all_inner_texts()
    assert len(options) == 3 and not any("Paper" in text for text in options)
