"""Opens libraries of plugins for NumPy, CuPy, PyTorch and JAX.

``plugins = plugin_runtime.load("libsamples.so")``, then ``plugins.sample.circ_pad_plugin(x, pads=[1, 1, 1, 1])``.
"""

from __future__ import annotations

import os
from typing import Any, Iterator

from .library import Library, Plugin
from .names import no_such

__version__ = "0.1.0"
__all__ = ["Library", "Namespace", "Plugin", "Plugins", "load"]


def load(path: str | os.PathLike[str]) -> Plugins:
    """Opens a library of plugins. It stays open as long as the process lives."""
    return Plugins(Library(path))


class Namespace:
    """The plugins of one namespace, as functions of arrays."""

    def __init__(self, plugins: Plugins, name: str) -> None:
        self._plugins, self._name = plugins, name

    def __getattr__(self, name: str) -> Any:
        raise NotImplementedError

    def __dir__(self) -> list[str]:
        return sorted(p.name for p in self._plugins.library.plugins if p.namespace == self._name)

    def __repr__(self) -> str:
        return f"Namespace({self._name!r}: {', '.join(dir(self))})"


class Plugins:
    """What a library of plugins has, by namespace."""

    def __init__(self, library: Library) -> None:
        self.library = library
        self._namespaces = {plugin.namespace: Namespace(self, plugin.namespace) for plugin in library.plugins}

    def __getattr__(self, name: str) -> Namespace:
        try:
            return self.__dict__["_namespaces"][name]
        except KeyError:
            raise AttributeError(no_such("namespace", name, self.__dict__.get("_namespaces", ()))) from None

    def __iter__(self) -> Iterator[Plugin]:
        return iter(self.library.plugins)

    def __dir__(self) -> list[str]:
        return [*object.__dir__(self), *self._namespaces]

    def torch(self) -> Any:
        """Registers the plugins with PyTorch, as ``torch.ops.NAMESPACE.NAME``; returns ``torch.ops``."""
        from . import torch

        return torch.register(self.library)

    def jax(self) -> Any:
        """The plugins as functions for JAX, by namespace."""
        from . import jax

        return jax.register(self.library)

    def __repr__(self) -> str:
        return f"Plugins({str(self.library.path)!r}: {', '.join(plugin.label for plugin in self)})"
