"""The same weights, bit for bit: from the command, into PyOpenCL and NumPy arrays, by a plan, by shards; and known answers."""

import os
import subprocess
from pathlib import Path

import numpy as np
import pyopencl.array as cla
import pytest
from conftest import same_bits

import fanin

INITIALIZERS = [
    "zeros", "ones", "constant:value=0.3", "uniform:lo=-2,hi=0.1", "normal:mean=1,std=3", "trunc_normal:std=0.02,a=-3,b=1",
    "xavier_uniform:gain=tanh", "xavier_normal", "he_uniform:a=0.2", "he_normal:mode=fan_out", "lecun_uniform",
    "lecun_normal:distribution=trunc_normal", "variance_scaling:scale=3,mode=fan_geo", "identity", "orthogonal",
]  # fmt: skip
SHAPE, ELEMENTS = (37, 53), 37 * 53
DTYPES = {"f32": "f4", "f16": "f2", "bf16": "u2", "f64": "f8"}


@pytest.mark.parametrize("dtype", DTYPES)
def test_command_opencl_numpy_and_plan(command, queue, tmp_path, dtype):
    initializers = INITIALIZERS if dtype == "f32" else INITIALIZERS[3:4] + INITIALIZERS[9:10]  # less to compile
    tensors = [(f"--tensor=t{k}:{dtype}:OI:37x53", f"--init={init}") for k, init in enumerate(initializers)]
    command("init", *sum(tensors, ()), "--seed", 42, "-o", tmp_path / "t.safetensors")
    body = np.fromfile(tmp_path / "t.safetensors", "u1")[-ELEMENTS * np.dtype(DTYPES[dtype]).itemsize * len(tensors) :]
    written = body.view(DTYPES[dtype]).reshape(-1, *SHAPE)

    items = [
        fanin.Item(None, init, f"t{k}", dtype=dtype, shape=SHAPE, layout="OI") for k, init in enumerate(initializers)
    ]
    plan = fanin.Plan(queue, items)
    plan.fill(42)
    for k, init in enumerate(initializers):
        how = dict(seed=42, name=f"t{k}", layout="OI", dtype=dtype)
        array = cla.empty(queue, SHAPE, DTYPES[dtype])
        fanin.fill(array, init, **how)
        assert same_bits(array.get(), written[k]), init
        assert same_bits(fanin.array(SHAPE, init, **how).view(DTYPES[dtype]), written[k]), init
        assert same_bits(plan.array(k).get().view(DTYPES[dtype]), written[k]), init


C_PROGRAM = r"""
#include <fanin.h>
#include <stdio.h>
int main(void) {
  fanin *f;
  fanin_tensor w;
  float host[37 * 53];
  if (fanin_open(NULL, &f) || fanin_tensor_alloc(f, FANIN_DTYPE_F32, "OI", 2, (uint64_t[]){37, 53}, &w)) return 1;
  const fanin_init init = fanin_he_normal(0, FANIN_MODE_FAN_OUT);
  fanin_key key;
  if (fanin_key_named(42, "t9", &key) || fanin_fill(f, NULL, &w, &init, key, 0, NULL, NULL)) return 1;
  if (fanin_read(f, NULL, &w, host, sizeof host, 1, 0, NULL, NULL)) return 1;
  return fwrite(host, sizeof host, 1, stdout) != 1;
}
"""


def test_c_program(source, tmp_path):
    library = Path(fanin.library_path)
    compiler = [
        os.environ.get("CC", "cc"),
        "-std=c11",
        f"-I{source}/include",
        "-o",
        tmp_path / "fill",
        "-xc",
        "-",
        "-xnone",
    ]
    subprocess.run(
        [*compiler, library, f"-Wl,-rpath,{library.parent}", "-lOpenCL"], input=C_PROGRAM.encode(), check=True
    )
    printed = subprocess.run([tmp_path / "fill"], check=True, capture_output=True).stdout
    assert printed == fanin.array(SHAPE, "he_normal:mode=fan_out", seed=42, name="t9", layout="OI").tobytes()


def philox4x32(counter, key):
    """Philox4x32-10 (Salmon et al. 2011) of four arrays of counter words and two of key words."""
    counter, key = [np.asarray(c, "u8") for c in counter], [np.uint64(k) for k in key]
    low = np.uint64(0xFFFFFFFF)
    for _ in range(10):
        first, third = np.uint64(0xD2511F53) * counter[0], np.uint64(0xCD9E8D57) * counter[2]
        counter = [
            (third >> np.uint64(32)) ^ counter[1] ^ key[0],
            third & low,
            (first >> np.uint64(32)) ^ counter[3] ^ key[1],
            first & low,
        ]
        key = [(key[0] + np.uint64(0x9E3779B9)) & low, (key[1] + np.uint64(0xBB67AE85)) & low]
    return counter


def test_known_answers(queue):
    """docs/stream.md by NumPy: FNV-1a, Philox, and the uniform of a word."""
    assert [int(word) for word in philox4x32([0] * 4, [0] * 2)] == [0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8]
    stream = 0xCBF29CE484222325
    for byte in b"layer1.weight":
        stream = (stream ^ byte) * 0x100000001B3 % 2**64
    assert fanin.stream_of("layer1.weight") == stream
    seed, blocks = 0x123456789ABCDEF0, np.arange(1000, dtype="u8")
    counter = [blocks, 0 * blocks, np.full(1000, stream % 2**32, "u8"), np.full(1000, stream >> 32, "u8")]
    words = np.stack(philox4x32(counter, [seed % 2**32, seed >> 32]), axis=1).ravel().astype("u4")
    expected = ((words.view("i4") + 0.5) * 2.0**-31).astype("f4")
    array = cla.empty(queue, 4000, "f4")
    fanin.fill(array, "uniform:lo=-1,hi=1", seed=seed, name="layer1.weight")
    np.testing.assert_allclose(array.get(), expected, rtol=0, atol=2.0**-24)


def test_slabs_and_ranges_are_the_whole_s(queue):
    whole = fanin.array((12, 10, 3), "he_normal", layout="OIW", seed=1, name="w")
    slab = cla.empty(queue, (5, 4, 3), "f4")
    fanin.fill(slab, "he_normal", layout="OIW", seed=1, name="w", whole=(12, 10, 3), start=(7, 2, 0))
    assert same_bits(slab.get(), whole[7:12, 2:6])
    some = cla.empty(queue, 101, "f4")
    fanin.fill(some, "he_normal", layout="OIW", seed=1, name="w", whole=(12, 10, 3), first=33)
    assert same_bits(some.get(), whole.ravel()[33:134])
    part = np.empty((12, 2, 3), "f4")
    fanin.fill_numpy(part, "he_normal", layout="OIW", seed=1, name="w", whole=(12, 10, 3), start=(0, 8, 0))
    assert same_bits(part, whole[:, 8:])


@pytest.mark.parametrize("dimension, first", [(None, (18,)), (0, (2, 10)), (1, (12, 2))])
def test_split(queue, dimension, first):
    """Seven shards together are the whole."""
    how = dict(seed=1, name="w", layout="OI")
    whole, parts = fanin.array((12, 10), "he_normal", **how), []
    for shard in fanin.split((12, 10), 7, dimension):
        part = cla.empty(queue, shard.shape, "f4")
        fanin.fill(part, "he_normal", **how, **shard.where)
        parts.append(part.get())
    assert parts[0].shape == first
    assert same_bits(np.concatenate(parts, axis=dimension or 0), whole.ravel() if dimension is None else whole)


def test_past_32_bits(queue):
    """Elements past 2^32 of a tensor that no memory here holds; consecutive ranges meet."""
    how = dict(seed=3, name="big", whole=(1 << 20, 1 << 20), layout="OI")
    one, two = cla.empty(queue, 64, "f4"), cla.empty(queue, 32, "f4")
    fanin.fill(one, "xavier_normal", first=(1 << 39) + 5, **how)
    fanin.fill(two, "xavier_normal", first=(1 << 39) + 37, **how)
    assert same_bits(one.get()[32:], two.get())
