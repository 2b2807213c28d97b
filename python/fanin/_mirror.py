"""Structs of C: plain ones of ctypes, and dataclasses whose annotations say both what Python and what C sees."""

from __future__ import annotations

import ctypes
import re
from typing import Annotated, Any, Generic, TypeVar, get_type_hints

U32 = Annotated[int, ctypes.c_uint32]
U64 = Annotated[int, ctypes.c_uint64]
Size = Annotated[int, ctypes.c_size_t]
F64 = Annotated[float, ctypes.c_double]
Flag = Annotated[bool, ctypes.c_int]
Enum = Annotated[int, ctypes.c_int]
Text = Annotated[str, ctypes.c_char_p]
Handle = Annotated[int, ctypes.c_void_p]

# Every struct by its name in C.
STRUCTS: dict[str, Any] = {}

_TYPES: dict[str, Any] = {
    "char": ctypes.c_char,
    "int": ctypes.c_int,
    "u32": ctypes.c_uint32,
    "u64": ctypes.c_uint64,
    "size": ctypes.c_size_t,
    "f64": ctypes.c_double,
    "text": ctypes.c_char_p,
    "pointer": ctypes.c_void_p,
}


def declared(text: str, **others: Any) -> list[tuple[str, Any]]:
    """Fields of a struct from "u64 first count, char layout[9], u64* widths": types, each with its members.

    `others` are types by names of their own. Structs that are known have theirs in C.
    """
    known = {**_TYPES, **STRUCTS, **others}
    fields = []
    for kind, *members in (group.split() for group in text.split(",")):
        one = ctypes.POINTER(known[kind[:-1]]) if kind.endswith("*") else known[kind]
        for member in members:
            name, _, length = member.rstrip("]").partition("[")
            fields.append((name, one * int(length) if length else one))
    return fields


def _register(name: str, struct: Any) -> None:
    STRUCTS["fanin" + re.sub("([A-Z])", r"_\1", name).lower()] = struct


class Struct(ctypes.Structure):
    """A struct of C. Its class is called CProbeConfig where C has fanin_probe_config."""

    def __init_subclass__(cls) -> None:
        _register(cls.__name__[1:], cls)

    def __init__(self, *values: Any, **named: Any) -> None:
        """A configuration knows its own size, as C's macros have it."""
        super().__init__(*values, **named)
        if hasattr(self, "size"):
            self.size = ctypes.sizeof(self)


T = TypeVar("T")


class Mirror(Generic[T]):
    """The struct that C calls fanin_probe_layer where the dataclass `of` is ProbeLayer, with its fields, as `struct`."""

    def __init__(self, of: type[T]) -> None:
        self._of = of
        fields = [
            (field, hint.__metadata__[0])
            for field, hint in get_type_hints(of, include_extras=True).items()
            if hasattr(hint, "__metadata__")
        ]
        self._pythonic = {field: hint for field, hint in get_type_hints(of).items()}
        self.struct: Any = type(of.__name__, (ctypes.Structure,), {"_fields_": fields})
        _register(of.__name__, self.struct)

    def read(self, struct: Any, **others: Any) -> T:
        """The dataclass with the struct's values; `others` are fields that C has in another form."""
        values = {field: self._value(field, getattr(struct, field)) for field, _ in struct._fields_}
        return self._of(**{**values, **others})

    def ask(self, function: Any, *arguments: Any) -> T:
        """What a function writes whose last parameters are a struct and its size."""
        out = self.struct()
        function(*arguments, ctypes.byref(out), ctypes.sizeof(out))
        return self.read(out)

    def structs(self, function: Any, *arguments: Any) -> list[Any]:
        """All that a function writes whose last parameters are an array, its capacity, its stride and a count."""
        count, stride = ctypes.c_size_t(), ctypes.sizeof(self.struct)
        function(*arguments, None, 0, 0, ctypes.byref(count))
        found = (self.struct * count.value)()
        function(*arguments, found, len(found), stride, ctypes.byref(count))
        return list(found[: count.value])

    def _value(self, field: str, value: Any) -> Any:
        if isinstance(value, bytes):
            return value.decode(errors="replace")
        kind = self._pythonic[field]
        return bool(value) if kind is bool else (value or 0) if kind is int else value
