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


KINDS = {b"PLUGIN CREATOR_V3ONE": "creator", b"PLUGIN CREATOR_V3QUICK": "quick"}


def kind(creator):
    return KINDS.get(slot(creator, 1, InterfaceInfo)().kind)


def names(creator):
    """Name, version and namespace of a creator of these kinds: those of older ones stand in other slots."""
    return tuple(slot(creator, at, c_char_p)() for at in (6, 7, 8))


def listed(registry, creators):
    """Kind, namespace, name and version of each creator of these kinds."""
    count = c_int32()
    found = slot(registry, creators, POINTER(c_void_p), POINTER(c_int32))(ctypes.byref(count))
    return [(kind(creator), *names(creator)) for creator in found[: count.value] if kind(creator)]


def shown(name, version, namespace):
    return f"{namespace.decode()}::{name.decode()} {version.decode()}"


def main(runtime, library):
    lean = ctypes.CDLL(runtime)
    lean.getPluginRegistry.restype = c_void_p
    version = lean.getInferLibVersion()
    registry = lean.getPluginRegistry()
    load, creators = (6, 9) if version >= 110000 else (10, 13)
    handle = slot(registry, load, c_void_p, c_char_p)(library.encode())
    print(f"version {version}")
    print("loaded" if handle else "not loaded")
    # Of two that have the same name one is found.
    find = slot(registry, creators + 1, c_void_p, c_char_p, c_char_p, c_char_p)
    before = listed(registry, creators)
    for which, *labels in before:
        print(which, shown(*labels))
        print("found", kind(find(*labels)), shown(*labels))
    for times in range(3):
        slot(registry, load + 1, None, c_void_p)(handle)
        for _, *labels in listed(registry, creators) + [known for known in before if find(*known[1:])]:
            print("left", shown(*labels))
        handle = slot(registry, load, c_void_p, c_char_p)(library.encode())
        if not handle or listed(registry, creators) != before:
            print("not loaded again")
            break
    else:
        print("loaded again")
    return 0


sys.exit(main(*sys.argv[1:]))
