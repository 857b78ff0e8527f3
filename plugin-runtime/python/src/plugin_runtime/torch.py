"""Plugins as operators of PyTorch."""

from __future__ import annotations

from typing import Any

from .library import Library


def register(library: Library) -> Any:
    """Registers the plugins of a library; returns ``torch.ops``."""
    raise NotImplementedError
