"""NumPy arrays, initialized by way of a device's memory; no PyOpenCL needed."""

from __future__ import annotations

import ctypes
from typing import Any, Optional, Sequence

import numpy as np

from ._device import AnyDevice, device_of
from ._dtypes import DTYPES
from ._errors import bad_argument
from ._fill import pick_key
from ._init import AnyInit, init_of
from ._library import lib
from ._structs import CTensor
from ._tensor import dtype_of, dtype_of_array, make_tensor


def fill_numpy(
    array: np.ndarray[Any, Any],
    init: AnyInit,
    *,
    seed: Optional[int] = None,
    name: Optional[str] = None,
    stream: Optional[int] = None,
    layout: Optional[str] = None,
    groups: int = 1,
    splits: int = 1,
    dtype: Any = None,
    whole: Optional[Sequence[int]] = None,
    start: Optional[Sequence[int]] = None,
    first: Optional[int] = None,
    device: AnyDevice = None,
) -> None:
    """Initializes a NumPy array in place, by way of a device's memory; any strides. Blocking.

    The bits are those of `fill()`, whose arguments these are. device: a Device or a selector (`Device.open()`). Needs
    no PyOpenCL. A torch CPU tensor's `.numpy()` shares its memory.
    """
    if not isinstance(array, np.ndarray):
        raise TypeError(f"{type(array).__name__} is no NumPy array")
    if not array.flags.writeable:
        raise bad_argument("the array is read-only")
    parsed = init_of(init)
    key = pick_key(parsed, seed, name, stream)
    rest: dict[str, Any] = dict(layout=layout, groups=groups, splits=splits, whole=whole, start=start, first=first)
    tensor = make_tensor(dtype_of_array(array.dtype, dtype), array.shape, **rest)
    dense = array if array.flags.c_contiguous else np.empty(array.shape, array.dtype)
    chosen = device_of(device)
    where, c_tensor = (chosen._handle, chosen._queue), ctypes.byref(tensor)
    memory, elements = CTensor(), (ctypes.c_uint64 * 1)(max(dense.size, 1))
    lib.fanin_tensor_alloc(chosen._handle, tensor.dtype, None, 1, elements, ctypes.byref(memory))
    tensor.buffer = memory.buffer
    try:
        lib.fanin_fill(*where, c_tensor, ctypes.byref(parsed._c), key, 0, None, None)
        lib.fanin_read(*where, c_tensor, dense.ctypes.data, dense.nbytes, 1, 0, None, None)
    finally:
        lib.fanin_tensor_free(ctypes.byref(memory))
    if dense is not array:
        array[...] = dense


def array(
    shape: Sequence[int],
    init: AnyInit,
    *,
    dtype: Any = "f32",
    **arguments: Any,
) -> np.ndarray[Any, Any]:
    """A new NumPy array, initialized as by `fill_numpy()`, which has the other arguments.

    What NumPy lacks, as bf16, comes in ml_dtypes' type where that package is installed, else as unsigned integers.
    """
    out = np.empty(shape, numpy_dtype(dtype_of(dtype)))
    fill_numpy(out, init, dtype=dtype, **arguments)
    return out


def numpy_dtype(dtype: int) -> Any:
    """The NumPy dtype for an enumerator."""
    info = DTYPES[dtype]
    if hasattr(np, info.python):
        return np.dtype(info.python)
    try:
        import ml_dtypes
    except ImportError:
        return np.dtype(f"u{info.bytes}")
    return np.dtype(getattr(ml_dtypes, info.python))
