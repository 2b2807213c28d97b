"""Bad input is an exception that names it, and nothing is written."""

import numpy as np
import pyopencl as cl
import pyopencl.array as cla
import pytest
from conftest import Guarded, same_bits

import fanin

HOW = dict(seed=5, name="w")
FILL = [
    (dict(init="he_nrmal"), "he_nrmal"),
    (dict(init="he_normal:mode=up"), "mode is 'up'"),
    (dict(init="he_normal"), "layout"),
    (dict(init="he_normal", layout="OII"), "layout"),
    (dict(init="he_normal", layout="OIHWDBOIO"), "at most 8 letters"),
    (dict(init="uniform:lo=2,hi=1"), "lo"),
    (dict(seed=None), "say seed="),
    (dict(name=None), "say name="),
    (dict(stream=3), "say one of them"),
    (dict(seed=-1), "seed is -1"),
    (dict(seed=1 << 64), "seed is 18446744073709551616"),
    (dict(name=None, stream=-1), "stream is -1"),
    (dict(dtype="f16"), "dtype is f16, and elements are float32"),
    (dict(dtype="f31"), 'dtype is "f31"'),
    (dict(groups=-1), "groups is -1"),
    (dict(init="he_normal", layout="OI", groups=7), "groups"),
    (dict(whole=(10, 10)), "start"),
    (dict(start=(0, 0)), "whole"),
    (dict(whole=(10, 10), start=(9, 0)), "9"),
    (dict(whole=(10, 10), start=(-1, 0)), "start[0] is -1"),
    (dict(whole=(10, 10), first=90), "90"),
    (dict(whole=(10, 10), start=(0, 0), first=0), "one of them"),
    (dict(shape=(3,)), "Buffers"),
]


@pytest.mark.parametrize("changed, word", FILL)
def test_fill(queue, changed, word):
    memory = Guarded(queue, 40, "f4")
    array = memory.array.reshape(8, 5)
    arguments = {"init": "normal", **HOW, **changed}
    with pytest.raises(ValueError) as caught:
        fanin.fill(array, arguments.pop("init"), **arguments)
    assert word in str(caught.value) and isinstance(caught.value, fanin.ArgumentError)
    assert 1 <= caught.value.status <= 5 and caught.value.name.startswith("FANIN_STATUS_BAD_")
    assert same_bits(memory.read(), memory.before)


BUFFER = [
    (dict(dtype=None), "say both"),
    (dict(shape=(101,)), "400"),
    (dict(offset=2), "offset"),
    (dict(offset=-4), "offset is -4"),
    (dict(offset=4), "400"),
    (dict(shape=(-3,)), "shape[0] is -3"),
    (dict(shape=(1 << 62, 8)), "less than 2^62"),
    (dict(shape=(1,) * 9), "at most 8"),
    (dict(shape=(5, 5), strides=(20,)), "1 strides"),
    (dict(shape=(5, 5), strides=(20, -4)), "strides[1] is -4"),
    (dict(shape=(5, 5), strides=(0, 4)), "strides[0] is 0"),
    (dict(shape=(5, 5), strides=(18, 4)), "strides[0] is 18"),
    (dict(shape=(5, 5), strides=(8, 4)), "overlap"),
    (dict(shape=(5, 5), strides=(100, 4)), "buffer"),
    (dict(shape=(5, 5), strides=(40, 4), whole=(50,), first=0), "dense"),
]


@pytest.mark.parametrize("changed, word", BUFFER)
def test_buffer(queue, changed, word):
    memory = Guarded(queue, 100, "f4")
    arguments = {"dtype": "f32", "shape": (100,), **HOW, **changed}
    with pytest.raises(fanin.ArgumentError) as caught:
        fanin.fill(memory.array.base_data, "normal", queue=queue, **arguments)
    assert word in str(caught.value)
    assert same_bits(memory.read(), memory.before)


def test_arrays_that_are_no_weights(queue):
    with pytest.raises(fanin.ArgumentError, match="int32"):
        fanin.fill(cla.empty(queue, 5, "i4"), "normal", **HOW)
    with pytest.raises(fanin.ArgumentError, match='say dtype="bf16"'):
        fanin.fill(cla.empty(queue, 5, "u2"), "normal", **HOW)
    with pytest.raises(fanin.ArgumentError, match="there is no queue"):
        fanin.fill(cla.empty(queue, 5, "f4").with_queue(None), "normal", **HOW)
    with pytest.raises(TypeError, match="list"):
        fanin.fill([1.0], "normal", dtype="f32", shape=1, queue=queue, **HOW)
    with pytest.raises(TypeError, match="list"):
        fanin.fill_numpy([1.0], "normal", **HOW)
    fixed = np.zeros(3, "f4")
    fixed.flags.writeable = False
    with pytest.raises(fanin.ArgumentError, match="read-only"):
        fanin.fill_numpy(fixed, "normal", **HOW)


def test_queue_of_another_context(queue, context):
    other = cl.Context(context.devices)
    with pytest.raises(fanin.Error) as caught:
        fanin.fill(cla.empty(queue, 5, "f4"), "normal", queue=cl.CommandQueue(other), **HOW)
    assert caught.value.status and str(caught.value)


def test_devices_and_plans(queue):
    with pytest.raises(fanin.Error, match="no such device") as caught:
        fanin.Device.open("no such device")
    assert caught.value.name == "FANIN_STATUS_NO_DEVICE" and not isinstance(caught.value, ValueError)
    with pytest.raises(fanin.ArgumentError, match="its dtype and shape"):
        fanin.Plan(queue, [fanin.Item(None, "normal", "a")])
    with pytest.raises(fanin.ArgumentError, match="say name="):
        fanin.Plan(queue, [fanin.Item(cla.empty(queue, 5, "f4"), "normal")])
    array = cla.empty(queue, 9, "f4")
    with pytest.raises(fanin.ArgumentError, match="1"):
        fanin.Plan(queue, [fanin.Item(array[:5], "zeros"), fanin.Item(array[4:], "zeros")])


def test_without_a_device():
    for call, word in [
        (lambda: fanin.fans((3, 5), "IO", groups=2), "groups"),
        (lambda: fanin.fans((3, 5), "OH"), "OH"),
        (lambda: fanin.expect((3, 5), "he_normal"), "layout"),
        (lambda: fanin.gain("rleu"), "rleu"),
        (lambda: fanin.gain("relu", criterion="mean"), "criterion is 'mean'"),
        (lambda: fanin.Init("normal", std=float("nan")), "nan"),
        (lambda: fanin.scheme("residul:layers=2"), "residul"),
        (lambda: fanin.scheme("fan_in"), "fan_in"),
        (lambda: fanin.Init("normal").scaled(-1), "-1"),
        (lambda: fanin.split((3, 5), 0), "0"),
        (lambda: fanin.split((3, 5), 2, dimension=2), "2"),
        (lambda: fanin.theory([5]), "widths"),
        (lambda: fanin.theory([5, 5], sigma_w2=[1, 2]), "2 numbers for 1 layers"),
        (lambda: fanin.suggest("relu", 0), "depth"),
        (lambda: fanin.probe([5, 5], norm="group"), "norm is 'group'"),
        (lambda: fanin.probe([5, 5], block="pre"), "block is 'pre'"),
        (lambda: fanin.probe([5, 9, 5, 9, 5], block="pre_norm"), "n_widths is 5"),
        (lambda: fanin.probe([5, 9, 5], "geglu", biases=[np.zeros(9), None]), "accepted is (18,)"),
        (lambda: fanin.probe([5, 5], input=np.zeros((3, 4))), "(3, 4)"),
        (lambda: fanin.probe([5, 5], weights=[]), "0 weights for 1 layers"),
        (lambda: fanin.probe([5, 5], inits=[]), "0 inits for 1 layers"),
        (lambda: fanin.probe([5, 5], biases=[None, None]), "2 biases for 1 layers"),
        (lambda: fanin.probe([5, 5], biases=[np.zeros(4)]), "biases[0] has shape (4,); accepted is (5,)"),
        (lambda: fanin.Init("fan_in normal"), "fan_in needs a tensor"),
        (lambda: fanin.Init("residual:layer=2 normal"), "layer"),
        (lambda: fanin.init.xavier_normal_(np.zeros(3, "f4"), **HOW), "2 to 5 dimensions"),
        (lambda: fanin.init.kaiming_normal_(np.zeros((3, 3), "f4"), nonlinearity="gelu", **HOW), "gelu"),
    ]:
        with pytest.raises(fanin.ArgumentError) as caught:
            call()
        assert word in str(caught.value)


def test_what_takes_other_tensors(queue):
    """A tensor of tinygrad's, and what is nothing of anybody's, where an OpenCL array belongs."""

    class Tensor:
        uop = None

    with pytest.raises(TypeError, match="Tensor is no OpenCL array or buffer.*fanin.tinygrad.fill"):
        fanin.fill(Tensor(), "ones")
    for thing in (None, "w", 3, [1.0]):
        with pytest.raises(TypeError, match=f"of type {type(thing).__name__} is no OpenCL array or buffer"):
            fanin.fill(thing, "ones", queue=queue)
        with pytest.raises(TypeError, match=f"of type {type(thing).__name__} is no OpenCL array or buffer"):
            fanin.measure(thing, queue=queue)
