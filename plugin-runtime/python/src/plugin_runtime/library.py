"""A library of plugins, and what it says of them."""

from __future__ import annotations

import ctypes
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Mapping, Sequence

from .expressions import Node

REQUIRED: Any = type("Required", (), {"__repr__": lambda self: "REQUIRED"})()
"""In place of the default of an attribute that has none."""


@dataclass(frozen=True)
class Attribute:
    """An attribute of a plugin."""

    name: str
    type: str
    """As it is written in Rust: ``i32``, ``&[i32]``, ``&str``, .."""
    kind: str
    """``int``, ``float``, ``bool``, ``str``, ``bytes``, ``ints``, ``floats`` or ``bools``."""
    min: int | None = None
    max: int | None = None
    default: Any = REQUIRED

    @property
    def is_required(self) -> bool:
        return self.default is REQUIRED


@dataclass(frozen=True)
class Plugin:
    """What a plugin was registered as."""

    id: str
    namespace: str
    name: str
    version: int
    doc: str
    inputs: tuple[str, ...]
    attributes: tuple[Attribute, ...]
    outputs: int
    aliases: tuple[int | None, ...]
    """For each output, the input that it is updated in place over."""
    sizes: tuple[bool, ...]
    """For each output, whether it is a size tensor."""
    answered: bool
    """Whether ``aliases`` and ``sizes`` are known without inputs and attributes."""
    devices: tuple[str, ...]

    @property
    def label(self) -> str:
        return f"{self.id} v{self.version}"


@dataclass(frozen=True)
class Output:
    """An output of a plugin, for inputs of given types and ranks."""

    dtype: str
    """``FP32``, ``INT64``, .."""
    shape: tuple[int, ...]
    """Positions in :attr:`Outputs.nodes`."""
    alias: int | None
    """The input that it is updated in place over."""
    size: int | None
    """Its position in :attr:`Outputs.sizes`, if it is a size tensor."""
    data_dependent: bool
    """Whether its extents are known only when the plugin has run."""


@dataclass(frozen=True)
class Size:
    """A size tensor."""

    output: int
    opt: int
    """A position in :attr:`Outputs.nodes`."""
    upper_bound: int
    """A position in :attr:`Outputs.nodes`."""


@dataclass(frozen=True)
class Outputs:
    """The outputs of a plugin; :func:`plugin_runtime.expressions.evaluate` computes what the nodes are."""

    nodes: tuple[Node, ...]
    outputs: tuple[Output, ...]
    sizes: tuple[Size, ...]


class _Input(ctypes.Structure):
    _fields_ = [("dtype", ctypes.c_char_p), ("extents", ctypes.POINTER(ctypes.c_int64)), ("rank", ctypes.c_size_t)]


class _Attribute(ctypes.Structure):
    _fields_ = [
        ("name", ctypes.c_char_p),
        ("kind", ctypes.c_int32),
        ("count", ctypes.c_size_t),
        ("data", ctypes.c_void_p),
    ]


class _Request(ctypes.Structure):
    _fields_ = [
        ("id", ctypes.c_char_p),
        ("version", ctypes.c_uint32),
        ("inputs", ctypes.POINTER(_Input)),
        ("input_count", ctypes.c_size_t),
        ("attributes", ctypes.POINTER(_Attribute)),
        ("attribute_count", ctypes.c_size_t),
    ]


_INT, _FLOAT, _TEXT, _INTS, _FLOATS = range(5)


class Library:
    """A library that is open, and stays so as long as the process lives."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path).resolve()
        if not self.path.is_file():
            raise FileNotFoundError(f"there is no plugin library {os.fspath(path)}")
        self._library = ctypes.CDLL(str(self.path))
        try:
            self._plugins = self._library.plugin_runtime_plugins
            self._outputs = self._library.plugin_runtime_outputs
            self._free = self._library.plugin_runtime_free
        except AttributeError:
            raise ValueError(
                f"{self.path} isn't a library of plugins for Python: build it as a cdylib, with one of the features "
                "tvm_ffi, torch and jax of plugin-runtime"
            ) from None
        self._plugins.restype = self._outputs.restype = ctypes.c_void_p
        self._plugins.argtypes, self._outputs.argtypes = [], [ctypes.POINTER(_Request)]
        self._free.restype, self._free.argtypes = None, [ctypes.c_void_p]
        self.plugins: tuple[Plugin, ...] = tuple(map(_plugin, self._told(self._plugins())["plugins"]))

    def function(self, name: str) -> Any:
        """One of the library's C functions."""
        return getattr(self._library, name)

    def outputs(
        self,
        plugin: Plugin,
        inputs: Sequence[tuple[str, Sequence[int]]],
        attributes: Mapping[str, Any],
    ) -> Outputs:
        """The outputs of a plugin.

        Each input is an element type (``FP32``) and its extents; -1 is an open one, and equal numbers below that are open
        ones that are equal. Attributes are ints, floats, strs, bytes, and lists of these; those that have a default may be
        left out. Raises ValueError with the library's own text if the plugin refuses.
        """
        types = [_Input(dtype.encode(), _array(ctypes.c_int64, extents), len(extents)) for dtype, extents in inputs]
        kinds = {attribute.name: attribute.kind for attribute in plugin.attributes}
        given, kept = [], []
        for name, value in attributes.items():
            kind, count, data = _given(value, kinds.get(name, ""))
            kept.append(data)
            given.append(_Attribute(name.encode(), kind, count, ctypes.cast(data, ctypes.c_void_p)))
        request = _Request(
            plugin.id.encode(),
            plugin.version,
            _array(_Input, types),
            len(types),
            _array(_Attribute, given),
            len(given),
        )
        said = self._told(self._outputs(ctypes.byref(request)))
        del kept
        return Outputs(
            tuple((node[0], *node[1:]) for node in said["nodes"]),
            tuple(Output(**{**output, "shape": tuple(output["shape"])}) for output in said["outputs"]),
            tuple(Size(**size) for size in said["sizes"]),
        )

    def _told(self, text: int | None) -> Any:
        if not text:
            raise RuntimeError(f"{self.path} said nothing")
        try:
            said = json.loads(ctypes.string_at(text))
        finally:
            self._free(text)
        if "error" in said:
            raise ValueError(said["error"])
        return said

    def __repr__(self) -> str:
        return f"Library({str(self.path)!r})"


def _plugin(said: dict[str, Any]) -> Plugin:
    lists = {name: tuple(said[name]) for name in ("inputs", "aliases", "sizes", "devices")}
    attributes = tuple(_attribute(attribute) for attribute in said["attributes"])
    return Plugin(**{**said, **lists, "attributes": attributes})


def _attribute(said: dict[str, Any]) -> Attribute:
    default = said.get("default")
    if isinstance(default, list):
        said = {**said, "default": bytes(default) if said["kind"] == "bytes" else tuple(default)}
    return Attribute(**said)


def _array(element: Any, values: Sequence[Any]) -> Any:
    return (element * len(values))(*values)


def _given(value: Any, kind: str) -> tuple[int, int, Any]:
    """A value as what the library takes: its kind, how many, and where."""
    if isinstance(value, str):
        value = value.encode()
    if isinstance(value, (bytes, bytearray)):
        return _TEXT, len(value), ctypes.create_string_buffer(bytes(value), max(len(value), 1))
    if hasattr(value, "tolist"):
        # A scalar or an array of numpy, or of what is like it.
        value = value.tolist()
    if isinstance(value, (list, tuple)):
        if all(isinstance(item, int) for item in value) and kind != "floats":
            return _INTS, len(value), _array(ctypes.c_int64, [_int64(item) for item in value])
        if all(isinstance(item, (int, float)) for item in value):
            return _FLOATS, len(value), _array(ctypes.c_double, [float(item) for item in value])
    elif isinstance(value, int):
        return _INT, 1, _array(ctypes.c_int64, [_int64(value)])
    elif isinstance(value, float):
        return _FLOAT, 1, _array(ctypes.c_double, [value])
    raise TypeError(f"an attribute can't be {value!r}: it is an int, a float, a bool, a str, bytes, or a list of these")


def _int64(value: int) -> int:
    if not -(1 << 63) <= value < 1 << 63:
        raise ValueError(f"an attribute can't be {value}: it is beyond 64 bits")
    return int(value)
