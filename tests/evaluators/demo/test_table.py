"""The demo's numbers and table: what a person reads has to be what was measured.

Run: pytest tests/evaluators/demo
"""

import io
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image
from rich.console import Console

from evaluators.demo.figure import draw
from evaluators.demo.grid import FRAMES, FULL_OTHERS, FULL_RATIOS, RESOLUTIONS, Setting, demo_settings
from evaluators.demo.rows import Row, full_series, make_row
from evaluators.demo.table import build_table, tier_names


def printed(rows: Sequence[Row], width: int = 80) -> str:
    console = Console(file=io.StringIO(), width=width)
    console.print(build_table(rows))
    return console.file.getvalue()  # type: ignore[attr-defined]


def test_grid_is_the_issues() -> None:
    """Blind, `detail` at four resolutions and three ratios, other selectors at fewer, each a run of its own name."""
    settings = demo_settings(full=True)
    assert RESOLUTIONS == (448, 896, 1792, 3584)
    assert [setting.series for setting in settings[:13]] == [
        "blind", *(f"detail, gazing ratio {ratio:.0%}" for ratio in FULL_RATIOS for _ in RESOLUTIONS)
    ]  # fmt: skip
    assert {setting.selector for setting in settings[13:]} == set(FULL_OTHERS)
    assert max(setting.resolution or 0 for setting in settings[13:]) == 1792
    learned = {setting.series for setting in settings if setting.selector == "autogaze"}
    assert learned == {
        f"autogaze{how}, gazing ratio {ratio}" for how in ("", " mean") for ratio in ("1%", "10%")
    }
    assert len({setting.name for setting in settings}) == len(settings)
    short = demo_settings()
    assert set(short) < set(settings) and {setting.selector for setting in short} > {"autogaze", "everything"}
    assert (
        settings[12].model_args == f"selector=detail,ratio={FULL_RATIOS[2]},resolution=3584,frames={FRAMES}"
    )


def test_a_selector_of_ones_own_stands_beside_the_others() -> None:
    mine = [
        one
        for one in demo_settings(more=["autogaze.selectors.centre:Centre", "detail"])
        if ":" in str(one.selector)
    ]
    assert [one.name for one in mine] == [
        f"autogaze.selectors.centre-Centre-{px}-r0.10" for px in (448, 896, 1792)
    ]
    assert mine[0].reader().selector == "autogaze.selectors.centre:Centre"


def test_every_setting_is_one_the_reader_takes() -> None:
    for setting in demo_settings(full=True):
        if setting.model == "gaze_reader":
            assert setting.reader().selector == setting.selector


def test_tiers_are_drawn_for_the_series_run_in_full(rows: Sequence[Row]) -> None:
    everything = Setting("everything-448-r1.00", "gaze_reader", "", 448, 1.0, "everything")
    more = [*rows, replace(rows[1], setting=everything)]
    assert [row.setting.name for row in full_series(more)] == ["detail-448-r0.10", "detail-3584-r0.10"]
    assert everything.series == "everything"


def test_rows_count_a_question_as_if_it_were_asked_alone(rows: Sequence[Row]) -> None:
    """A video's 12 s were spent once for its eight questions; each of them would have needed all of them."""
    assert rows[1].seconds_per_question == pytest.approx(12)
    assert rows[1].tokens_per_question == 100
    assert rows[0].seconds_per_question == rows[0].tokens_per_question == 0


def test_rows_are_json(rows: Sequence[Row]) -> None:
    record = json.loads(json.dumps(rows[2].to_json()))
    assert record["overall"]["correct"] == 44 and record["overall"]["n"] == 48
    assert record["by_tier"]["07px"]["correct"] == 11
    assert record["overall"]["wilson"]["low"] == pytest.approx(0.804, abs=0.001)


def test_table_fits_a_terminal_of_80_columns(rows: Sequence[Row]) -> None:
    widest = Setting("everything-1792-r1.00", "gaze_reader", "", 1792, 1.0, "everything")
    details = {"tokens_selected": 76_544, "seconds": {"ocr": 99.9}}
    samples = [{**sample, "details": details} for sample in rows[1].samples]
    text = printed([*rows, make_row(widest, samples)])
    assert "…" not in text and "everything 1792  100%" in text and "76,544 99.9" in text
    (small,) = (line.split() for line in text.splitlines() if line.split()[:2] == ["detail", "448"])
    assert small[:5] == ["detail", "448", "10%", "25.0", "15-39"]
    assert small[-6:] == ["100", "0", "0", "0", "100", "12.0"]
    assert "Wilson [clustered by recording]" in " ".join(text.split())


def test_answers_without_a_letter_are_counted(rows: Sequence[Row]) -> None:
    assert "answers without a letter: 0" in " ".join(printed(rows).split())
    samples = [dict(sample) for sample in rows[1].samples]
    samples[0].update(parsed=None, correct=False)
    text = printed([rows[0], make_row(rows[1].setting, samples)])
    assert "answers without a letter: 1" in " ".join(text.split())


def test_tiers_stand_by_falling_text_height(rows: Sequence[Row]) -> None:
    assert tier_names(rows) == ["54px", "27px", "13px", "07px"]


def test_figure_is_drawn_as_picture_and_for_papers(rows: Sequence[Row], tmp_path: Path) -> None:
    draw(rows, tmp_path / "demo.png")
    with Image.open(tmp_path / "demo.png") as picture:
        assert picture.width > 1500
    assert (tmp_path / "demo.pdf").read_bytes().startswith(b"%PDF")


def test_figure_moves_with_the_numbers(rows: Sequence[Row], tmp_path: Path) -> None:
    """Not a fixed picture: other answers draw another one."""
    draw(rows, tmp_path / "one.png")
    draw([rows[0], replace(rows[1], summary=rows[2].summary), rows[2]], tmp_path / "two.png")
    one, two = (Image.open(tmp_path / name).tobytes() for name in ("one.png", "two.png"))
    assert one != two
