"""What goes wrong, as exceptions with the library's code and sentence."""

from __future__ import annotations

from typing import Any


class Error(Exception):
    """A call that failed.

    Attributes:
        status: the library's code; 0 < status: fanin's own, status < 0: OpenCL's.
        name: "FANIN_STATUS_BAD_SHAPE", "CL_INVALID_CONTEXT", ...
    """

    def __init__(self, status: int, name: str, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status
        self.name = name

    def __reduce__(self) -> Any:
        """For pickle and copy: an exception is made anew from its arguments, as another process does."""
        return type(self), (self.status, self.name, str(self)), self.__dict__


class ArgumentError(Error, ValueError):
    """An argument is not accepted. The sentence names it, its value and what would be accepted; nothing was done."""


BAD_ARGUMENT = 1
_OF_ARGUMENTS = range(1, 6)  # FANIN_STATUS_BAD_ARGUMENT .. FANIN_STATUS_BAD_TEXT


def make_error(status: int, name: str, sentence: str) -> Error:
    """The exception for a status."""
    return (ArgumentError if status in _OF_ARGUMENTS else Error)(status, name, sentence)


def bad_argument(sentence: str) -> ArgumentError:
    """What this package itself does not accept, in the library's terms."""
    return ArgumentError(BAD_ARGUMENT, "FANIN_STATUS_BAD_ARGUMENT", sentence)
