"""examples/train_digits.py: its step is NumPy's, and thirty layers learn or stall as the literature says."""

import importlib.util

import numpy as np
import pyopencl as cl
import pyopencl.array as cla
import pytest

import fanin


@pytest.fixture(scope="module")
def example(source):
    spec = importlib.util.spec_from_file_location("train_digits", source / "examples/train_digits.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_two_steps_are_numpy_s(example, queue):
    widths, rate = [64, 30, 20, 10], 0.01
    w = [
        fanin.array(shape, "he_normal", layout="IO", seed=5, name=f"layer{l + 1}.weight").astype("f8")
        for l, shape in enumerate(zip(widths[:-1], widths[1:]))
    ]
    b, v, vb = [np.zeros(n) for n in widths[1:]], [0 * one for one in w], [np.zeros(n) for n in widths[1:]]
    x, labels = (array[: example.BATCH] for array in example.digits())
    network = example.Network(queue, widths, "he_normal", 5)
    for _ in range(2):
        h = [x.astype("f8")]
        for l in range(3):
            z = h[-1] @ w[l] + b[l]
            h.append(np.maximum(z, 0) if l < 2 else z)
        p = np.exp(h[-1]) / np.exp(h[-1]).sum(axis=1, keepdims=True)
        loss = -np.log(p[range(len(x)), labels])
        dz = (p - np.eye(10)[labels]) / len(x)
        for l in (2, 1, 0):
            dx = (dz @ w[l].T) * (h[l] > 0)
            v[l] = example.MOMENTUM * v[l] - rate * h[l].T @ dz
            vb[l] = example.MOMENTUM * vb[l] - rate * dz.sum(axis=0)
            w[l], b[l], dz = w[l] + v[l], b[l] + vb[l], dx
        got = network.step(cla.to_device(queue, x), cla.to_device(queue, labels), rate)
        np.testing.assert_allclose(got.get(), loss, rtol=1e-4)
    for l in range(3):
        np.testing.assert_allclose(network.w[l].get(), w[l], rtol=1e-4, atol=1e-6)
        np.testing.assert_allclose(network.b[l].get(), b[l], rtol=1e-4, atol=1e-6)


def test_he_learns_and_xavier_stalls(example, queue):
    """He et al. 2015, section 2.2. What is passed on halves a layer with Xavier: 2^-29 of the variance is left."""
    he, _ = example.train(queue, "he_normal", 1, layers=30, width=64, steps=60, rate=0.005)
    xavier, _ = example.train(queue, "xavier_uniform", 1, layers=30, width=64, steps=60, rate=0.005)
    assert he[-15:].mean() < 2.2  # ln 10 is 2.303
    assert abs(xavier[-15:].mean() - np.log(10)) < 0.01
