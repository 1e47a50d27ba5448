"""Where systems differ: by category, tier, recording, duration or any label of yours.

Example::

    breakdown(rows, "category")                                   # {"av": Accuracy, "household": Accuracy}
    breakdown(rows, bins({"q1": 12.0, "q2": 280.0}, (60, 180)))   # {"under 60": …, "180 and more": …}
    compare_within(rows_a, rows_b, "tier")                        # {"11px": Comparison, …}, p-values by Holm
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

from hlvid.errors import AnswerError
from hlvid.scoring.accuracy import Accuracy, accuracy_of, check_rows
from hlvid.scoring.compare import Comparison, compare
from hlvid.scoring.multiple import holm

Row = Mapping[str, Any]
By = str | Mapping[str, str]


def breakdown(
    rows: Sequence[Row], by: By, *, level: float = 0.95, draws: int = 10_000, seed: int = 0
) -> dict[str, Accuracy]:
    """Accuracy in each group.

    Args:
        rows: as for `summarize`.
        by: a field of the rows (category, tier, source), or question id -> label. Questions without a label are
            left out.
        level, draws, seed: of the intervals.

    Returns:
        Groups in order of their labels' appearance in a given mapping, else of first question.
    """
    check_rows(rows)
    return {label: accuracy_of(part, level, draws, seed) for label, part in _groups(rows, by).items()}


def compare_within(
    a: Sequence[Row],
    b: Sequence[Row],
    by: By,
    names: tuple[str, str] = ("A", "B"),
    *,
    level: float = 0.95,
    draws: int = 10_000,
    seed: int = 0,
) -> dict[str, Comparison]:
    """A comparison in each group, p-values corrected for the number of groups (see `breakdown`, `compare`)."""
    check_rows(a)
    check_rows(b)
    parts_a, parts_b = _groups(a, by), _groups(b, by)
    if set(parts_a) != set(parts_b):
        odd = sorted(set(parts_a) ^ set(parts_b))[0]
        raise AnswerError(
            f"group '{odd}' occurs in one of {names[0]}, {names[1]} only; compare runs of the same questions"
        )
    found = {
        label: compare(part, parts_b[label], names, level=level, draws=draws, seed=seed)
        for label, part in parts_a.items()
    }
    adjusted = holm([one.clustered_p for one in found.values()])
    return {
        label: replace(one, adjusted_p=p, pairs=len(found))
        for (label, one), p in zip(found.items(), adjusted, strict=True)
    }


def bins(values: Mapping[str, float], edges: Sequence[float], unit: str = "") -> dict[str, str]:
    """Labels by size, for example of durations in seconds; `edges` rise, each bin includes its lower edge.

    Returns:
        question id -> "under 60", "60 to 180" or "180 and more", with `unit` after it; in order of size.
    """
    if not edges or list(edges) != sorted(set(edges)):
        raise ValueError(f"edges are {list(edges)}; give at least one, rising")
    suffix = f" {unit}" if unit else ""
    names = [
        f"under {edges[0]:g}{suffix}",
        *(f"{low:g} to {high:g}{suffix}" for low, high in pairwise(edges)),
        f"{edges[-1]:g}{suffix} and more",
    ]
    ordered = sorted(values.items(), key=lambda item: item[1])
    return {name: names[sum(value >= edge for edge in edges)] for name, value in ordered}


def _groups(rows: Sequence[Row], by: By) -> dict[str, list[Row]]:
    groups: dict[str, list[Row]] = {} if isinstance(by, str) else {label: [] for label in by.values()}
    for row in rows:
        label = row.get(by) if isinstance(by, str) else by.get(str(row["question_id"]))
        if label is not None:
            groups.setdefault(str(label), []).append(row)
    return {label: part for label, part in groups.items() if part}
