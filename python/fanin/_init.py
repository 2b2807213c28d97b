"""Initializers as values, and what is known of them without a device."""

from __future__ import annotations

import ctypes
from typing import Any, Optional, SupportsFloat, SupportsIndex, Union

from . import _check
from ._library import lib, result_of
from ._structs import (
    CRITERIA,
    DESCRIPTION,
    MOMENTS,
    SCHEME_DESCRIPTION,
    CInit,
    CTensor,
    Description,
    Fans,
    Moments,
    SchemeDescription,
)
from ._tensor import Shape, dtype_of, make_tensor


_F32 = dtype_of("f32")  # of tensors whose elements do not matter


class Init:
    """An initializer: `Init("he_normal:mode=fan_out")`, or the same as `Init("he_normal", mode="fan_out")`.

    The text form is that of the command and of model files; `str()` gives the shortest text that means the same.
    Schemes may stand before it: `Init("residual:layers=12 normal:std=0.02")`. Those that need a tensor's fans are known
    to the functions that have one: `fill(array, "fan_in normal", layout="OI")`.
    """

    def __init__(self, text: str, **parameters: Union[float, str, bool]) -> None:
        _check.text("init", text)
        for name, value in parameters.items():
            separator = "," if ":" in text else ":"
            text += f"{separator}{name}={_text_of(name, value)}"
        self._c = CInit()
        lib.fanin_init_parse_for(_check.text("init", text), None, ctypes.byref(self._c))

    @classmethod
    def _of(cls, c: CInit) -> Init:
        self = cls.__new__(cls)
        self._c = CInit.from_buffer_copy(c)
        return self

    def __reduce__(self) -> Any:
        return Init, (str(self),)

    def __str__(self) -> str:
        text = ctypes.create_string_buffer(512)
        lib.fanin_init_format(ctypes.byref(self._c), text, len(text), None)
        return text.value.decode()

    def __repr__(self) -> str:
        return f"Init({str(self)!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Init) and str(self) == str(other)

    def __hash__(self) -> int:
        return hash(str(self))

    @property
    def description(self) -> Description:
        """Name, formula, parameters and source."""
        return _describe(self._c.kind)

    def scaled(self, factor: float) -> Init:
        """The initializer whose values have the law of this one's times `factor` (`scheme()`, for one)."""
        return Init._of(result_of(CInit, lib.fanin_init_scaled, ctypes.byref(self._c), _check.number("factor", factor)))

    @property
    def draws(self) -> bool:
        """Whether its values depend on seed and stream."""
        return self.description.draws


def _text_of(name: str, value: Any) -> str:
    """A parameter's value in an initializer's text."""
    if isinstance(value, bool):
        return str(value).lower()
    return value if isinstance(value, str) else repr(_check.number(name, value))


AnyInit = Union[Init, str]


def init_of(init: AnyInit, tensor: Optional[CTensor] = None) -> Init:
    """An Init as it is, or parsed for a tensor, whose fans the schemes before it see."""
    if not isinstance(init, (Init, str)):
        _check.wrong_type("init", init, 'an Init or a text such as "he_normal:mode=fan_out"')
    if isinstance(init, Init):
        return init
    of = None if tensor is None else ctypes.byref(tensor)
    return Init._of(result_of(CInit, lib.fanin_init_parse_for, _check.text("init", init), of))


def _describe(kind: int) -> Description:
    return DESCRIPTION.ask(lib.fanin_describe, kind)


def initializers() -> list[Description]:
    """Every initializer there is, as `fanin list` has them."""
    known: list[Description] = []
    while True:
        try:
            known.append(_describe(len(known)))
        except ValueError:
            return known


def schemes() -> list[SchemeDescription]:
    """Every scheme there is."""
    return [SCHEME_DESCRIPTION.ask(lib.fanin_describe_scheme, scheme) for scheme in range(lib.fanin_scheme_count())]


def scheme(text: str, shape: Optional[Shape] = None, layout: Optional[str] = None) -> float:
    """The factor that a paper puts in front of an initializer: `Init("normal:std=0.02").scaled(scheme("residual:layers=12"))`.

    Factors multiply. `schemes()` lists them, with the initializers that they go with; those that need fans need shape and
    layout.
    """
    tensor = None if shape is None else make_tensor(_F32, shape, layout=layout)
    of = None if tensor is None else ctypes.byref(tensor)
    return float(result_of(ctypes.c_double, lib.fanin_scheme_factor, _check.text("text", text), of).value)


def fans(shape: Shape, layout: str, *, groups: SupportsIndex = 1, splits: SupportsIndex = 1) -> Fans:
    """fan_in and fan_out of a tensor.

    layout: a letter a dimension: O output features, I input features, B a stack, D H W kernel taps, G (for I) the
    channels of a depthwise kernel. A torch Linear is "OI", Conv2d "OIHW", ConvTranspose2d "IOHW"; a Keras Dense "IO",
    Conv2D "HWIO", DepthwiseConv2D "HWGO".
    groups: of a grouped convolution. splits: matrices fused along O (QKV: 3).
    """
    tensor = make_tensor(_F32, shape, layout=layout, groups=groups, splits=splits)
    fan_in, fan_out = ctypes.c_uint64(), ctypes.c_uint64()
    lib.fanin_fans(ctypes.byref(tensor), ctypes.byref(fan_in), ctypes.byref(fan_out))
    return Fans(fan_in.value, fan_out.value)


def expect(
    shape: Shape,
    init: AnyInit,
    layout: Optional[str] = None,
    *,
    groups: SupportsIndex = 1,
    splits: SupportsIndex = 1,
    dtype: Any = "f32",
) -> Moments:
    """Mean, std, kurtosis and bounds that an initializer's values have on a tensor of this shape."""
    tensor = make_tensor(dtype_of(dtype), shape, layout=layout, groups=groups, splits=splits)
    return MOMENTS.ask(lib.fanin_expect, ctypes.byref(tensor), ctypes.byref(init_of(init, tensor)._c))


def std(
    shape: Shape,
    init: AnyInit,
    layout: Optional[str] = None,
    *,
    groups: SupportsIndex = 1,
    splits: SupportsIndex = 1,
) -> float:
    """The standard deviation of `expect()`."""
    return expect(shape, init, layout, groups=groups, splits=splits).std


def gain(activation: str, slope: Optional[SupportsFloat] = None, criterion: str = "second_moment") -> float:
    """The gain that keeps preactivations at variance 1 through an activation, by quadrature.

    slope: leaky_relu's, 0.01 if not said. criterion: "second_moment" (He et al. 2015), "variance" (Brock et al. 2021)
    or "pytorch" (torch.nn.init.calculate_gain's table).
    """
    used, number = _check.number("slope", 0.01 if slope is None else slope), _check.choice(
        "criterion", criterion, CRITERIA
    )
    return float(result_of(ctypes.c_double, lib.fanin_gain, _check.text("activation", activation), used, number).value)
