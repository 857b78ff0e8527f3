"""Plugins as functions of arrays: of NumPy, CuPy, PyTorch, and whatever else exchanges them by DLPack."""

from __future__ import annotations

import contextlib
import sys
from typing import Any, Callable, Sequence, cast

from . import extended
from .library import Library, Plugin
from .names import no_such
from .signatures import doc, parameter, signature


class Arrays:
    """The plugins of a library as functions.

    Of ``lockfile`` and ``tune``, what is None is taken from the environment: :func:`plugin_runtime.load` tells more.
    """

    def __init__(self, library: Library, lockfile: str | None = None, tune: bool | None = None) -> None:
        self._tvm_ffi = _tvm_ffi()
        # Stays open: arrays that it has made may outlive it.
        module = self._tvm_ffi.load_module(str(library.path))
        try:
            self._make = module["plugin_runtime_function"]
        except AttributeError:
            raise ValueError(
                f"{library.path} isn't a library of plugins for arrays: turn on the feature tvm_ffi of plugin-runtime"
            ) from None
        self._options = (lockfile, tune)

    def function(self, plugin: Plugin) -> Callable[..., Any]:
        """A plugin as a function, with its signature and docs."""
        raw = self._make(plugin.id, plugin.version, *self._options)
        return _function(plugin, raw, _Calls(plugin, raw, self._tvm_ffi))


def _tvm_ffi() -> Any:
    try:
        import tvm_ffi
    except ImportError as error:
        raise ImportError("plugins as functions of arrays need tvm-ffi: pip install apache-tvm-ffi") from error
    # Raised where a contiguous copy would do.
    tvm_ffi.error.register_error("BufferError", BufferError)
    return tvm_ffi


def _function(plugin: Plugin, raw: Callable[..., Any], calls: _Calls) -> Callable[..., Any]:
    """The function of a plugin, written out so that a call does no more than it has to."""
    inputs = [parameter(name) for name in plugin.inputs]
    attributes = [parameter(attribute.name) for attribute in plugin.attributes]
    by_name = ["*", *(f"{name}=_defaults[{i}]" for i, name in enumerate(attributes))] if attributes else []
    given = f"({''.join(f'{name}, ' for name in attributes)})"
    both = f"({''.join(f'{name}, ' for name in inputs)}), {given}"
    is_plain = plugin.outputs == 1 and plugin.answered and plugin.aliases == (None,)
    finished = "_finish(_found)" if is_plain else f"_finished(_finish, _found, {both})"
    lines = [
        f"def {parameter(plugin.name)}({', '.join([*inputs, *by_name, '**_unknown'])}):",
        "    if _unknown:",
        "        raise TypeError(_no_attribute(_unknown))",
        f"    _finish = _quick.get(type({inputs[0] if inputs else 'None'}))",
        "    if _finish is None:",
        f"        return _carefully({both})",
        "    try:",
        f"        _found = _raw({', '.join([*inputs, *attributes])})",
        "    except BufferError:",
        f"        return _carefully({both})",
        "    except ValueError as error:",
        f"        raise _explained(error, {given})",
        "    try:",
        f"        return {finished}",
        "    except (BufferError, RuntimeError):",
        f"        return _finished(_extended, _found, {both})",
    ]
    names: dict[str, Any] = {
        # With None the library says which attribute is missing.
        "_defaults": [None if a.is_required else a.default for a in plugin.attributes],
        "_no_attribute": calls.no_attribute,
        "_quick": _QUICK,
        "_raw": raw,
        "_finished": calls.finished,
        "_extended": extended.array_of,
        "_carefully": calls.carefully,
        "_explained": calls.explained,
    }
    exec(compile("\n".join(lines), f"<plugin {plugin.label}>", "exec"), names)  # noqa: S102
    function: Any = names[parameter(plugin.name)]
    described = signature(plugin)
    function.__signature__ = described
    function.__annotations__ = {name: value.annotation for name, value in described.parameters.items()}
    function.__annotations__["return"] = described.return_annotation
    function.__doc__, function.__module__, function.__qualname__ = doc(plugin), __name__, plugin.id.replace("::", ".")
    return cast(Callable[..., Any], function)


Finish = Callable[[Any], Any]

_QUICK: dict[type, Finish] = {}
"""By the type of the first input: what makes an array of that type of an output. Types that need more aren't here."""


class _Calls:
    """What calls of a plugin need when they aren't of the plainest kind."""

    def __init__(self, plugin: Plugin, raw: Callable[..., Any], tvm_ffi: Any) -> None:
        self._plugin, self._raw, self._tvm_ffi = plugin, raw, tvm_ffi

    def no_attribute(self, unknown: dict[str, Any]) -> str:
        known = [parameter(attribute.name) for attribute in self._plugin.attributes]
        return f"{self._plugin.label}: {no_such('attribute', next(iter(unknown)), known)}"

    def finished(self, finish: Finish, found: Any, inputs: Sequence[Any], _: Any) -> Any:
        """One array, or a tuple; an int stands for the input that was updated in place."""
        if isinstance(found, int):
            return inputs[found]
        if self._plugin.outputs == 1:
            return finish(found)
        return tuple(inputs[output] if isinstance(output, int) else finish(output) for output in found)

    def carefully(self, inputs: Sequence[Any], attributes: Sequence[Any]) -> Any:
        """A call with arrays of a type that wasn't seen before, or that have to be copied first."""
        kind = type(inputs[0]) if inputs else type(None)
        finish = _finish(kind, inputs[0] if inputs else None)
        with self._stream(inputs):
            try:
                found = self._raw(*inputs, *attributes)
            except BufferError:
                found = self._with_copies(inputs, attributes)
            except ValueError as error:
                raise self.explained(error, attributes) from None
        try:
            return self.finished(finish, found, inputs, attributes)
        except (BufferError, RuntimeError):
            return self.finished(extended.array_of, found, inputs, attributes)

    def _with_copies(self, inputs: Sequence[Any], attributes: Sequence[Any]) -> Any:
        """A call with copies of what can't be used where it is. A copy isn't what would have to be updated in place."""
        copies = [_fit(value) for value in inputs]
        given = [extended.Lent(value) if extended.Lent.takes(value) else value for value in copies]
        try:
            found = self._raw(*given, *attributes)
        except BufferError as error:
            raise self._not_lent(error, given, attributes) from None
        for output in [found] if self._plugin.outputs == 1 else found:
            if isinstance(output, int) and copies[output] is not inputs[output]:
                raise ValueError(
                    f"{self._plugin.label} updates `{self._plugin.inputs[output]}` in place, so it has to be contiguous "
                    "and writable"
                )
        return found

    def explained(self, error: ValueError, attributes: Sequence[Any]) -> ValueError:
        """The same error, of an object that the library knows no more of than that it is one with what it is."""
        text, what = str(error), "an object"
        if not text.endswith(what):
            return error
        for attribute, value in zip(self._plugin.attributes, attributes):
            odd = _odd(value)
            if f"attribute `{attribute.name}`" in text and odd:
                return ValueError(text.removesuffix(what) + odd)
        return error

    def _not_lent(self, error: BufferError, inputs: Sequence[Any], attributes: Sequence[Any]) -> ValueError:
        """What the library can't be given: NumPy, say, names neither array nor type."""
        names = [f"input `{name}`" for name in self._plugin.inputs]
        names += [f"attribute `{attribute.name}`" for attribute in self._plugin.attributes]
        for name, value in zip(names, [*inputs, *attributes]):
            try:
                if hasattr(value, "__dlpack__"):
                    value.__dlpack__()
            except (BufferError, TypeError) as why:
                return ValueError(f"{name} of `{self._plugin.label}`: an array of {getattr(value, 'dtype', '?')}: {why}")
        return ValueError(f"{self._plugin.label}: {error}")

    def _stream(self, inputs: Sequence[Any]) -> Any:
        """Works in the stream that CuPy works in; that of PyTorch is known to tvm-ffi."""
        cupy = sys.modules.get("cupy")
        if cupy is None or not inputs or not isinstance(inputs[0], cupy.ndarray):
            return contextlib.nullcontext()
        stream = cupy.cuda.get_current_stream()
        # Memory of outputs is given back in the order of the stream, so that it mustn't be gone by then.
        _STREAMS.setdefault(stream.ptr, stream)
        device = self._tvm_ffi.device("cuda", inputs[0].device.id)
        return self._tvm_ffi.use_raw_stream(device, stream.ptr)


_STREAMS: dict[int, Any] = {}


def _odd(value: Any) -> str | None:
    """What of an attribute's value no attribute can be, if anything is."""
    for item in value if isinstance(value, (list, tuple)) else [value]:
        if isinstance(item, int) and not -(1 << 63) <= item < 1 << 63:
            return f"{item}, which 64 bits don't hold"
        if item is not None and not isinstance(item, (int, float, str, bytes, bytearray, list, tuple)):
            kind = type(item)
            name = kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
            return f"of type {name}: attributes take numbers, lists of them, str and bytes"
    return None


def _finish(kind: type, first: Any) -> Finish:
    """What makes an array of a type of an output."""
    known = _QUICK.get(kind)
    if known is not None:
        return known
    package = kind.__module__.partition(".")[0]
    if package == "torch":
        # tvm-ffi gives tensors of PyTorch itself.
        return _QUICK.setdefault(kind, _as_it_is)
    if package == "numpy" or first is None:
        try:
            return _QUICK.setdefault(kind, _of_numpy())
        except ImportError:
            return _as_it_is
    if package == "cupy":
        return cast(Finish, sys.modules["cupy"].from_dlpack)
    if package != "tvm_ffi" and hasattr(first, "__array_namespace__"):
        return cast(Finish, first.__array_namespace__().from_dlpack)
    return _as_it_is


def _as_it_is(found: Any) -> Any:
    return found


def _of_numpy() -> Finish:
    import numpy

    return cast(Finish, numpy.from_dlpack)


def _fit(value: Any) -> Any:
    """An array if it is contiguous and writable, or else a copy that is."""
    flags = getattr(value, "flags", None)
    if flags is not None and hasattr(value, "copy"):
        is_fit = flags.c_contiguous and getattr(flags, "writeable", True)
        return value if is_fit else value.copy(order="C")
    return value.contiguous() if hasattr(value, "contiguous") else value
