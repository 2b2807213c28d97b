#!/usr/bin/env python3
"""Thirty layers with ReLU on real digits, trained with PyOpenCL from fanin's weights: he_normal learns, and xavier_uniform
stalls, as He et al. 2015 (section 2.2, figure 3) have it, because every layer halves what it passes on.

Everything is on the device: a plan fills weights, velocities and biases; four kernels are the forward pass, softmax with
cross-entropy, the backward pass, and SGD with momentum. Prints each epoch's loss, and the accuracy on held-out digits.

usage: train_digits.py [--init INIT]... [--layers N] [--width N] [--steps N] [--seed N]... [--rate R] [--plot OUT.svg]

Needs PyOpenCL, NumPy and the fanin package; for --plot, gnuplot.
"""

import argparse
import subprocess
from pathlib import Path

import numpy as np
import pyopencl as cl
import pyopencl.array as cla

import fanin

BATCH, MOMENTUM, HELD_OUT = 100, 0.9, 297
FEATURES, CLASSES = 64, 10

# Weights are (I, O), so that neighbouring work-items read neighbouring numbers. B is the batch.
KERNELS = """
// h (B, O) = max(x (B, I) w (I, O) + b (O), 0), or without the maximum
kernel void forward(global const float *x, global const float *w, global const float *b, global float *h, int I,
                    int relu) {
  const size_t o = get_global_id(0), O = get_global_size(0), n = get_global_id(1);
  float z = b[o];
  for (int i = 0; i < I; i++)
    z += x[n * I + i] * w[i * O + o];
  h[n * O + o] = relu ? fmax(z, 0.0f) : z;
}

// loss (B) = -ln softmax(z (B, C))[label]; z becomes the gradient of the mean loss
kernel void cross_entropy(global float *z, global const int *label, global float *loss, int C) {
  const size_t n = get_global_id(0), B = get_global_size(0);
  float most = z[n * C], sum = 0;
  for (int c = 1; c < C; c++)
    most = fmax(most, z[n * C + c]);
  for (int c = 0; c < C; c++)
    sum += exp(z[n * C + c] - most);
  loss[n] = log(sum) + most - z[n * C + label[n]];
  for (int c = 0; c < C; c++)
    z[n * C + c] = (exp(z[n * C + c] - most) / sum - (c == label[n])) / B;
}

// dx (B, I) = (dz (B, O) w^T (O, I)) where x > 0
kernel void backward(global const float *dz, global const float *w, global const float *x, global float *dx, int O) {
  const size_t i = get_global_id(0), I = get_global_size(0), n = get_global_id(1);
  float sum = 0;
  for (int o = 0; o < O; o++)
    sum += dz[n * O + o] * w[i * O + o];
  dx[n * I + i] = x[n * I + i] > 0 ? sum : 0;
}

// v = momentum v - rate x^T (I, B) dz (B, O), w += v; row I is the bias's, with 1 for x
kernel void update(global const float *x, global const float *dz, global float *w, global float *v, global float *b,
                   global float *vb, int B, float rate, float momentum) {
  const size_t o = get_global_id(0), O = get_global_size(0), i = get_global_id(1), I = get_global_size(1) - 1;
  float sum = 0;
  for (int n = 0; n < B; n++)
    sum += (i < I ? x[n * I + i] : 1.0f) * dz[n * O + o];
  global float *const value = i < I ? &w[i * O + o] : &b[o], *const speed = i < I ? &v[i * O + o] : &vb[o];
  *speed = momentum * *speed - rate * sum;
  *value += *speed;
}
"""


class Network:
    """Layers of weights w, biases b and their velocities on the device. h[l] is what layer l passes on, h[0] the input."""

    def __init__(self, queue, widths, init, seed):
        self.queue, self.widths = queue, widths
        program = cl.Program(queue.context, KERNELS).build()
        self.run = {name: getattr(program, name) for name in ("forward", "cross_entropy", "backward", "update")}
        shapes = list(zip(widths[:-1], widths[1:]))
        self.w = [cla.empty(queue, shape, "f4") for shape in shapes]
        items = [fanin.Item(w, init, f"layer{l + 1}.weight", layout="IO") for l, w in enumerate(self.w)]
        fanin.Plan(queue, items).fill(seed)
        self.v = [cla.zeros(queue, shape, "f4") for shape in shapes]
        self.b, self.vb = ([cla.zeros(queue, outputs, "f4") for _, outputs in shapes] for _ in range(2))

    def forward(self, x, samples):
        """The logits (samples, C) of x (samples, I), both on the device."""
        self.h = [x]
        for l, outputs in enumerate(self.widths[1:]):
            self.h.append(cla.empty(self.queue, (samples, outputs), "f4"))
            relu = np.int32(l + 2 < len(self.widths))
            arguments = self.h[l].data, self.w[l].data, self.b[l].data, self.h[l + 1].data
            self.run["forward"](self.queue, (outputs, samples), None, *arguments, np.int32(self.widths[l]), relu)
        return self.h[-1]

    def step(self, x, labels, rate):
        """One step of SGD with momentum; the losses of its samples (BATCH), on the device."""
        dz, loss = self.forward(x, BATCH), cla.empty(self.queue, BATCH, "f4")
        self.run["cross_entropy"](self.queue, (BATCH,), None, dz.data, labels.data, loss.data, np.int32(CLASSES))
        for l in reversed(range(len(self.w))):
            inputs, outputs = self.w[l].shape
            dx = cla.empty(self.queue, (BATCH, inputs), "f4")
            arguments = dz.data, self.w[l].data, self.h[l].data, dx.data
            self.run["backward"](self.queue, (inputs, BATCH), None, *arguments, np.int32(outputs))
            arguments = [array.data for array in (self.h[l], dz, self.w[l], self.v[l], self.b[l], self.vb[l])]
            numbers = np.int32(BATCH), np.float32(rate), np.float32(MOMENTUM)
            self.run["update"](self.queue, (outputs, inputs + 1), None, *arguments, *numbers)
            dz = dx
        return loss


def digits():
    """Pixels of mean 0 and variance 1, and labels, in an order of their own; the last HELD_OUT are for testing."""
    data = np.loadtxt(Path(__file__).parent.parent / "share/data/digits.csv", delimiter=",", dtype="f4")
    np.random.default_rng(0).shuffle(data)
    x = data[:, :FEATURES]
    return (x - x.mean()) / x.std(), data[:, FEATURES].astype("i4")


def train(queue, init, seed, layers, width, steps, rate):
    """The mean loss of each step, and the accuracy on the digits that were held out."""
    x, labels = digits()
    batches = [
        (cla.to_device(queue, x[first : first + BATCH]), cla.to_device(queue, labels[first : first + BATCH]))
        for first in range(0, len(x) - HELD_OUT, BATCH)
    ]
    network = Network(queue, [FEATURES, *[width] * (layers - 1), CLASSES], init, seed)
    losses = [network.step(*batches[step % len(batches)], rate) for step in range(steps)]
    guesses = network.forward(cla.to_device(queue, x[-HELD_OUT:]), HELD_OUT).get().argmax(axis=1)
    return np.array([loss.get().mean() for loss in losses]), (guesses == labels[-HELD_OUT:]).mean()


def epochs(losses):
    """Means over the batches of an epoch, the last one perhaps of fewer."""
    size = (len(digits()[0]) - HELD_OUT) // BATCH
    return [losses[first : first + size].mean() for first in range(0, len(losses), size)]


def plot(path, curves, layers):
    """A figure of {(init, seed): losses}, by gnuplot; one colour an initializer."""
    inits = list(dict.fromkeys(init for init, _ in curves))
    lines = [
        f"'-' using 1:2 with lines lw 1.5 lc {inits.index(init) + 1} "
        + (f"title '{init}' noenhanced" if seed == min(s for i, s in curves if i == init) else "notitle")
        for init, seed in curves
    ]
    data = ["\n".join(f"{k + 1} {loss}" for k, loss in enumerate(epochs(losses))) + "\ne" for losses in curves.values()]
    script = [
        "set terminal svg size 720,420 font 'sans,13' background 'white'",
        f"set output '{path}'",
        f"set title 'share/data/digits.csv, {layers} layers with ReLU'",
        "set xlabel 'epoch'",
        "set ylabel 'cross-entropy (mean over an epoch)'",
        "set yrange [0:*]",
        "set key center right",
        "set grid lc '#dddddd'",
        f"set arrow from graph 0, first {np.log(CLASSES)} to graph 1, first {np.log(CLASSES)} nohead dt 2 lc '#888888'",
        f"set label 'ln {CLASSES}: nothing learnt' at graph 0.99, first {np.log(CLASSES)} right offset 0,0.6 tc '#666666'",
        "plot " + ", ".join(lines),
        *data,
    ]
    subprocess.run(["gnuplot"], input="\n".join(script) + "\n", text=True, check=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--init", action="append", help="he_normal and xavier_uniform, unless said")
    parser.add_argument("--layers", type=int, default=30)
    parser.add_argument("--width", type=int, default=100)
    parser.add_argument("--steps", type=int, default=600)
    parser.add_argument("--seed", type=int, action="append")
    parser.add_argument("--rate", type=float, default=0.003)
    parser.add_argument("--plot")
    options = parser.parse_args()
    queue = cl.CommandQueue(cl.create_some_context(interactive=False))
    curves = {}
    for init in options.init or ["he_normal", "xavier_uniform"]:
        for seed in options.seed or [1]:
            how = options.layers, options.width, options.steps, options.rate
            curves[init, seed], accuracy = train(queue, init, seed, *how)
            by_epoch = " ".join(f"{loss:.3f}" for loss in epochs(curves[init, seed]))
            print(f"{init}, seed {seed}: loss by epoch {by_epoch}; {accuracy:.3f} of held-out digits right", flush=True)
    if options.plot:
        plot(options.plot, curves, options.layers)


if __name__ == "__main__":
    main()
