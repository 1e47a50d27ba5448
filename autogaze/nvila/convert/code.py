"""What a checkpoint's own code says of itself: read as text and parsed, never imported.

A configuration does not state which hidden state is the feature, on which grid AutoGaze counts, or whether the
prompt goes through the chat template; the code does.
"""

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Code:
    """layers: numbers that `hidden_states[…]` is indexed with. last: whether `last_hidden_state` is read.

    template: whether `apply_chat_template` is called; None without any code. defaults: of the processor's
    constructor. unread: files that do not parse.
    """

    layers: tuple[int, ...] = ()
    last: bool = False
    template: bool | None = None
    defaults: Mapping[str, Any] = field(default_factory=dict)
    unread: tuple[str, ...] = ()


def read_code(files: Mapping[str, str]) -> Code:
    """Of the checkpoint's `.py` files by name."""
    trees, unread = {}, []
    for name, text in files.items():
        try:
            trees[name] = ast.parse(text)
        except SyntaxError as error:
            unread.append(f"{name} (line {error.lineno})")
    if not trees:
        return Code(unread=tuple(unread))
    nodes = [node for tree in trees.values() for node in ast.walk(tree)]
    defaults: dict[str, Any] = {}
    for name, tree in trees.items():
        if name.startswith("processing"):
            defaults |= dict(_defaults(tree))
    return Code(
        layers=tuple(sorted({number for node in nodes if (number := _layer(node)) is not None})),
        last=any(isinstance(node, ast.Attribute) and node.attr == "last_hidden_state" for node in nodes),
        template=any(
            isinstance(node, ast.Attribute) and node.attr == "apply_chat_template" for node in nodes
        ),
        defaults=defaults,
        unread=tuple(unread),
    )


def _layer(node: ast.AST) -> int | None:
    """-2 for `….hidden_states[-2]`."""
    if not isinstance(node, ast.Subscript):
        return None
    name = getattr(node.value, "attr", getattr(node.value, "id", ""))
    number = _value(node.slice)
    return number if name == "hidden_states" and isinstance(number, int) else None


def _defaults(tree: ast.AST) -> Iterator[tuple[str, Any]]:
    """Constant defaults of constructors."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and node.name == "__init__":
            plain = [*node.args.posonlyargs, *node.args.args]
            pairs = [
                *zip(plain[len(plain) - len(node.args.defaults) :], node.args.defaults, strict=True),
                *zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True),
            ]
            for argument, default in pairs:
                if default is not None and (value := _value(default)) is not None:
                    yield argument.arg, value


def _value(node: ast.AST) -> Any:
    """What a constant expression stands for; None for anything that would have to be run."""
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError):
        return None
