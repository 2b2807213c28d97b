"""Networks and files made to have 'fanin probe' say CONFORMS or HEALTHY of what is not so. Each row is a file, options,
the exit status, and what the output must and must not say; where a probe cannot see the fault, its verdict names its
condition, and 'fanin inspect' of the same file fails."""

import json
import math
import os
import random
import re
import struct
import subprocess

random.seed(7)
FANIN = os.environ["FANIN"]
FORMATS = {"F32": "f", "F16": "e", "I64": "q"}


def write(path, tensors, notes):
    header, data = {"__metadata__": notes}, b""
    for name, dtype, shape, values in tensors:
        raw = struct.pack(f"<{len(values)}{FORMATS[dtype]}", *values)
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + data)


def he(rows, columns, factor=1.0):
    return [random.gauss(0, factor * math.sqrt(2 / columns)) for _ in range(rows * columns)]


def network(widths=(64, 64, 64, 64, 10), dtype="F32", weights={}, biases={}, inits={}, layout="OI", **more):
    """A file of he_normal weights that says so, but for what is given of some layers."""
    tensors, notes = [], {}
    for l in range(1, len(widths)):
        name, shape = f"layer{l}.weight", [widths[l], widths[l - 1]]
        tensors.append((name, dtype, shape, weights.get(l) or he(*shape)))
        notes[f"fanin.init.{name}"] = inits.get(l, inits.get(0, "he_normal"))
        notes[f"fanin.layout.{name}"] = layout
        if "factor" in more:
            notes[f"fanin.calibrated.{name}"] = notes.pop(f"fanin.init.{name}")
            notes[f"fanin.factor.{name}"] = more["factor"]
        if l in biases:
            tensors.append((f"layer{l}.bias", "F32", [widths[l]], biases[l]))
    return tensors, notes


def changed(change):
    """64 x 64 weights of he_normal, each entry by a function of row, column and value."""
    return [change(k // 64, k % 64, w) for k, w in enumerate(he(64, 64))]


def rows(change):
    values = he(64, 64)
    change(values)
    return values


def repeat(values):
    values[64:128] = values[:64]


def negate(values):
    values[64:128] = [-w for w in values[:64]]


def rank_two():
    u, v = [random.gauss(0, 1) for _ in range(128)], [random.gauss(0, 1) for _ in range(128)]
    scale = math.sqrt(1 / 64)
    return [scale * (u[i] * v[j] + u[64 + i] * v[64 + j]) for i in range(64) for j in range(64)]


def symmetric():
    values = he(64, 64)
    return [values[max(k // 64, k % 64) * 64 + min(k // 64, k % 64)] for k in range(4096)]


SAME, END = he(64, 64), math.sqrt(6 / 64)
LARGE = f"normal:std={1e5 * math.sqrt(2 / 64)}"
RIGHT, WRONG = "^CONFORMS in mean, std, q and G:", "^DOES NOT CONFORM"
IF_RANDOM = "^HEALTHY, if the weights are the random numbers that they are judged as:"
# file, options, exit status, what is said, whether inspect fails too
CASES = {
    "right": (network(), [], 0, [RIGHT, IF_RANDOM], False),
    "right, biases of -0.0": (network(biases={2: [-0.0] * 64}), [], 0, [RIGHT, IF_RANDOM], None),
    "right, layout IO, square": (network((64, 64, 64), layout="IO"), [], 0, [RIGHT, IF_RANDOM], False),
    "right, one sample": (network(), ["--batch", "1"], 0, [RIGHT, IF_RANDOM], None),
    "right, a layer of one feature": (network((64, 1, 64, 10)), ["--require", "conforms"], 0, [RIGHT], None),
    "metadata of another initializer": (network(inits={0: "lecun_normal"}), [], 1, [WRONG, "GAIN_MISMATCH"], True),
    "metadata of nobody's initializer": (network(inits={2: "no_such"}), [], 2, ["no initializer is called"], None),
    "metadata of a factor of 2": (network(factor="2"), [], 1, [WRONG, "GAIN_MISMATCH"], True),
    "metadata of a factor of 0": (network(factor="0"), [], 2, ["factor in the metadata is not a number above 0"], None),
    "one layer in place of two": (network(weights={2: SAME, 3: SAME}), [], 0, [RIGHT, IF_RANDOM], True),
    "a layer and its transpose": (
        network(weights={2: SAME, 3: [SAME[k % 64 * 64 + k // 64] for k in range(4096)]}),
        [],
        1,
        [WRONG, "UNEXPLAINED, layer 1"],
        None,
    ),
    "rank 2": (network(weights={2: rank_two()}), [], 1, [WRONG, "UNEXPLAINED, layer 1"], True),
    "symmetric": (network(weights={2: symmetric()}), [], 0, [RIGHT, IF_RANDOM], True),
    "two values": (
        network(weights={2: changed(lambda i, j, w: math.copysign(math.sqrt(2 / 64), w))}),
        [],
        0,
        [RIGHT],
        True,
    ),
    "a uniform": (network(weights={2: [random.uniform(-END, END) for _ in range(4096)]}), [], 0, [RIGHT], True),
    "columns of two sizes": (
        network(weights={2: changed(lambda i, j, w: w * math.sqrt((0.1, 1.9)[j % 2]))}),
        [],
        0,
        [RIGHT, IF_RANDOM],
        True,
    ),
    "sorted": (network(weights={2: sorted(he(64, 64))}), [], 1, [WRONG, "RANK_COLLAPSE"], None),
    "a row twice": (network(weights={2: rows(repeat)}), [], 1, [WRONG, "SYMMETRY, layer 2: 1 of 64 rows"], True),
    "a row and its negative": (network(weights={2: rows(negate)}), [], 0, [RIGHT, IF_RANDOM], None),
    "three quarters of the rows 0": (
        network(weights={2: changed(lambda i, j, w: w if i < 16 else 0.0)}),
        [],
        1,
        [WRONG, "^NOT HEALTHY: .*SYMMETRY"],
        True,
    ),
    "zeros that should be random": (network(weights={2: [0.0] * 4096}), [], 1, [WRONG, "SYMMETRY", "DEAD_RELU"], True),
    "zeros that should be zeros": (
        network(weights={2: [0.0] * 4096}, inits={2: "zeros"}),
        [],
        1,
        [RIGHT, "^NOT HEALTHY: .*DEAD_RELU"],
        None,
    ),
    "an outlier": (network(weights={2: [50.0] + he(64, 64)[1:]}), [], 1, [WRONG], True),
    "NaN in a bias": (
        network(biases={2: [math.nan] + [0.0] * 63}),
        [],
        2,
        ["1 of 64 numbers are infinite or NaN"],
        None,
    ),
    "infinity in a weight": (network(weights={2: [math.inf] + SAME[1:]}), [], 2, ["1 of 4096 numbers are"], None),
    "biases of std 100": (
        network(biases={2: [random.gauss(0, 100) for _ in range(64)]}),
        [],
        1,
        ["^NOT HEALTHY: .*FORWARD_EXPLODE.*RANK_COLLAPSE"],
        None,
    ),
    "biases of -50": (network(biases={2: [-50.0] * 64}), [], 1, ["^NOT HEALTHY: .*DEAD_RELU"], None),
    "biases of -1e30, beside which all else is rounded off": (
        network(biases={4: [-1e30] * 10}),
        [],
        1,
        [RIGHT, "^NOT HEALTHY: .*FORWARD_EXPLODE"],
        None,
    ),
    "rows of two sizes": (
        network(weights={2: changed(lambda i, j, w: w * math.sqrt((0.2, 1.8)[i % 2]))}),
        [],
        0,
        [RIGHT, IF_RANDOM],
        True,
    ),
    "a layer and its values in reverse order": (
        network(weights={2: SAME, 3: SAME[::-1]}),
        [],
        0,
        [RIGHT, IF_RANDOM],
        True,
    ),
    "biases of two values": (
        network(biases={l: [0.5, -0.5] * (32 if l < 4 else 5) for l in range(1, 5)}),
        [],
        0,
        [RIGHT, "^HEALTHY, if the weights .*, and the biases random ones of mean 0:"],
        None,
    ),
    "biases that leave a quarter alive": (
        network(biases={2: [-2.0] * 48 + [0.0] * 16}),
        [],
        1,
        ["^NOT PREDICTED"],
        None,
    ),
    "numbers below f32's normal ones": (
        network(weights={2: [w * 1e-38 for w in he(64, 64)]}, inits={2: f"normal:std={1e-38 * math.sqrt(2 / 64)}"}),
        [],
        1,
        [RIGHT, "^NOT HEALTHY: FORWARD_VANISH, BACKWARD_VANISH, FP16_RANGE"],
        None,
    ),
    "biases of 3": (network(biases={2: [3.0] * 64}), [], 1, ["^NOT PREDICTED"], None),
    "overflow of f16": (
        network(dtype="F16", weights={2: [max(-65504, min(65504, w * 1e5)) for w in SAME]}, inits={2: LARGE}),
        [],
        1,
        ["^NOT HEALTHY: .*FORWARD_EXPLODE.*FP16_RANGE"],
        None,
    ),
    "overflow of f32": (
        network(weights={2: [w * 1e22 for w in SAME], 3: [w * 1e22 for w in SAME]}),
        [],
        1,
        ["^DOES NOT CONFORM: the values of layer . overflow f32", "^NOT HEALTHY: FORWARD_EXPLODE"],
        True,
    ),
    "integers": (([("layer1.weight", "I64", [8, 8], [1] * 64)], {}), [], 2, ["is I64; a probe takes floats"], None),
    "kernels": (([("layer1.weight", "F32", [8, 8, 3, 3], he(64, 9))], {}), [], 2, ["has the shape 8x8x3x3"], None),
    "attention": (
        ([(f"{n}.weight", "F32", [64, 64], he(64, 64)) for n in "qkv"], {}),
        [],
        2,
        ["more than one order makes a network of its 3 matrices"],
        None,
    ),
    "an input of zeros": (network(), ["--input", "zeros.csv"], 2, ["cannot be standardised"], None),
    "a constant input": (network(), ["--input", "constant.csv"], 2, ["cannot be standardised"], None),
    "samples that are all one": (network(), ["--input", "alike.csv"], 0, [RIGHT, IF_RANDOM], None),
    # Beside a batch norm there is a law of q and none of g, so that the sentence ends with q.
    "a layer and its transpose beside a batch norm": (
        network(weights={1: SAME, 2: [SAME[k % 64 * 64 + k // 64] for k in range(4096)]}),
        ["--norm", "batch"],
        1,
        [WRONG, r"^UNEXPLAINED, layer 2: the weights' mean and std are as expected, but q is [^()]+ \(z [^()]+\)$"],
        None,
    ),
}
for name, row in {
    "zeros": ["0"] * 64,
    "constant": ["2.5"] * 64,
    "alike": [f"{random.gauss(0, 1):.6f}" for _ in range(64)],
}.items():
    with open(f"{name}.csv", "w") as file:
        file.write((",".join(row) + "\n") * 20)

wrong = []
for name, ((tensors, notes), options, status, said, inspected) in CASES.items():
    write("case.safetensors", tensors, notes)
    run = [FANIN, "probe", "--weights", "case.safetensors", *options]
    result = subprocess.run(run, capture_output=True, text=True)
    text = result.stdout + result.stderr
    missing = [word for word in said if not re.search(word, text, re.MULTILINE)]
    if result.returncode != status or missing:
        wrong.append(f"{name}: exit status {result.returncode} for {status}, without {missing}:\n{text}")
    if any(re.search(r"^(CONFORMS|HEALTHY)(?! in mean, std, q and G:|, if)", line) for line in text.splitlines()):
        wrong.append(f"{name}: a verdict without its condition:\n{text}")
    if inspected is None:
        continue
    result = subprocess.run([FANIN, "inspect", "case.safetensors"], capture_output=True, text=True)
    if result.returncode != inspected:
        wrong.append(f"{name}: inspect has exit status {result.returncode}:\n{result.stdout}{result.stderr}")
assert not wrong, "\n".join(wrong)
assert len(CASES) >= 35, len(CASES)
