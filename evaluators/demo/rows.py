"""What the demo runs, and what it shows of it: a cell of a grid of `hlvid sweep` becomes a line of the demo's table."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from evaluators.runs.scoring import results_of
from evaluators.sweeps.cells import Cell
from evaluators.sweeps.grid import ModelEntry, load_grid


def demo_cells(full: bool = False, more: Sequence[str] = ()) -> list[Cell]:
    """The cells of the bundled grid `demo` or `demo_full`, in the order of the table. more: selectors beside theirs."""
    grid = load_grid("demo_full" if full else "demo")
    there = [(entry.args.get("selector"), entry.args.get("ratio")) for entry in grid.models]
    own = [
        ModelEntry(model="gaze_reader", args={"selector": name, "ratio": ratio})
        for name in more
        for ratio in ((0.01, 0.1) if full else (0.1,))
        if name != "everything" and (name, ratio) not in there
    ]
    return grid.model_copy(update={"models": [*grid.models, *own]}).cells()


@dataclass(frozen=True)
class Row:
    """One line of the demo's table. results, samples: as a run's `results.json` and `samples.jsonl` have them."""

    cell: Cell
    results: Mapping[str, Any]
    samples: Sequence[Mapping[str, Any]]

    def asked(self, name: str) -> Any:
        """A setting by its name in the grid; None where the cell has none."""
        return self.cell.labels.get(name)

    @property
    def label(self) -> str:
        """Model, or selector of `gaze_reader`, as the table names it."""
        mean = " mean" if self.asked("budget") == "picture" else ""
        return f"{self.asked('selector')}{mean}" if self.cell.model == "gaze_reader" else self.cell.model

    @property
    def series(self) -> str:
        """The line of the figure this row belongs to."""
        ratio = self.asked("ratio")
        return self.label if ratio in (None, 1) else f"{self.label}, gazing ratio {ratio:.0%}"

    @property
    def width(self) -> int | None:
        """Of the frames, px: as asked, else as the model's record of the pixels it saw has it; None of the blind."""
        pixels = self.samples[0].get("details", {}).get("pixels") if self.samples else None
        width: int | None = self.asked("resolution") or (pixels[1] if pixels else None)
        return width

    @property
    def tokens(self) -> float:
        """Of a question, mean; 0 where a model records none."""
        return float(self.results["tokens_per_question"] or 0)

    @property
    def seconds(self) -> float:
        """Of a question asked alone, mean: those on one video share its reading, and each counts all of it."""
        return float(sum(self.results["seconds_per_question"].values()))

    def to_json(self) -> dict[str, Any]:
        """Every number shown, as in a run's `results.json`, and the settings that made it."""
        return {"name": name_of(self.cell), **self.cell.labels, **self.results}


def make_row(cell: Cell, samples: Sequence[Mapping[str, Any]]) -> Row:
    return Row(cell, results_of(cell.spec(), samples), samples)


def name_of(cell: Cell) -> str:
    """A folder's name."""
    asked = cell.labels
    if cell.model != "gaze_reader":
        return f"{cell.model}-{asked['max_tiles_video']}" if "max_tiles_video" in asked else cell.model
    mean = "-mean" if asked.get("budget") == "picture" else ""
    return f"{asked['selector'].replace(':', '-')}-{asked['resolution']}-r{asked['ratio']:.2f}{mean}"


def full_series(rows: Sequence[Row]) -> list[Row]:
    """The rows of the first selector at its highest gazing ratio: those that were run at every resolution."""
    gazed = [row for row in rows if row.asked("ratio") is not None]
    first = [row for row in gazed if row.asked("selector") == gazed[0].asked("selector")]
    highest = max(row.asked("ratio") for row in first)
    return [row for row in first if row.asked("ratio") == highest]
