"""fanin_tensor from Python's arrays: element types, shapes, strides and parts."""

from __future__ import annotations

import ctypes
import math
from typing import Any, Optional, Sequence, SupportsIndex, Union

from . import _check
from ._dtypes import DTYPES
from ._errors import bad_argument
from ._library import lib, result_of
from ._structs import MAX_RANK, RANGE, SLAB, CTensor

Shape = Union[SupportsIndex, Sequence[SupportsIndex]]


def dtype_of(dtype: Any, argument: str = "dtype") -> int:
    """The enumerator of "f32" or "float32", numpy.float32, ml_dtypes.bfloat16, torch.bfloat16, ..."""
    if isinstance(dtype, str):
        name = dtype
    elif isinstance(getattr(dtype, "name", None), str):  # numpy.dtype
        if not getattr(dtype, "isnative", True):
            raise bad_argument(f"{argument} is {dtype}; a dtype in this machine's byte order is accepted")
        name = dtype.name
    elif isinstance(dtype, type) and dtype is not type:  # numpy.float32
        name = dtype.__name__
    elif type(dtype).__name__ == "dtype":  # torch.float32
        name = str(dtype).rpartition(".")[2]
    else:
        _check.wrong_type(argument, dtype, 'a text such as "f32", or a dtype of NumPy, ml_dtypes or torch')
    return int(result_of(ctypes.c_int, lib.fanin_dtype_parse, _check.text(argument, name)).value)


def dtype_of_array(dtype: Any, stated: Any) -> int:
    """The enumerator for elements of the NumPy dtype `dtype`, or the stated one where these are unsigned integers."""
    known = [info.python for info in DTYPES]
    if not dtype.isnative:
        raise bad_argument(f"elements are {dtype}; elements in this machine's byte order are accepted")
    if dtype.kind != "u" and dtype.name not in known:
        raise bad_argument(
            f"elements are {_check.shown(str(dtype))}; accepted are {', '.join(known)}, and unsigned integers that hold "
            "the bits of what dtype= says"
        )
    if stated is None and dtype.kind != "u":
        return known.index(dtype.name)
    if stated is None:
        raise bad_argument(f'elements are {dtype.name}: say dtype="bf16" or another whose bits they are to hold')
    wanted = dtype_of(stated)
    if dtype.kind == "u" and dtype.itemsize == DTYPES[wanted].bytes:
        return wanted
    if dtype.name != DTYPES[wanted].python:
        raise bad_argument(f"dtype is {DTYPES[wanted].name}, and elements are {dtype.name}")
    return wanted


def as_shape(shape: Any, argument: str = "shape") -> tuple[int, ...]:
    """A shape, or the only extent of one."""
    if hasattr(shape, "__index__") and not getattr(shape, "shape", ()):  # arrays of integers have __index__ too
        return (_check.integer(argument, shape),)
    return tuple(_check.integers(argument, shape))


def _element_strides(shape: Sequence[int], strides: Sequence[int], itemsize: int) -> Optional[list[int]]:
    """Strides in elements, or None of dense memory. Those of extents below 2 do not count."""
    if len(strides) != len(shape):
        raise bad_argument(f"there are {len(strides)} strides and {len(shape)} dimensions")
    if 0 in shape:
        return None
    dense = [itemsize * math.prod(shape[d + 1 :]) for d in range(len(shape))]
    steps = [stride if extent > 1 else usual for extent, stride, usual in zip(shape, strides, dense)]
    if steps == dense:
        return None
    for d, step in enumerate(steps):
        if step <= 0 or step % itemsize:
            raise bad_argument(
                f"strides[{d}] is {step} bytes; accepted are positive multiples of the element's {itemsize}"
            )
    return [step // itemsize for step in steps]


def _stride(argument: str, value: Any) -> int:
    return _check.integer(argument, value, -1 << 63, 1 << 63)


def make_tensor(
    dtype: int,
    shape: Any,
    *,
    buffer: Optional[int] = None,
    offset: Any = 0,
    strides: Optional[Sequence[int]] = None,
    layout: Optional[str] = None,
    groups: Any = 1,
    splits: Any = 1,
    whole: Any = None,
    start: Any = None,
    first: Any = None,
) -> CTensor:
    """The fanin_tensor of memory with this shape, which is a part of `whole` if that is said.

    offset and strides are in bytes. dtype is an enumerator (dtype_of()).
    """
    tensor = CTensor(buffer=buffer, offset=_check.integer("offset", offset), dtype=dtype)
    shape = as_shape(shape)
    tensor.layout = _layout(layout)
    tensor.groups = _check.integer("groups", groups, below=1 << 32)
    tensor.splits = _check.integer("splits", splits, below=1 << 32)
    _set_part(tensor, shape, whole, start, first)
    if strides is not None:
        steps = _element_strides(shape, _check.each("strides", strides, "integers", _stride), DTYPES[dtype].bytes)
        if steps is not None and first is not None:
            raise bad_argument(f"strides are {tuple(strides)}; a range of elements (first) is dense")
        if steps is not None:
            tensor.strides[: len(steps)] = steps
    return tensor


def _layout(layout: Optional[str]) -> bytes:
    text = b"" if layout is None else _check.text("layout", layout)
    if len(text) > MAX_RANK:
        raise bad_argument(f"layout is {layout!r}; accepted are at most {MAX_RANK} letters")
    return text


def _set_part(tensor: CTensor, shape: Sequence[int], whole: Any, start: Any, first: Any) -> None:
    if whole is None and (start is not None or first is not None):
        raise bad_argument("start and first are places in a whole tensor: say whole=, its shape")
    if whole is not None and (start is None) == (first is None):
        raise bad_argument("with whole, say either start (a slab) or first (a range of elements), one of them")
    all_of_it = shape if whole is None else _check.integers("whole", whole)
    if len(all_of_it) > MAX_RANK:
        raise bad_argument(f"there are {len(all_of_it)} dimensions; accepted are at most {MAX_RANK}")
    tensor.rank = len(all_of_it)
    tensor.shape[: tensor.rank] = all_of_it
    if start is not None:
        starts = _check.integers("start", start)
        if len(shape) != tensor.rank or len(starts) != tensor.rank:
            raise bad_argument(
                f"start has {len(starts)} numbers and the memory {len(shape)} dimensions; whole has {tensor.rank}"
            )
        tensor.part = SLAB
        tensor.start[: tensor.rank] = starts
        tensor.extent[: tensor.rank] = shape
    elif first is not None:
        tensor.part = RANGE
        tensor.first = _check.integer("first", first)
        tensor.count = _check.integer("the number of elements of shape", math.prod(shape))
