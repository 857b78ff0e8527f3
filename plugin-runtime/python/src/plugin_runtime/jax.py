"""Plugins as functions for JAX."""

from __future__ import annotations

from typing import Any

from .library import Library


def register(library: Library) -> Any:
    """Registers the plugins of a library; returns them as functions, by namespace."""
    raise NotImplementedError
