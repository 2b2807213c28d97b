"""Mean-field theory and suggestions, in double on the host; nothing here needs a device."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from typing import Annotated, Any, NamedTuple, Optional, Sequence, Union

from ._errors import bad_argument
from ._init import AnyInit, Init, init_of
from ._library import lib
from ._mirror import F64, Flag, Mirror, Size
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
from ._tensor import choice, not_zero


def theory(
    widths: Sequence[int],
    activation: str = "relu",
    *,
    init: AnyInit = "he_normal",
    sigma_w2: Union[float, Sequence[float], None] = None,
    sigma_b2: float = 0.0,
    slope: float = 0.01,
    norm: str = "none",
    residual: bool = False,
    activate_last: bool = False,
    second_moment: float = 1.0,
    correlation: float = 0.0,
    gradient: float = 1.0,
) -> list[TheoryLayer]:
    """What a multilayer perceptron does at infinite width, layer by layer: variance, correlation, gradients.

    widths: input features, then each layer's. sigma_w2: fan_in times the weights' variance, one number or one a layer,
    instead of what `init` makes. second_moment, correlation: of the input and of two inputs. gradient: mean square of
    the loss's gradient of the output. norm: "none", "layer" or "batch".
    """
    layers = len(widths) - 1
    if isinstance(sigma_w2, (int, float)):
        sigma_w2 = [sigma_w2] * max(layers, 0)
    if sigma_w2 is not None and len(sigma_w2) != layers:
        raise bad_argument(f"sigma_w2 has {len(sigma_w2)} numbers for {layers} layers")
    values: dict[str, Any] = dict(init=init_of(init)._c, sigma_b2=sigma_b2, norm=choice("norm", norm, NORMS))
    values.update(activation=activation.encode(), slope=slope, activate_last=activate_last, residual=residual)
    values.update(second_moment=second_moment, correlation=correlation, gradient=gradient)
    values.update(widths=(ctypes.c_uint64 * len(widths))(*widths), n_widths=len(widths))
    config = CTheoryConfig(**values)
    if sigma_w2 is not None:
        config.sigma_w2 = (ctypes.c_double * layers)(*sigma_w2)
    out = (THEORY_LAYER.struct * max(layers, 1))()
    lib.fanin_theory(ctypes.byref(config), out, ctypes.sizeof(THEORY_LAYER.struct))
    return [THEORY_LAYER.read(layer) for layer in out[:layers]]


def fixed_points(activation: str, sigma_w2: float, sigma_b2: float = 0.0, slope: float = 0.01) -> list[FixedPoint]:
    """Where the variance of preactivations goes in deep networks, from q = 0 to 1e10, ascending."""
    points = FIXED_POINT.structs(lib.fanin_fixed_points, activation.encode(), slope, sigma_w2, sigma_b2)
    return [FIXED_POINT.read(point) for point in points]


class Edge(NamedTuple):
    """The edge of chaos: the sigma_w^2, and its fixed point."""

    sigma_w2: float
    at: FixedPoint


def edge_of_chaos(activation: str, sigma_b2: float = 0.0, slope: float = 0.01) -> Edge:
    """The sigma_w^2 with which gradients neither vanish nor explode at the fixed point, given the biases' variance."""
    sigma_w2 = ctypes.c_double()
    at = FIXED_POINT.ask(lib.fanin_edge_of_chaos, activation.encode(), slope, sigma_b2, ctypes.byref(sigma_w2))
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
    diagnoses: Annotated[list[str], ctypes.c_uint64]
    recommended: Flag
    text: str


_SUGGESTION = Mirror(Suggestion)


def suggest(
    activation: str, depth: int, *, fan_ratio: float = 1.0, sigma_b2: float = 0.05, slope: Optional[float] = None
) -> list[Suggestion]:
    """Which initializers suit an activation in networks of `depth` layers, and what each costs.

    fan_ratio: fan_in by fan_out. sigma_b2: the biases' variance for a choice at the edge of chaos.
    """
    config = CSuggestConfig(activation=activation.encode(), depth=depth, sigma_b2=sigma_b2)
    config.slope = 0.01 if slope is None else slope
    config.fan_ratio = not_zero("fan_ratio", fan_ratio)
    return [_suggestion(one) for one in _SUGGESTION.structs(lib.fanin_suggest, ctypes.byref(config))]


def _suggestion(c: Any) -> Suggestion:
    text = ctypes.create_string_buffer(2048)
    lib.fanin_suggestion_format(ctypes.byref(c), ctypes.sizeof(c), text, len(text), None)
    aim = lib.fanin_aim_name(c.aim).decode()
    names = [lib.fanin_diagnosis_name(d).decode() for d in range(64) if c.diagnoses >> d & 1]
    return _SUGGESTION.read(c, aim=aim, init=Init._of(c.init), diagnoses=names, text=text.value.decode())
