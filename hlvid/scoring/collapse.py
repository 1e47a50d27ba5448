"""One row a question out of several: rotations of its options, repetitions of the same request.

Where both are asked for, each repetition of a question is right or wrong first.
"""

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Sequence
from statistics import fmean
from typing import Any

Row = dict[str, Any]


def collapse(rows: Iterable[Any]) -> list[Any]:
    """Rows with the same `circle`, and those of one question with different `repeat`, as one in the first's place.

    All other rows are kept as they are. A row that holds its `repeats` counts as these.
    """
    turns = _grouped(
        each(rows), lambda row: (row.get("circle"), row.get("circle") or row["question_id"], _turn(row))
    )
    whole = [one for group in turns for one in ([_circle(group)] if group[0].get("circle") else group)]
    asked = _grouped(whole, lambda row: row["question_id"])
    return [one for group in asked for one in ([over_repeats(group)] if _repeated(group) else group)]


def each(rows: Iterable[Any]) -> list[Any]:
    """Every answer as a row of its own, with its `repeat`."""
    return [
        {**row, "repeats": None, **one, "repeat": turn} if row.get("repeats") else row
        for row in rows
        for turn, one in enumerate(row.get("repeats") or [{}])
    ]


def over_repeats(group: Sequence[Any]) -> Row:
    """Repetitions of one question as one row.

    `correct` and `unparsed_share` are shares of the answers, `correct` None where it is hidden; `parsed` is the letter
    given most often, the earliest of equals, None where no answer named an option. `repeats` keeps each one's.
    """
    letters = Counter(row["parsed"] for row in group if row["parsed"] is not None)
    hidden = any(row["correct"] is None for row in group)
    return {
        **{name: value for name, value in group[0].items() if name != "repeat"},
        "correct": None if hidden else fmean(row["correct"] for row in group),
        "parsed": next((letter for letter, _ in letters.most_common(1)), None),
        "unparsed_share": fmean(row["parsed"] is None for row in group),
        "repeats": [{name: row[name] for name in ("correct", "parsed")} for row in group],
    }


def _circle(group: Sequence[Any]) -> Row:
    """`parsed` is the first rotation's letter (of the published order), None where one of them named no option."""
    first = group[0]
    unparsed = any(row["parsed"] is None for row in group)
    return {
        **first,
        "question_id": first["circle"],
        "circle": None,
        "correct": all(row["correct"] for row in group),
        "parsed": None if unparsed else first["parsed"],
    }


def _turn(row: Any) -> int:
    return int(row.get("repeat") or 0)


def _repeated(group: Sequence[Any]) -> bool:
    """Whether these are repetitions; a question that merely occurs twice is somebody's mistake, told when scored."""
    return len(group) > 1 and len({_turn(row) for row in group}) == len(group)


def _grouped(rows: Iterable[Any], key: Callable[[Any], Hashable]) -> list[list[Any]]:
    groups: dict[Hashable, list[Any]] = {}
    for row in rows:
        groups.setdefault(key(row), []).append(row)
    return list(groups.values())
