"""Wheels: of a library of plugins with a copy of this package, and of this package itself."""

from __future__ import annotations

import base64
import hashlib
import os
import re
import sysconfig
import zipfile
from pathlib import Path
from typing import Iterable, Mapping

from .library import Library, Plugin
from .signatures import annotation, parameter

_OWN = Path(__file__).parent
_TIME = (1980, 1, 1, 0, 0, 0)
"""Of every file, so that equal wheels have equal bytes."""


def sources() -> dict[str, bytes]:
    """The files of this package, by their paths in it."""
    names = sorted(path.name for path in _OWN.iterdir() if path.suffix == ".py" or path.name == "py.typed")
    return {name: (_OWN / name).read_bytes() for name in names}


def of_library(
    library: str | os.PathLike[str],
    folder: str | os.PathLike[str] = ".",
    name: str | None = None,
    version: str = "0.1.0",
) -> Path:
    """Makes a wheel of a library of plugins; its path.

    The wheel is a package of this name, without ``lib`` that of the library's file. Its attributes are the namespaces of
    the plugins: ``import samples``, then ``samples.sample.circ_pad_plugin(x, pads=[1, 1, 1, 1])``.
    """
    opened = Library(library)
    name = re.sub(r"\W", "_", name or opened.path.name.split(".")[0].removeprefix("lib"))
    if not name.isidentifier():
        raise ValueError(f"a package can't be named {name!r}: give it a name by --name")
    _check_version(version)
    namespaces = sorted({plugin.namespace for plugin in opened.plugins})
    files = {
        f"{name}/__init__.py": _INIT.format(name=name, file=opened.path.name).encode(),
        f"{name}/__init__.pyi": stub(opened.plugins).encode(),
        f"{name}/py.typed": b"",
        f"{name}/{opened.path.name}": opened.path.read_bytes(),
        **{f"{name}/_plugin_runtime/{file}": data for file, data in sources().items()},
    }
    platform = re.sub(r"[^\w]", "_", sysconfig.get_platform())
    summary = f"Plugins {', '.join(namespaces)} for NumPy, CuPy, PyTorch and JAX."
    extras = {"arrays": ["apache-tvm-ffi>=0.1.0"]}
    return write(Path(folder), (name, version), f"py3-none-{platform}", files, metadata(name, version, summary, extras))


_INIT = '''"""Plugins as functions of arrays: {name}.NAMESPACE.PLUGIN(..)."""

from pathlib import Path as _Path

from . import _plugin_runtime

plugins = _plugin_runtime.load(_Path(__file__).parent / "{file}")
load = _plugin_runtime.load


def __getattr__(name):
    if name.startswith("__"):
        raise AttributeError(name)
    return getattr(plugins, name)


def __dir__():
    return [*globals(), *dir(plugins)]
'''


def stub(plugins: Iterable[Plugin]) -> str:
    """Types of the functions of plugins, for type checkers and editors."""
    newest = {(plugin.namespace, plugin.name): plugin for plugin in plugins}
    lines = [
        "from typing import Any, Sequence, TypeVar",
        "",
        "from ._plugin_runtime import Plugins, load as load",
        "",
        'Array = TypeVar("Array")',
        "",
        "plugins: Plugins",
    ]
    for namespace in sorted({namespace for namespace, _ in newest}):
        lines += ["", f"class _{namespace}:"]
        for (of, name), plugin in sorted(newest.items()):
            if of == namespace and name.isidentifier():
                lines += ["    @staticmethod", f"    def {parameter(name)}{_parameters(plugin)}: ..."]
        lines += ["", f"{parameter(namespace)}: _{namespace}"]
    return "\n".join(lines) + "\n"


def _parameters(plugin: Plugin) -> str:
    array = "Array" if plugin.inputs else "Any"
    inputs = [f"{parameter(name)}: Array" for name in plugin.inputs]
    attributes = [
        f"{parameter(a.name)}: {annotation(a)}{'' if a.is_required else ' = ...'}" for a in plugin.attributes
    ]
    returned = array if plugin.outputs == 1 else f"tuple[{', '.join([array] * plugin.outputs)}]"
    return f"({', '.join(inputs + (['*', *attributes] if attributes else []))}) -> {returned}"


def _check_version(version: str) -> None:
    if not re.fullmatch(r"\d+(\.\d+)*((a|b|rc)\d+)?(\.post\d+)?(\.dev\d+)?(\+[a-z0-9]+(\.[a-z0-9]+)*)?", version):
        raise ValueError(f"a wheel can't have version {version!r}: write it as 1.2.3")


def metadata(name: str, version: str, summary: str, extras: Mapping[str, Iterable[str]]) -> str:
    """What a wheel says of itself."""
    lines = [
        "Metadata-Version: 2.1",
        f"Name: {name.replace('_', '-')}",
        f"Version: {version}",
        f"Summary: {summary}",
        "Requires-Python: >=3.9",
    ]
    for extra, requirements in extras.items():
        lines.append(f"Provides-Extra: {extra}")
        lines += [f'Requires-Dist: {requirement}; extra == "{extra}"' for requirement in requirements]
    return "\n".join(lines) + "\n"


def write(folder: Path, named: tuple[str, str], tag: str, files: Mapping[str, bytes], about: str) -> Path:
    """Writes a wheel of a name and version; its path."""
    name, version = named
    info = f"{name}-{version}.dist-info"
    is_pure = "true" if tag.endswith("-any") else "false"
    wheel = f"Wheel-Version: 1.0\nGenerator: plugin_runtime\nRoot-Is-Purelib: {is_pure}\nTag: {tag}\n"
    files = {**files, f"{info}/METADATA": about.encode(), f"{info}/WHEEL": wheel.encode()}
    records = [f"{path},sha256={_digest(data)},{len(data)}" for path, data in files.items()]
    record = "\n".join([*records, f"{info}/RECORD,,"]) + "\n"
    folder.mkdir(parents=True, exist_ok=True)
    made = folder / f"{name}-{version}-{tag}.whl"
    unfinished = made.with_suffix(f".{os.getpid()}.part")
    try:
        with zipfile.ZipFile(unfinished, "w", zipfile.ZIP_DEFLATED) as archive:
            for path, data in {**files, f"{info}/RECORD": record.encode()}.items():
                entry = zipfile.ZipInfo(path, _TIME)
                entry.external_attr, entry.compress_type = 0o644 << 16, zipfile.ZIP_DEFLATED
                archive.writestr(entry, data)
        unfinished.replace(made)
    finally:
        unfinished.unlink(missing_ok=True)
    return made


def _digest(data: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
