#!/usr/bin/env python3
"""Writes models/flax*.csv: the arrays of Flax modules, linen's and nnx's, and what their layers make of each. Nothing of
fanin is used: what jax.nn.initializers is asked for is recorded while Flax 0.12.8 builds the modules on JAX 0.10.2 (from
PyPI), and compared with the values.

  python3 make_flax_models.py DIRECTORY [NAME...]

Names are those of flatten_dict(variables, sep="/"), of flax-params with sep=".", as transformers wrote its files; of nnx
the paths of nnx.to_flat_state(nnx.state(module)), joined by dots.
"""

import math
import sys

import jax
import jax._src.nn.initializers as made_by
import jax.nn.initializers
import numpy as np
from laws import models_of, write_list

asked = {}  # a fingerprint of values: the law that they were drawn by
latest = None  # the same of the last draw, which may be a tracer


def fingerprint(x):
    """The same of reshaped values."""
    x = np.asarray(x).ravel()
    return x.size, x[0], x[-1]


def recording(init, law_of):
    """The initializer, of which each use is recorded."""

    def recorded(key, shape, *args, **kwargs):
        global latest
        values = init(key, shape, *args, **kwargs)
        latest = law_of(tuple(shape))
        if not isinstance(values, jax.core.Tracer):
            asked[fingerprint(values)] = latest
        return values

    return recorded


scaling, orthogonal = made_by.variance_scaling, made_by.orthogonal


def variance_scaling(scale, mode, distribution, in_axis=-2, out_axis=-1, batch_axis=(), **kwargs):
    def law_of(shape):
        assert mode == "fan_in", mode
        std = math.sqrt(scale / made_by._compute_fans(shape, in_axis, out_axis, batch_axis)[0])
        if distribution == "uniform":
            return "uniform", -math.sqrt(3) * std, math.sqrt(3) * std
        if distribution == "normal":
            return "normal", 0.0, std
        std /= 0.87962566103423978  # JAX's own constant
        return "trunc", 0.0, std, -2 * std, 2 * std

    made = scaling(scale, mode, distribution, in_axis, out_axis, batch_axis, **kwargs)
    return recording(made, law_of)


def recorded_orthogonal(scale=1.0, *args, **kwargs):
    return recording(orthogonal(scale, *args, **kwargs), lambda shape: ("orthogonal", float(scale)))


for where in (made_by, jax.nn.initializers):  # before Flax takes its defaults from there
    where.variance_scaling, where.orthogonal = variance_scaling, recorded_orthogonal

from flax import linen as nn  # noqa: E402
from flax import nnx  # noqa: E402
from flax.traverse_util import flatten_dict  # noqa: E402

laws, param = {}, nn.Module.param  # {path: law}


def recorded_param(self, name, init_fn, *args, **kwargs):
    global latest
    latest = None
    value = param(self, name, init_fn, *args, **kwargs)
    laws[("params", *self.scope.path, name)] = latest
    return value


nn.Module.param = recorded_param
models, add = models_of("flax")


def linen(module, *inputs, sep="/", collection=None):
    """{name: (values, law)} of a module of flax.linen."""
    laws.clear()
    variables = module.init({"params": jax.random.key(1), "dropout": jax.random.key(2)}, *inputs)
    found = {path: (np.asarray(x), laws.get(path)) for path, x in flatten_dict(variables).items()}
    if collection:
        found = {path[1:]: one for path, one in found.items() if path[0] == collection}
    return {sep.join(path): one for path, one in found.items()}


def plain(x):
    """Keys of random generators as the numbers that they are."""
    x = x[...] if isinstance(x, nnx.Variable) else x
    return np.asarray(jax.random.key_data(x) if jax.dtypes.issubdtype(x.dtype, jax.dtypes.prng_key) else x)


def of_nnx(module):
    """The same of a module of flax.nnx."""
    found = {".".join(map(str, path)): plain(x) for path, x in nnx.to_flat_state(nnx.state(module))}
    return {name: (x, asked.get(fingerprint(x)) if x.size > 1 else None) for name, x in found.items()}


# ---- linen ----------------------------------------------------------------------------------------------------------------

features, tokens = np.ones((2, 24), "f4"), np.ones((2, 5), "i4")


@add
def mlp():
    return linen(
        nn.Sequential([nn.Dense(40), nn.relu, nn.LayerNorm(), nn.Dense(32, use_bias=False), nn.PReLU(), nn.Dense(10)]),
        features,
    )


@add
def cnn():
    class Net(nn.Module):
        @nn.compact
        def __call__(self, x):
            x = nn.Conv(16, (3, 3), name="conv_init")(x)
            x = nn.BatchNorm(use_running_average=True, name="bn_init")(x)
            x = nn.Conv(32, (3, 3), feature_group_count=16)(x)
            x = nn.GroupNorm(4)(x)
            x = nn.Conv(24, (3, 3), feature_group_count=4)(x)
            x = nn.BatchNorm(use_running_average=True)(x)
            x = nn.ConvTranspose(12, (4, 4))(x)
            x = nn.InstanceNorm()(x)
            x = nn.ConvTranspose(20, (4, 4), transpose_kernel=True)(x)
            return nn.Dense(10, name="head")(x.mean(axis=(1, 2)))

    return linen(Net(), np.ones((2, 8, 8, 3), "f4"))


@add
def dimensions():
    """Convolutions of one and three dimensions."""

    class Net(nn.Module):
        @nn.compact
        def __call__(self, x, volume):
            return nn.ConvTranspose(9, (4,))(nn.Conv(16, (5,))(x)), nn.Conv(5, (2, 3, 4), name="conv3d")(volume)

    return linen(Net(), np.ones((2, 12, 6), "f4"), np.ones((1, 4, 4, 4, 3), "f4"))


@add
def local():
    """A kernel and a bias for each place."""
    return linen(nn.ConvLocal(6, (3, 3)), np.ones((2, 8, 8, 3), "f4"))


@add
def unbiased():
    """Convolutions and attention without biases."""

    class Net(nn.Module):
        @nn.compact
        def __call__(self, x):
            x = nn.Conv(16, (3, 3), use_bias=False, name="conv_init")(x)
            x = nn.ConvTranspose(12, (4, 4), use_bias=False)(x)
            x = nn.Conv(24, (5,), use_bias=False)(x.reshape(x.shape[0], -1, x.shape[-1]))
            x = nn.SelfAttention(4, use_bias=False)(x)
            return nn.Dense(10, use_bias=False)(x)

    return linen(Net(), np.ones((2, 8, 8, 3), "f4"))


@add
def rnn():
    class Net(nn.Module):
        @nn.compact
        def __call__(self, x, picture):
            x = nn.Embed(50, 24)(x)
            x = nn.RNN(nn.LSTMCell(20))(x)
            x = nn.RNN(nn.OptimizedLSTMCell(18), name="reader")(x)
            x = nn.Bidirectional(nn.RNN(nn.GRUCell(14)), nn.RNN(nn.GRUCell(14)))(x)
            x = nn.RNN(nn.SimpleCell(9))(x)
            x = nn.RNN(nn.MGUCell(11))(x)
            x = nn.RNN(nn.MGUCell(10, reset_gate=False, name="memory"))(x)
            return nn.Dense(5)(x), nn.RNN(nn.ConvLSTMCell(6, (3, 3)))(picture)

    return linen(Net(), tokens, np.ones((2, 4, 8, 8, 3), "f4"))


class Block(nn.Module):
    width: int = 24

    @nn.compact
    def __call__(self, x):
        y = nn.MultiHeadDotProductAttention(4, normalize_qk=True)(nn.LayerNorm()(x))
        y = nn.MultiHeadAttention(3, qkv_features=15, out_features=self.width, use_bias=False, name="cross")(x + y, x)
        y = nn.SelfAttention(2)(x + y)
        y = nn.Dense(self.width)(nn.gelu(nn.Dense(4 * self.width)(nn.RMSNorm()(x + y))))
        return x + nn.Dropout(0.1, deterministic=True)(y)


@add
def transformer():
    class Net(nn.Module):
        @nn.compact
        def __call__(self, x):
            x = nn.Embed(50, 24, name="tokens")(x)
            for _ in range(2):
                x = Block()(x)
            return nn.Dense(30)(nn.LayerNorm(use_bias=False)(x))

    return linen(Net(), tokens)


@add
def params():
    """The collection's arrays without its name, and with dots, as transformers wrote them."""

    class Net(nn.Module):
        @nn.compact
        def __call__(self, x):
            x = nn.Dense(16, name="encoder")(x)
            x = nn.RNN(nn.LSTMCell(12))(nn.SelfAttention(4)(nn.LayerNorm()(x)))
            x = nn.RNN(nn.MGUCell(7))(nn.RNN(nn.SimpleCell(8))(x))
            return nn.Conv(6, (3,))(x)

    return linen(Net(), np.ones((2, 5, 24), "f4"), sep=".", collection="params")


@add
def scanned():
    """Blocks that are stacked along a new first dimension by nn.scan."""

    class Layer(nn.Module):
        @nn.compact
        def __call__(self, x, _):
            return nn.Dense(24)(nn.SelfAttention(4)(x)), None

    stack = nn.scan(Layer, variable_axes={"params": 0}, split_rngs={"params": True, "dropout": True}, length=3)
    return linen(stack(), np.ones((2, 5, 24), "f4"), None)


@add
def scanned_convolutions():
    class Layer(nn.Module):
        @nn.compact
        def __call__(self, x, _):
            return nn.Conv(6, (3,))(x), None

    stack = nn.scan(Layer, variable_axes={"params": 0}, split_rngs={"params": True}, length=3)
    return linen(stack(name="layers"), np.ones((2, 5, 6), "f4"), None)


@add
def general():
    """A DenseGeneral to two dimensions has a kernel of three, as a convolution has."""
    return linen(nn.DenseGeneral((4, 6), name="to_heads"), features)


@add
def general_from():
    return linen(nn.DenseGeneral((4, 6), axis=(-2, -1)), np.ones((2, 5, 7), "f4"))


@add
def einsum():
    return linen(nn.Einsum((24, 4, 6), "ab,bcd->acd", name="einsum"), features)


@add
def patches():
    """A ViT's: a convolution under another name, and positions."""

    class Net(nn.Module):
        @nn.compact
        def __call__(self, x):
            x = nn.Conv(24, (4, 4), strides=(4, 4), name="embedding")(x)
            x = x.reshape(x.shape[0], -1, x.shape[-1])
            return x + self.param("pos_embedding", nn.initializers.normal(stddev=0.02), (1, *x.shape[1:]))

    return linen(Net(), np.ones((2, 8, 8, 3), "f4"))


@add
def layer_scale():
    class Net(nn.Module):
        @nn.compact
        def __call__(self, x):
            return nn.Dense(24)(x) * self.param("scale", nn.initializers.constant(1e-4), (24,))

    return linen(Net(), features)


# ---- nnx ------------------------------------------------------------------------------------------------------------------


class Nnx(nnx.Module):
    def __init__(self, rngs):
        self.embed = nnx.Embed(50, 24, rngs=rngs)
        self.layers = nnx.List([nnx.Linear(24, 40, rngs=rngs), nnx.Linear(40, 24, use_bias=False, rngs=rngs)])
        self.conv = nnx.Conv(3, 16, (3, 3), rngs=rngs)
        self.conv2 = nnx.Conv(16, 24, (3, 3), feature_group_count=4, rngs=rngs)
        self.up_conv = nnx.ConvTranspose(16, 8, (4,), rngs=rngs)
        self.bn, self.group_norm = nnx.BatchNorm(16, rngs=rngs), nnx.GroupNorm(24, 4, rngs=rngs)
        self.norm1, self.norm2 = nnx.LayerNorm(24, rngs=rngs), nnx.RMSNorm(24, rngs=rngs)
        self.attention = nnx.MultiHeadAttention(4, 24, 20, out_features=30, decode=False, rngs=rngs)
        self.dropout, self.act = nnx.Dropout(0.1, rngs=rngs), nnx.PReLU()
        self.lora = nnx.LoRA(24, 4, 40, rngs=rngs)
        self.lora_linear = nnx.LoRALinear(24, 40, lora_rank=4, rngs=rngs)


@add
def nnx_modules():
    return of_nnx(Nnx(nnx.Rngs(1)))


@add
def nnx_rnn():
    class Net(nnx.Module):
        def __init__(self, rngs):
            self.lstm = nnx.RNN(nnx.LSTMCell(24, 20, rngs=rngs), rngs=rngs)
            self.reader = nnx.RNN(nnx.OptimizedLSTMCell(24, 18, rngs=rngs), rngs=rngs)
            self.gru = nnx.RNN(nnx.GRUCell(24, 14, rngs=rngs), rngs=rngs)
            self.simple = nnx.RNN(nnx.SimpleCell(24, 9, rngs=rngs), rngs=rngs)

    return of_nnx(Net(nnx.Rngs(1)))


@add
def nnx_sequential():
    """A convolution under a number."""
    rngs = nnx.Rngs(1)
    return of_nnx(nnx.Sequential(nnx.Conv(3, 16, (3, 3), rngs=rngs), nnx.relu, nnx.Linear(16, 10, rngs=rngs)))


@add
def nnx_general():
    rngs = nnx.Rngs(1)
    return of_nnx(
        nnx.Dict(
            one=nnx.LinearGeneral(24, (4, 6), rngs=rngs), two=nnx.Einsum("ab,bcd->acd", (24, 4, 6), (4, 6), rngs=rngs)
        )
    )


if __name__ == "__main__":
    for name in sys.argv[2:] or models:
        asked.clear()
        write_list(f"{sys.argv[1]}/{name}.csv", models[name]())
