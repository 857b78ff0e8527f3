"""Plugins as functions: their parameters, signatures and docs."""

from __future__ import annotations

import inspect
import keyword
from typing import Any

from .library import Attribute, Plugin

_TYPES = {
    "int": "int",
    "float": "float",
    "bool": "bool",
    "str": "str",
    "bytes": "bytes",
    "ints": "Sequence[int]",
    "floats": "Sequence[float]",
    "bools": "Sequence[bool]",
}


def parameter(name: str) -> str:
    """A name as one of a parameter: what is a word of Python gets an underscore."""
    return f"{name}_" if keyword.iskeyword(name) else name


def annotation(attribute: Attribute) -> str:
    """The type of an attribute in Python's words."""
    return _TYPES.get(attribute.kind, "Any")


def signature(plugin: Plugin) -> inspect.Signature:
    """Inputs by position or name, attributes by name."""
    either, by_name = inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY
    parameters = [inspect.Parameter(parameter(name), either, annotation="Array") for name in plugin.inputs]
    for attribute in plugin.attributes:
        default: Any = inspect.Parameter.empty if attribute.is_required else attribute.default
        name, kind = parameter(attribute.name), annotation(attribute)
        parameters.append(inspect.Parameter(name, by_name, default=default, annotation=kind))
    return inspect.Signature(parameters, return_annotation=returned(plugin))


def returned(plugin: Plugin) -> str:
    """The type of what a plugin's function returns."""
    return "Array" if plugin.outputs == 1 else f"tuple[{', '.join(['Array'] * plugin.outputs)}]"


def doc(plugin: Plugin) -> str:
    """What a plugin says of itself, then its attributes, outputs and devices."""
    parts = [plugin.doc.strip()] if plugin.doc.strip() else []
    if plugin.attributes:
        lines = [f"    {parameter(a.name)}: {_described(a)}" for a in plugin.attributes]
        parts.append("\n".join(["Attributes:", *lines]))
    updated = [plugin.inputs[alias] for alias in plugin.aliases if alias is not None]
    if updated:
        parts.append(f"Updated in place: {', '.join(updated)}.")
    parts.append(f"Plugin {plugin.label}, for {' and '.join(plugin.devices) or 'no device'}.")
    return "\n\n".join(parts)


def _described(attribute: Attribute) -> str:
    text = f"{annotation(attribute)}, {attribute.type} in the plugin"
    return text if attribute.is_required else f"{text}; {attribute.default!r} if left out"
