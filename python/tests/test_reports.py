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
    assert fanin.fans((3, 5, 32, 2), "HWGO") == (15, 30) == fanin.fans((64, 1, 3, 5), "OIHW", groups=32)
    with pytest.raises(fanin.Error, match='layout "HWGI" has G and I'):
        fanin.fans((3, 5, 32, 2), "HWGI")
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
    assert report.conforms and report.conforms_condition == "in mean, std, q and G"
    assert report.to_dict()["conforms_condition"] == report.conforms_condition
    assert report.healthy and report.healthy_condition.startswith("if the weights are the random numbers")
    assert f"conforms=True ({report.conforms_condition}), healthy=True ({report.healthy_condition})" in repr(report)
    drawn = fanin.probe([64, 100, 10], "tanh", "orthogonal", queue=queue)
    assert drawn.conforms and drawn.conforms_condition is None and drawn.healthy_condition is None


def test_probe_of_several_initializers_and_given_biases():
    """Each layer by its own initializer, with biases that are used as they are."""
    torch = pytest.importorskip("torch")
    inits = ["normal:std=0.125", fanin.Init("pytorch_default"), "times:factor=3 fan_in normal"]
    biases = [np.full(50, 3, ">f8"), None, torch.linspace(-1, 1, 10)]
    report = fanin.probe([64, 50, 40, 10], "tanh", inits=inits, biases=biases, seed=3)
    stds = [layer.weight_std_expected for layer in report.layers]
    assert stds == pytest.approx([0.125, 1 / math.sqrt(3 * 50), 3 / math.sqrt(40)])
    assert report.conforms and not report.predicted  # theory takes biases of mean 0
    assert report.layers[0].q_predicted == pytest.approx(1 + 9, rel=0.01)
    assert "64-50-40-10, tanh, several initializers, given biases, f32, seed 3" in repr(report)
    assert [str(init) for init in report.config.inits] == [
        "normal:std=0.125",
        str(fanin.Init("pytorch_default")),
        str(fanin.Init("normal").scaled(3 / math.sqrt(40))),
    ]
    assert report.config.biases == "given" and json.dumps(report.to_dict())
    same = fanin.probe([64, 50, 10], init="fan_in normal", seed=3)  # one text, two fans
    assert [l.weight_std_expected for l in same.layers] == pytest.approx([1 / 8, 1 / math.sqrt(50)])
    plain = fanin.probe([64, 50, 10], init="lecun_normal", seed=3)
    assert plain.config.inits is None and plain.config.biases == "drawn"
    assert same.columns()["q_measured"] == plain.columns()["q_measured"]


def test_gated_blocks():
    """A pre-norm block with a gate, and the same in NumPy: one tensor has the gate's rows and the other factor's."""
    widths, n = [16, 24, 16, 5], 24
    rng = np.random.default_rng(5)
    x = rng.standard_normal((40, 16)).astype("f4")
    weights = [rng.standard_normal(shape).astype("f4") * 0.3 for shape in ((2 * n, 16), (16, n), (5, 16))]
    biases = [rng.standard_normal(2 * n).astype("f4") * 0.1, None, None]
    report = fanin.probe(widths, "swiglu", "normal:std=0.3", block="pre_norm", input=x, weights=weights, biases=biases)
    rms = lambda s: s / np.sqrt(np.mean(s * s, axis=1, keepdims=True))
    z = rms(x.astype("f8")) @ weights[0].T + biases[0]
    down = z[:, :n] / (1 + np.exp(-z[:, :n])) * z[:, n:] @ weights[1].T
    out = rms(x + down) @ weights[2].T
    for layer, expected in zip(report.layers, (z, down, out)):
        assert layer.q_measured == pytest.approx(np.mean(expected**2), rel=1e-5)
    assert report.layers[1].stream_measured == pytest.approx(np.mean((x + down) ** 2), rel=1e-5)
    assert math.isnan(report.layers[0].stream_measured)
    assert report.conforms and report.config.block == "pre_norm" and "pre_norm blocks" in repr(report)
    assert report.layers[0].fan_out == 2 * n


def test_progress_that_fails():
    """What a callback raises arrives."""

    def fail(_what):
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        fanin.probe([4, 4], progress=fail, input=np.ones((2, 4)))


@pytest.fixture(scope="module")
def deep():
    return fanin.probe([64] + [100] * 20 + [10], "tanh", "xavier_normal", batch=32, seed=7, bias_std=0.1, norm="layer")


def test_reports_say_what_made_them(deep):
    config = deep.config
    assert config.widths == [64] + [100] * 20 + [10] and config.activation == "tanh" and config.seed == 7
    assert config.init == fanin.Init("xavier_normal") and (config.norm, config.residual) == ("layer", False)
    assert (config.bias_std, config.batch, config.dtype) == (0.1, 32, "f32")
    assert (config.input, config.weights, config.weight_factors) == ("N(0,1)", "init", None)
    given = fanin.probe([3, 3], input=np.ones((5, 3)), weights=[np.ones((3, 3), "f4")], weight_factors=[2]).config
    assert (given.input, given.batch, given.weights, given.weight_factors) == ("given", 5, "given", [2.0])
    again = fanin.probe(config.widths, config.activation, config.init, batch=32, seed=7, bias_std=0.1, norm="layer")
    assert again.columns()["q_measured"] == deep.columns()["q_measured"]


def test_reports_are_short(deep):
    text = repr(deep)
    assert len(text) < 300 and str(deep) == text and "\n" not in text
    assert "64-(20 x 100)-10, tanh, xavier_normal, layer norm, bias_std 0.1, f32, seed 7" in text
    assert f"conforms={deep.conforms}, healthy={deep.healthy}" in text
    assert all(finding.diagnosis in text for finding in deep.findings)
    theory = fanin.theory([100] * 50, "gelu")
    assert len(repr(theory)) < 200 and "(50 x 100), gelu, he_normal" in repr(theory)
    assert all(len(repr(one)) < 200 for one in fanin.suggest("gelu", 20))


def test_reports_as_data(deep):
    for report in (deep, fanin.theory([100] * 5, "gelu"), fanin.probe([9, 9], "relu", "ones", batch=4)):
        data = json.loads(json.dumps(report.to_dict(), allow_nan=False))
        assert data["config"]["widths"] == report.config.widths and data["config"]["init"] == str(report.config.init)
        assert len(data["layers"]) == len(report.config.widths) - 1
        for layer, row in zip(data["layers"], report.columns()["fan_in"]):
            assert layer["fan_in"] == row
    assert data["layers"][0]["weight_z"] is None or math.isfinite(data["layers"][0]["weight_z"])
    for one in fanin.suggest("gelu", 20):
        assert json.loads(json.dumps(one.to_dict(), allow_nan=False))["init"] == str(one.init)


def test_theory_is_a_list():
    layers = fanin.theory([9, 8, 7], "gelu", sigma_w2=[1.5, 2], correlation=0.5, activate_last=True)
    assert len(layers) == 2 and layers[-1] == list(layers)[1] and isinstance(layers, list)
    assert layers.columns()["q"] == [layer.q for layer in layers]
    config = layers.config
    assert (config.widths, config.sigma_w2, config.correlation) == ([9, 8, 7], [1.5, 2.0], 0.5)
    assert config.activate_last and config.sigma_b2 == 0 and fanin.theory([9, 9]).config.sigma_w2 is None


def test_notebooks(deep, monkeypatch):
    """A table with a row for each layer and a plot with a dot for each measured number, as XML that parses."""
    import xml.etree.ElementTree as ElementTree

    for report, dots in [(deep, 42 + 2), (fanin.theory([100] * 22, "gelu"), 0)]:  # and one for each in the legend
        html = report._repr_html_()
        tree = ElementTree.fromstring(f"<div>{html}</div>")
        assert len(tree.findall(".//tbody/tr")) == len(report.to_dict()["layers"])
        svg = "{http://www.w3.org/2000/svg}"
        assert len(tree.findall(f".//{svg}circle")) == dots
        lines = tree.findall(f".//{svg}polyline")
        assert lines and len(lines[0].get("points").split()) >= 20
        box = tree.find(f".//{svg}svg")
        width, height = float(box.get("width")), float(box.get("height"))
        for line in lines:
            for point in line.get("points").split():
                x, y = map(float, point.split(","))
                assert 0 <= x <= width and 0 <= y <= height
    ys = [
        float(circle.get("cy"))
        for circle in ElementTree.fromstring(
            fanin.probe([100] * 12, "relu", "xavier_normal", batch=32)._repr_html_().join(("<div>", "</div>"))
        ).findall(f".//{svg}circle")
    ]
    assert ys[0] < ys[10]  # q falls, and the plot's axis points up
    # A quantity has one colour, measured and predicted; of one layer the prediction is a short line.
    tree = ElementTree.fromstring(
        f"<div>{fanin.probe([20, 10], 'tanh', 'xavier_normal', batch=16)._repr_html_()}</div>"
    )
    dots, lines = tree.findall(f".//{svg}circle"), tree.findall(f".//{svg}polyline")
    assert len(dots) == len(lines) == 4 and all(len(set(line.get("points").split())) == 2 for line in lines)
    assert [dot.get("fill") for dot in dots] == [line.get("stroke") for line in lines]
    assert len({dot.get("fill") for dot in dots}) == 2
    silent = fanin.probe([3, 3], "relu", "zeros", batch=4)  # nothing positive to plot
    ElementTree.fromstring(f"<div>{silent._repr_html_()}</div>")
