"""The key of a tensor's random numbers: seed and stream, as calls state them."""

from __future__ import annotations

from typing import Optional, SupportsIndex

from . import _check
from ._errors import bad_argument
from ._init import Init
from ._library import lib, result_of
from ._structs import CKey


def stream_of(name: str) -> int:
    """The 64-bit stream of a named tensor: FNV-1a-64 of the name, as the command and model files have it."""
    return int(result_of(CKey, lib.fanin_key_named, 0, _check.text("name", name)).stream)


def pick_stream(init: Init, name: Optional[str], stream: Optional[SupportsIndex]) -> int:
    """The stream that a call means. None would give every tensor the same numbers."""
    if name is not None and stream is not None:
        raise bad_argument(f"name is {_check.shown(name)} and stream {_check.shown(stream)}: say one of them")
    if name is not None:
        return stream_of(name)
    if stream is None and init.draws:
        raise bad_argument(f"{init} draws numbers: say name= (the tensor's) or stream= (a number of its own)")
    return 0 if stream is None else _check.integer("stream", stream)


def pick_key(init: Init, seed: Optional[SupportsIndex], name: Optional[str], stream: Optional[SupportsIndex]) -> CKey:
    """The key that a call means."""
    if seed is None and init.draws:
        raise bad_argument(f"{init} draws numbers: say seed=")
    return CKey(0 if seed is None else _check.integer("seed", seed), pick_stream(init, name, stream))
