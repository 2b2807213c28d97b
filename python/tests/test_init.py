"""fanin.init beside torch.nn.init: the same meanings of the same parameters."""

import math

import numpy as np
import pyopencl.array as cla
import pytest
from conftest import same_bits

import fanin
from fanin import init

torch = pytest.importorskip("torch")
HOW = dict(seed=11, name="w")
SHAPES = [(40, 100), (30, 20, 5), (16, 8, 5, 7), (8, 6, 3, 4, 5)]

# function, torch's arguments
FANS = [
    ("xavier_uniform_", {}), ("xavier_uniform_", {"gain": 1.7}), ("xavier_normal_", {"gain": 0.3}),
    ("kaiming_uniform_", {}), ("kaiming_uniform_", {"a": math.sqrt(5)}), ("kaiming_normal_", {"mode": "fan_out"}),
    ("kaiming_normal_", {"a": 0.2, "nonlinearity": "leaky_relu"}), ("kaiming_normal_", {"a": 0.2, "nonlinearity": "relu"}),
    ("kaiming_normal_", {"nonlinearity": "tanh"}), ("kaiming_uniform_", {"nonlinearity": "selu", "mode": "fan_out"}),
]  # fmt: skip


def law_of_torch(function, tensor, arguments):
    """The std (normal) or bound (uniform) that torch passes on, seen from inside."""
    seen = {}
    names = {"uniform_": ("a", "b"), "normal_": ("mean", "std")}

    class Spy(torch.Tensor):
        def uniform_(self, a, b, generator=None):  # torch 2.6 passes it
            seen.update(zip(names["uniform_"], (a, b)))
            return self

        def normal_(self, mean, std, generator=None):
            seen.update(zip(names["normal_"], (mean, std)))
            return self

    getattr(torch.nn.init, function)(tensor.as_subclass(Spy), **arguments)
    return seen


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("function, arguments", FANS)
def test_std_is_torch_s(monkeypatch, shape, function, arguments):
    law = law_of_torch(function, torch.empty(shape), arguments)
    called = {}
    monkeypatch.setattr(init, "_fill", lambda tensor, made, **rest: called.update(made=made, **rest))
    getattr(init, function)(np.empty(shape, "f4"), **arguments, **HOW)
    moments = fanin.expect(shape, called["made"], called["layout"])
    if "std" in law:
        assert moments.std == pytest.approx(law["std"], rel=1e-9) and moments.lo == -math.inf
    else:
        assert moments.hi == pytest.approx(law["b"], rel=1e-9) and moments.lo == pytest.approx(law["a"], rel=1e-9)


def test_filled_by_the_same_law(queue):
    """On the device: std within 4.5 standard errors, sqrt((kurtosis - 1) / 4N) of it, of torch's formula."""
    array = cla.empty(queue, (256, 400), "f4")
    for function, arguments, fan, kurtosis in [
        ("kaiming_normal_", {"mode": "fan_out"}, 256, 3),
        ("kaiming_uniform_", {}, 400, 1.8),
        ("xavier_normal_", {}, 328 * 2, 3),
    ]:
        getattr(init, function)(array, **arguments, **HOW)
        error = math.sqrt((kurtosis - 1) / 4 / array.size)
        assert abs(array.get().std() / math.sqrt(2 / fan) - 1) < 4.5 * error


def truncated(a, b):
    """Mean and std of N(0, 1) cut to [a, b] (Johnson, Kotz & Balakrishnan 1994, 13.10)."""
    density = [math.exp(-x * x / 2) / math.sqrt(2 * math.pi) for x in (a, b)]
    mass = (math.erf(b / math.sqrt(2)) - math.erf(a / math.sqrt(2))) / 2
    mean = (density[0] - density[1]) / mass
    return mean, math.sqrt(1 + (a * density[0] - b * density[1]) / mass - mean * mean)


def test_plain_ones(queue):
    array = cla.empty(queue, (200, 300), "f4")
    error = 4.5 / math.sqrt(array.size)
    init.normal_(array, 3.0, 0.5, **HOW)
    assert abs(array.get().mean() - 3) < 0.5 * error and abs(array.get().std() / 0.5 - 1) < error * math.sqrt(0.5)
    init.uniform_(array, 1.0, 3.0, **HOW)
    assert array.get().min() >= 1 and array.get().max() <= 3 and abs(array.get().mean() - 2) < error / math.sqrt(3)
    init.trunc_normal_(array, 1.0, 2.0, 0.5, 4.0, **HOW)
    values = array.get()
    mean, std = truncated(-0.25, 1.5)  # the bounds in sigma
    assert values.min() >= 0.5 and values.max() <= 4
    assert abs(values.mean() - (1 + 2 * mean)) < 2 * std * error and abs(values.std() / (2 * std) - 1) < error
    for function, arguments, value in [("constant_", (0.7,), 0.7), ("ones_", (), 1), ("zeros_", (), 0)]:
        getattr(init, function)(array, *arguments)
        assert (array.get() == np.float32(value)).all()


@pytest.mark.parametrize(
    "shape, groups", [((6, 4, 3), 1), ((6, 2, 3, 4), 1), ((6, 3, 5), 2), ((4, 8, 2, 3, 4), 1), ((9, 2, 3), 3)]
)
def test_dirac_is_torch_s(shape, groups):
    array = np.full(shape, 7, "f4")
    assert init.dirac_(array, groups) is None
    assert same_bits(array, torch.nn.init.dirac_(torch.empty(shape), groups).numpy())


@pytest.mark.parametrize("shape", [(5, 5), (3, 8), (8, 3)])
def test_eye_is_torch_s(shape):
    array = np.full(shape, 7, "f4")
    init.eye_(array)
    assert same_bits(array, torch.nn.init.eye_(torch.empty(shape)).numpy())


@pytest.mark.parametrize("shape", [(20, 50), (50, 20), (12, 3, 2, 2), (30, 4, 3)])
def test_orthogonal(queue, shape):
    array = cla.empty(queue, shape, "f4")
    init.orthogonal_(array, gain=2.0, **HOW)
    matrix = array.get().reshape(shape[0], -1).astype("f8")
    matrix = matrix if matrix.shape[0] <= matrix.shape[1] else matrix.T
    assert abs(matrix @ matrix.T - 4 * np.eye(len(matrix))).max() < 1e-5


def test_sparse_has_torch_s_counts(queue):
    array, theirs = cla.empty(queue, (37, 20), "f4"), torch.empty(37, 20)
    init.sparse_(array, sparsity=0.3, **HOW)
    torch.nn.init.sparse_(theirs, sparsity=0.3)
    counts = (array.get() == 0).sum(axis=0)
    assert set(counts) == set((theirs == 0).sum(dim=0).tolist()) == {12}


def test_gains_are_torch_s():
    for name in ("linear", "conv2d", "conv_transpose3d", "sigmoid", "tanh", "relu", "leaky_relu", "selu"):
        assert init.calculate_gain(name) == pytest.approx(torch.nn.init.calculate_gain(name), rel=1e-12)
    assert init.calculate_gain("leaky_relu", 0.3) == pytest.approx(torch.nn.init.calculate_gain("leaky_relu", 0.3))


def test_others_by_their_own_names(queue):
    """Every initializer of the library has a function, with its parameters as keywords."""
    for known in fanin.initializers():
        assert callable(getattr(init, f"{known.name}_")) and f"{known.name}_" in dir(init)
    array, same = cla.empty(queue, (12, 8), "f4"), cla.empty(queue, (12, 8), "f4")
    init.lecun_normal_(array, distribution="trunc_normal", **HOW)
    fanin.fill(same, "lecun_normal:distribution=trunc_normal", layout="OI", **HOW)
    assert same_bits(array.get(), same.get())
    init.hadamard_(array, gain="leaky_relu", slope=0.3, criterion="pytorch")
    fanin.fill(same, "hadamard:gain=leaky_relu,slope=0.3,criterion=pytorch", layout="OI")
    assert same_bits(array.get(), same.get())
    init.log_uniform_(array, floor=1e-4, inverse_softplus=True, **HOW)
    steps = np.log1p(np.exp(array.get().astype("f8")))  # Mamba's, by softplus
    assert 0.001 <= steps.min() * 1.000002 and steps.max() <= 0.1 * 1.000002 and steps.std() > 0.01
    with pytest.raises(TypeError, match="mode"):
        init.hadamard_(array, mode="fan_in")
    with pytest.raises(AttributeError, match="no_such_"):
        init.no_such_
    assert "ZerO" in init.hadamard_.__doc__ and init.hadamard_.__name__ == "hadamard_"


def test_layout_of_a_transposed_convolution(monkeypatch):
    made = {}
    monkeypatch.setattr(init, "_fill", lambda tensor, what, **rest: made.update(rest))
    init.kaiming_normal_(np.empty((4, 8, 3, 3), "f4"), layout="IOHW", **HOW)
    assert made["layout"] == "IOHW"
