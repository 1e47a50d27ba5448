"""YAML as far as a submission needs it: plain values and mappings, bounded, and with the line of each field.

Example::

    data, lines = parse_yaml("model:\n  name: blind\n")
    data["model"]["name"], lines.of("model", "name")            # "blind", 2
    dump_yaml(data)                                             # and back

YAML 1.1 has more: tags that build objects, aliases that grow without bound, `no` for False, 12:30 for 750,
010 for 8, dates. All of that is refused or read as text, so that a value means what it looks like.
"""

import re
from collections import Counter
from dataclasses import dataclass
from typing import Any

import yaml

DEPTH = 8
MOST_NODES = 2_000


@dataclass(frozen=True)
class YamlLines:
    """Where fields stand, counted from 1."""

    known: dict[tuple[str, ...], int]

    def of(self, *path: str | int) -> int | None:
        """The line of a field, or of the nearest mapping around it; the first line for the document."""
        parts = tuple(str(part) for part in path)
        for length in range(len(parts), -1, -1):
            if parts[:length] in self.known:
                return self.known[parts[:length]]
        return None


class _Loader(yaml.SafeLoader):
    """Composes nodes and refuses what a submission has no use for."""

    depth = 0
    nodes = 0

    def compose_node(self, parent: Any, index: Any) -> Any:
        event = self.peek_event()  # type: ignore[no-untyped-call]
        self.depth, self.nodes = self.depth + 1, self.nodes + 1
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise _fault("anchors and aliases (&name, *name) are not allowed", event)
        if getattr(event, "tag", None):
            raise _fault("tags (!name) are not allowed", event)
        if self.depth > DEPTH:
            raise _fault(f"nested deeper than {DEPTH} levels", event)
        if self.nodes > MOST_NODES:
            raise _fault(f"more than {MOST_NODES} values", event)
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node


_Loader.yaml_implicit_resolvers = {}  # instead of YAML 1.1's; what matches none of these is text
for _tag, _pattern, _first in (
    ("null", r"null|~|", ["n", "~", ""]),
    ("bool", r"true|false", ["t", "f"]),
    ("int", r"[-+]?[0-9]{1,18}", list("-+0123456789")),
    ("float", r"[-+]?([0-9]+\.[0-9]*|\.[0-9]+)([eE][-+]?[0-9]{1,3})?|[-+]?[0-9]+[eE][-+]?[0-9]{1,3}",
     list("-+.0123456789")),
    ("float", r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)", list("-+.")),
):  # fmt: skip
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(f"(?:{_pattern})$"), _first)


def parse_yaml(text: str) -> tuple[Any, YamlLines]:
    """The one document in `text`.

    Raises:
        yaml.YAMLError: not YAML, or more of it than allowed.
    """
    loader = _Loader(text)
    try:
        node = loader.get_single_node()
    finally:
        loader.dispose()
    lines: dict[tuple[str, ...], int] = {(): 1}
    return (None if node is None else _value(node, (), lines)), YamlLines(lines)


class _Dumper(yaml.SafeDumper):
    """Quotes what `_Loader` would not read as the same text: the commit 12345e67 is no number."""


_Dumper.yaml_implicit_resolvers = _Loader.yaml_implicit_resolvers


def dump_yaml(data: Any) -> str:
    """Plain mappings, texts, numbers, true, false and null as YAML that `parse_yaml` reads back equal."""
    text: str = yaml.dump(data, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100)
    return text


def line_of(error: yaml.YAMLError, text: str) -> int | None:
    """The line (from 1) that an error of `parse_yaml` points at."""
    mark = getattr(error, "problem_mark", None)
    if mark is not None:
        return int(mark.line) + 1
    position = getattr(error, "position", None)
    return None if position is None else text[:position].count("\n") + 1


def _value(node: yaml.Node, path: tuple[str, ...], lines: dict[tuple[str, ...], int]) -> Any:
    """A node as a Python value; the lines of what is in it are noted."""
    if isinstance(node, yaml.MappingNode):
        return _mapping(node, path, lines)
    if isinstance(node, yaml.SequenceNode):
        return [_value(item, (*path, str(number)), lines) for number, item in enumerate(node.value)]
    kind, text = node.tag.rpartition(":")[2], node.value
    if kind == "null":
        return None
    if kind == "bool":
        return text == "true"
    if kind == "int":
        return int(text)
    return float(text.replace(".inf", "inf").replace(".nan", "nan")) if kind == "float" else text


def _mapping(node: yaml.MappingNode, path: tuple[str, ...], lines: dict[tuple[str, ...], int]) -> Any:
    for key, _ in node.value:
        if not isinstance(key, yaml.ScalarNode):
            raise _fault("a key has to be a plain text", key)
    counts = Counter(key.value for key, _ in node.value)
    for key, _ in reversed(node.value):
        if counts[key.value] > 1:
            raise _fault(f"{key.value[:60]!r} is given twice", key)
    values = {}
    for key, value in node.value:
        lines[(*path, key.value)] = key.start_mark.line + 1
        values[key.value] = _value(value, (*path, key.value), lines)
    return values


def _fault(problem: str, where: Any) -> yaml.YAMLError:
    return yaml.MarkedYAMLError(problem=problem, problem_mark=where.start_mark)
