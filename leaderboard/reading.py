"""Reading the two files of a submission, which anybody may have written: bounded, no aliases, no links.

Example::

    data, faults = read_yaml(folder / "submission.yaml")
    predictions, faults = read_predictions(folder / "predictions.jsonl", limit=2680)

Nothing here raises on bad content: what is wrong comes back as faults with line and field.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from leaderboard.faults import Fault, from_validation, shorten
from leaderboard.schema import Prediction

YAML_BYTES = 64 * 1024
JSONL_BYTES = 50 * 1024 * 1024
LINE_BYTES = 2 * 1024 * 1024
DEPTH = 8

Numbered = tuple[int, Prediction]


class _BoundedLoader(yaml.SafeLoader):
    """SafeLoader that refuses aliases (billion laughs), deep nesting and a key given twice."""

    depth = 0

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError("aliases (*name) are not allowed")
        self.depth += 1
        if self.depth > DEPTH:
            raise yaml.YAMLError(f"nested deeper than {DEPTH} levels")
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        keys = [key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
        twice = sorted({key for key in keys if keys.count(key) > 1})
        if twice:
            raise yaml.YAMLError(f"given twice: {', '.join(twice)}")
        return super().construct_mapping(node, deep)


def read_yaml(path: Path) -> tuple[dict[str, Any], list[Fault]]:
    """The mapping in a YAML file, or faults; at most 64 KiB, 8 levels, no aliases, no duplicate keys."""
    text, faults = _read_text(path, YAML_BYTES)
    if faults:
        return {}, faults
    try:
        data = yaml.load(text, Loader=_BoundedLoader)  # a SafeLoader: no python objects can be built
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        line = None if mark is None else mark.line + 1
        problem = getattr(error, "problem", None) or str(error)
        return {}, [Fault(path.name, line, "(yaml)", f"cannot be read: {problem}", "correct the YAML")]
    if not isinstance(data, dict):
        return {}, [
            Fault(
                path.name,
                None,
                "(all)",
                f"is not a mapping but {shorten(data)}",
                "write 'field: value' lines",
            )
        ]
    return data, []


def read_predictions(path: Path, limit: int) -> tuple[list[Numbered], list[Fault]]:
    """All lines of a predictions file with their line numbers; at most `limit` lines are read."""
    text, faults = _read_text(path, JSONL_BYTES)
    if faults:
        return [], faults
    predictions: list[Numbered] = []
    for count, (number, line) in enumerate(_lines(text)):
        if count >= limit:
            faults.append(
                Fault(path.name, number, "(line)", f"more than {limit} lines", "one line a question")
            )
            break
        parsed = _parse_line(path.name, number, line)
        if isinstance(parsed, Prediction):
            predictions.append((number, parsed))
        else:
            faults.extend(parsed)
    return predictions, faults


def _lines(text: str) -> Iterator[tuple[int, str]]:
    # Split at newlines alone: str.splitlines would also cut at characters that JSON allows inside a string.
    for number, line in enumerate(text.split("\n"), start=1):
        if stripped := line.strip("\r \t"):
            yield number, stripped


def _parse_line(file: str, number: int, line: str) -> Prediction | list[Fault]:
    if len(line) > LINE_BYTES:
        return [
            Fault(file, number, "(line)", f"is longer than {LINE_BYTES} characters", "shorten raw_output")
        ]
    try:
        record = json.loads(line, parse_constant=_no_constant, object_pairs_hook=_no_duplicates)
    except (ValueError, RecursionError) as error:
        return [Fault(file, number, "(line)", f"is not JSON: {error}", "write one JSON object a line")]
    if not isinstance(record, dict):
        return [
            Fault(
                file, number, "(line)", f"is {shorten(record)}, not an object", "write one JSON object a line"
            )
        ]
    if isinstance(record.get("question_id"), int) and not isinstance(record["question_id"], bool):
        record["question_id"] = str(record["question_id"])  # the real benchmark's ids are numbers
    try:
        return Prediction.model_validate(record)
    except ValidationError as error:
        return from_validation(error, file, number)


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not a JSON number")


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    keys = [key for key, _ in pairs]
    if len(set(keys)) < len(keys):
        raise ValueError(
            f"a field is given twice: {', '.join(sorted({key for key in keys if keys.count(key) > 1}))}"
        )
    return dict(pairs)


def _read_text(path: Path, limit: int) -> tuple[str, list[Fault]]:
    """The file as UTF-8 (a byte-order mark is dropped), or the fault that prevents it."""

    def fault(problem: str, remedy: str, line: int | None = None) -> tuple[str, list[Fault]]:
        return "", [Fault(path.name, line, "(file)", problem, remedy)]

    if path.is_symlink() or not path.is_file():
        return fault("is not a plain file in the folder", f"put a real {path.name} there")
    size = path.stat().st_size
    if size > limit:
        return fault(f"is {size:,} bytes, more than {limit:,}", "shorten it")
    data = path.read_bytes()
    try:
        return data.decode("utf-8-sig"), []
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        return fault(f"is not UTF-8 (byte {error.start})", "save it as UTF-8", line)
