"""A user's program, which mypy --strict checks (test_typing.py); it runs too. It has every kind of call."""

import json

import numpy as np
import numpy.typing as npt

import fanin
from fanin import Init, ProbeReport, init

weight: npt.NDArray[np.float32] = np.empty((30, 20), np.float32)


def fill_both(seed: int) -> None:
    fanin.fill(weight, "he_normal", seed=seed, name="layer1.weight", layout="OI")
    fanin.fill(weight, Init("trunc_normal", std=0.02), seed=np.uint64(seed), stream=np.int64(3))
    fanin.fill_numpy(weight, "ones", device="cpu")
    init.kaiming_normal_(weight, nonlinearity="relu", seed=seed, name="layer1.weight")


def judge(widths: list[int]) -> ProbeReport:
    report = fanin.probe(widths, "tanh", weights=[weight, None], batch=16, progress=lambda what: None)
    fanin.probe(widths, inits=["he_normal", Init("ones")], biases=[None, np.zeros(widths[2])], batch=16)
    text: str = report.config.activation
    conforms: bool = report.conforms
    stds: list[float] = [layer.weight_std for layer in report.layers]
    json.dumps([report.to_dict(), text, conforms, stds, report.config.widths], allow_nan=False)
    return report


def refused() -> str:
    try:
        fanin.gain("no activation")
    except fanin.ArgumentError as error:
        return f"{error.name} {error.status}"
    except fanin.Error:
        pass
    return ""


def numbers() -> list[float]:
    fans: fanin.Fans = fanin.fans((30, 20), "OI")
    layers = fanin.theory([20, 30, 10], "relu", sigma_w2=2)
    edge = fanin.edge_of_chaos("tanh")
    std: float = fanin.std((30, 20), "he_normal", "OI") + fanin.gain("gelu") + fanin.scheme("residual:layers=2")
    return [fans.fan_in, layers[0].q, edge.sigma_w2, edge.at.q, std, fanin.suggest("gelu", 9)[0].gain]


def by_rules() -> list[str]:
    arrays = fanin.arrays({"fc.weight": ("f32", (30, 20)), "fc.bias": weight[:, 0]}, "pytorch", seed=np.int64(42))
    rules = {"rules": [{"match": "*", "init": "normal:std={std}"}], "values": {"std": 1}}
    made: npt.NDArray[np.float32] = fanin.arrays({"w": weight}, rules, seed=42, device="cpu", std=0.1)["w"]
    return [*arrays, str(made.std())]


def plan() -> int:
    item = fanin.Item(None, "normal", name="w", dtype="f32", shape=(3, 5))
    return fanin.Plan(None, [item], device=fanin.Device.open()).facts.launches


def shards() -> list[tuple[int, ...]]:
    return [shard.shape for shard in fanin.split((30, 20), 2, dimension=0)]


if __name__ == "__main__":
    fill_both(42)
    print(judge([20, 30, 10]), refused(), numbers(), plan(), shards(), by_rules(), fanin.array((3,), "ones").sum())
    print(fanin.__version__, fanin.library_version, fanin.library_path, fanin.devices()[0].name)
