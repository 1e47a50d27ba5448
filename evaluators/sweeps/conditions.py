"""Conditions of a grid, such as "resolution == 448 or frames <= 256": read, never executed.

>>> holds("frames <= 8 and selector in ['detail', 'random']", {"frames": 4, "selector": "detail"})
True

Names, numbers, texts, lists of these, comparisons, `in`, `and`, `or`, `not`: nothing else is understood.
"""

import ast
import operator
from collections.abc import Callable, Mapping
from typing import Any

from hlvid.errors import RunError

_COMPARE: dict[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.In: lambda value, many: value in many,
    ast.NotIn: lambda value, many: value not in many,
}


def holds(condition: str, values: Mapping[str, Any]) -> bool:
    """Whether the condition is true of the values.

    Raises RunError for anything but comparisons, a name that the cell does not have, or values that do not compare.
    """
    try:
        return bool(_value(ast.parse(condition, mode="eval").body, values))
    except SyntaxError as error:
        raise RunError(f"grid: only: {condition!r} cannot be read ({error.msg})") from error
    except KeyError as error:
        raise RunError(
            f"grid: only: {condition!r} names {error.args[0]!r}; a cell has {', '.join(sorted(values))}"
        ) from error
    except TypeError as error:
        raise RunError(f"grid: only: {condition!r}: {error}") from error


def _value(node: ast.expr, values: Mapping[str, Any]) -> Any:
    match node:
        case ast.Constant(value=value):
            return value
        case ast.Name(id=name):
            return values[name]
        case ast.List(elts=items) | ast.Tuple(elts=items):
            return [_value(item, values) for item in items]
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return not _value(operand, values)
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -_value(operand, values)
        case ast.BoolOp(op=ast.And(), values=parts):
            return all(_value(part, values) for part in parts)
        case ast.BoolOp(op=ast.Or(), values=parts):
            return any(_value(part, values) for part in parts)
        case ast.Compare(left=left, ops=ops, comparators=others) if all(type(op) in _COMPARE for op in ops):
            sides = [_value(side, values) for side in (left, *others)]
            return all(_COMPARE[type(op)](a, b) for op, a, b in zip(ops, sides, sides[1:], strict=False))
    raise TypeError(f"{ast.unparse(node)!r} is not understood; allowed are comparisons, and, or, not, in")
