#!/usr/bin/env python3
"""The parameters of a Flax module (JAX), made by fanin's rules: names and shapes come from jax.eval_shape(), values from fanin.

Flax stores (inputs, outputs), which the rules' layouts say. Needs JAX and Flax; tried with 0.10.2 and 0.12.8.
"""

import jax
import numpy as np
from flax import linen as nn
from flax.traverse_util import flatten_dict, unflatten_dict

import fanin


class Net(nn.Module):
    @nn.compact
    def __call__(self, x):  # x (B, H, W, C)
        x = nn.LayerNorm()(nn.relu(nn.Conv(16, (3, 3))(x)))
        return nn.Dense(10)(x.mean(axis=(1, 2)))


RULES = {
    "rules": [
        {"match": "*/kernel", "rank": 2, "layout": "IO", "init": "lecun_normal"},
        {"match": "*/kernel", "rank": 4, "layout": "HWIO", "init": "he_normal"},
        {"match": "*/scale", "rank": 1, "init": "ones"},
        {"match": "*/bias", "rank": 1, "init": "zeros"},
    ]
}
model, x = Net(), np.ones((2, 8, 8, 3), "f4")
shapes = jax.eval_shape(model.init, jax.random.key(0), x)["params"]  # nothing is computed
arrays = fanin.arrays(flatten_dict(shapes, sep="/"), RULES, seed=42)
params = jax.tree.map(jax.numpy.asarray, unflatten_dict(arrays, sep="/"))

assert jax.tree.map(lambda one: one.shape, params) == jax.tree.map(lambda one: one.shape, shapes)
kernel = fanin.array((3, 3, 3, 16), "he_normal", layout="HWIO", seed=42, name="Conv_0/kernel")
assert np.array_equal(params["Conv_0"]["kernel"], kernel)
assert np.isfinite(model.apply({"params": params}, x)).all()
print(f"Flax: the bits of {len(arrays)} arrays are right")
