"""The library's dtypes, as it describes them."""

from __future__ import annotations

from ._errors import ArgumentError
from ._library import lib
from ._structs import DTYPE_INFO, DtypeInfo


def _described() -> tuple[DtypeInfo, ...]:
    found: list[DtypeInfo] = []
    while True:
        try:
            found.append(DTYPE_INFO.ask(lib.fanin_dtype_describe, len(found)))
        except ArgumentError:  # there are no more
            return tuple(found)


# By enumerator.
DTYPES = _described()
