"""Faults of a submission: all of them at once, each with file, line, field and remedy.

>>> print(Fault("predictions.jsonl", 12, "answer", "'F' is not one of A, B, C, D", "give a letter or null"))
predictions.jsonl: line 12: answer: 'F' is not one of A, B, C, D; give a letter or null
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from hlvid.errors import AnswerError

SHOWN = 200  # of a file with ten thousand bad lines, the first faults say enough
OF_ONE = 50  # of one line or one submission.toml


@dataclass(frozen=True)
class Fault:
    """One thing to mend; `line` counts from 1 and is None where the whole file is meant."""

    file: str
    line: int | None
    field: str
    problem: str
    remedy: str

    def __str__(self) -> str:
        where = self.file if self.line is None else f"{self.file}: line {self.line}"
        return f"{where}: {self.field}: {self.problem}; {self.remedy}"


class SubmissionError(AnswerError):
    """A submission that cannot be accepted; `faults` holds every fault, the message the first ones."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = tuple(faults)
        lines = [str(fault) for fault in self.faults[:SHOWN]]
        if len(self.faults) > SHOWN:
            lines.append(f"... and {len(self.faults) - SHOWN} more")
        super().__init__(f"{len(self.faults)} fault(s) in the submission\n  " + "\n  ".join(lines))


def from_validation(error: ValidationError, file: str, line: Callable[..., int | None]) -> list[Fault]:
    """Pydantic's errors as faults; `line(*path)` says where a field stands. Bad values are shown shortened."""
    found = []
    for item in error.errors(include_url=False, include_context=False)[:OF_ONE]:
        path = tuple(item["loc"])
        field = ".".join(shorten(part) if not _plain(part) else str(part) for part in path)
        found.append(Fault(file, line(*path), field[:200] or "(all)", _problem(item), _remedy(item)))
    return found


def shorten(value: object, limit: int = 60) -> str:
    """`repr` of untrusted input cut to `limit` characters; never raises."""
    try:
        text = repr(value if not isinstance(value, str) else value[: limit + 1])
    except (ValueError, RecursionError):  # an integer of more digits than Python will print
        text = f"<{type(value).__name__}>"
    return text if len(text) <= limit else text[: limit - 3] + "..."


def _plain(part: object) -> bool:
    return str(part).isascii() and (str(part).isidentifier() or isinstance(part, int))


def _problem(item: Any) -> str:
    if item["type"] == "missing":
        return "is missing"
    if item["type"] == "extra_forbidden":
        return "is not a field of the schema"
    return f"{item['msg'][0].lower()}{item['msg'][1:]} (got {shorten(item['input'])})"


def _remedy(item: Any) -> str:
    if item["type"] == "extra_forbidden":
        return "remove it or correct its spelling; 'hlvid submit --schema' prints the schema"
    if item["type"] == "missing":
        return "add it"
    return "correct it; 'hlvid submit --schema' prints what is allowed"
