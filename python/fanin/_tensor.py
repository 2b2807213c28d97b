"""fanin_tensor from Python's arrays: element types, shapes, strides and parts."""

from __future__ import annotations

import ctypes
import math
from typing import Any, Optional, Sequence, Union

from ._dtypes import DTYPES
from ._errors import bad_argument
from ._library import lib, result_of
from ._structs import MAX_RANK, RANGE, SLAB, CTensor


def choice(argument: str, value: str, known: Sequence[str]) -> int:
    """The index of a text among those that are known."""
    if value not in known:
        raise bad_argument(f"{argument} is {value!r}; accepted are {', '.join(known)}")
    return known.index(value)


def dtype_of(dtype: Any) -> int:
    """The enumerator of "f32" or "float32", numpy.float32, ml_dtypes.bfloat16, ..."""
    name = dtype if isinstance(dtype, str) else getattr(dtype, "name", getattr(dtype, "__name__", str(dtype)))
    return int(result_of(ctypes.c_int, lib.fanin_dtype_parse, name.encode()).value)


def dtype_of_array(dtype: Any, stated: Any) -> int:
    """The enumerator for elements of the NumPy dtype `dtype`, or the stated one where these are unsigned integers."""
    if stated is None and dtype.kind != "u":
        return dtype_of(dtype)
    if stated is None:
        raise bad_argument(f'elements are {dtype.name}: say dtype="bf16" or another whose bits they are to hold')
    wanted = dtype_of(stated)
    if dtype.kind == "u" and dtype.itemsize == DTYPES[wanted].bytes:
        return wanted
    if dtype.name != DTYPES[wanted].python:
        raise bad_argument(f"dtype is {DTYPES[wanted].name}, and elements are {dtype.name}")
    return wanted


def unsigned(argument: str, value: int, bits: int = 64) -> int:
    """A number for C."""
    if not 0 <= int(value) < 1 << bits:
        raise bad_argument(f"{argument} is {value}; accepted are 0 and more, below 2^{bits}")
    return int(value)


def not_zero(argument: str, value: float) -> float:
    """A number for C where 0 would mean the default."""
    if value == 0:
        raise bad_argument(f"{argument} is 0; a number above 0 is accepted")
    return value


def _all_unsigned(argument: str, values: Sequence[int]) -> list[int]:
    return [unsigned(f"{argument}[{d}]", value) for d, value in enumerate(values)]


def as_shape(shape: Union[int, Sequence[int]]) -> tuple[int, ...]:
    """A shape, or the only extent of one."""
    return (shape,) if isinstance(shape, int) else tuple(shape)


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


def make_tensor(
    dtype: Any,
    shape: Union[int, Sequence[int]],
    *,
    buffer: Optional[int] = None,
    offset: int = 0,
    strides: Optional[Sequence[int]] = None,
    layout: Optional[str] = None,
    groups: int = 1,
    splits: int = 1,
    whole: Optional[Sequence[int]] = None,
    start: Optional[Sequence[int]] = None,
    first: Optional[int] = None,
) -> CTensor:
    """The fanin_tensor of memory with this shape, which is a part of `whole` if that is said.

    offset and strides are in bytes. dtype is an enumerator, or what dtype_of() takes.
    """
    tensor = CTensor(buffer=buffer, offset=unsigned("offset", offset))
    tensor.dtype = dtype if isinstance(dtype, int) else dtype_of(dtype)
    shape = _all_unsigned("shape", as_shape(shape))
    tensor.layout = _layout(layout)
    tensor.groups = unsigned("groups", groups, 32)
    tensor.splits = unsigned("splits", splits, 32)
    _set_part(tensor, shape, whole, start, first)
    steps = _element_strides(shape, strides, DTYPES[tensor.dtype].bytes) if strides is not None else None
    if steps is not None:
        if first is not None:
            raise bad_argument(f"strides are {tuple(strides or ())}; a range of elements (first) is dense")
        tensor.strides[: len(steps)] = steps
    return tensor


def _layout(layout: Optional[str]) -> bytes:
    text = (layout or "").encode()
    if len(text) > MAX_RANK:
        raise bad_argument(f"layout is {layout!r}; accepted are at most {MAX_RANK} letters")
    return text


def _set_part(
    tensor: CTensor,
    shape: list[int],
    whole: Optional[Sequence[int]],
    start: Optional[Sequence[int]],
    first: Optional[int],
) -> None:
    if whole is None and (start is not None or first is not None):
        raise bad_argument("start and first are places in a whole tensor: say whole=, its shape")
    if whole is not None and (start is None) == (first is None):
        raise bad_argument("with whole, say either start (a slab) or first (a range of elements), one of them")
    all_of_it = _all_unsigned("shape" if whole is None else "whole", shape if whole is None else whole)
    if len(all_of_it) > MAX_RANK:
        raise bad_argument(f"there are {len(all_of_it)} dimensions; accepted are at most {MAX_RANK}")
    tensor.rank = len(all_of_it)
    tensor.shape[: tensor.rank] = all_of_it
    if start is not None:
        if len(shape) != tensor.rank or len(start) != tensor.rank:
            raise bad_argument(
                f"start has {len(start)} numbers and the memory {len(shape)} dimensions; whole has {tensor.rank}"
            )
        tensor.part = SLAB
        tensor.start[: tensor.rank] = _all_unsigned("start", start)
        tensor.extent[: tensor.rank] = shape
    elif first is not None:
        tensor.part = RANGE
        tensor.first = unsigned("first", first)
        tensor.count = math.prod(shape)
