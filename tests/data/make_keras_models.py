#!/usr/bin/env python3
"""Writes models/keras*.csv: the weights of Keras models, by their paths, and what their layers make of each. Nothing of
fanin is used: what keras.random is asked for is recorded while Keras 3.15 builds the models on JAX 0.10 (from PyPI), and
compared with the values.

  KERAS_BACKEND=jax python3 make_keras_models.py DIRECTORY [NAME...]

Names are weight.path, which is what a file has that was written by
safetensors.numpy.save_file({w.path: np.array(w) for w in model.weights}, path). keras-attention-3_14 is written by Keras 3.14
(pip install --no-deps --target FOLDER keras==3.14.0, and PYTHONPATH=FOLDER), whose EinsumDense counts other fans.
"""

import re
import sys

import keras
import numpy as np
from keras.src.initializers import random_initializers
from laws import models_of, write_list

L = keras.layers
asked = None  # the law of the last draw


class Recorder:
    """keras.random, for Keras' own initializers."""

    def __init__(self, real):
        self.real = real

    def __getattr__(self, name):
        return getattr(self.real, name)

    def uniform(self, shape, minval=0.0, maxval=1.0, **k):
        global asked
        asked = "uniform", float(minval), float(maxval)
        return self.real.uniform(shape, minval, maxval, **k)

    def normal(self, shape, mean=0.0, stddev=1.0, **k):
        global asked
        asked = "normal", float(mean), float(stddev)
        return self.real.normal(shape, mean, stddev, **k)

    def truncated_normal(self, shape, mean=0.0, stddev=1.0, **k):
        global asked
        mean, stddev = float(mean), float(stddev)
        asked = "trunc", mean, stddev, mean - 2 * stddev, mean + 2 * stddev
        return self.real.truncated_normal(shape, mean, stddev, **k)


random_initializers.random = Recorder(random_initializers.random)
orthogonal = random_initializers.Orthogonal.__call__


def recorded_orthogonal(self, *args, **kwargs):
    global asked
    result = orthogonal(self, *args, **kwargs)
    asked = "orthogonal", float(self.gain)
    return result


random_initializers.Orthogonal.__call__ = recorded_orthogonal
laws, add_weight = {}, L.Layer.add_weight


def recorded_weight(self, *args, **kwargs):
    global asked
    asked = None
    weight = add_weight(self, *args, **kwargs)
    laws[id(weight)] = asked
    return weight


L.Layer.add_weight = recorded_weight
models, add = models_of("keras")


def built(layer, *shapes):
    layer.build(*shapes)
    return layer


def variables_of(parts):
    """Of models and layers. Of what repeats, as the blocks of a ResNet, two remain."""
    found, kinds = {}, {}
    for variable in (v for part in parts for v in part.variables):
        kind = re.sub(r"[0-9]+[a-z]?", "#", variable.path), tuple(variable.shape)
        kinds[kind] = kinds.get(kind, 0) + 1
        if kinds[kind] <= 2:
            assert variable.path not in found, variable.path
            found[variable.path] = np.array(variable), laws.get(id(variable))
    return found


@add
def mlp():
    layers = [
        L.Dense(40, activation="relu"),
        L.BatchNormalization(),
        L.Dropout(0.1, seed=1),
        L.Dense(32, use_bias=False, name="trunk"),
        L.LayerNormalization(),
        L.PReLU(),
        L.Dense(10, name="head"),
    ]
    return [keras.Sequential([keras.Input((24,)), *layers])]


@add
def cnn():
    x = inputs = keras.Input((16, 16, 3))
    x = L.Conv2D(16, 3, name="stem")(x)
    x = L.BatchNormalization(name="stem_bn")(x)
    x = L.DepthwiseConv2D(3, depth_multiplier=2)(x)
    x = L.GroupNormalization(4)(x)
    x = L.SeparableConv2D(24, 3, depth_multiplier=3)(x)
    x = L.Conv2D(32, 3, groups=4)(x)
    x = L.BatchNormalization(renorm=True)(x)
    x = L.Conv2DTranspose(12, 4)(x)
    x = L.BatchNormalization(center=False)(x)
    x = L.BatchNormalization(scale=False)(x)
    return [keras.Model(inputs, L.Dense(10)(L.GlobalAveragePooling2D()(x)))]


@add
def dimensions():
    """Convolutions of one and three dimensions."""
    return [
        built(L.Conv1D(16, 5), (None, 40, 6)),
        built(L.DepthwiseConv1D(3, depth_multiplier=2), (None, 40, 16)),
        built(L.SeparableConv1D(20, 3), (None, 40, 32)),
        built(L.Conv1DTranspose(9, 4, name="up_conv"), (None, 40, 20)),
        built(L.Conv3D(5, (2, 3, 4)), (None, 8, 8, 8, 3)),
        built(L.Conv3DTranspose(7, 3), (None, 8, 8, 8, 5)),
    ]


@add
def rnn():
    x = inputs = keras.Input((None,), dtype="int32")
    x = L.Embedding(100, 24)(x)
    x = L.LSTM(20, return_sequences=True)(x)
    x = L.Bidirectional(L.LSTM(12, return_sequences=True, name="reader"))(x)
    x = L.Bidirectional(L.GRU(10, return_sequences=True))(x)
    x = L.GRU(14, reset_after=False, return_sequences=True)(x)
    x = L.RNN([L.LSTMCell(16), L.LSTMCell(18), L.GRUCell(11)], return_sequences=True)(x)
    x = L.TimeDistributed(L.Dense(12))(x)
    x = L.SimpleRNN(9, name="last")(x)
    return [keras.Model(inputs, L.Dense(5)(x))]


@add
def conv_lstm():
    x = inputs = keras.Input((4, 8, 8, 3))
    x = L.ConvLSTM2D(6, 3, return_sequences=True)(x)
    x = L.Bidirectional(L.ConvLSTM2D(5, 3))(x)
    return [keras.Model(inputs, x), built(L.ConvLSTM1D(4, 3), (None, 4, 8, 3))]


@add
def own_cell():
    """A cell whose name is the user's: its bias may be an LSTM's."""
    return [keras.Sequential([keras.Input((None, 8)), L.RNN(L.LSTMCell(6, name="memory"))])]


class Block(L.Layer):
    """Of a transformer."""

    def __init__(self, width, heads, **k):
        super().__init__(**k)
        self.norm1, self.norm2 = L.LayerNormalization(), L.RMSNormalization()
        self.attention = L.MultiHeadAttention(heads, width // heads, value_dim=7, dropout=0.1, use_gate=True)
        self.grouped = L.GroupQueryAttention(10, 4, 2)
        self.up, self.down = L.Dense(4 * width), L.Dense(width)

    def build(self, shape):
        for norm in (self.norm1, self.norm2):
            norm.build(shape)
        self.attention.build(shape, shape)
        self.grouped.build(shape, shape)
        self.up.build(shape)
        self.down.build((*shape[:-1], 4 * shape[-1]))

    def call(self, x):
        x = x + self.attention(self.norm1(x), x)
        x = x + self.grouped(x, x)
        return x + self.down(self.up(self.norm2(x)))


@add
def transformer():
    x = inputs = keras.Input((16,), dtype="int32")
    x = L.Embedding(50, 24)(x)
    for i in range(2):
        x = Block(24, 4, name=f"block_{i}")(x)
    x = L.LayerNormalization()(x)
    return [keras.Model(inputs, L.EinsumDense("abc,cd->abd", output_shape=(None, 30), bias_axes="d")(x))]


@add
def attention():
    """The kernels of three dimensions alone; keras-attention-3_14 is the same by Keras 3.14."""
    shape = (None, 16, 24)
    return [
        built(L.MultiHeadAttention(4, 6, value_dim=7), shape, shape),
        built(L.MultiHeadAttention(3, 5, use_bias=False, name="cross"), shape, (None, 9, 20)),
        built(L.GroupQueryAttention(10, 4, 2), shape, shape),
    ]


@add
def wide_output():
    """An attention whose output has two dimensions: a kernel of four."""
    x = keras.Input((16, 24))
    return [keras.Model(x, L.MultiHeadAttention(4, 6, output_shape=(5, 7))(x, x))]


@add
def einsum():
    return [built(L.EinsumDense("abc,cde->abde", output_shape=(None, 4, 6), bias_axes="de"), (None, 16, 24))]


@add
def positions():
    """keras_hub's layer, whose table has another initializer and the name of an Embedding's."""

    class PositionEmbedding(L.Layer):
        def build(self, shape):
            self.table = self.add_weight(name="embeddings", shape=(16, shape[-1]), initializer="glorot_uniform")

    return [built(PositionEmbedding(), (None, 16, 24))]


@add
def layer_scale():
    class LayerScale(L.Layer):
        def build(self, shape):
            self.gamma = self.add_weight(
                name="gamma", shape=(shape[-1],), initializer=keras.initializers.Constant(1e-4)
            )

    return [built(L.Dense(24), (None, 16)), built(LayerScale(), (None, 24))]


@add
def others():
    """Layers that are met less often."""
    query = (None, 16, 24)
    normed = L.SpectralNormalization(L.Dense(20, name="wrapped"))
    lora, table = built(L.Dense(20, name="lora"), (None, 24)), built(L.Embedding(50, 12, name="table"), None)
    conv = built(L.Conv2D(20, 3, name="lora_conv"), (None, 8, 8, 12))
    for layer in (lora, table, conv):
        layer.enable_lora(4)
    return [
        built(normed, (None, 24)),
        lora,
        table,
        conv,
        built(L.Attention(use_scale=True, score_mode="concat"), [query, query]),
        built(L.AdditiveAttention(), [query, query]),
        built(L.ReversibleEmbedding(50, 12, tie_weights=False)),
        built(L.LayerNormalization(center=False), query),
        built(L.RMSNormalization(), query),
    ]


@add
def adapted():
    """Statistics of data."""
    layer = L.Normalization()
    layer.adapt(np.array([[1.0, 2.0], [3.0, 5.0]]))
    return [keras.Sequential([layer, L.Dense(3)])]


A = keras.applications


@add
def mobilenet_v2():
    return [A.MobileNetV2(input_shape=(32, 32, 3), weights=None, classes=10)]


@add
def resnet50():
    return [A.ResNet50(input_shape=(32, 32, 3), weights=None, classes=10)]


@add
def efficientnet_b0():
    return [A.EfficientNetB0(input_shape=(32, 32, 3), weights=None, classes=10)]


@add
def efficientnet_v2b0():
    return [A.EfficientNetV2B0(input_shape=(32, 32, 3), weights=None, classes=10)]


@add
def convnext_tiny():
    return [A.ConvNeXtTiny(input_shape=(32, 32, 3), weights=None, classes=10)]


@add
def nasnet_mobile():
    return [A.NASNetMobile(input_shape=(32, 32, 3), weights=None, classes=10)]


if __name__ == "__main__":
    for name in sys.argv[2:] or models:
        keras.utils.set_random_seed(1)  # names count from 0 in each
        keras.backend.clear_session()
        laws.clear()
        older = "" if name != "keras-attention" or keras.__version__ >= "3.15" else "-3_14"
        write_list(f"{sys.argv[1]}/{name}{older}.csv", variables_of(models[name]()))
