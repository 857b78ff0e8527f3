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

    def differ(self, a: Any, b: Any) -> bool:
        """Whether two extents that have to be equal are known to differ."""
        return bool(a != b)


def evaluate(
    nodes: Sequence[Node],
    extent: Callable[[int, int], Any],
    size: Callable[[int], Any],
    arithmetic: Arithmetic | None = None,
    inputs: Sequence[str] = (),
) -> list[Any]:
    """The value of each node.

    ``extent(input, axis)`` and ``size(position)`` give what the symbols are; ``inputs`` are the inputs' names, for errors.
    Raises ValueError where extents that have to be equal differ, or something is divided by 0.
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
        elif _has_to_equal(nodes, kind, operands):
            left, right = nodes[operands[1]][1:]
            if by.differ(values[left], values[right]):
                names = " must equal ".join(_shown(nodes, values, inputs, operand) for operand in (left, right))
                raise ValueError(f"{names}, but is {values[left]}, not {values[right]}")
            values.append(values[operands[0]])
        else:
            value = values[operands[0]]
            for operand in operands[1:]:
                try:
                    value = binary[kind](value, values[operand])
                except ZeroDivisionError:
                    divisor = _shown(nodes, values, inputs, operand)
                    raise ValueError(f"an extent of an output is divided by {divisor}, which is 0") from None
            values.append(value)
    return values


def _has_to_equal(nodes: Sequence[Node], kind: Any, operands: Sequence[Any]) -> bool:
    """Whether a node is an extent that has to be equal to another one: divided by whether they are."""
    return bool(kind == "//" and nodes[operands[1]][0] == "==")


def _shown(nodes: Sequence[Node], values: Sequence[Any], inputs: Sequence[str], position: int) -> str:
    """A node for an error: an input's extent by its name, and others by their values."""
    kind, *operands = nodes[position]
    if _has_to_equal(nodes, kind, operands):
        return _shown(nodes, values, inputs, operands[0])
    if kind == "dim" and operands[0] < len(inputs):
        return f"`{inputs[operands[0]]}.d{operands[1]}`"
    return str(values[position])
