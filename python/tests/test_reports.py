"""Fans, gains, theory and probes as data."""

import json
import math

import numpy as np
import pyopencl.array as cla
import pytest

import fanin


def test_fans_and_expectations():
    assert fanin.fans((64, 32, 3, 3), "OIHW") == (288, 576)
    assert fanin.fans((32, 64, 3, 3), "IOHW").fan_in == 288
    assert fanin.fans((8, 4096, 1024), "BOI") == fanin.Fans(1024, 4096)
    assert fanin.fans((64, 16, 3, 3), "OIHW", groups=2) == (144, 288)
    assert fanin.fans((3072, 1024), "OI", splits=3) == (1024, 1024)
    assert fanin.std((300, 784), "he_normal", "OI") == pytest.approx(math.sqrt(2 / 784), rel=1e-12)
    uniform = fanin.expect((3,), "uniform:lo=-1,hi=2")
    assert (uniform.lo, uniform.hi, uniform.mean) == (-1, 2, 0.5) and uniform.kurtosis == pytest.approx(1.8)
    assert fanin.gain("relu") == pytest.approx(math.sqrt(2), rel=1e-9)
    assert fanin.gain("tanh", criterion="pytorch") == pytest.approx(5 / 3)
    assert fanin.gain("leaky_relu", 0.3) == pytest.approx(math.sqrt(2 / 1.09), rel=1e-9)


def test_initializers_are_values():
    assert fanin.Init("kaiming_normal:mode=fan_out") == fanin.Init("he_normal", mode="fan_out")
    assert str(fanin.Init("trunc_normal", std=1e-7, a=-math.inf)) == "trunc_normal:std=1e-07,a=-inf"
    assert hash(fanin.Init("normal:std=1")) == hash(fanin.Init("normal"))
    assert {"he_normal", "orthogonal"} <= {known.name for known in fanin.initializers()}
    assert fanin.Init("glorot_uniform").description.name == "xavier_uniform" and not fanin.Init("ones").draws


def test_schemes():
    residual = fanin.scheme("residual:layers=12")
    assert residual == pytest.approx(24**-0.5, rel=1e-12)
    scaled = fanin.Init("normal:std=0.02").scaled(residual)
    assert fanin.std((3,), scaled) == pytest.approx(0.02 / 24**0.5, rel=1e-12)
    assert fanin.scheme("fan_in", (30, 64), "OI") == pytest.approx(1 / 8, rel=1e-12)
    assert {"residual", "fan_in"} <= {known.name for known in fanin.schemes()}


def test_theory():
    """He keeps q with ReLU and Xavier halves it (He et al. 2015); the edge of chaos of tanh (Schoenholz et al. 2017)."""
    he = fanin.theory([100] * 31, "relu", init="he_normal")
    assert he[-1].q / he[0].q == pytest.approx(1, rel=1e-9)
    xavier = fanin.theory([100] * 31, "relu", init="xavier_normal")
    assert xavier[-1].q / xavier[0].q == pytest.approx(2.0**-29, rel=1e-9)
    assert fanin.theory([9, 9], "tanh", sigma_w2=1.5)[0].sigma_w2 == 1.5
    edge = fanin.edge_of_chaos("tanh", 0.05)
    assert edge.sigma_w2 == pytest.approx(1.76, abs=0.005)
    assert any(point.q == pytest.approx(edge.at.q) for point in fanin.fixed_points("tanh", edge.sigma_w2, 0.05))
    assert [s.aim for s in fanin.suggest("relu", 30)] == ["both"]
    forward = fanin.suggest("gelu", 20)[0]
    assert forward.gain == pytest.approx(fanin.gain("gelu"), rel=1e-6) and "unstable" in forward.text


def test_probe(queue, source):
    digits = np.loadtxt(source / "share/data/digits.csv", delimiter=",", dtype="f4")[:300, :64]
    steps = []
    report = fanin.probe(
        [64, 100, 50, 10], "relu", "he_normal", input=digits, seed=3, queue=queue, progress=steps.append
    )
    assert report.conforms and len(report.layers) == 3 and steps
    assert [layer.fan_in for layer in report.layers] == [64, 100, 50]
    columns = report.columns()
    assert columns["layer"] == [1, 2, 3] and {len(column) for column in columns.values()} == {3}
    json.dumps(report.to_dict())
    # q of the first layer by NumPy, from the same weights
    weight = fanin.array((100, 64), "he_normal", layout="OI", seed=3, name="layer1.weight")
    assert columns["q_measured"][0] == pytest.approx(np.mean((digits @ weight.T).astype("f8") ** 2), rel=1e-5)


def test_probe_names_what_is_wrong(queue):
    report = fanin.probe([200] * 30, "relu", "xavier_normal", batch=64, queue=queue)
    assert not report.healthy
    vanish = next(finding for finding in report.findings if finding.diagnosis == "FORWARD_VANISH")
    assert vanish.verdict == "health" and vanish.remedy and 1 <= vanish.first <= vanish.last <= 29


def test_probe_of_given_weights_and_calibrating(queue):
    shapes = [(100, 64), (10, 100)]
    weights = [cla.empty(queue, shape, "f4") for shape in shapes]
    for l, weight in enumerate(weights):
        fanin.fill(weight, "orthogonal", seed=1, name=f"layer{l + 1}.weight", layout="OI")
    before = [weight.get() for weight in weights]
    layers = fanin.calibrate(weights, "tanh", batch=500)
    for l, (layer, weight) in enumerate(zip(layers, weights)):
        assert abs(layer.after - 1) <= 0.01
        np.testing.assert_allclose(weight.get(), before[l] * layer.factor, rtol=1e-6)
    report = fanin.probe(
        [64, 100, 10],
        "tanh",
        "orthogonal",
        weights=weights,
        weight_factors=[l.factor for l in layers],
        batch=500,
        queue=queue,
    )
    assert report.layers[0].q_measured == pytest.approx(1, abs=0.02)


def test_progress_that_fails():
    """What a callback raises arrives."""

    def fail(_what):
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        fanin.probe([4, 4], progress=fail, input=np.ones((2, 4)))
