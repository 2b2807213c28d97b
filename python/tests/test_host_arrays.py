"""NumPy arrays and torch's CPU tensors where OpenCL arrays are usual: filled in place, probed, or refused with a sentence."""

import numpy as np
import pyopencl.array as cla
import pytest
from conftest import same_bits

import fanin

torch = pytest.importorskip("torch")

HOW = dict(seed=5, name="w", layout="OI")
DTYPES = {"f32": torch.float32, "f16": torch.float16, "bf16": torch.bfloat16, "f64": torch.float64}


def bits_of(tensor):
    """A tensor's elements as an array of unsigned integers."""
    whole = tensor.detach().contiguous()
    sizes = {2: torch.int16, 4: torch.int32, 8: torch.int64}
    return whole.view(sizes[whole.element_size()]).numpy()


def expected(shape, dtype="f32"):
    return fanin.array(shape, "he_normal", dtype=dtype, **HOW)


@pytest.mark.parametrize("call", [fanin.fill, fanin.fill_numpy])
@pytest.mark.parametrize("dtype", DTYPES)
def test_dtypes(call, dtype):
    tensor = torch.empty(6, 4, dtype=DTYPES[dtype])
    assert call(tensor, "he_normal", **HOW) is None
    assert bits_of(tensor).tobytes() == expected((6, 4), dtype).tobytes()
    call(tensor, "zeros", dtype=DTYPES[dtype])
    assert not tensor.any()
    assert same_bits(fanin.array((6, 4), "he_normal", dtype=DTYPES[dtype], **HOW), expected((6, 4), dtype))


@pytest.mark.parametrize("dtype", ["f32", "bf16"])
@pytest.mark.parametrize(
    "take",
    [lambda t: t.T, lambda t: t[1:, ::2], lambda t: t[2], lambda t: t[:, 1], lambda t: t[3:3], lambda t: t[2, 2]],
)
def test_views_are_filled_and_nothing_beside_them(take, dtype):
    whole = torch.full((6, 4), 7, dtype=DTYPES[dtype])
    wanted = whole.clone()
    fanin.fill(take(whole), "normal", seed=5, name="w")
    values = fanin.array(tuple(take(whole).shape), "normal", seed=5, name="w")
    take(wanted).copy_(torch.from_numpy(np.array(values)))  # rounds to nearest even, as fanin does
    assert torch.equal(whole, wanted)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_parameters_and_autograd(dtype):
    """A parameter is filled as under no_grad(), and autograd sees that its values have changed."""
    layer = torch.nn.Linear(4, 6).to(dtype)
    result = (layer(torch.ones(3, 4, dtype=dtype)) ** 2).sum()
    version = layer.weight._version
    fanin.fill(layer.weight, "he_normal", **HOW)
    assert layer.weight._version > version and layer.weight.requires_grad and layer.weight.is_leaf
    assert bits_of(layer.weight).tobytes() == expected((6, 4), "bf16" if dtype == torch.bfloat16 else "f32").tobytes()
    squared = (layer.weight * layer.weight).sum()
    fanin.fill(layer.weight, "he_normal", **HOW)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        squared.backward()
    assert result is not None


def test_torch_like_functions():
    tensor = torch.empty(6, 4)
    assert fanin.init.kaiming_normal_(tensor, nonlinearity="relu", seed=5, name="w") is None
    assert same_bits(tensor.numpy(), expected((6, 4)))
    array = np.empty((6, 4), "f4")
    assert fanin.fill(array, "he_normal", device="cpu", **HOW) is None and same_bits(array, expected((6, 4)))
    shard = fanin.split((6, 4), 2, 0)[1]
    part = torch.empty(shard.shape)
    fanin.fill(part, "he_normal", **HOW, **shard.where)
    assert same_bits(part.numpy(), expected((6, 4))[3:])


@pytest.mark.parametrize(
    "make, words",
    [
        (lambda: torch.empty(3, device="meta"), "on meta"),
        (lambda: torch.eye(3).to_sparse(), "sparse"),
        (lambda: torch.zeros(3, 1).expand(3, 4), "do not overlap"),
        (lambda: torch.zeros(3, dtype=torch.int64), "int64"),
        (lambda: torch.zeros(3, dtype=torch.complex64), "complex64"),
        (lambda: torch.quantize_per_tensor(torch.zeros(3), 0.1, 0, torch.quint8), "cannot be reached"),
        (lambda: torch.zeros(3, dtype=torch.complex64).conj().imag, "cannot be reached"),
    ],
)
def test_refused(make, words):
    with pytest.raises(fanin.ArgumentError, match=words):
        fanin.fill(make(), "ones")


def test_cuda_is_refused():
    """A tensor that says that it is on a GPU; there may be none here."""

    class OnGpu(torch.Tensor):
        device = torch.device("cuda:0")

    with pytest.raises(fanin.ArgumentError, match="on cuda:0.*CPU's memory is accepted.*copy_"):
        fanin.fill(torch.zeros(3).as_subclass(OnGpu), "ones")


@pytest.mark.parametrize("name", ["shape", "strides", "queue", "wait_for", "offset"])
def test_arguments_of_opencl_arrays(queue, name):
    value = {"shape": (3,), "strides": (4,), "queue": queue, "wait_for": [], "offset": 4}[name]
    with pytest.raises(fanin.ArgumentError, match=f"{name} is .*; {name} is for OpenCL"):
        fanin.fill(np.zeros(3, "f4"), "ones", **{name: value})
    with pytest.raises(fanin.ArgumentError, match="device is 'cpu'.*queue="):
        fanin.fill(cla.zeros(queue, 3, "f4"), "ones", device="cpu")


@pytest.mark.parametrize("thing", [np.zeros(3, "f4"), torch.zeros(3)])
def test_where_only_opencl_arrays_go(queue, thing):
    for call in [
        lambda: fanin.Plan(queue, [fanin.Item(thing, "ones")]),
        lambda: fanin.measure(thing, queue=queue),
        lambda: fanin.measure(thing),
    ]:
        with pytest.raises(TypeError, match="no OpenCL array or buffer .*fill_numpy"):
            call()
    with pytest.raises(TypeError, match=r"weights\[0\] is .* a pyopencl.array.Array of 2 dimensions is accepted"):
        fanin.calibrate([thing])


@pytest.mark.parametrize("dtype", ["f32", "bf16"])
def test_probe_of_weights_of_the_host(queue, dtype):
    """Weights as NumPy arrays, torch tensors and OpenCL arrays give one report, which is that of their initializer."""
    widths, shapes = [20, 30, 10], [(30, 20), (10, 30)]
    how = dict(layout="OI", seed=3, dtype=dtype)
    arrays = [fanin.array(shape, "he_normal", name=f"layer{l + 1}.weight", **how) for l, shape in enumerate(shapes)]
    tensors = [torch.empty(shape, dtype=DTYPES[dtype], requires_grad=True) for shape in shapes]
    for l, tensor in enumerate(tensors):
        fanin.fill(tensor, "he_normal", seed=3, name=f"layer{l + 1}.weight", layout="OI")
    transposed = [np.asfortranarray(array) for array in arrays]
    placed = [cla.to_device(queue, array.view(f"u{array.itemsize}") if dtype == "bf16" else array) for array in arrays]
    reports = [
        fanin.probe(widths, seed=3, batch=40, dtype=dtype, weights=weights)
        for weights in (None, arrays, transposed, tensors, [arrays[0], None], [tensors[0], arrays[1]], placed)
    ]
    for report in reports:
        assert report.conforms
        assert [layer.q_measured for layer in report.layers] == [layer.q_measured for layer in reports[0].layers]
    halved = fanin.probe(widths, seed=3, batch=40, dtype=dtype, weights=[(tensors[0] * 0.5), tensors[1]])
    assert not halved.conforms and halved.layers[0].weight_std == pytest.approx(reports[0].layers[0].weight_std / 2)


def test_probe_refuses_weights():
    with pytest.raises(fanin.ArgumentError, match="weights.*f64"):
        fanin.probe([3, 4], weights=[np.zeros((4, 3))])
    with pytest.raises(fanin.ArgumentError, match="weights.* 3 x 4"):
        fanin.probe([3, 4], weights=[np.zeros((3, 4), "f4")])
    with pytest.raises(fanin.ArgumentError, match=r"weights\[0\] is a torch tensor on meta"):
        fanin.probe([3, 4], weights=[torch.zeros(4, 3, device="meta")])
    with pytest.raises(TypeError, match="is no OpenCL array or buffer"):
        fanin.probe([3, 4], weights=["w"])
    assert fanin.probe([3, 4], input=torch.ones(5, 3, requires_grad=True)).config.batch == 5
