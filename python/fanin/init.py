"""torch.nn.init's functions, by its names and with its parameters' meanings, for OpenCL, NumPy and tinygrad.

    from fanin import init
    init.kaiming_normal_(w, nonlinearity="relu", seed=42, name="layer1.weight")

Every function takes `fill()`'s keyword arguments beside torch's: `seed` and `name` (or `stream`) where it draws numbers,
`queue`, `wait_for`, `dtype`, ... It returns the event; None for a NumPy array or a torch CPU tensor, which is filled when
it returns, and for a tinygrad tensor.

The layout is torch's, by rank, unless `layout` says otherwise: "OI", "OIW", "OIHW", "OIDHW"; a transposed convolution
needs layout="IOHW" (torch itself swaps its fans). `groups` divides both fans, which torch does not do for fan_out.
The distributions are torch's and the numbers fanin's.

fanin's other initializers are here by their own names, with an underscore as torch has it and with their parameters as
keywords: `init.hadamard_(w)`, `init.lecun_normal_(w, distribution="trunc_normal", seed=42, name="w")`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Callable, Optional, Sequence, Union

from ._errors import bad_argument
from ._init import AnyInit, Init, gain, initializers
from ._structs import Description

if TYPE_CHECKING:
    import pyopencl as cl

    from ._fill import Placed
    from ._numpy import HostArray

    Target = Union[Placed, HostArray]

_LAYOUTS = {2: "OI", 3: "OIW", 4: "OIHW", 5: "OIDHW"}


def _fill(tensor: Target, init: AnyInit, **arguments: Any) -> Optional[cl.Event]:
    from ._fill import fill

    if hasattr(tensor, "uop"):
        from .tinygrad import fill as fill_tinygrad

        fill_tinygrad(tensor, init, **arguments)
        return None
    return fill(tensor, init, **arguments)


def _fill_with_fans(tensor: Target, init: AnyInit, **arguments: Any) -> Optional[cl.Event]:
    if arguments.get("layout") is None:
        shape: Sequence[int] = arguments.get("whole") or arguments.get("shape") or getattr(tensor, "shape", None) or ()
        if len(shape) not in _LAYOUTS:
            raise bad_argument(f"torch has fans for 2 to 5 dimensions, and there are {len(shape)}: say layout=")
        arguments["layout"] = _LAYOUTS[len(shape)]
    return _fill(tensor, init, **arguments)


def calculate_gain(nonlinearity: str, param: Optional[float] = None) -> float:
    """torch's recommended gain. `fanin.gain()` has those that keep the variance, for more activations."""
    # torch has names for layers too, which are linear.
    name = "linear" if nonlinearity.startswith("conv") else nonlinearity
    return gain(name, param, "pytorch")


def uniform_(tensor: Target, a: float = 0.0, b: float = 1.0, **arguments: Any) -> Optional[cl.Event]:
    """U(a, b), both ends included."""
    return _fill(tensor, Init("uniform", lo=a, hi=b), **arguments)


def normal_(tensor: Target, mean: float = 0.0, std: float = 1.0, **arguments: Any) -> Optional[cl.Event]:
    """N(mean, std^2)."""
    return _fill(tensor, Init("normal", mean=mean, std=std), **arguments)


def trunc_normal_(
    tensor: Target, mean: float = 0.0, std: float = 1.0, a: float = -2.0, b: float = 2.0, **arguments: Any
) -> Optional[cl.Event]:
    """N(mean, std^2) cut to [a, b]: as in torch these are values, and std is that of the normal before it is cut.

    fanin's own "trunc_normal" has bounds in sigma, and the std of the result.
    """
    init = Init("trunc_normal", mean=mean, std=std, a=a, b=b, bounds="absolute", corrected=False)
    return _fill(tensor, init, **arguments)


def constant_(tensor: Target, val: float, **arguments: Any) -> Optional[cl.Event]:
    """The value val."""
    return _fill(tensor, Init("constant", value=val), **arguments)


def ones_(tensor: Target, **arguments: Any) -> Optional[cl.Event]:
    """1."""
    return _fill(tensor, "ones", **arguments)


def zeros_(tensor: Target, **arguments: Any) -> Optional[cl.Event]:
    """0."""
    return _fill(tensor, "zeros", **arguments)


def eye_(tensor: Target, **arguments: Any) -> Optional[cl.Event]:
    """The identity matrix."""
    return _fill_with_fans(tensor, "identity", **arguments)


def dirac_(tensor: Target, groups: int = 1, **arguments: Any) -> Optional[cl.Event]:
    """A convolution that passes its channels through, group by group."""
    return _fill_with_fans(tensor, "dirac", groups=groups, **arguments)


def xavier_uniform_(tensor: Target, gain: float = 1.0, **arguments: Any) -> Optional[cl.Event]:
    """Glorot & Bengio 2010: U(-x, x) with std = gain sqrt(2 / (fan_in + fan_out))."""
    return _fill_with_fans(tensor, Init("xavier_uniform", gain=gain), **arguments)


def xavier_normal_(tensor: Target, gain: float = 1.0, **arguments: Any) -> Optional[cl.Event]:
    """Glorot & Bengio 2010, normal."""
    return _fill_with_fans(tensor, Init("xavier_normal", gain=gain), **arguments)


def _kaiming(distribution: str, a: float, mode: str, nonlinearity: str) -> Init:
    if nonlinearity in ("relu", "leaky_relu"):
        return Init(f"he_{distribution}", a=a if nonlinearity == "leaky_relu" else 0.0, mode=mode)
    scale = calculate_gain(nonlinearity, a) ** 2
    return Init("variance_scaling", scale=scale, mode=mode, distribution=distribution)


def kaiming_uniform_(
    tensor: Target, a: float = 0.0, mode: str = "fan_in", nonlinearity: str = "leaky_relu", **arguments: Any
) -> Optional[cl.Event]:
    """He et al. 2015, uniform: std = gain / sqrt(fan), the gain being `calculate_gain(nonlinearity, a)`."""
    return _fill_with_fans(tensor, _kaiming("uniform", a, mode, nonlinearity), **arguments)


def kaiming_normal_(
    tensor: Target, a: float = 0.0, mode: str = "fan_in", nonlinearity: str = "leaky_relu", **arguments: Any
) -> Optional[cl.Event]:
    """He et al. 2015, normal."""
    return _fill_with_fans(tensor, _kaiming("normal", a, mode, nonlinearity), **arguments)


def orthogonal_(tensor: Target, gain: float = 1.0, **arguments: Any) -> Optional[cl.Event]:
    """Saxe et al. 2013: gain times an orthogonal matrix of O rows and I * taps columns, uniformly distributed."""
    return _fill_with_fans(tensor, Init("orthogonal", gain=gain), **arguments)


def sparse_(tensor: Target, sparsity: float, std: float = 0.01, **arguments: Any) -> Optional[cl.Event]:
    """Martens 2010: normal, but ceil(sparsity * n) zeros among the n weights that leave each input."""
    return _fill_with_fans(tensor, Init("sparse", sparsity=sparsity, std=std), **arguments)


def _function_of(known: Description) -> Callable[..., Optional[cl.Event]]:
    """The function of an initializer that torch has no name for."""
    names = {one.split("=")[0].strip() for one in known.parameters.split(",")}
    # Where a gain is an activation's name.
    names |= {"criterion", "slope"} if "gain" in names else set()

    def function(tensor: Target, **arguments: Any) -> Optional[cl.Event]:
        init = Init(known.name, **{name: arguments.pop(name) for name in names & arguments.keys()})
        return (_fill_with_fans if known.needs_fans else _fill)(tensor, init, **arguments)

    function.__name__ = function.__qualname__ = f"{known.name}_"
    function.__doc__ = f"{known.formula}. {known.source}. Parameters: {known.parameters or 'none'}."
    return function


def __getattr__(name: str) -> Callable[..., Optional[cl.Event]]:
    for known in initializers():
        if name == f"{known.name}_":
            return _function_of(known)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *(f"{known.name}_" for known in initializers())})
