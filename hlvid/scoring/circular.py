"""One row a question out of several: a question asked in every rotation is right only if it was right in all.

Example::

    collapse([{"question_id": "7~ABCD", "circle": "7", "correct": True, …}, {"question_id": "7~BCDA", …}])
    # [{"question_id": "7", "correct": False, …}]
"""

from collections.abc import Mapping, Sequence
from typing import Any

Row = Mapping[str, Any]


def collapse(rows: Sequence[Row]) -> list[Row]:
    """Rows with the same `circle` as one, in the place of the first; rows without are kept as they are.

    `parsed` is the first rotation's letter (of the published order), None where one of them named no option.
    """
    groups: dict[str, list[Row]] = {}
    for row in rows:
        groups.setdefault(
            f"circle {row['circle']}" if row.get("circle") else f"alone {row['question_id']}", []
        ).append(row)
    return [group[0] if not group[0].get("circle") else _as_one(group) for group in groups.values()]


def _as_one(group: Sequence[Row]) -> Row:
    first = group[0]
    unparsed = any(row["parsed"] is None for row in group)
    return {
        **first,
        "question_id": first["circle"],
        "correct": all(row["correct"] for row in group),
        "parsed": None if unparsed else first["parsed"],
    }
