"""The one place that checks arguments, a function for each kind: it returns the value for C, or raises what names the
argument, its value and what would be accepted. A value of a wrong type is a TypeError, a wrong value an ArgumentError."""

from __future__ import annotations

import operator
import reprlib
from typing import Any, Callable, Iterable, Mapping, NoReturn, Optional, Sequence, TypeVar

from ._errors import bad_argument

T = TypeVar("T")

_REPR = reprlib.Repr()
_REPR.maxstring = _REPR.maxother = _REPR.maxlong = 60


def shown(value: Any) -> str:
    """A value as messages show it: short, and on one line."""
    return " ".join(_REPR.repr(value).split())


def wrong_type(argument: str, value: Any, accepted: str) -> NoReturn:
    """Refuses a value for its type. Of a mapping, as a state_dict, only that is shown."""
    what = "" if isinstance(value, Mapping) else f"{shown(value)}, "
    raise TypeError(f"{argument} is {what}of type {type(value).__name__}; {accepted} is accepted")


def _is_flag(value: Any) -> bool:
    """Whether it is a bool: Python's, NumPy's, or an array's or a tensor's only element."""
    return isinstance(value, bool) or str(getattr(value, "dtype", "")).rpartition(".")[2] == "bool"


def integer(argument: str, value: Any, least: int = 0, below: int = 1 << 64) -> int:
    """An integer from `least` on that is less than `below`: an int, NumPy's, or anything else with __index__."""
    bound = f"2^{below.bit_length() - 1}" if below >= 1 << 16 and below & (below - 1) == 0 else str(below)
    accepted = f"an integer of {least} or more, below {bound}"
    try:
        number = None if _is_flag(value) else operator.index(value)
    except (TypeError, ValueError, RuntimeError):  # the last two from arrays and tensors of several elements
        number = None
    if number is None:
        wrong_type(argument, value, accepted)
    if not least <= number < below:
        raise bad_argument(f"{argument} is {shown(number)}; {accepted}, is accepted")
    return number


def number(argument: str, value: Any) -> float:
    """A number as a double, infinities and NaN included, which the library judges: it knows what it can use."""
    accepted = "a number"
    if isinstance(value, (str, bytes, bytearray)) or _is_flag(value):
        wrong_type(argument, value, accepted)
    try:
        return float(value)
    except OverflowError:
        raise bad_argument(f"{argument} is {shown(value)}; a number that a double can hold is accepted") from None
    except (TypeError, ValueError, RuntimeError):
        wrong_type(argument, value, accepted)


def not_zero(argument: str, value: Any) -> float:
    """A number for C where 0 would mean the default."""
    checked = number(argument, value)
    if checked == 0:
        raise bad_argument(f"{argument} is 0; a number above 0 is accepted")
    return checked


def flag(argument: str, value: Any) -> bool:
    """True or False; nothing else is taken for one of them."""
    if not _is_flag(value) or getattr(value, "shape", ()) != ():
        wrong_type(argument, value, "True or False")
    return bool(value)


def text(argument: str, value: Any) -> bytes:
    """A text for C."""
    if not isinstance(value, str):
        wrong_type(argument, value, "a str")
    if "\0" in value:
        raise bad_argument(f"{argument} is {shown(value)}; a text without zero bytes is accepted")
    try:
        return value.encode()
    except UnicodeEncodeError:
        raise bad_argument(f"{argument} is {shown(value)}; a text that UTF-8 can hold is accepted") from None


def choice(argument: str, value: Any, known: Sequence[str]) -> int:
    """The index of a text among those that are known."""
    text(argument, value)
    if value not in known:
        raise bad_argument(f"{argument} is {value!r}; accepted are {', '.join(known)}")
    return known.index(value)


def elements(argument: str, values: Any, of: str) -> list[Any]:
    """The elements of a list, a tuple or another iterable, but not the characters of a text."""
    accepted = f"a sequence of {of}"
    if isinstance(values, (str, bytes, bytearray, dict)):
        wrong_type(argument, values, accepted)
    try:
        return list(values)
    except TypeError:
        wrong_type(argument, values, accepted)


def each(argument: str, values: Any, of: str, check: Callable[[str, Any], T]) -> list[T]:
    """The elements, each checked under the name `argument[i]`."""
    return [check(f"{argument}[{i}]", value) for i, value in enumerate(elements(argument, values, of))]


def integers(argument: str, values: Any) -> list[int]:
    """A sequence of integers of 0 and more: a shape, or places in one."""
    return each(argument, values, "integers", integer)


def numbers(argument: str, values: Any) -> list[float]:
    """A sequence of numbers."""
    return each(argument, values, "numbers", number)


def events(argument: str, values: Any) -> list[int]:
    """The handles of PyOpenCL events; none of None."""
    return [] if values is None else each(argument, values, "pyopencl.Event", _event)


def _event(argument: str, value: Any) -> int:
    return _handle(argument, value, "a pyopencl.Event", ("command_execution_status", "int_ptr"))


def queue(argument: str, value: Any) -> Any:
    """A PyOpenCL queue."""
    _handle(argument, value, "a pyopencl.CommandQueue", ("context", "device", "int_ptr"))
    return value


def context(argument: str, value: Any) -> Any:
    """A PyOpenCL context."""
    _handle(argument, value, "a pyopencl.Context", ("devices", "int_ptr"))
    return value


def cl_device(argument: str, value: Any) -> Any:
    """A PyOpenCL device."""
    _handle(argument, value, "a pyopencl.Device", ("platform", "int_ptr"))
    return value


def _handle(argument: str, value: Any, accepted: str, attributes: Iterable[str]) -> int:
    """The handle of an object of PyOpenCL's, which is told by its attributes: PyOpenCL may not be imported at all."""
    if not all(hasattr(type(value), name) for name in attributes):
        wrong_type(argument, value, accepted)
    return int(value.int_ptr)


def function(argument: str, value: Any) -> Optional[Callable[..., Any]]:
    """A function, or None."""
    if value is not None and not callable(value):
        wrong_type(argument, value, "a function, or None")
    return value  # type: ignore[no-any-return]
