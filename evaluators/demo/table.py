"""The demo's one table: accuracy with its interval, per tier, with tokens and seconds.

Example::

    rich.print(build_table(rows))
"""

from collections.abc import Sequence

from rich.table import Table

from evaluators.demo.rows import Row
from hlvid.scoring.accuracy import Accuracy


def build_table(rows: Sequence[Row]) -> Table:
    """A rich table, one line a setting; intervals are 95 % (Wilson; clustered by recording in brackets)."""
    tiers = tier_names(rows)
    table = Table(title="HLVid-Mini: accuracy in %, by the width of the frames that the model sees")
    table.add_column("model")
    for heading in ("px", "ratio", "accuracy", "95 % interval", *tiers, "unparsed", "tokens", "s"):
        table.add_column(heading, justify="right", no_wrap=True)
    for row in rows:
        table.add_row(*row_cells(row, tiers))
    questions = rows[0].summary.overall.n if rows else 0
    table.caption = (
        f"n = {questions} questions, {questions // max(len(tiers), 1)} a tier; "
        "interval: Wilson [clustered by recording]; tiers: height of the text at 3840 px; "
        "tokens and seconds: means a question"
    )
    return table


def tier_names(rows: Sequence[Row]) -> list[str]:
    """All detail tiers, the largest text first ("90px" before "44px")."""
    names = {tier for row in rows for tier in row.summary.by_tier}
    return sorted(names, key=lambda name: (-int("".join(filter(str.isdigit, name)) or 0), name))


def row_cells(row: Row, tiers: Sequence[str]) -> list[str]:
    """The texts of one line, in the order of the table's columns."""
    setting, overall = row.setting, row.summary.overall
    name = setting.model if setting.selector is None else f"{setting.model} {setting.selector}"
    return [
        name,
        "-" if setting.resolution is None else str(setting.resolution),
        "-" if setting.ratio is None else f"{setting.ratio:.0%}",
        f"{100 * overall.value:.1f}",
        interval_text(overall),
        *(f"{100 * row.summary.by_tier[tier].value:.0f}" for tier in tiers),
        str(overall.unparsed),
        f"{row.tokens_per_question:,.0f}",
        f"{row.seconds_per_question:.1f}",
    ]


def interval_text(accuracy: Accuracy) -> str:
    """`38.2-60.1 [35.0-63.3]`: Wilson interval, then the clustered bootstrap's, in per cent."""
    wilson, clustered = accuracy.wilson, accuracy.clustered
    parts = f"{100 * wilson.low:.1f}-{100 * wilson.high:.1f}"
    return f"{parts} [{100 * clustered.low:.1f}-{100 * clustered.high:.1f}]"
