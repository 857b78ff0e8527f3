"""Opens libraries of plugins for NumPy, CuPy, PyTorch and JAX.

``plugins = plugin_runtime.load("libsamples.so")``, then ``plugins.sample.circ_pad_plugin(x, pads=[1, 1, 1, 1])``.
"""

from __future__ import annotations

import os
from typing import Any, Callable, Iterator

from .library import Library, Plugin
from .names import no_such

__version__ = "0.1.0"
__all__ = ["Library", "Namespace", "Plugin", "Plugins", "load"]


def load(
    path: str | os.PathLike[str],
    *,
    lockfile: str | os.PathLike[str] | None = None,
    tune: bool | None = None,
) -> Plugins:
    """Opens a library of plugins. It stays open as long as the process lives.

    Of several tactics of a plugin the first that it lists runs, unless ``lockfile``, the path of a tuning lockfile, says
    which is the quickest. With ``tune=True`` all are tried and timed at the first call with arrays of new extents, and what
    comes of it is added to the lockfile, if there is one. What is None is taken from the variables
    ``PLUGIN_RUNTIME_LOCKFILE`` and ``PLUGIN_RUNTIME_TUNE``.
    """
    return Plugins(Library(path), None if lockfile is None else os.fspath(lockfile), tune)


class Namespace:
    """The plugins of one namespace, as functions of arrays."""

    def __init__(self, plugins: Plugins, name: str) -> None:
        self._plugins, self._name = plugins, name

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name.startswith("__"):
            raise AttributeError(name)
        plugins = [p for p in self._plugins.library.plugins if p.namespace == self._name]
        # The newest comes last.
        for plugin in reversed(plugins):
            if plugin.name == name:
                function = self._plugins.function(plugin)
                setattr(self, name, function)
                return function
        raise AttributeError(no_such("plugin", name, (p.name for p in plugins)))

    def __dir__(self) -> list[str]:
        return sorted({p.name for p in self._plugins.library.plugins if p.namespace == self._name})

    def __repr__(self) -> str:
        return f"Namespace({self._name!r}: {', '.join(dir(self))})"


class Plugins:
    """What a library of plugins has: its namespaces as attributes, whose attributes are functions."""

    def __init__(self, library: Library, lockfile: str | None = None, tune: bool | None = None) -> None:
        self.library = library
        self._options = (lockfile, tune)
        self._arrays: Any = None
        self._functions: dict[str, Callable[..., Any]] = {}
        self._namespaces = {plugin.namespace: Namespace(self, plugin.namespace) for plugin in library.plugins}

    def __getattr__(self, name: str) -> Namespace:
        namespaces: dict[str, Namespace] = self.__dict__.get("_namespaces", {})
        if name in namespaces:
            return namespaces[name]
        raise AttributeError(no_such("namespace", name, namespaces))

    def __getitem__(self, key: str | tuple[str, int]) -> Callable[..., Any]:
        """A plugin by its id, or by id and version: ``plugins["sample::circ_pad_plugin", 1]``."""
        name, version = (key, None) if isinstance(key, str) else key
        for plugin in reversed(self.library.plugins):
            if plugin.id == name and version in (None, plugin.version):
                return self.function(plugin)
        known = (p.id if version is None else p.label for p in self.library.plugins)
        raise KeyError(no_such("plugin", name if version is None else f"{name} v{version}", known))

    def function(self, plugin: Plugin) -> Callable[..., Any]:
        """A plugin as a function of arrays."""
        if plugin.label not in self._functions:
            from .arrays import Arrays

            self._arrays = self._arrays or Arrays(self.library, *self._options)
            self._functions[plugin.label] = self._arrays.function(plugin)
        return self._functions[plugin.label]

    def __iter__(self) -> Iterator[Plugin]:
        return iter(self.library.plugins)

    def __dir__(self) -> list[str]:
        return [*object.__dir__(self), *self._namespaces]

    def torch(self) -> Any:
        """Registers the plugins with PyTorch, as ``torch.ops.NAMESPACE.NAME``; returns ``torch.ops``."""
        from . import torch

        return torch.register(self.library, *self._options)

    def jax(self, *, command_buffers: bool = False) -> Any:
        """The plugins as functions for JAX, by namespace; :func:`plugin_runtime.jax.register` tells more."""
        from . import jax

        return jax.register(self.library, *self._options, command_buffers=command_buffers)

    def __repr__(self) -> str:
        return f"Plugins({str(self.library.path)!r}: {', '.join(plugin.label for plugin in self)})"
