"""tinygrad's tensors on its OpenCL device, filled in place; an optimiser's step on them. Needs DEV=CL."""

import os
import re
import shutil
import subprocess
import sys

import numpy as np
import pytest
from tinygrad import Context, Tensor, TinyJit, dtypes
from tinygrad.nn import Linear
from tinygrad.nn import BatchNorm
from tinygrad.nn.optim import SGD
from tinygrad.nn.state import get_state_dict, load_state_dict

import fanin
from fanin.tinygrad import fill, init_, state_dict

needs_clang = pytest.mark.skipif(
    shutil.which(os.environ.get("CC", "clang")) is None, reason="tinygrad's CPU device compiles by clang"
)

HOW = dict(seed=42, name="w", layout="OI")
EXPECTED = fanin.array((30, 20), "he_normal", **HOW)

MAKE = {
    "empty": lambda: Tensor.empty(30, 20),
    "lazy": lambda: Tensor.zeros(30, 20),
    "random": lambda: Tensor.rand(30, 20),
    "realised": lambda: Tensor.rand(30, 20).realize(),
    "from NumPy": lambda: Tensor(np.ones((30, 20), "f4")).realize(),
    "reshaped": lambda: Tensor.rand(600).realize().reshape(30, 20),
}


@pytest.mark.parametrize("make", MAKE.values(), ids=MAKE)
def test_bits(make):
    tensor = make()
    assert fill(tensor, "he_normal", **HOW) is tensor
    assert np.array_equal(tensor.numpy(), EXPECTED)
    assert np.array_equal((tensor * 2).numpy(), EXPECTED * 2)


def test_documented():
    """The block of docs/python.md."""
    layer = Linear(20, 30)
    from fanin.tinygrad import fill  # DEV=CL

    fill(layer.weight, "he_normal", seed=42, name="layer.weight", layout="OI")
    expected = fanin.array((30, 20), "he_normal", seed=42, name="layer.weight", layout="OI")
    assert np.array_equal(layer.weight.numpy(), expected)


def test_documented_for_a_model():
    """The block of docs/frameworks.md."""
    model = Net()
    from fanin.tinygrad import init_

    init_(model, "pytorch", seed=42)
    wanted = fanin.array((30, 20), "pytorch_default", seed=42, name="first.weight", layout="OI")
    assert np.array_equal(model.first.weight.numpy(), wanted)


def test_in_place():
    """What shares the memory sees the new values; what was computed from the old ones keeps them."""
    tensor = Tensor.rand(600).realize()
    view, before, sum_before = tensor.reshape(30, 20), tensor.numpy(), (tensor + 0).realize()
    fill(view, "he_normal", **HOW)
    assert np.array_equal(tensor.numpy(), EXPECTED.ravel()) and np.array_equal(sum_before.numpy(), before)


def test_lazy_tensors_share_nothing():
    one, two = Tensor.zeros(30, 20), Tensor.zeros(30, 20)
    fill(one, "he_normal", **HOW)
    fill(two, "ones")
    assert (
        np.array_equal(one.numpy(), EXPECTED) and (two.numpy() == 1).all() and (Tensor.zeros(30, 20).numpy() == 0).all()
    )


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
def test_dtypes(dtype):
    tensor = fill(Tensor.empty(30, 20, dtype=getattr(dtypes, dtype)), "he_normal", **HOW)
    expected = fanin.array((30, 20), "he_normal", dtype=dtype, **HOW)
    assert bytes(tensor._buffer().as_memoryview()) == expected.tobytes()


def test_shard():
    tensor = fill(Tensor.empty(10, 20), "he_normal", whole=(30, 20), start=(5, 0), **HOW)
    assert np.array_equal(tensor.numpy(), EXPECTED[5:15])


def test_torch_like_and_empty():
    tensor = Tensor.empty(30, 20)
    assert fanin.init.kaiming_normal_(tensor, nonlinearity="relu", seed=42, name="w") is None
    assert np.array_equal(tensor.numpy(), EXPECTED)
    assert fill(Tensor.empty(0, 3), "ones").shape == (0, 3)


def test_optimiser_s_step():
    """SGD on a layer of ours is NumPy's SGD; and a parameter is filled in place after the step as before."""
    layer, x = Linear(20, 30, bias=False), np.random.default_rng(1).normal(size=(8, 20)).astype("f4")
    fill(layer.weight, "he_normal", **HOW)
    optimiser = SGD([layer.weight], lr=0.1)
    with Context(TRAINING=1):
        layer(Tensor(x)).square().mean().backward()
        optimiser.step()
    gradient = 2 * (x @ EXPECTED.T).T @ x / (8 * 30)
    np.testing.assert_allclose(layer.weight.numpy(), EXPECTED - 0.1 * gradient, rtol=1e-4, atol=1e-6)
    buffer = layer.weight.uop.buffer
    fill(layer.weight, "he_normal", **HOW)
    assert layer.weight.uop.buffer is buffer and np.array_equal(layer.weight.numpy(), EXPECTED)


def test_example_learns(source):
    ran = [sys.executable, source / "examples/tinygrad_mlp.py", "20"]
    printed = subprocess.run(ran, check=True, capture_output=True, text=True).stdout
    losses = [float(loss) for loss in re.findall(r"loss (\S+)", printed)]
    assert 2 < losses[0] < 3 and losses[1] < 1, printed


def test_refused():
    for tensor, word in [
        (Tensor.rand(30, 20).realize()[1:3], "a view"),
        (Tensor.rand(20, 30).realize().T, "a view"),
        (Tensor.empty(3, 3, dtype=dtypes.int32), "int"),
        (Tensor.empty(3, 3, device="CPU"), "on CPU"),
    ]:
        with pytest.raises(fanin.ArgumentError, match=word):
            fill(tensor, "he_normal", **HOW)
    lazy = Tensor.empty(3, 3)
    with pytest.raises(fanin.ArgumentError, match="layout"):
        fill(lazy, "he_normal", seed=1, name="w")

    @TinyJit
    def jitted(tensor):
        fill(lazy, "ones")
        return (tensor + 1).realize()

    jitted(Tensor.ones(3).contiguous().realize())
    with pytest.raises(fanin.ArgumentError, match="TinyJit"):
        jitted(Tensor.ones(3).contiguous().realize())


class Net:
    def __init__(self):
        self.first, self.norm, self.last = Linear(20, 30), BatchNorm(30), Linear(30, 20, bias=False)


def bytes_of(tensor):
    return bytes(tensor.realize().uop.buffer.as_memoryview())


def test_a_model_by_rules():
    """What fanin.arrays() makes for the same names, whose bits test_torch.py holds to the command's."""
    net = Net()
    net.last.weight.realize()
    like = {n: ("int64" if t.dtype == dtypes.long else "float32", t.shape) for n, t in get_state_dict(net).items()}
    wanted = fanin.arrays(like, "pytorch", seed=3)
    buffer = net.last.weight.uop.buffer
    report = init_(net, "pytorch", seed=3)
    assert {name: bytes_of(one) for name, one in get_state_dict(net).items()} == {
        name: one.tobytes() for name, one in wanted.items()
    }
    assert net.last.weight.uop.buffer is buffer and net.norm.num_batches_tracked.dtype == dtypes.long
    assert repr(report) == "<InitReport of Net by rules pytorch, seed 3: 8 tensors>"
    other = Net()
    load_state_dict(other, state_dict(other, "pytorch", seed=3), verbose=False)
    for name, one in get_state_dict(other).items():
        assert bytes_of(one) == wanted[name].tobytes(), name


@pytest.mark.parametrize(
    "dtype, device", [("bfloat16", "CL"), ("float16", "CL"), pytest.param("float32", "CPU", marks=needs_clang)]
)
def test_dtypes_and_devices_by_rules(dtype, device):
    model = {"w": Tensor.empty(30, 20, dtype=getattr(dtypes, dtype), device=device)}
    init_(model, {"rules": [{"match": "*", "layout": "OI", "init": "he_normal"}]}, seed=42)
    assert bytes_of(model["w"]) == fanin.array((30, 20), "he_normal", dtype=dtype, **HOW).tobytes()


LAW = {"rules": [{"match": "*", "init": "normal"}]}


@pytest.mark.parametrize(
    "share", [lambda one: one.contiguous(), lambda one: Tensor(one.uop)], ids=["contiguous", "uop"]
)
@pytest.mark.parametrize("device", ["CL", pytest.param("CPU", marks=needs_clang)])
def test_one_buffer_is_one_tensor(share, device):
    one = Tensor.rand(30, 20, device=device).realize()
    model = {"a": one, "b": share(one)}
    report = init_(model, LAW, seed=1)
    assert report.made == ["a"] and report["b"]["tied"] == "a"
    wanted = fanin.array((30, 20), "normal", seed=1, name="a")
    assert np.array_equal(model["a"].numpy(), wanted) and np.array_equal(model["b"].numpy(), wanted)
    made = state_dict(model, LAW, seed=2)
    assert made["a"] is made["b"]
    differing = {"rules": [{"match": "a", "init": "ones"}, {"match": "b", "init": "zeros"}]}
    with pytest.raises(fanin.ArgumentError, match="'a' and 'b' are one tensor"):
        init_(model, differing, seed=1)
    model["b"] = one.reshape(600)
    for call in (init_, state_dict):
        with pytest.raises(fanin.ArgumentError, match="'a' and 'b' lie in overlapping ranges"):
            call(model, LAW, seed=3)
    assert np.array_equal(one.numpy(), wanted)


@pytest.mark.parametrize(
    "read", [lambda one: one[1:3], lambda one: one.T, lambda one: one.detach(), lambda one: one * 2]
)
def test_skipped_tensors_must_be_able_to_stay(read):
    one, rules = Tensor.rand(5, 4).realize(), {"rules": [{"match": "b", "skip": "as it is"}, *LAW["rules"]]}
    before = one.numpy()
    with pytest.raises(fanin.ArgumentError, match="'b' is a view of 'a' or is still to be computed from it"):
        init_({"a": one, "b": read(one)}, rules, seed=1)
    assert np.array_equal(one.numpy(), before)
    copy = read(one).clone().realize()
    values = copy.numpy()
    assert init_({"a": one, "b": copy}, rules, seed=1).made == ["a"]
    assert np.array_equal(copy.numpy(), values) and not np.array_equal(one.numpy(), before)


@needs_clang
def test_skipped_tensors_of_a_sharded_one():
    parts = Tensor.rand(4, 4, device="CPU").realize().shard(("CPU:0", "CPU:1"), axis=0).realize()
    rules = {"rules": [{"match": "b", "skip": "as it is"}, *LAW["rules"]]}
    assert init_({"a": Tensor.empty(5, 4), "b": parts.to("CPU")}, rules, seed=1).made == ["a"]


def test_lazy_tensors_of_one_expression_by_rules():
    model = {"a": Tensor.zeros(5, 4), "b": Tensor.zeros(5, 4)}
    assert init_(model, LAW, seed=1).made == ["a", "b"]
    for name, one in model.items():
        assert np.array_equal(one.numpy(), fanin.array((5, 4), "normal", seed=1, name=name))


def test_tied_and_refused_by_rules():
    net = Net()
    net.last.weight = net.first.weight
    report = init_(net, seed=1)
    assert report["last.weight"] == {"name": "last.weight", "tied": "first.weight"}
    assert state_dict(net, seed=1)["last.weight"].shape == (30, 20)
    before = Tensor.rand(5, 4).realize()
    values = before.numpy()
    for model, words in [
        ({"a": before, "b": before[1:3]}, "'b' is a view"),
        ({"a": before, "b": Tensor.empty(3, dtype=dtypes.int8)}, "dtype I8"),
    ]:
        with pytest.raises(fanin.ArgumentError, match=words):
            init_(model, {"rules": [{"match": "*", "init": "normal"}]}, seed=1)
        assert np.array_equal(before.numpy(), values)
