"""TOML as a submission needs it: read with the line of each field, and written.

>>> data, lines = parse('[model]\\nname = "blind"\\n')
>>> data["model"]["name"], lines.of("model", "name")
('blind', 2)
"""

import json
import re
import tomllib
from collections.abc import Mapping
from typing import Any

LONGEST = 5_000  # characters of a line: tomllib takes seconds for a key of thousands of dotted parts
_LITERAL = re.compile(r'"""(?:\\.|.)*?"{3,5}|\'\'\'.*?\'{3,5}|"(?:\\.|[^"\\\n])*"|\'[^\'\n]*\'|#[^\n]*', re.S)
_PART = re.compile(r'"(?:\\.|[^"\\])*"|\'[^\']*\'|[\w-]+')
_PLACE = re.compile(rf"\s*(\[*)\s*((?:{_PART.pattern})(?:\s*\.\s*(?:{_PART.pattern}))*)\s*[=\]]")
_BARE = re.compile(r"[A-Za-z0-9_-]+")


class Lines:
    """Where the fields of a text stand, counted from 1; of no text, nowhere."""

    def __init__(self, text: str | None = None) -> None:
        self._known: dict[tuple[str, ...], int] = {} if text is None else {(): 1}
        table: tuple[str, ...] = ()
        plain = _LITERAL.sub(lambda found: _one_line(found[0]), text or "")
        for number, line in enumerate(plain.split("\n"), start=1):
            if match := _PLACE.match(line):
                path = tuple(_name(part) for part in _PART.findall(match[2]))
                table, path = (path, path) if match[1] else (table, (*table, *path))
                self._known.setdefault(path, number)

    def of(self, *path: str | int) -> int | None:
        """The line of a field, or of the nearest table around it; the first line for the document."""
        parts = tuple(str(part) for part in path)
        return next(
            (self._known[parts[:end]] for end in range(len(parts), -1, -1) if parts[:end] in self._known),
            None,
        )


def parse(text: str) -> tuple[dict[str, Any], Lines]:
    """The tables of a TOML document and the lines of their fields.

    Raises:
        ValueError: not TOML; `fault_line` says where.
    """
    for number, line in enumerate(text.split("\n"), start=1):
        if len(line) > LONGEST:
            raise ValueError(f"a line has more than {LONGEST:,} characters (at line {number}, column 1)")
    try:
        return tomllib.loads(text), Lines(text)
    except RecursionError:
        raise ValueError("nested too deep") from None


def fault_line(error: ValueError) -> int | None:
    """The line (from 1) that an error of `parse` points at."""
    match = re.search(r"\(at line (\d+), column \d+\)", str(error))
    return int(match[1]) if match else None


def dump(fields: Mapping[str, Any], table: tuple[str, ...] = ()) -> str:
    """Texts, numbers, true, false and tables of them as TOML that `parse` reads back equal."""
    inner = {name: value for name, value in fields.items() if isinstance(value, Mapping)}
    own = [f"{_key(name)} = {_value(value)}\n" for name, value in fields.items() if name not in inner]
    head = f"\n[{'.'.join(map(_key, table))}]\n" if table and (own or not inner) else ""
    return head + "".join(own) + "".join(dump(value, (*table, name)) for name, value in inner.items())


def _key(name: str) -> str:
    return name if _BARE.fullmatch(name) else _value(name)


def _value(value: object) -> str:
    """As JSON, which TOML's texts, whole numbers, numbers and truths are, but for one character."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False).replace("\x7f", "\\u007f")


def _one_line(literal: str) -> str:
    """A text of one line as it is, which may be a key; of several, as many empty lines; a comment, as nothing."""
    return "\n" * literal.count("\n") if "\n" in literal or literal[0] == "#" else literal


def _name(part: str) -> str:
    if part[0] == "'":
        return part[1:-1]
    try:
        return str(json.loads(part)) if part[0] == '"' else part
    except ValueError:  # an escape that TOML alone knows
        return part
