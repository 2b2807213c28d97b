"""Structs of C as Python dataclasses: the annotations of a class say both what Python and what C sees."""

from __future__ import annotations

import ctypes
from typing import Annotated, Any, Generic, TypeVar, get_type_hints

U32 = Annotated[int, ctypes.c_uint32]
U64 = Annotated[int, ctypes.c_uint64]
Size = Annotated[int, ctypes.c_size_t]
F64 = Annotated[float, ctypes.c_double]
Flag = Annotated[bool, ctypes.c_int]
Enum = Annotated[int, ctypes.c_int]
Text = Annotated[str, ctypes.c_char_p]
Handle = Annotated[int, ctypes.c_void_p]

T = TypeVar("T")


class Mirror(Generic[T]):
    """The C struct `name`, with the fields of the dataclass `of` in its order, as `struct`."""

    def __init__(self, name: str, of: type[T]) -> None:
        self._of = of
        fields = [
            (field, hint.__metadata__[0])
            for field, hint in get_type_hints(of, include_extras=True).items()
            if hasattr(hint, "__metadata__")
        ]
        self._pythonic = {field: hint for field, hint in get_type_hints(of).items()}
        self.struct: Any = type(name, (ctypes.Structure,), {"_fields_": fields})

    def read(self, struct: Any, **others: Any) -> T:
        """The dataclass with the struct's values; `others` are fields that C has in another form."""
        values = {field: self._value(field, getattr(struct, field)) for field, _ in struct._fields_}
        return self._of(**{**values, **others})

    def _value(self, field: str, value: Any) -> Any:
        if isinstance(value, bytes):
            return value.decode(errors="replace")
        kind = self._pythonic[field]
        return bool(value) if kind is bool else (value or 0) if kind is int else value
