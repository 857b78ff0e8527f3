"""Loads a library of plugins with a lean runtime of TensorRT, by its C++ tables: `lean.py RUNTIME LIBRARY`. No GPU is needed.

The registry's functions stand where the version of the runtime puts them.
"""

import ctypes
import sys

from ctypes import CFUNCTYPE, POINTER, c_char_p, c_int32, c_void_p, cast


def slot(address, index, result, *arguments):
    table = cast(address, POINTER(c_void_p))[0]
    function = cast(table, POINTER(c_void_p))[index]
    return lambda *given: CFUNCTYPE(result, c_void_p, *arguments)(function)(address, *given)


class InterfaceInfo(ctypes.Structure):
    _fields_ = [("kind", c_char_p), ("major", c_int32), ("minor", c_int32)]


def listed(registry, creators):
    """Namespace, name and version of each creator of plugins of this kind."""
    count = c_int32()
    found = slot(registry, creators, POINTER(c_void_p), POINTER(c_int32))(ctypes.byref(count))
    ids = []
    for creator in found[: count.value]:
        # The names of older creators stand in other slots.
        if slot(creator, 1, InterfaceInfo)().kind == b"PLUGIN CREATOR_V3ONE":
            name, version, namespace = (slot(creator, at, c_char_p)().decode() for at in (6, 7, 8))
            ids.append(f"{namespace}::{name} {version}")
    return ids


def main(runtime, library):
    lean = ctypes.CDLL(runtime)
    lean.getPluginRegistry.restype = c_void_p
    version = lean.getInferLibVersion()
    registry = lean.getPluginRegistry()
    load, creators = (6, 9) if version >= 110000 else (10, 13)
    handle = slot(registry, load, c_void_p, c_char_p)(library.encode())
    print(f"version {version}")
    print("loaded" if handle else "not loaded")
    for creator in listed(registry, creators):
        print(f"creator {creator}")
    slot(registry, load + 1, None, c_void_p)(handle)
    for creator in listed(registry, creators):
        print(f"left {creator}")
    again = slot(registry, load, c_void_p, c_char_p)(library.encode())
    print("loaded again" if again else "not loaded again")
    return 0


sys.exit(main(*sys.argv[1:]))
