"""Extents as expressions over those of inputs."""

from __future__ import annotations

from typing import Any, Callable, Sequence, Tuple

Node = Tuple[Any, ...]
"""A kind, then a constant, or an input and its axis, or a size tensor, or positions of operands."""


class Arithmetic:
    """Operations on extents, for ints; frameworks with symbols of their own override what they need."""

    def maximum(self, a: Any, b: Any) -> Any:
        return max(a, b)

    def minimum(self, a: Any, b: Any) -> Any:
        return min(a, b)

    def equal(self, a: Any, b: Any) -> Any:
        return int(a == b)

    def less(self, a: Any, b: Any) -> Any:
        return int(a < b)


def evaluate(
    nodes: Sequence[Node],
    extent: Callable[[int, int], Any],
    size: Callable[[int], Any],
    arithmetic: Arithmetic | None = None,
) -> list[Any]:
    """The value of each node.

    ``extent(input, axis)`` and ``size(position)`` give what the symbols are.
    """
    by = arithmetic or Arithmetic()
    binary: dict[Any, Callable[[Any, Any], Any]] = {
        "+": lambda a, b: a + b,
        "*": lambda a, b: a * b,
        "max": by.maximum,
        "min": by.minimum,
        "//": lambda a, b: a // b,
        "ceil_div": lambda a, b: -(-a // b),
        "==": by.equal,
        "<": by.less,
    }
    values: list[Any] = []
    for kind, *operands in nodes:
        if kind == "int":
            values.append(operands[0])
        elif kind == "dim":
            values.append(extent(*operands))
        elif kind == "size":
            values.append(size(*operands))
        else:
            value = values[operands[0]]
            for operand in operands[1:]:
                value = binary[kind](value, values[operand])
            values.append(value)
    return values
