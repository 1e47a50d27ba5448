"""A sweep's table for the terminal: what was asked, how it ended, accuracy with its interval, cost."""

from typing import TYPE_CHECKING, Any

from rich.box import SIMPLE_HEAD
from rich.table import Table

if TYPE_CHECKING:
    import pandas as pd

SETTINGS = ("task", "model", "selector", "frames", "resolution", "ratio", "loss")
HEADINGS = {"resolution": "px"}
WORDS = ("task", "model", "selector", "status")


def build_table(cells: "pd.DataFrame") -> Table:
    """One line a cell, by its settings; what all cells share stands below. The mini grid fits 80 columns."""
    shown = [name for name in SETTINGS if cells[name].dropna().nunique() > 1]
    shown += ["n"] if cells["n"].dropna().nunique() > 1 else []
    ended = ["status"] if set(cells["status"]) - {"ok"} else []
    table = Table(box=SIMPLE_HEAD, padding=0, show_edge=False, pad_edge=False, caption=_caption(cells, shown))
    rows = [
        [*(_plain(cell[name]) for name in shown), *_numbers(cell), *(str(cell[name]) for name in ended)]
        for _, cell in cells.sort_values(shown).iterrows()
    ]
    for index, name in enumerate([*shown, "acc.", "95 % interval", "tokens", "s", *ended]):
        heading = HEADINGS.get(name, name)
        # Numbers are never cut: where a terminal is too narrow, words fold.
        width = (
            None if name in WORDS else max(len(heading), *(len(row[index].replace("\\", "")) for row in rows))
        )
        table.add_column(
            heading,
            justify="left" if name in WORDS else "right",
            no_wrap=width is not None,
            min_width=width,
            overflow="fold",
        )
    for row in rows:
        table.add_row(*row)
    return table


def _caption(cells: "pd.DataFrame", shown: list[str]) -> str:
    same = [name for name in SETTINGS if name not in shown and cells[name].notna().any()]
    parts = [f"{name} {_plain(cells[name].dropna().iloc[0])}" for name in same]
    questions = _questions(cells)
    parts += [questions] if questions else []
    return "; ".join(
        [
            ", ".join(parts),
            r"interval: Wilson \[clustered by recording]",
            "tokens, seconds: of a question asked alone, mean",
        ]
    )


def _questions(cells: "pd.DataFrame") -> str:
    """How many questions a cell has, and whether they are all: a limited sweep is not to look like a full one."""
    counts, limits = cells["n"].dropna().unique(), cells["limit"].dropna().unique()
    limit = f"--limit {', '.join(f'{value:g}' for value in limits)}" if len(limits) else ""
    if len(counts) != 1:
        return limit
    return f"{counts[0]:g} questions a cell" + (f" ({limit})" if limit else "")


def _numbers(cell: "pd.Series[Any]") -> list[str]:
    import pandas as pd

    if pd.isna(cell["accuracy"]):
        return ["", "", "", ""]
    interval = f"{100 * cell['wilson_low']:.0f}-{100 * cell['wilson_high']:.0f}"
    if pd.notna(cell["clustered_low"]):
        interval += rf" \[{100 * cell['clustered_low']:.0f}-{100 * cell['clustered_high']:.0f}]"
    tokens, seconds = cell["tokens"], cell["seconds"]
    return [
        f"{100 * cell['accuracy']:.1f}",
        interval,
        "" if pd.isna(tokens) else f"{tokens:,.0f}",
        "" if pd.isna(seconds) else f"{seconds:.1f}",
    ]


def _plain(value: Any) -> str:
    import pandas as pd

    if pd.isna(value):
        return "-"
    return f"{value:g}" if isinstance(value, float) else str(value)
