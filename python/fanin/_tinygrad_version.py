"""Which versions of tinygrad fanin.tinygrad works with: it reaches into parts of tinygrad that change between versions."""

from __future__ import annotations

from importlib import metadata

TESTED = ("0.13", "0.14")


def check_version() -> None:
    """ImportError for a tinygrad that is too old, and for none at all."""
    accepted = f"fanin.tinygrad needs tinygrad {TESTED[0]} or later, and is tested with {' and '.join(TESTED)}"
    try:
        version = metadata.version("tinygrad")
    except metadata.PackageNotFoundError:
        raise ImportError(f"tinygrad is not installed; {accepted}") from None
    if _numbers(version) < _numbers(TESTED[0]):
        raise ImportError(f"tinygrad is version {version}; {accepted}")


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".")[:2] if part.isdigit())
