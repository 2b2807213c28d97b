"""The library's dtypes, as it describes them."""

from __future__ import annotations

import ctypes

from ._errors import ArgumentError
from ._library import lib
from ._structs import DTYPE_INFO, DtypeInfo


def _described() -> tuple[DtypeInfo, ...]:
    found: list[DtypeInfo] = []
    info = DTYPE_INFO.struct()
    while True:
        try:
            lib.fanin_dtype_describe(len(found), ctypes.byref(info), ctypes.sizeof(info))
        except ArgumentError:  # there are no more
            return tuple(found)
        found.append(DTYPE_INFO.read(info))


# By enumerator.
DTYPES = _described()
