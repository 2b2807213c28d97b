"""Finds libfanin, and opens it if its version is one that this package can use."""

from __future__ import annotations

import ctypes
import ctypes.util
import os
from pathlib import Path

from ._version import __version__


def candidates() -> list[str]:
    """Where the library may be, best first: $FANIN_LIBRARY alone, or the package's own and then the system's."""
    named = os.environ.get("FANIN_LIBRARY")
    if named:
        return [named]
    own = Path(__file__).parent
    found = [str(own / name) for name in ("libfanin.so", "libfanin.dylib", "fanin.dll") if (own / name).exists()]
    found += filter(None, [ctypes.util.find_library("fanin")])
    return found or ["libfanin.so.0"]


def _same_abi(version: str) -> bool:
    """Before 1.0 a minor version may change structs, from 1.0 on only a major one."""
    ours, theirs = __version__.split("."), version.split(".")
    return theirs[: 2 if ours[0] == "0" else 1] == ours[: 2 if ours[0] == "0" else 1]


def open_library(path: str) -> ctypes.CDLL:
    """The library at `path`, its functions not yet typed; ImportError says what is wrong with it."""
    try:
        library = ctypes.CDLL(path)
        library.fanin_version.restype = ctypes.c_char_p
        version = library.fanin_version().decode()
    except (OSError, AttributeError) as problem:
        raise ImportError(
            f"{path}: {problem}; fanin looks for its library in $FANIN_LIBRARY, in the package, and where the system "
            "keeps libraries"
        ) from None
    if not _same_abi(version):
        raise ImportError(f"{path} is version {version} of the library, which this package {__version__} cannot use")
    return library


def init_size() -> int:
    """Bytes of the library's fanin_init, whose fields the package does not look at: only the library knows them all."""
    size = open_library(candidates()[0]).fanin_init_size
    size.restype = ctypes.c_size_t
    return int(size())
