"""Plugins as functions for JAX."""

from __future__ import annotations

import importlib
from typing import Any, Callable

from .expressions import Arithmetic, evaluate
from .library import Library, Outputs, Plugin
from .names import no_such
from .signatures import doc, parameter, signature
from .tracing import TYPES, Shapes, set_tactics

_targets: dict[str, str] = {}


def register(
    library: Library,
    lockfile: str | None = None,
    tune: bool | None = None,
    *,
    command_buffers: bool = False,
) -> Functions:
    """The plugins of a library as functions of JAX's arrays, by namespace: ``register(library).sample.circ_pad_plugin``.

    They can be jitted, scanned and exported (``jax.export`` asks for
    ``disabled_checks=[export.DisabledSafetyCheck.custom_call("plugin_runtime.NAME")]``, with the library's file name between
    ``lib`` and its ending as NAME), and give the shapes of their outputs. A data-dependent output has its largest
    size, with zeros behind what was found; the size tensor is the count. An input that a plugin updates in place stays as it
    is, and the updated one is returned: in its memory, if the input is donated. ``vmap_method`` says what ``jax.vmap`` does,
    as ``jax.ffi.ffi_call`` has it: one call after another (``"sequential"``), unless it is given.

    With ``command_buffers`` XLA may record calls on a GPU and replay them; a call has to be made once outside of one before,
    with equal types, shapes and attributes.
    """
    set_tactics(library, lockfile, tune)
    name = _register_targets(library, command_buffers)
    return Functions({plugin.id: _function(library, plugin, name) for plugin in _newest(library)})


def _newest(library: Library) -> list[Plugin]:
    return list({plugin.id: plugin for plugin in sorted(library.plugins, key=lambda p: p.version)}.values())


class Functions:
    """Functions by name, or by namespace."""

    def __init__(self, functions: dict[str, Callable[..., Any]]) -> None:
        self._members: dict[str, Any] = {}
        groups: dict[str, dict[str, Callable[..., Any]]] = {}
        for name, function in functions.items():
            first, _, rest = name.partition("::")
            if rest:
                groups.setdefault(first, {})[rest] = function
            else:
                self._members[name] = function
        self._members.update((name, Functions(group)) for name, group in groups.items())

    def __getattr__(self, name: str) -> Any:
        members = self.__dict__.get("_members", {})
        if name not in members:
            raise AttributeError(no_such("plugin", name, members))
        return members[name]

    def __dir__(self) -> list[str]:
        return sorted(self._members)

    def __repr__(self) -> str:
        return f"Functions({', '.join(dir(self))})"


def _register_targets(library: Library, command_buffers: bool) -> str:
    """Tells XLA of the library's handlers, once; the name that calls have for them, which exported programs keep."""
    jax: Any = importlib.import_module("jax")
    stem = library.path.name.split(".")[0].removeprefix("lib")
    name = f"plugin_runtime.{stem}.recorded" if command_buffers else f"plugin_runtime.{stem}"
    path = str(library.path)
    if _targets.setdefault(name, path) != path:
        raise ValueError(f"JAX has the plugins of {_targets[name]} under this name already: rename {path}")
    if f"{name} of {path}" in _targets:
        return name
    on_gpu = "plugin_runtime_jax_cuda_recorded" if command_buffers else "plugin_runtime_jax_cuda"
    for platform, function in (("cpu", "plugin_runtime_jax_cpu"), ("CUDA", on_gpu)):
        try:
            handler = jax.ffi.pycapsule(library.function(function))
        except AttributeError:
            raise ValueError(f"{path} has no handlers for JAX: build it with the feature jax") from None
        jax.ffi.register_ffi_target(name, {"instantiate": handler, "execute": handler}, platform=platform)
    _targets[f"{name} of {path}"] = path
    return name


def _function(library: Library, plugin: Plugin, target: str) -> Callable[..., Any]:
    jax: Any = importlib.import_module("jax")
    jnp: Any = importlib.import_module("jax.numpy")
    shapes, parameters = Shapes(library, plugin), signature(plugin)
    names = {jnp.dtype(name): dtype for dtype, name in TYPES.items()}
    kinds = {attribute.name: attribute.kind for attribute in plugin.attributes}

    def function(*arguments: Any, vmap_method: str | None = "sequential", **named: Any) -> Any:
        unknown = [name for name in named if name not in parameters.parameters]
        if unknown:
            raise TypeError(f"{plugin.label}: {no_such('attribute', unknown[0], map(parameter, kinds))}")
        bound = parameters.bind(*arguments, **named).arguments
        inputs = [jnp.asarray(bound[parameter(name)]) for name in plugin.inputs]
        attributes = {name: bound[parameter(name)] for name in kinds if parameter(name) in bound}
        for name, array in zip(plugin.inputs, inputs):
            if array.dtype not in names:
                raise ValueError(f"{plugin.label}: input `{name}` is of {array.dtype}, which plugins don't have")
        outputs = shapes.outputs([(names[array.dtype], array.shape) for array in inputs], attributes, int)
        try:
            values = _values(jax, plugin, outputs, [array.shape for array in inputs])
        except ValueError as error:
            raise ValueError(f"{plugin.label}: {error}") from None
        results, aliases = [], {}
        for position, output in enumerate(outputs.outputs):
            if output.dtype not in TYPES:
                raise ValueError(f"{plugin.label}: output {position} is of {output.dtype}, which JAX doesn't have")
            shape = tuple(values[extent] for extent in output.shape)
            if any(isinstance(extent, int) and extent < 0 for extent in shape):
                raise ValueError(f"{plugin.label}: output {position} would have the shape {shape}")
            results.append(jax.ShapeDtypeStruct(shape, jnp.dtype(TYPES[output.dtype])))
            if output.alias is not None:
                aliases[output.alias] = position
        call = jax.ffi.ffi_call(target, results, vmap_method=vmap_method, input_output_aliases=aliases)
        given = {name: _attribute(value, kinds[name]) for name, value in attributes.items()}
        own = {"plugin_runtime.plugin": plugin.id, "plugin_runtime.version": plugin.version}
        # Without 64 bits an array of JAX is one of 32.
        made = [array.astype(jax.dtypes.canonicalize_dtype(array.dtype)) for array in call(*inputs, **given, **own)]
        return made[0] if len(made) == 1 else tuple(made)

    function.__name__ = function.__qualname__ = plugin.name
    function.__doc__ = doc(plugin)
    function.__signature__ = parameters  # type: ignore[attr-defined]
    return function


def _attribute(value: Any, kind: str) -> Any:
    """An attribute's value as XLA takes it."""
    np: Any = importlib.import_module("numpy")
    if kind == "bytes" and isinstance(value, (bytes, bytearray)):
        return np.frombuffer(bytes(value), np.uint8)
    if isinstance(value, (list, tuple)) or getattr(value, "ndim", 0) > 0:
        array = np.asarray(value)
        if array.dtype.kind in "iub" and (array.size or kind != "floats"):
            return array.astype(np.int64)
        return array.astype(np.int64 if not array.size and kind != "floats" else np.float64)
    if isinstance(value, (np.generic, np.ndarray)):
        return value.item()
    return value


def _values(jax: Any, plugin: Plugin, outputs: Outputs, extents: list[Any]) -> list[Any]:
    """The value of each node: size tensors at their upper bounds."""
    core: Any = jax.core

    class Symbolic(Arithmetic):
        def maximum(self, a: Any, b: Any) -> Any:
            return core.max_dim(a, b)

        def minimum(self, a: Any, b: Any) -> Any:
            return core.min_dim(a, b)

        def differ(self, a: Any, b: Any) -> bool:
            # Of symbols it is found out when the call runs.
            return isinstance(a, int) and isinstance(b, int) and a != b

    def extent(index: int, axis: int) -> Any:
        return extents[index][axis]

    # No upper bound depends on a size tensor of the same plugin.
    without = evaluate(outputs.nodes, extent, lambda position: 0, Symbolic(), plugin.inputs)
    bounds = [without[size.upper_bound] for size in outputs.sizes]
    return evaluate(outputs.nodes, extent, lambda position: bounds[position], Symbolic(), plugin.inputs)
