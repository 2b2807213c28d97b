#!/usr/bin/env python3
"""The parameters of a Flax module (JAX), made by fanin's rules, and a few steps of training. Names and shapes come from
jax.eval_shape(), values from fanin: those of the set `flax` have the laws of Flax's own defaults.

Needs JAX, Flax and Optax; tried with 0.10.2, 0.12.8 and 0.2.8.
"""

import jax
import numpy as np
import optax
from flax import linen as nn
from flax.traverse_util import flatten_dict, unflatten_dict

import fanin


class Net(nn.Module):
    @nn.compact
    def __call__(self, x):  # x (B, H, W, C)
        x = nn.LayerNorm()(nn.relu(nn.Conv(16, (3, 3))(x)))
        return nn.Dense(10)(x.mean(axis=(1, 2)))


model, x = Net(), np.random.default_rng(1).normal(size=(64, 8, 8, 3)).astype("f4")
shapes = jax.eval_shape(model.init, jax.random.key(0), x)  # nothing is computed
arrays = fanin.arrays(flatten_dict(shapes, sep="/"), "flax", seed=42)  # "params/Conv_0/kernel", ...
variables = jax.tree.map(jax.numpy.asarray, unflatten_dict(arrays, sep="/"))

assert jax.tree.map(lambda one: one.shape, variables) == jax.tree.map(lambda one: one.shape, shapes)
law = "lecun_normal:distribution=trunc_normal"
kernel = fanin.array((3, 3, 3, 16), law, layout="HWIO", seed=42, name="params/Conv_0/kernel")
assert np.array_equal(variables["params"]["Conv_0"]["kernel"], kernel)

labels, optimizer = x.mean(axis=(1, 2)).argmax(axis=1), optax.adam(1e-2)
state = optimizer.init(variables)


@jax.jit
def step(variables, state):
    def loss_of(variables):
        return optax.softmax_cross_entropy_with_integer_labels(model.apply(variables, x), labels).mean()

    loss, slopes = jax.value_and_grad(loss_of)(variables)
    changes, state = optimizer.update(slopes, state)
    return optax.apply_updates(variables, changes), state, loss


losses = []
for _ in range(100):
    variables, state, loss = step(variables, state)
    losses.append(float(loss))
assert losses[-1] < losses[0] / 2, losses
print(f"Flax: the bits of {len(arrays)} arrays are right; loss {losses[0]:.2f}, after 100 steps {losses[-1]:.2f}")
