"""What a plugin's outputs are, where extents may be symbols of a framework."""

from __future__ import annotations

import ctypes
import os
from typing import Any, Callable, Mapping, Sequence

from .library import REQUIRED, Library, Outputs, Plugin

# As PyTorch and JAX call them.
TYPES = {
    "FP32": "float32",
    "FP16": "float16",
    "BF16": "bfloat16",
    "FP8": "float8_e4m3fn",
    "INT64": "int64",
    "INT32": "int32",
    "INT8": "int8",
    "UINT8": "uint8",
    "BOOL": "bool",
}


class Shapes:
    """A library's answers about one plugin, kept by types, ranks and attributes."""

    def __init__(self, library: Library, plugin: Plugin) -> None:
        self._library, self._plugin = library, plugin
        self._kept: dict[Any, Outputs | ValueError] = {}

    def outputs(
        self,
        inputs: Sequence[tuple[str, Sequence[Any]]],
        attributes: Mapping[str, Any],
        fix: Callable[[Any], int],
    ) -> Outputs:
        """The outputs for inputs of these types and extents, as expressions over them.

        The plugin is asked with open extents first. One that has to know that two are equal, or what one is, is asked again
        with that; ``fix`` makes a number of a symbol, and is called only where there is no other way. Raises ValueError with
        the plugin's own text.
        """
        errors = []
        for extents in (_open, _equal, lambda each: [[fix(extent) for extent in shape] for shape in each]):
            asked = [(dtype, shape) for (dtype, _), shape in zip(inputs, extents([shape for _, shape in inputs]))]
            answer = self._answer(asked, attributes)
            if isinstance(answer, Outputs):
                return answer
            errors.append(answer)
        # The last one says what holds for these very extents.
        raise ValueError(str(errors[-1]))

    def _answer(self, inputs: Sequence[tuple[str, Sequence[int]]], attributes: Mapping[str, Any]) -> Outputs | ValueError:
        key = (
            tuple((dtype, tuple(shape)) for dtype, shape in inputs),
            tuple(sorted((name, hashable(value)) for name, value in attributes.items())),
        )
        if key not in self._kept:
            if len(self._kept) >= 1024:
                self._kept.clear()
            try:
                self._kept[key] = self._library.outputs(self._plugin, inputs, attributes)
            except ValueError as error:
                self._kept[key] = error
        return self._kept[key]


def _open(shapes: Sequence[Sequence[Any]]) -> list[list[int]]:
    return [[-1] * len(shape) for shape in shapes]


def _equal(shapes: Sequence[Sequence[Any]]) -> list[list[int]]:
    """Numbers as they are, and symbols as numbers below -1, of which equal ones stand for equal symbols."""
    known: dict[str, int] = {}

    def number(extent: Any) -> int:
        return extent if type(extent) is int else known.setdefault(str(extent), -2 - len(known))

    return [[number(extent) for extent in shape] for shape in shapes]


def hashable(value: Any) -> Any:
    """An attribute's value as what dictionaries can be looked up by; values of other types are other keys."""
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, (list, tuple)):
        return tuple(hashable(item) for item in value)
    return type(value).__name__, repr(value)


def set_tactics(library: Library, lockfile: str | None, tune: bool | None) -> None:
    """Says which tactics run in PyTorch and JAX; where both are None, nothing changes."""
    if lockfile is None and tune is None:
        return
    function = library.function("plugin_runtime_set_tactics")
    function.argtypes, function.restype = [ctypes.c_char_p, ctypes.c_int32], ctypes.c_char_p
    refused = function(None if lockfile is None else os.fsencode(lockfile), -1 if tune is None else int(tune))
    if refused:
        raise ValueError(refused.decode())


def by_position(plugin: Plugin, arguments: Sequence[Any], named: Mapping[str, Any]) -> tuple[list[Any], dict[str, Any]]:
    """Inputs and attributes of a call as PyTorch's schema has them: attributes without a default may come by position."""
    required = [attribute.name for attribute in plugin.attributes if attribute.default is REQUIRED]
    given = {**dict(zip([*plugin.inputs, *required], arguments)), **named}
    return [given.pop(name) for name in plugin.inputs], given
