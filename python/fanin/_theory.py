"""Mean-field theory and suggestions, in double on the host; nothing here needs a device."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass, fields
from html import escape
from typing import Annotated, Any, Iterable, NamedTuple, Optional, Sequence, SupportsFloat, SupportsIndex, Union

from . import _check
from ._errors import bad_argument
from ._init import AnyInit, Init, init_of
from ._library import lib
from ._mirror import F64, Flag, Mirror, Size
from ._report import architecture, columns_of, plain, plot, table
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


@dataclass(frozen=True)
class TheoryConfig:
    """What `theory()` was asked, with its defaults filled in. sigma_w2 None: what `init` makes."""

    widths: list[int]
    activation: str
    init: Init
    sigma_w2: Optional[list[float]]
    sigma_b2: float
    slope: float
    norm: str
    residual: bool
    activate_last: bool
    second_moment: float
    correlation: float
    gradient: float

    def __str__(self) -> str:
        weights = str(self.init) if self.sigma_w2 is None else f"sigma_w2 {_check.shown(self.sigma_w2)}"
        extras = [self.norm + " norm"] * (self.norm != "none") + ["residual"] * self.residual
        extras += [f"sigma_b2 {self.sigma_b2:g}"] * (self.sigma_b2 != 0)
        return ", ".join([architecture(self.widths), self.activation, weights, *extras])


class TheoryReport(list[TheoryLayer]):
    """The layers of a network at infinite width, a list, and `config`, which says of what network."""

    def __init__(self, layers: Iterable[TheoryLayer], config: TheoryConfig) -> None:
        super().__init__(layers)
        self.config = config

    def __reduce__(self) -> Any:
        return TheoryReport, (list(self), self.config)

    def __repr__(self) -> str:
        return f"<TheoryReport of {self.config}>"

    def _repr_html_(self) -> str:
        """A table and a plot, for notebooks."""
        columns = self.columns()
        series = {"q, forward": columns["q"], "g, backward": columns["g"]}
        title = "Second moments of preactivations and gradients"
        return f"<p>{escape(repr(self)[1:-1])}</p>{plot(title, series)}{table(columns)}"

    def columns(self) -> dict[str, list[Any]]:
        """The layers as columns, beginning with their number: `pandas.DataFrame(report.columns())`."""
        return columns_of(TheoryLayer, self)

    def to_dict(self) -> dict[str, Any]:
        """Everything as dicts and lists, for json.dumps(); None for numbers that are not finite."""
        return {"config": plain(self.config), "layers": plain(list(self))}


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
) -> TheoryReport:
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
    asked = TheoryConfig(
        widths=extents,
        activation=activation,
        init=init_of(init),
        sigma_w2=[float(config.sigma_w2[l]) for l in range(layers)] if config.sigma_w2 else None,
        norm=norm,
        **{name: getattr(config, name) for name in numbers},
        **{name: bool(getattr(config, name)) for name in flags},
    )
    return TheoryReport((THEORY_LAYER.read(layer) for layer in out[:layers]), asked)


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


@dataclass(frozen=True, repr=False)
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

    def __repr__(self) -> str:
        growth = f"forward x{self.q_growth:.4g}, backward x{self.g_growth:.4g} a layer"
        return f"<Suggestion for {self.aim}: {self.init}, sigma_b2 {self.sigma_b2:.4g}; {growth}>"

    def to_dict(self) -> dict[str, Any]:
        """Everything as a dict, for json.dumps(); None for numbers that are not finite."""
        return {field.name: plain(getattr(self, field.name)) for field in fields(self)}


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
    names = [lib.fanin_diagnosis_name(d).decode() for d in range(64) if c.diagnoses >> d & 1]
    return _SUGGESTION.read(c, aim=aim, init=Init._of(c.init), diagnoses=names, text=text.value.decode())
