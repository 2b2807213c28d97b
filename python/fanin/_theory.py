"""Mean-field theory and suggestions, in double on the host; nothing here needs a device."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from typing import Annotated, Any, NamedTuple, Optional, Sequence, SupportsFloat, SupportsIndex, Union

from . import _check
from ._errors import bad_argument
from ._init import AnyInit, Init, init_of
from ._library import lib
from ._mirror import F64, Mirror, Size
from ._structs import (
    FIXED_POINT,
    NORMS,
    THEORY_LAYER,
    CInit,
    CSuggestConfig,
    CTheoryConfig,
    FixedPoint,
    TheoryLayer,
)


def theory(
    widths: Sequence[SupportsIndex],
    activation: str = "relu",
    *,
    init: AnyInit = "he_normal",
    sigma_w2: Union[SupportsFloat, Sequence[SupportsFloat], None] = None,
    sigma_b2: SupportsFloat = 0.0,
    slope: SupportsFloat = 0.01,
    norm: str = "none",
    residual: bool = False,
    activate_last: bool = False,
    second_moment: SupportsFloat = 1.0,
    correlation: SupportsFloat = 0.0,
    gradient: SupportsFloat = 1.0,
) -> list[TheoryLayer]:
    """What a multilayer perceptron does at infinite width, layer by layer: variance, correlation, gradients.

    widths: input features, then each layer's. sigma_w2: fan_in times the weights' variance, one number or one a layer,
    instead of what `init` makes. second_moment, correlation: of the input and of two inputs. gradient: mean square of
    the loss's gradient of the output. norm: "none", "layer" or "batch".
    """
    extents = _check.integers("widths", widths)
    layers = len(extents) - 1
    values: dict[str, Any] = dict(init=init_of(init)._c, norm=_check.choice("norm", norm, NORMS))
    values.update(activation=_check.text("activation", activation))
    flags = dict(residual=residual, activate_last=activate_last)
    values.update({name: _check.flag(name, value) for name, value in flags.items()})
    numbers = dict(sigma_b2=sigma_b2, slope=slope, second_moment=second_moment, correlation=correlation)
    numbers.update(gradient=gradient)
    values.update({name: _check.number(name, value) for name, value in numbers.items()})
    values.update(widths=(ctypes.c_uint64 * len(extents))(*extents), n_widths=len(extents))
    config = CTheoryConfig(**values)
    if sigma_w2 is not None:
        config.sigma_w2 = (ctypes.c_double * max(layers, 0))(*_sigma_w2(sigma_w2, layers))
    out = (THEORY_LAYER.struct * max(layers, 1))()
    lib.fanin_theory(ctypes.byref(config), out, ctypes.sizeof(THEORY_LAYER.struct))
    return [THEORY_LAYER.read(layer) for layer in out[:layers]]


def _sigma_w2(given: Any, layers: int) -> list[float]:
    """One number for each layer."""
    if not hasattr(given, "__len__") or getattr(given, "shape", None) == ():
        return [_check.number("sigma_w2", given)] * max(layers, 0)
    numbers = _check.numbers("sigma_w2", given)
    if len(numbers) != layers:
        raise bad_argument(f"sigma_w2 has {len(numbers)} numbers for {layers} layers")
    return numbers


def fixed_points(
    activation: str, sigma_w2: SupportsFloat, sigma_b2: SupportsFloat = 0.0, slope: SupportsFloat = 0.01
) -> list[FixedPoint]:
    """Where the variance of preactivations goes in deep networks, from q = 0 to 1e10, ascending."""
    numbers = dict(slope=slope, sigma_w2=sigma_w2, sigma_b2=sigma_b2)
    given = [_check.number(name, value) for name, value in numbers.items()]
    points = FIXED_POINT.structs(lib.fanin_fixed_points, _check.text("activation", activation), *given)
    return [FIXED_POINT.read(point) for point in points]


class Edge(NamedTuple):
    """The edge of chaos: the sigma_w^2, and its fixed point."""

    sigma_w2: float
    at: FixedPoint


def edge_of_chaos(activation: str, sigma_b2: SupportsFloat = 0.0, slope: SupportsFloat = 0.01) -> Edge:
    """The sigma_w^2 with which gradients neither vanish nor explode at the fixed point, given the biases' variance."""
    sigma_w2 = ctypes.c_double()
    given = [_check.text("activation", activation), _check.number("slope", slope), _check.number("sigma_b2", sigma_b2)]
    at = FIXED_POINT.ask(lib.fanin_edge_of_chaos, *given, ctypes.byref(sigma_w2))
    return Edge(sigma_w2.value, at)


@dataclass(frozen=True)
class Suggestion:
    """A choice of initializer for an activation and its price, as include/fanin/theory.h describes it; `text` says it
    in sentences."""

    aim: Annotated[str, ctypes.c_int]
    init: Annotated[Init, CInit]
    gain: F64
    sigma_b2: F64
    depth: Size
    q_growth: F64
    q_total: F64
    g_growth: F64
    g_total: F64
    q_limit: F64
    chi_limit: F64
    sensitivity: F64
    text: str


_SUGGESTION = Mirror(Suggestion)


def suggest(
    activation: str,
    depth: SupportsIndex,
    *,
    fan_ratio: SupportsFloat = 1.0,
    sigma_b2: SupportsFloat = 0.05,
    slope: Optional[SupportsFloat] = None,
) -> list[Suggestion]:
    """Which initializers suit an activation in networks of `depth` layers, and what each costs.

    fan_ratio: fan_in by fan_out. sigma_b2: the biases' variance for a choice at the edge of chaos.
    """
    config = CSuggestConfig(activation=_check.text("activation", activation), depth=_check.integer("depth", depth))
    config.sigma_b2 = _check.number("sigma_b2", sigma_b2)
    config.slope = _check.number("slope", 0.01 if slope is None else slope)
    config.fan_ratio = _check.not_zero("fan_ratio", fan_ratio)
    return [_suggestion(one) for one in _SUGGESTION.structs(lib.fanin_suggest, ctypes.byref(config))]


def _suggestion(c: Any) -> Suggestion:
    text = ctypes.create_string_buffer(2048)
    lib.fanin_suggestion_format(ctypes.byref(c), ctypes.sizeof(c), text, len(text), None)
    aim = lib.fanin_aim_name(c.aim).decode()
    return _SUGGESTION.read(c, aim=aim, init=Init._of(c.init), text=text.value.decode())
