"""Rows of a demo as they come out of a run, without running one: six recordings, four tiers, two settings."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from evaluators.demo.rows import Row, make_row
from evaluators.sweeps.cells import Cell

TIERS = ("54px", "27px", "13px", "07px")


def samples_of(right: Callable[[int, str], bool], model: str = "gaze_reader") -> list[dict[str, Any]]:
    """48 samples; `right(i, tier)` says whether the i-th question of a tier is answered correctly."""
    details = {"tokens_selected": 100, "seconds": {"decode": 4.0, "ocr": 8.0}} if model != "blind" else {}
    return [
        {
            "task": "hlvid_mini",
            "question_id": f"{tier}-{i}",
            "video": f"clip_av_video_{i % 6}_000.mp4",
            "source": f"av_video_{i % 6}",
            "category": "av" if i % 2 else "household",
            "tier": tier,
            "parsed": "A",
            "correct": right(i, tier),
            "details": details,
        }
        for tier in TIERS
        for i in range(12)
    ]


def cell_of(selector: str, resolution: int, ratio: float = 0.1) -> Cell:
    asked = {"selector": selector, "ratio": ratio, "resolution": resolution, "frames": 8}
    return Cell("hlvid_mini", "gaze_reader", asked, asked)


@pytest.fixture
def rows() -> Sequence[Row]:
    """Blind (a quarter right), 448 px (only the largest text) and 3584 px (all but the first of each tier)."""
    blind = Cell("hlvid_mini", "blind", {"strategy": "hash"}, {"strategy": "hash"})
    return [
        make_row(blind, samples_of(lambda i, tier: i % 4 == 0, "blind")),
        make_row(cell_of("detail", 448), samples_of(lambda i, tier: tier == "54px")),
        make_row(cell_of("detail", 3584), samples_of(lambda i, tier: i > 0)),
    ]
