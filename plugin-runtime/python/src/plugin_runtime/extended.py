"""Arrays of NumPy whose types are ml_dtypes', which NumPy itself neither takes nor gives through DLPack."""

from __future__ import annotations

import ctypes
from typing import Any

_CODES = {"bfloat16": (4, 16), "float8_e4m3fn": (10, 8)}
"""Codes and bits of DLPack."""


class _Managed(ctypes.Structure):
    """DLPack's DLManagedTensor."""

    _fields_ = [
        ("data", ctypes.c_void_p),
        ("device_type", ctypes.c_int32),
        ("device_id", ctypes.c_int32),
        ("ndim", ctypes.c_int32),
        ("code", ctypes.c_uint8),
        ("bits", ctypes.c_uint8),
        ("lanes", ctypes.c_uint16),
        ("shape", ctypes.POINTER(ctypes.c_int64)),
        ("strides", ctypes.c_void_p),
        ("byte_offset", ctypes.c_uint64),
        ("manager_ctx", ctypes.c_void_p),
        ("deleter", ctypes.c_void_p),
    ]


_LENT: dict[int, Any] = {}
"""What is lent, until its deleter is called."""


def _give_back(address: int) -> None:
    _LENT.pop(address, None)


_DELETER = ctypes.CFUNCTYPE(None, ctypes.c_void_p)(_give_back)

_CAPSULE = b"dltensor"
_CPU = 1


class Lent:
    """A contiguous array that is lent by DLPack, with its type."""

    def __init__(self, array: Any) -> None:
        self.array = array

    @staticmethod
    def takes(array: Any) -> bool:
        return str(getattr(array, "dtype", "")) in _CODES and type(array).__module__ == "numpy"

    def __dlpack_device__(self) -> tuple[int, int]:
        return _CPU, 0

    def __dlpack__(self, **_: Any) -> Any:
        array = self.array
        (code, bits), shape = _CODES[str(array.dtype)], (ctypes.c_int64 * array.ndim)(*array.shape)
        deleter = ctypes.cast(_DELETER, ctypes.c_void_p)
        managed = _Managed(array.ctypes.data, _CPU, 0, array.ndim, code, bits, 1, shape, None, 0, None, deleter)
        address = ctypes.addressof(managed)
        _LENT[address] = managed, shape, array
        new = ctypes.pythonapi.PyCapsule_New
        new.restype, new.argtypes = ctypes.py_object, [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p]
        return new(address, _CAPSULE, None)


def array_of(found: Any) -> Any:
    """An output of such a type as an array, which isn't a copy; another one as NumPy takes it."""
    import numpy

    name = str(found.dtype)
    if name not in _CODES:
        return numpy.from_dlpack(found)
    try:
        import ml_dtypes

        dtype = numpy.dtype(getattr(ml_dtypes, name))
    except (ImportError, AttributeError):
        raise TypeError(f"NumPy has no {name}: pip install ml_dtypes, or give the plugin another type") from None
    shape = tuple(int(extent) for extent in found.shape)
    count = 1
    for extent in shape:
        count *= extent
    if count == 0:
        return numpy.empty(shape, dtype)
    capsule = found.__dlpack__()
    pointer = ctypes.pythonapi.PyCapsule_GetPointer
    pointer.restype, pointer.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]
    lent = _Managed.from_address(pointer(capsule, _CAPSULE))
    memory = (ctypes.c_uint8 * (count * dtype.itemsize)).from_address(lent.data + lent.byte_offset)
    # The array keeps the memory, which keeps the output.
    memory.output = capsule
    return numpy.frombuffer(memory, dtype).reshape(shape)
