"""Plugins as operators of PyTorch."""

from __future__ import annotations

import ctypes
import importlib
from typing import Any

from .expressions import Arithmetic, evaluate
from .library import Library, Outputs, Plugin
from .signatures import doc
from .tracing import TYPES, Shapes, by_position, set_tactics

_registered: set[str] = set()


def register(library: Library, lockfile: str | None = None, tune: bool | None = None) -> Any:
    """Registers the plugins of a library as ``torch.ops.NAMESPACE.NAME``, with what ``torch.compile`` and
    ``torch.export`` need to know of their outputs; returns ``torch.ops``.

    Raises ImportError where there is no PyTorch, and RuntimeError if PyTorch or another library has something against it.
    """
    torch: Any = importlib.import_module("torch")
    try:
        register_operators = library.function("plugin_runtime_register_torch")
    except AttributeError:
        raise ValueError(f"{library.path} has no operators for PyTorch: build it with the feature torch") from None
    register_operators.argtypes, register_operators.restype = [], ctypes.c_char_p
    set_tactics(library, lockfile, tune)
    refused = register_operators()
    for plugin in library.plugins:
        try:
            operator = _operator(torch, library, plugin)
        except AttributeError:
            # It says why below.
            continue
        if operator.name() not in _registered:
            _registered.add(operator.name())
            torch.library.register_fake(operator, _fake(torch, library, plugin))
            operator._overloadpacket.__doc__ = doc(plugin)
    if refused:
        raise RuntimeError(refused.decode())
    return torch.ops


def _operator(torch: Any, library: Library, plugin: Plugin) -> Any:
    namespace = "".join(c if c.isascii() and (c.isalnum() or c == "_") else "_" for c in plugin.namespace)
    newest = max(other.version for other in library.plugins if other.id == plugin.id)
    overload = "default" if plugin.version == newest else f"v{plugin.version}"
    return getattr(getattr(getattr(torch.ops, namespace), plugin.name), overload)


def _fake(torch: Any, library: Library, plugin: Plugin) -> Any:
    """A function that gives outputs of the right shapes without computing them."""
    shapes = Shapes(library, plugin)
    names = {getattr(torch, name): dtype for dtype, name in TYPES.items()}

    def fake(*arguments: Any, **named: Any) -> Any:
        inputs, attributes = by_position(plugin, arguments, named)
        attributes = {name: value for name, value in attributes.items() if value is not None}
        for name, tensor in zip(plugin.inputs, inputs):
            if tensor.dtype not in names:
                raise ValueError(f"{plugin.label}: input `{name}` is of {tensor.dtype}, which plugins don't have")
        described = [(names[tensor.dtype], tuple(tensor.shape)) for tensor in inputs]
        outputs = shapes.outputs(described, attributes, int)
        device = inputs[0].device if inputs else torch.device("cpu")
        try:
            values = _values(torch, plugin, outputs, inputs)
        except ValueError as error:
            raise ValueError(f"{plugin.label}: {error}") from None
        made = []
        for output in outputs.outputs:
            if output.alias is None:
                shape = [values[position] for position in output.shape]
                made.append(torch.empty(shape, dtype=getattr(torch, TYPES[output.dtype]), device=device))
        return None if not made else made[0] if len(made) == 1 else tuple(made)

    fake.__name__ = f"{plugin.name}_fake"
    return fake


def _values(torch: Any, plugin: Plugin, outputs: Outputs, inputs: list[Any]) -> list[Any]:
    """The value of each node, for inputs whose extents may be symbols. A size tensor is a symbol of its own."""
    found: dict[int, Any] = {}
    symbolic_shapes: Any = importlib.import_module("torch.fx.experimental.symbolic_shapes")

    class Symbolic(Arithmetic):
        def maximum(self, a: Any, b: Any) -> Any:
            return torch.sym_max(a, b)

        def minimum(self, a: Any, b: Any) -> Any:
            return torch.sym_min(a, b)

        def equal(self, a: Any, b: Any) -> Any:
            return torch.sym_ite(a == b, 1, 0)

        def less(self, a: Any, b: Any) -> Any:
            return torch.sym_ite(a < b, 1, 0)

        def differ(self, a: Any, b: Any) -> bool:
            if isinstance(a, int) and isinstance(b, int):
                return a != b
            if symbolic_shapes.guard_or_false(a != b):
                return True
            torch._check(a == b)
            return False

    def extent(index: int, axis: int) -> Any:
        return inputs[index].shape[axis]

    def size(position: int) -> Any:
        if position not in found:
            found[position] = torch.library.get_ctx().new_dynamic_size(min=0)
        return found[position]

    values = evaluate(outputs.nodes, extent, size, Symbolic(), plugin.inputs)
    for position, symbol in found.items():
        torch._check(symbol <= values[outputs.sizes[position].upper_bound])
    return values
