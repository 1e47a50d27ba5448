"""A sweep's table for the terminal: what was asked, how it ended, accuracy with its interval, cost.

Example::

    rich.print(build_table(load(folder)))
"""

from typing import TYPE_CHECKING, Any

from rich.box import SIMPLE_HEAD
from rich.table import Table

if TYPE_CHECKING:
    import pandas as pd

SETTINGS = ("task", "model", "selector", "frames", "resolution", "ratio", "loss")


def build_table(cells: "pd.DataFrame") -> Table:
    """One line a cell, by its settings; settings that all cells share are left out."""
    shown = [name for name in SETTINGS if cells[name].nunique(dropna=False) > 1]
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0), show_edge=False, pad_edge=False)
    for heading in shown:
        table.add_column(
            heading, no_wrap=True, justify="right" if cells[heading].dtype.kind in "if" else "left"
        )
    for heading in ("acc.", "95 % interval", "tokens", "s", "status"):
        table.add_column(heading, no_wrap=True, justify="left" if heading == "status" else "right")
    for _, cell in cells.sort_values(shown).iterrows():
        table.add_row(*(_plain(cell[name]) for name in shown), *_numbers(cell))
    return table


def _numbers(cell: "pd.Series[Any]") -> list[str]:
    import pandas as pd

    if pd.isna(cell["accuracy"]):
        return ["", "", "", "", str(cell["status"])]
    interval = f"{100 * cell['wilson_low']:.0f}-{100 * cell['wilson_high']:.0f}"
    if pd.notna(cell["clustered_low"]):
        interval += rf" \[{100 * cell['clustered_low']:.0f}-{100 * cell['clustered_high']:.0f}]"
    tokens, seconds = cell["tokens"], cell["seconds"]
    return [
        f"{100 * cell['accuracy']:.1f}",
        interval,
        "" if pd.isna(tokens) else f"{tokens:,.0f}",
        "" if pd.isna(seconds) else f"{seconds:.1f}",
        str(cell["status"]),
    ]


def _plain(value: Any) -> str:
    import pandas as pd

    if pd.isna(value):
        return "-"
    return f"{value:g}" if isinstance(value, float) else str(value)
