"""Tensors cut into even shards."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from typing import Any, Optional, SupportsIndex

from . import _check
from ._library import lib
from ._structs import CTensor
from ._tensor import Shape, as_shape, dtype_of, make_tensor


@dataclass(frozen=True)
class Shard:
    """A shard's own shape, and the arguments of `fill()` that say where in the whole tensor it is."""

    shape: tuple[int, ...]
    where: dict[str, Any]


def split(whole: Shape, count: SupportsIndex, dimension: Optional[SupportsIndex] = None) -> list[Shard]:
    """The shards of a tensor of the shape `whole`, as even as it goes; the first ones have one more.

    Along `dimension`, as tensor parallelism has them; None: ranges of the row-major order, as ZeRO and FSDP have them.

        for array, shard in zip(arrays, fanin.split((4096, 1024), 8, dimension=0)):
            fanin.fill(array, "he_normal", seed=42, name="w", layout="OI", **shard.where)
    """
    shape, out = as_shape(whole, "whole"), CTensor()
    tensor, n = make_tensor(dtype_of("f32"), shape), _check.integer("count", count)
    along = None if dimension is None else _check.integer("dimension", dimension, -1 << 31, 1 << 31)
    shards = []
    # No shards at all are asked for as if for one, which the library refuses.
    for index in range(max(n, 1)):
        if along is None:
            lib.fanin_tensor_split_range(ctypes.byref(tensor), index, n, ctypes.byref(out))
            shards.append(Shard((out.count,), {"whole": shape, "first": out.first}))
        else:
            lib.fanin_tensor_split(ctypes.byref(tensor), along, index, n, ctypes.byref(out))
            start, extent = tuple(out.start[: out.rank]), tuple(out.extent[: out.rank])
            shards.append(Shard(extent, {"whole": shape, "start": start}))
    return shards
