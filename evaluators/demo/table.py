"""The demo's one table: accuracy with its interval, per tier, with tokens and seconds."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.table import Table

from evaluators.demo.rows import Row


def build_table(rows: Sequence[Row]) -> Table:
    """A rich table for a terminal of 80 columns, one line a setting.

    Intervals are 95 % (Wilson; clustered by recording in brackets). Answers without a letter count as wrong; where
    there are any the caption says how many.
    """
    tiers = tier_names(rows)
    table = Table(
        title="HLVid-Mini: accuracy in %, by the width of the frames seen",
        caption=_caption(rows, tiers),
        box=SIMPLE_HEAD,
        padding=0,
        show_edge=False,
        pad_edge=False,
    )
    table.add_column("model", no_wrap=True)
    for heading in ("px", "ratio", "acc.", "95 % interval", *tiers, "tokens", "s"):
        table.add_column(heading, justify="right", no_wrap=True)
    for row in rows:
        table.add_row(*row_cells(row, tiers))
    return table


def _caption(rows: Sequence[Row], tiers: Sequence[str]) -> str:
    questions = rows[0].results["n"] if rows else 0
    unparsed = sum(row.results["unparsed"] for row in rows)
    learned = any(row.asked("selector") == "autogaze" for row in rows)
    return (
        f"{questions} questions, {questions // max(len(tiers), 1)} a tier (height of the text at 3840 px); "
        "interval: Wilson \\[clustered by recording]; tokens, seconds: of a question asked alone, mean; "
        f"answers without a letter: {unparsed}"
        + ("; autogaze: the small checkpoint in autogaze/weights, not the published one" if learned else "")
    )


def tier_names(rows: Sequence[Row]) -> list[str]:
    """All detail tiers, the largest text first ("90px" before "44px")."""
    names = {tier for row in rows for tier in row.results["by_tier"]}
    return sorted(names, key=lambda name: (-int("".join(filter(str.isdigit, name)) or 0), name))


def row_cells(row: Row, tiers: Sequence[str]) -> list[str]:
    """The texts of one line, in the order of the table's columns."""
    width, ratio = row.width, row.asked("ratio")
    return [
        row.label,
        "-" if width is None else str(width),
        "-" if ratio is None else f"{ratio:.0%}",
        f"{100 * row.results['accuracy']:.1f}",
        interval_text(row.results),
        *(f"{100 * row.results['by_tier'][tier]['accuracy']:.0f}" for tier in tiers),
        f"{row.tokens:,.0f}",
        f"{row.seconds:.1f}",
    ]


def interval_text(numbers: Mapping[str, Any]) -> str:
    """`38-60 [35-63]`: Wilson interval, then the clustered one, in per cent; results.json has the digits."""
    ends = (numbers[name] for name in ("wilson", "clustered"))
    wilson, clustered = (f"{100 * low:.0f}-{100 * high:.0f}" for low, high in ends)
    return f"{wilson} [{clustered}]"
