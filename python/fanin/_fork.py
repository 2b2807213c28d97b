"""What fork() does: OpenCL drivers work with threads, which a forked child does not have, so that a call of theirs may
wait for ever. In a child whose parent had used a device, every call that needs one is an error instead."""

from __future__ import annotations

import os

from ._errors import Error

UNSUPPORTED = 7

_used = False  # whether this process has called an OpenCL driver through fanin
_forked = False  # whether it is a child of one that had


def before_a_device_is_used() -> None:
    """Is called before every call that reaches an OpenCL driver."""
    global _used
    if _forked:
        raise Error(
            UNSUPPORTED,
            "FANIN_STATUS_UNSUPPORTED",
            f"process {os.getpid()} was forked from one that had used an OpenCL device, and OpenCL's drivers do not survive "
            'that: start processes by spawn (multiprocessing.get_context("spawn")), or fork before fanin first uses a '
            "device",
        )
    _used = True


def is_forked() -> bool:
    """Whether nothing of OpenCL's may be touched here, not even to release it."""
    return _forked


def _in_child() -> None:
    global _forked
    _forked = _forked or _used


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_in_child)
