"""What `fanin init` wrote, read by the safetensors package, PyTorch and NumPy: what Python fills, bit for bit."""

import ml_dtypes
import numpy as np
import pytest
import safetensors
import safetensors.numpy
import safetensors.torch
import torch

import fanin

SHAPE = (23, 17)
TENSORS = {
    f"{dtype}.{init.split(':')[0]}": (dtype, init)
    for dtype in ("f32", "f16", "bf16", "f64")
    for init in ("he_normal", "trunc_normal:std=0.02", "uniform:lo=-0.1,hi=0.3", "orthogonal")
}


@pytest.fixture(scope="module")
def written(command, tmp_path_factory):
    path = tmp_path_factory.mktemp("files") / "model.safetensors"
    tensors = [(f"--tensor={name}:{dtype}:OI:23x17", f"--init={init}") for name, (dtype, init) in TENSORS.items()]
    command("init", *sum(tensors, ()), "--seed", 7, "-o", path)
    return path


@pytest.fixture(scope="module")
def filled():
    return {
        name: fanin.array(SHAPE, init, dtype=dtype, layout="OI", seed=7, name=name)
        for name, (dtype, init) in TENSORS.items()
    }


def test_safetensors_for_numpy(written, filled):
    tensors = safetensors.numpy.load_file(written)
    assert set(tensors) == set(TENSORS)
    for name, tensor in tensors.items():
        assert tensor.dtype == filled[name].dtype and tensor.tobytes() == filled[name].tobytes(), name
    assert filled["bf16.he_normal"].dtype == ml_dtypes.bfloat16


def test_safetensors_for_torch(written, filled):
    for name, tensor in safetensors.torch.load_file(written).items():
        dtype = {"f32": torch.float32, "f16": torch.float16, "bf16": torch.bfloat16, "f64": torch.float64}
        assert tensor.dtype == dtype[TENSORS[name][0]] and tensor.shape == SHAPE
        as_numpy = tensor.view(torch.int16).numpy() if tensor.dtype == torch.bfloat16 else tensor.numpy()
        assert as_numpy.tobytes() == filled[name].tobytes(), name


def test_metadata(written):
    with safetensors.safe_open(written, "numpy") as file:
        assert file.metadata()["fanin.seed"] == "7"


@pytest.mark.parametrize("dtype, kind", [("f8_e4m3", ml_dtypes.float8_e4m3fn), ("f8_e5m2", ml_dtypes.float8_e5m2)])
def test_8_bits(command, tmp_path, filled, dtype, kind):
    """What the command writes, Python fills, and ml_dtypes rounds f32's values to."""
    name = "f32.he_normal"
    command(
        "init", f"--tensor={name}:{dtype}:OI:23x17", "--init=he_normal", "--seed", 7, "-o", tmp_path / "w.safetensors"
    )
    array = fanin.array(SHAPE, "he_normal", dtype=kind, layout="OI", seed=7, name=name)
    with open(tmp_path / "w.safetensors", "rb") as file:
        written = file.read()
    assert array.dtype == kind and written.endswith(array.tobytes()) and dtype.upper().encode() in written
    assert array.tobytes() == filled[name].astype(kind).tobytes()


@pytest.mark.parametrize("dtype", ["f32", "f16", "f64"])
def test_npy(command, tmp_path, filled, dtype):
    name = f"{dtype}.he_normal"
    command("init", f"--tensor={name}:{dtype}:OI:23x17", "--init=he_normal", "--seed", 7, "-o", tmp_path / "w.npy")
    array = np.load(tmp_path / "w.npy")
    assert array.dtype == filled[name].dtype and array.tobytes() == filled[name].tobytes()


def test_what_python_saves_is_inspected(command, filled, tmp_path):
    """safetensors written by the package from fanin's arrays passes the command's tests of what it claims to be."""
    arrays = {"w": fanin.array((200, 300), "he_normal", dtype="bf16", layout="OI", seed=7, name="w")}
    safetensors.numpy.save_file(arrays, tmp_path / "w.safetensors")
    assert "w" in command("inspect", tmp_path / "w.safetensors")


def test_torch_tensor_in_place(filled):
    """A CPU tensor shares its memory with its .numpy()."""
    tensor = torch.empty(SHAPE)
    fanin.init.kaiming_normal_(tensor.numpy(), nonlinearity="relu", seed=7, name="f32.he_normal")
    assert tensor.numpy().tobytes() == filled["f32.he_normal"].tobytes()
