#!/usr/bin/env python3
"""An MLP in tinygrad on OpenCL, its weights by fanin: trains on share/data/digits.csv and prints loss and accuracy.

usage: DEV=CL tinygrad_mlp.py [STEPS]

Needs tinygrad (PyPI, tested with 0.14) and the fanin package; PoCL will do.
"""

import sys
from pathlib import Path

import numpy as np
from tinygrad import Context, Tensor
from tinygrad.nn import Linear
from tinygrad.nn.optim import SGD

from fanin.tinygrad import fill

BATCH, RATE, SEED = 128, 0.1, 42


class Mlp:
    """64 pixels, two layers of ReLU, 10 digits; he_normal before ReLU, xavier_uniform before the softmax."""

    def __init__(self):
        self.layers = [Linear(64, 100), Linear(100, 50), Linear(50, 10)]
        for l, layer in enumerate(self.layers):
            init = "xavier_uniform" if layer is self.layers[-1] else "he_normal"
            fill(layer.weight, init, layout="OI", seed=SEED, name=f"layers.{l}.weight")
            fill(layer.bias, "zeros")

    def __call__(self, x):
        for layer in self.layers[:-1]:
            x = layer(x).relu()
        return self.layers[-1](x)

    def parameters(self):
        return [parameter for layer in self.layers for parameter in (layer.weight, layer.bias)]


def main(steps):
    data = np.loadtxt(Path(__file__).parent.parent / "share/data/digits.csv", delimiter=",", dtype="f4")
    x, y = (data[:, :64] - data[:, :64].mean()) / data[:, :64].std(), data[:, 64].astype("i4")
    model, pick = Mlp(), np.random.default_rng(SEED)
    optimiser = SGD(model.parameters(), lr=RATE)
    for step in range(steps):
        batch = pick.choice(len(x), BATCH, replace=False)
        with Context(TRAINING=1):
            optimiser.zero_grad()
            loss = model(Tensor(x[batch])).sparse_categorical_crossentropy(Tensor(y[batch]))
            loss.backward()
            optimiser.step()
        if step in (0, steps - 1):
            print(f"step {step + 1}: loss {loss.item():.4f}")
    print(f"accuracy {(model(Tensor(x)).argmax(axis=1).numpy() == y).mean():.4f} on the {len(x)} digits that it saw")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 200)
