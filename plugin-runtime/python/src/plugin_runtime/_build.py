"""What pip calls to install this package from its sources: the interface of PEP 517, which needs nothing else."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path
from typing import Any

from . import __version__, wheel

_NAME = "plugin_runtime"
_SUMMARY = "Opens a library of plugins for NumPy, CuPy, PyTorch and JAX."


def _metadata() -> str:
    return wheel.metadata(_NAME, __version__, _SUMMARY, {"arrays": ["apache-tvm-ffi>=0.1.0"]})


def build_wheel(wheel_directory: str, config_settings: Any = None, metadata_directory: str | None = None) -> str:
    files = {f"{_NAME}/{name}": data for name, data in wheel.sources().items()}
    return wheel.write(Path(wheel_directory), (_NAME, __version__), "py3-none-any", files, _metadata()).name


def build_sdist(sdist_directory: str, config_settings: Any = None) -> str:
    root = f"{_NAME}-{__version__}"
    project = Path(__file__).parents[2]
    files = {f"src/{_NAME}/{name}": data for name, data in wheel.sources().items()}
    files |= {name: (project / name).read_bytes() for name in ("pyproject.toml", "README.md")}
    files["PKG-INFO"] = _metadata().encode()
    with tarfile.open(Path(sdist_directory) / f"{root}.tar.gz", "w:gz") as archive:
        for name, data in files.items():
            entry = tarfile.TarInfo(f"{root}/{name}")
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    return f"{root}.tar.gz"
