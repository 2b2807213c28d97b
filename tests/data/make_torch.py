"""Writes torch_gains.csv and torch_activations.csv: PyTorch's own gains, and its activations in float64.

Run: /usr/bin/python3 make_torch.py (needs torch; the files in the tree come from Debian's torch 1.13).
"""

import torch
from torch.nn import functional as F

ACTIVATIONS = {
    "relu": F.relu,
    "leaky_relu": lambda x: F.leaky_relu(x, 0.2),
    "tanh": torch.tanh,
    "sigmoid": torch.sigmoid,
    "selu": F.selu,
    "elu": F.elu,
    "gelu": F.gelu,
    "gelu_tanh": lambda x: F.gelu(x, approximate="tanh"),
    "silu": F.silu,
    "mish": F.mish,
    "softplus": F.softplus,
    "softsign": F.softsign,
    "hardswish": F.hardswish,
    "relu6": F.relu6,
    "hardtanh": F.hardtanh,
    "sin": torch.sin,
}
POINTS = [-30.0, -12.5, -7.0, -3.5, -3.0, -2.9, -1.7, -1.0, -0.51, -0.49, -0.1, -1e-3, -1e-9, 0.0]
POINTS += [-x for x in POINTS[:-1]]


def main():
    provenance = f"# torch {torch.__version__}; by make_torch.py\n"
    with open("torch_gains.csv", "w") as out:
        out.write(provenance + "activation,slope,gain\n")
        for name in ("linear", "sigmoid", "tanh", "relu", "selu"):
            out.write(f"{name},0.0,{float(torch.nn.init.calculate_gain(name))!r}\n")
        for slope in (0.0, 0.01, 0.2, 1.0, -0.5, 3.0):
            out.write(f"leaky_relu,{slope!r},{torch.nn.init.calculate_gain('leaky_relu', slope)!r}\n")
    x = torch.tensor(POINTS, dtype=torch.float64)
    with open("torch_activations.csv", "w") as out:
        out.write(provenance + "activation,slope,x,value\n")
        for name, f in ACTIVATIONS.items():
            slope = 0.2 if name == "leaky_relu" else 0.0
            for argument, value in zip(POINTS, f(x).tolist()):
                out.write(f"{name},{slope!r},{argument!r},{value!r}\n")


main()
