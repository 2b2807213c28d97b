"""The blocks of docs/python.md, word for word (tools/check-blocks compares), and examples/stacks, as programs of their own."""

import importlib.util
import os
import subprocess
import sys

import numpy as np
import pyopencl as cl
import pyopencl.array as cla
import pytest
from conftest import same_bits

import fanin


def test_fill(queue):
    array = cla.empty(queue, (41, 23), "f4")
    earlier = cl.enqueue_fill_buffer(queue, array.base_data, np.float32(7), 0, array.nbytes)
    event = fanin.fill(array, "he_normal:mode=fan_out", seed=42, name="layer1.weight", layout="OI", wait_for=[earlier])
    event.wait()
    expected = fanin.array((41, 23), "he_normal:mode=fan_out", seed=42, name="layer1.weight", layout="OI")
    assert same_bits(array.get(), expected)


def test_plan(queue):
    w1 = cla.empty(queue, (41, 23), "f4")
    plan = fanin.Plan(
        queue,
        [
            fanin.Item(w1, "he_normal", name="layer1.weight", layout="OI"),
            fanin.Item(None, "zeros", dtype="f32", shape=(300,)),  # the plan allocates it: plan.array(1)
        ],
    )
    event = plan.fill(seed=42)
    event.wait()
    assert same_bits(w1.get(), fanin.array((41, 23), "he_normal", seed=42, name="layer1.weight", layout="OI"))
    assert not plan.array(1).get().any()


def test_files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = {"model.layers.0.mlp.down_proj.weight": (64, 176), "model.norm.weight": (64,), "lm_head.weight": (96, 64)}
    tensors = {name: ("f32", "OI"[: len(shape)], shape, "ones") for name, shape in names.items()}
    fanin.init_file("model.safetensors", tensors=tensors)
    fanin.init_file("fresh.safetensors", like="model.safetensors", rules="llama", seed=42)
    fanin.rules("model.safetensors", "llama").tensors  # which rule takes which tensor
    fanin.inspect("fresh.safetensors").holds
    assert [one["name"] for one in fanin.rules("model.safetensors", "llama").tensors] == list(names)
    assert fanin.inspect("fresh.safetensors").holds is True


@pytest.mark.parametrize(
    "name, needs",
    [("opencv_umat", "cv2"), ("pyclblast_gemm", "pyclblast"), ("flax_params", "flax"), ("keras_model", "keras")],
)
def test_stacks(source, name, needs):
    if not importlib.util.find_spec(needs):
        pytest.skip(f"{needs} is not installed")
    if name == "keras_model" and not importlib.util.find_spec(os.environ.get("KERAS_BACKEND", "jax")):
        pytest.skip("Keras has no backend")
    ran = subprocess.run([sys.executable, source / f"examples/stacks/{name}.py"], capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    assert "right" in ran.stdout
