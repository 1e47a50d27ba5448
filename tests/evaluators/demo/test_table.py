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
from evaluators.demo.rows import Row, demo_cells, full_series, make_row, name_of
from evaluators.demo.table import build_table, tier_names
from evaluators.models.gaze_reader.settings import ReaderSettings
from tests.evaluators.demo.conftest import cell_of


def printed(rows: Sequence[Row], width: int = 80) -> str:
    console = Console(file=io.StringIO(), width=width)
    console.print(build_table(rows))
    return console.file.getvalue()  # type: ignore[attr-defined]


def test_grid_is_the_issues() -> None:
    """Blind, `detail` at four resolutions and three ratios, other selectors at fewer, each a run of its own name."""
    cells = demo_cells(full=True)
    rows = [Row(cell, {}, []) for cell in cells]
    assert [row.series for row in rows[:13]] == [
        "blind", *(f"detail, gazing ratio {ratio}" for ratio in ("1%", "3%", "10%") for _ in range(4))
    ]  # fmt: skip
    assert [row.asked("resolution") for row in rows[1:5]] == [448, 896, 1792, 3584]
    *others, smaller, network = rows[13:]
    assert {row.asked("selector") for row in others} == {"autogaze", "reads", "random", "everything"}
    assert max(row.asked("resolution") for row in others) == 1792
    learned = {row.series for row in rows if row.asked("selector") == "autogaze"}
    assert learned == {
        f"autogaze{how}, gazing ratio {ratio}" for how in ("", " mean") for ratio in ("1%", "10%")
    }
    assert others[-1].series == "everything"
    assert [name_of(row.cell) for row in (smaller, network)] == ["nvila_hd-45", "nvila_hd-144"]
    assert (network.series, network.cell.model_args["max_tiles_video"]) == ("nvila_hd", 144)
    assert len({name_of(cell) for cell in cells}) == len(cells)
    assert cells[12].model_args == {"selector": "detail", "ratio": 0.1, "resolution": 3584, "frames": 8}


def test_the_short_story_is_a_part_of_the_long_one() -> None:
    short, whole = ({cell.key() for cell in demo_cells(full)} for full in (False, True))
    assert short < whole
    assert [name_of(cell) for cell in demo_cells()] == [
        "blind",
        *(f"detail-{px}-r0.10" for px in (448, 896, 1792, 3584)),
        *(f"autogaze-{px}-r0.10" for px in (448, 896)),
        *(f"everything-{px}-r1.00" for px in (448, 896)),
        "nvila_hd-45",
    ]


def test_a_selector_of_ones_own_stands_beside_the_others() -> None:
    more = ["autogaze.selectors.centre:Centre", "detail", "autogaze", "everything", "reads"]
    own = demo_cells(more=more)[len(demo_cells()) :]
    assert [name_of(one) for one in own] == [
        f"{name}-{px}-r0.10"
        for name in ("autogaze.selectors.centre-Centre", "reads")
        for px in (448, 896, 1792)
    ]
    assert ReaderSettings.read(own[0].model_args).selector == "autogaze.selectors.centre:Centre"


def test_every_cell_is_one_the_reader_takes() -> None:
    for cell in demo_cells(full=True):
        if cell.model == "gaze_reader":
            assert ReaderSettings.read(cell.model_args).selector == cell.labels["selector"]


def test_tiers_are_drawn_for_the_series_run_in_full(rows: Sequence[Row]) -> None:
    more = [*rows, replace(rows[1], cell=cell_of("everything", 448, 1.0))]
    assert [name_of(row.cell) for row in full_series(more)] == ["detail-448-r0.10", "detail-3584-r0.10"]


def test_rows_count_a_question_as_if_it_were_asked_alone(rows: Sequence[Row]) -> None:
    """A video's 12 s were spent once for its eight questions; each of them would have needed all of them."""
    assert rows[1].seconds == pytest.approx(12)
    assert rows[1].tokens == 100
    assert rows[0].seconds == rows[0].tokens == 0


def test_rows_are_json(rows: Sequence[Row]) -> None:
    record = json.loads(json.dumps(rows[2].to_json()))
    assert record["correct"] == 44 and record["n"] == 48 and record["resolution"] == 3584
    assert record["by_tier"]["07px"]["correct"] == 11
    assert record["wilson"][0] == pytest.approx(0.804, abs=0.001)


def test_table_fits_a_terminal_of_80_columns(rows: Sequence[Row]) -> None:
    widest = cell_of("everything", 1792, 1.0)
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
    text = printed([rows[0], make_row(rows[1].cell, samples)])
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
    draw([rows[0], replace(rows[1], results=rows[2].results), rows[2]], tmp_path / "two.png")
    one, two = (Image.open(tmp_path / name).tobytes() for name in ("one.png", "two.png"))
    assert one != two
