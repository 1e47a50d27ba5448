"""Run with: pytest tests/hlvid/tasks/test_averages.py. The mean of categories and its interval."""

import math
import random
from typing import Any

import pytest

from hlvid.scoring.averages import category_mean, category_mean_interval
from hlvid.scoring.intervals import clustered


def rows(*counts: tuple[str, int, int], per_video: int = 1) -> list[dict[str, Any]]:
    """(category, right, asked), questions of a category shared out over videos of `per_video`."""
    return [
        {
            "question_id": f"{category}-{number}",
            "category": category,
            "correct": number < right,
            "parsed": "A",
            "source": f"{category}-{number // per_video}",
        }
        for category, right, asked in counts
        for number in range(asked)
    ]


def test_categories_count_the_same_whatever_their_size() -> None:
    assert category_mean(rows(("count", 1, 4), ("ego", 90, 100))) == pytest.approx((0.25 + 0.9) / 2)
    assert math.isnan(category_mean([]))


def test_with_one_category_it_is_the_accuracy_and_its_interval() -> None:
    found = rows(("ego", 30, 80), per_video=2)
    plain = clustered([row["correct"] for row in found], [row["source"] for row in found])
    mean = category_mean_interval(found)
    assert (mean.low, mean.high) == pytest.approx((plain.low, plain.high))


def test_a_small_category_widens_the_interval() -> None:
    even = category_mean_interval(rows(("a", 100, 200), ("b", 100, 200)))
    uneven = category_mean_interval(rows(("a", 196, 392), ("b", 4, 8)))
    assert even.low < 0.5 < even.high
    assert uneven.high - uneven.low > 3 * (even.high - even.low)


def test_questions_of_one_video_are_not_independent() -> None:
    rng = random.Random(1)
    found = rows(("a", 0, 200), ("b", 0, 200))
    for row in found:
        row["correct"] = rng.random() < 0.5
    single = category_mean_interval(found)
    for number, row in enumerate(found):
        row["source"], row["correct"] = f"{row['category']}{number // 20}", (number // 20) % 2 == 0
    clustered = category_mean_interval(found)
    assert clustered.high - clustered.low > 2 * (single.high - single.low)


@pytest.mark.parametrize(
    ("counts", "low", "high"),
    [
        ([("a", 6, 6), ("b", 6, 6)], 0.6, 1.0),
        ([("a", 0, 6), ("b", 0, 6)], 0.0, 0.4),
    ],
)
def test_all_right_or_all_wrong_is_not_certain(
    counts: list[tuple[str, int, int]], low: float, high: float
) -> None:
    found = category_mean_interval(rows(*counts))
    assert low <= found.low < found.high <= high


def test_where_nothing_can_be_said_it_says_so() -> None:
    for found in ([], rows(("a", 2, 3), per_video=3)):
        interval = category_mean_interval(found)
        assert (interval.low, interval.high) == (0.0, 1.0)
        assert interval.reason


def test_coverage_is_near_what_it_claims() -> None:
    """Three categories of unequal size and truth, 40 videos each of three questions."""
    rng = random.Random(5)
    truths = {"a": 0.3, "b": 0.6, "c": 0.8}
    hits, runs = 0, 150
    for _ in range(runs):
        found = []
        for category, truth in truths.items():
            for video in range(40):
                shift = rng.uniform(-0.2, 0.2)
                found += [
                    {
                        "question_id": f"{category}{video}{number}",
                        "category": category,
                        "correct": rng.random() < truth + shift,
                        "source": f"{category}{video}",
                    }
                    for number in range(3)
                ]
        hits += sum(truths.values()) / 3 in category_mean_interval(found)
    assert 0.90 <= hits / runs <= 1.0
