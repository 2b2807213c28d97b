#!/usr/bin/env python3
"""Three small networks in PyTorch, on the CPU, whose weights fanin.torch makes by rules; each learns share/data/digits.csv.

mlp         three layers with ReLU, he_normal
lstm        an LSTM that reads an image row by row, PyTorch's own initialization, forget bias 0 or so
lstm, f=1   the same, and the biases of its forget gates add up to 1 (Jozefowicz et al. 2015)
layerscale  24 residual blocks, each multiplied by a vector that begins with 1e-4 (Touvron et al. 2021)

Prints each network's report and its loss on the way, and the accuracy on digits that were held out. The same seed gives the
same weights on every machine; what the training makes of them is PyTorch's.

usage: train_torch.py [--steps N] [--seed N]

Needs PyTorch, NumPy and the fanin package.
"""

import argparse
from pathlib import Path

import numpy as np
import torch
from torch import nn

import fanin.torch

BATCH, HELD_OUT, PIXELS, ROWS, CLASSES = 100, 297, 64, 8, 10

HE = {
    "rules": [
        {"match": "*.weight", "rank": 2, "layout": "OI", "init": "he_normal"},
        {"match": "*.bias", "rank": 1, "init": "zeros"},
    ]
}
# PyTorch adds two biases, of four gates each: input, forget, cell, output. The rest is as the set has it.
PLAIN, GATE = {"init": "uniform:lo=-1,hi=1", "scale": "fan_in"}, {"range": "1/4..2/4"}
REMEMBERS = {
    "include": "pytorch",
    "rules": [
        {"match": "*bias_ih*", "fans_of": ["bias_ih", "weight_hh"], **PLAIN, "parts": [{**GATE, "init": "ones"}]},
        {"match": "*bias_hh*", "fans_of": ["bias_hh", "weight_hh"], **PLAIN, "parts": [{**GATE, "init": "zeros"}]},
    ],
}
LAYER_SCALE = {"include": "pytorch", "rules": [{"match": "*.gamma", "rank": 1, "init": "constant:value=1e-4"}]}


def mlp(seed):
    model = nn.Sequential(nn.Linear(PIXELS, 128), nn.ReLU(), nn.Linear(128, 128), nn.ReLU(), nn.Linear(128, CLASSES))
    return model, fanin.torch.init_(model, HE, seed=seed)


class RowReader(nn.Module):
    """x (B, 64) is a sequence of 8 rows of 8 pixels; the last state decides."""

    def __init__(self, hidden=32):
        super().__init__()
        self.lstm = nn.LSTM(PIXELS // ROWS, hidden, batch_first=True)
        self.head = nn.Linear(hidden, CLASSES)

    def forward(self, x):
        return self.head(self.lstm(x.view(-1, ROWS, PIXELS // ROWS))[0][:, -1])


def lstm(seed):
    model = RowReader()
    return model, fanin.torch.init_(model, "pytorch", seed=seed)


def lstm_that_remembers(seed):
    model = RowReader()
    return model, fanin.torch.init_(model, REMEMBERS, seed=seed)


class Block(nn.Module):
    """x + gamma f(norm(x)), x (B, width)."""

    def __init__(self, width):
        super().__init__()
        self.norm, self.up, self.down = nn.LayerNorm(width), nn.Linear(width, 2 * width), nn.Linear(2 * width, width)
        self.gamma = nn.Parameter(torch.empty(width))

    def forward(self, x):
        return x + self.gamma * self.down(torch.relu(self.up(self.norm(x))))


def layer_scale(seed, depth=24):
    model = nn.Sequential(*(Block(PIXELS) for _ in range(depth)), nn.LayerNorm(PIXELS), nn.Linear(PIXELS, CLASSES))
    return model, fanin.torch.init_(model, LAYER_SCALE, seed=seed)


NETWORKS = {"mlp": mlp, "lstm": lstm, "lstm, f=1": lstm_that_remembers, "layerscale": layer_scale}


def digits():
    """Pixels of mean 0 and variance 1, and labels, in an order of their own; the last HELD_OUT are for testing."""
    data = np.loadtxt(Path(__file__).parent.parent / "share/data/digits.csv", delimiter=",", dtype="f4")
    np.random.default_rng(0).shuffle(data)
    x = data[:, :PIXELS]
    return torch.from_numpy((x - x.mean()) / x.std()), torch.from_numpy(data[:, PIXELS].astype("i8"))


def train(model, steps, rate=0.003):
    """The loss of each step of Adam, and the accuracy on the digits that were held out."""
    x, labels = digits()
    pick = np.random.default_rng(1)
    optimiser = torch.optim.Adam(model.parameters(), lr=rate)
    losses = []
    for _ in range(steps):
        batch = torch.from_numpy(pick.choice(len(x) - HELD_OUT, BATCH, replace=False))
        loss = nn.functional.cross_entropy(model(x[batch]), labels[batch])
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    with torch.no_grad():
        right = (model(x[-HELD_OUT:]).argmax(dim=1) == labels[-HELD_OUT:]).float().mean().item()
    return losses, right


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--seed", type=int, default=42)
    options = parser.parse_args()
    torch.set_num_threads(1)
    for name, make in NETWORKS.items():
        model, report = make(options.seed)
        losses, right = train(model, options.steps)
        fifths = [losses[k * (len(losses) - 1) // 4] for k in range(5)]
        print(report)
        print(
            f"  {name}: loss {' '.join(f'{loss:.3f}' for loss in fifths)}; {right:.3f} of held-out digits right",
            flush=True,
        )


if __name__ == "__main__":
    main()
