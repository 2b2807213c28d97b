"""adversary.py DIRECTORY: writes files that were made to fool 'fanin inspect', and their list, cases.tsv, with a line for each:
name, what was done, the arguments, how the last line of the answer begins, and what one line says of it: the beginning of
that line; "-": no line says that something fails or is suspicious.

Each case has one right answer. Cases whose words begin with "unseen:" are what docs/inspect.md says is not seen."""

import json
import struct
import sys

import numpy as np

draw = np.random.default_rng(12)
DTYPES = {
    "F32": "<f4",
    "F64": "<f8",
    "F16": "<f2",
    "U8": "u1",
    "F8_E4M3": "u1",
    "F8_E5M2": "u1",
    "F8_E8M0": "u1",
    "I32": "<i4",
}
cases = []


def bf16(x):
    """The bits of x rounded to bf16."""
    bits = np.asarray(x, "<f4").view("<u4").astype(np.uint64)
    return ((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16).astype("<u2")


def f8(dtype, x):
    """The bytes of x rounded to the nearest number of an 8-bit dtype, ties to even."""
    mantissa, bias = {"F8_E4M3": (3, 7), "F8_E5M2": (2, 15)}[dtype]
    code = np.arange(0x7F if dtype == "F8_E4M3" else 0x7C)
    exponent, fraction = code >> mantissa, (code & ((1 << mantissa) - 1)) / (1 << mantissa)
    numbers = np.where(exponent == 0, fraction * 2.0 ** (1 - bias), (1 + fraction) * 2.0 ** (exponent - bias))
    size = np.abs(np.asarray(x, "<f4").astype("f8"))
    above = np.clip(np.searchsorted(numbers, size), 1, len(numbers) - 1)
    low, high = size - numbers[above - 1], numbers[above] - size
    up = (high < low) | ((high == low) & (above % 2 == 0))
    return (np.where(up, above, above - 1) | (np.signbit(x) << 7)).astype("u1")


def save(name, tensors, metadata=None):
    """A tensor is an array, which becomes f32, or (dtype, array)."""
    header, data = {}, b""
    if metadata:
        header["__metadata__"] = metadata
    for key, value in tensors.items():
        dtype, x = value if isinstance(value, tuple) else ("F32", value)
        own = bf16(x).tobytes() if dtype == "BF16" else np.ascontiguousarray(x, DTYPES[dtype]).tobytes()
        header[key] = {
            "dtype": dtype,
            "shape": list(np.shape(x)),
            "data_offsets": [len(data), len(data) + len(own)],
        }
        data += own
    text = json.dumps(header).encode()
    with open(f"{sys.argv[1]}/{name}.safetensors", "wb") as out:
        out.write(struct.pack("<Q", len(text)) + text + data)


def case(name, what, answer, line, tensors, options="", metadata=None):
    save(name, tensors, metadata)
    cases.append((name, what, options, answer, line))


def normal(*shape):
    return draw.normal(size=shape)


def uniform(shape, bound):
    return draw.uniform(-bound, bound, shape)


def noted(tensors, init="normal", **layouts):
    """Metadata: every tensor is from that initializer."""
    notes = {f"fanin.init.{name}": init for name in tensors}
    return notes | {f"fanin.layout.{name}": layout for name, layout in layouts.items()}


def linear(name, what, answer, line, change, options="--rules pytorch"):
    """A fresh nn.Linear(300, 200), whose weight is then changed."""
    w = uniform((200, 300), 300**-0.5)
    bias = uniform(200, 300**-0.5)
    changed = change(w)
    case(name, what, answer, line, {"fc.weight": w if changed is None else changed, "fc.bias": bias}, options)


def promised(name, what, answer, line, tensors, init="normal", options="", **layouts):
    case(name, what, answer, line, tensors, options, noted(tensors, init, **layouts))


def put(at, value):
    def change(w):
        w[at] = value

    return change


def scores(x):
    """x with the values of a fresh normal in the order of its own."""
    out = np.empty(x.size)
    out[np.argsort(x, axis=None)] = np.sort(normal(x.size))
    return out.reshape(x.shape)


def cut(w, rank):
    u, s, v = np.linalg.svd(w)
    return (u[:, :rank] * s[:rank]) @ v[:rank]


FAILS, HOLDS, FAR, NOT = "FAILS: ", "HOLDS: ", "HOLDS AS FAR AS JUDGED: ", "NOT JUDGED: "

# ---- A layer of PyTorch's: scale, shape and place of single values ----
linear("fresh", "nothing", HOLDS, "-", lambda w: w)
linear("fresh_alone", "nothing, and nobody says what it should be", NOT, "-", lambda w: w, "")
linear("zeros", "all zeros", FAILS, "fc.weight: std: 0, expected 0.033333", lambda w: 0 * w)
linear("constant", "all 0.01", FAILS, "fc.weight: std: 0, expected 0.033333", lambda w: 0 * w + 0.01)
linear("ten_times", "ten times", FAILS, "fc.weight: std: 0.33", lambda w: 10 * w)
linear("wide", "3 % wider", FAILS, "fc.weight: std: 0.034", lambda w: 1.03 * w)
linear("narrow", "3 % narrower", FAILS, "fc.weight: std: 0.032", lambda w: w / 1.03)
linear("fan_out", "fan_out for fan_in", FAILS, "fc.weight: std: 0.040", lambda w: w * 1.5**0.5)
linear(
    "moved",
    "mean moved by 3 % of the std",
    FAILS,
    "fc.weight: mean: 0.00077334, expected 0",
    lambda w: w + 0.03 * w.std(),
)
linear("positive", "absolute values", FAILS, "fc.weight: std: 0.016", np.abs)
linear(
    "over_the_bound",
    "one value 1 % beyond the bound",
    FAILS,
    "fc.weight: maximum: 0.058312, expected 0.057735, too far out",
    put((3, 4), 0.058312),
)
linear("outlier", "one value of 5", FAILS, "fc.weight: std: 0.03", put((3, 4), 5.0))
linear("nan", "one NaN", FAILS, "fc.weight: 1 of its 60000 values is not finite", put((3, 4), np.nan))
linear("infinite", "one infinity", FAILS, "fc.weight: 1 of its 60000 values is not finite", put((0, 0), np.inf))
linear(
    "dead_row", "a row of zeros", FAILS, "fc.weight: count of rows that are all zeros: 1, expected 0 (row 7)", put(7, 0)
)
linear("dead_row_allowed", "a row of zeros of a projection, with --allow padding", FAILS,
       "fc.weight: count of rows that are all zeros: 1", put(7, 0), "--rules pytorch --allow padding")  # fmt: skip
linear(
    "dead_column",
    "a column of zeros",
    FAILS,
    "fc.weight: count of columns that are all zeros: 1",
    put((slice(None), 11), 0),
)
linear(
    "dropped",
    "one value of a thousand is 0",
    FAILS,
    "fc.weight: count of exact zeros: ",
    lambda w: w * (draw.random(w.shape) > 1e-3),
)
linear("negative_zeros", "a row of -0", FAILS, "fc.weight: count of exact zeros: 300, expected", put(5, -0.0))
linear("equal_values", "a row of 0.01", FAILS, "fc.weight: count of the most frequent value: 300", put(9, 0.01))
linear("lattice", "uniforms of 9 bits", FAILS, "fc.weight: minimum: ", lambda w: np.round(w * 4434) / 4434)
linear(
    "two_points",
    "the same std from two values",
    FAILS,
    "fc.weight: minimum: -0.033333, expected -0.057735, the tail stops too early",
    lambda w: np.sign(w) / 30,
)
linear("triangular", "the same std from another shape", FAILS, "fc.weight: minimum: ",
       lambda w: (uniform(w.shape, 1) + uniform(w.shape, 1)) / 30 * 1.5**0.5)  # fmt: skip
linear(
    "clipped",
    "clipped at 1.6 std",
    FAILS,
    "fc.weight: minimum: -0.0533, expected -0.057735, the tail stops too early",
    lambda w: np.clip(w, -0.0533, 0.0533),
)

# ---- Order ----
linear(
    "sorted",
    "in ascending order",
    FAILS,
    "fc.weight: chi-square of the row sums: ",
    lambda w: np.sort(w, axis=None).reshape(w.shape),
)
linear(
    "sorted_rows",
    "each row in ascending order",
    FAILS,
    "fc.weight: chi-square of the column sums: ",
    lambda w: np.sort(w, axis=1),
)
promised("echo", "5 % of the element before", FAILS, "w: correlation of elements 1 apart: 0.05",
         (lambda x: {"w": (x + 0.05 * np.roll(x, 1)) / 1.00125})(normal(200, 300)))  # fmt: skip
promised("row_echo", "5 % of the row before", FAILS, "w: correlation of elements one row apart: 0.04",
         (lambda x: {"w": (x + 0.05 * np.roll(x, 1, 0)) / 1.00125})(normal(200, 300)))  # fmt: skip
promised("row_offsets", "each row has an offset of 0.1 std", FAILS, "w: chi-square of the row sums: ",
         {"w": (normal(200, 300) + 0.1 * normal(200, 1)) / 1.005})  # fmt: skip
promised("balanced", "each column has the sum 0", FAILS, "w: chi-square of the column sums: ",
         (lambda x: {"w": x - x.mean(0)})(normal(300, 200)))  # fmt: skip
promised("trained", "a direction of a tenth of the noise's size", FAILS, "w: mean product of the corners of rectangles: ",
         {"w": scores(normal(200, 300) + 0.35 * np.sign(normal(200, 1)) * np.sign(normal(1, 300)))})  # fmt: skip

# ---- Rank: normal values in all of them ----
for rank, also in ((4, "chi-square of the row sums: ~.~, expected 299, z = +~.~; also column_sums, rank, dependence"),
                   (60, "mean product of the corners of rectangles: "), (128, "mean product of the corners of rectangles: "),
                   (1000, "mean product of the corners of rectangles: ")):  # fmt: skip
    promised(f"rank_{rank}", f"300 x 300, a product of matrices with {rank} columns, its values replaced by a normal's", FAILS,
             "w: " + also, {"w": scores(normal(300, rank) @ normal(rank, 300))})  # fmt: skip
promised("rank_199", "200 x 300 without its least singular value", FAILS, "w: rank of a block of the matrix: 199, expected 200",
         {"w": cut(normal(200, 300), 199)})  # fmt: skip
promised(
    "rank_90",
    "600 x 100 of rank 99",
    FAILS,
    "w: rank of a block of the matrix: 99, expected 100",
    {"w": cut(normal(600, 100), 99)},
)
promised("sum_of_rows", "a row is the sum of two others over the root of 2", FAILS, "w: rank of a block of the matrix: 199",
         (lambda x: (put(50, (x[3] + x[120]) / 2**0.5)(x), {"w": x})[1])(normal(200, 300)))  # fmt: skip

# ---- Symmetry ----
promised("symmetric", "a symmetric matrix", FAILS, "w: 200 of its rows are its columns",
         (lambda x: {"w": np.triu(x) + np.triu(x, 1).T})(normal(200, 200)))  # fmt: skip
promised("antisymmetric", "an antisymmetric matrix", FAILS, "w: correlation of elements with those across the diagonal: -1,",
         (lambda x: {"w": np.triu(x) - np.triu(x, 1).T})(normal(200, 200)))  # fmt: skip
promised("half_symmetric", "a tenth of its transpose added", FAILS, "w: correlation of elements with those across the diagonal: 0.20",
         (lambda x: {"w": (x + 0.1 * x.T) / 1.01**0.5})(normal(300, 300)))  # fmt: skip
promised("symmetric_kernels", "kernels that are equal for (o, i) and (i, o)", FAILS,
         "w: chi-square of the distribution: ~.~, expected 255, z = +~.~; also transpose",
         (lambda x: {"w": (x + x.transpose(1, 0, 2, 3)) / 2**0.5})(normal(40, 40, 3, 3)))  # fmt: skip
promised("symmetric_stack", "each of a stack of matrices is symmetric", FAILS,
         "w: chi-square of the distribution: ~.~, expected 255, z = +~.~; also transpose",
         (lambda x: {"w": (x + x.transpose(0, 2, 1)) / 2**0.5})(normal(8, 50, 50)), w="BOI")  # fmt: skip
case("antisymmetric_alone", "an antisymmetric matrix, and nobody says what it should be", NOT,
     "suspicious: w: correlation of elements with those across the diagonal: -1,",
     (lambda x: {"w": (x - x.T) / 2**0.5 + np.diag(normal(200))})(normal(200, 200)))  # fmt: skip
case("symmetric_alone", "a symmetric matrix, and nobody says what it should be", NOT,
     "suspicious: w: 200 of its rows are its columns",
     (lambda x: {"w": (x + x.T) / 2**0.5})(normal(200, 200)))  # fmt: skip

y = draw.laplace(size=(200, 200))
case(
    "half_symmetric_alone",
    "half its transpose added, of a law that is none of those that are known: training may do that",
    NOT,
    "-",
    {"w": y + 0.5 * y.T},
)

# ---- Copies: whole, in part, from another place on ----
x = normal(60000)
promised(
    "copy", "a copy", FAILS, "b: is a copy of a, bit for bit", {"a": x.reshape(200, 300), "b": x.reshape(200, 300)}
)
promised(
    "transposed_copy",
    "a transposed copy",
    FAILS,
    "b: is a transposed copy of a",
    {"a": x.reshape(200, 300), "b": x.reshape(200, 300).T},
)
promised(
    "reshaped_copy",
    "a copy of another shape",
    FAILS,
    "b: correlation +1.0000 with a",
    {"a": x.reshape(200, 300), "b": x.reshape(100, 600)},
)
promised("negative_copy", "a copy with the other sign", FAILS, "b: correlation -1.0000 with a", {"a": x, "b": -x})
promised("shifted", "a part of another tensor, from element 5000 on", FAILS,
         "b: some ~ elements from number ~ on are those of a from number ~ on", {"a": x, "b": x[5000:35000]})  # fmt: skip
promised("shifted_negative", "the same with the other sign", FAILS, "b: some ", {"a": x, "b": -x[5000:35000]})
promised(
    "shifted_signs",
    "the same with random signs",
    FAILS,
    "b: some ",
    {"a": x, "b": x[5000:35000] * np.sign(normal(30000))},
)
case("shifted_times_4", "the same times 4", FAILS, "b: some ", {"a": x, "b": 4 * x[5000:35000]}, "",
     {"fanin.init.a": "normal", "fanin.init.b": "normal:std=4"})  # fmt: skip
promised("shifted_bf16", "the same in bf16", FAILS, "b: some ", {"a": ("BF16", x), "b": ("BF16", x[5000:35000])})
promised("repeats", "its second half is its first", FAILS, "a: some ", {"a": np.concatenate([x[:30000], x[:30000]])})
promised("piece", "600 elements of another tensor in the midst of it", FAILS, "b: some ",
         (lambda y: (put(slice(7000, 7600), x[41000:41600])(y), {"a": x, "b": y})[1])(normal(20000)))  # fmt: skip
promised("two_files_of_rows", "rows of another tensor among others", FAILS, "b: 20 rows of it are rows of a",
         {"a": x.reshape(200, 300), "b": np.concatenate([normal(30, 300), x.reshape(200, 300)[40:60]])})  # fmt: skip
for dtype in ("F16", "BF16", "F64"):
    promised(f"in_{dtype}", f"a copy in {dtype}", FAILS, "b: has the values of a, in another dtype",
             {"a": x[:6000].astype("f4"), "b": (dtype, x[:6000].astype("f4"))})  # fmt: skip
near = x[:6000].astype("f4").astype("f2")
near[5000] = 0.5
case("nearly_tied", "one element of a tied tensor in f16 is not the other's", FAILS,
     "b: count of elements that are not what they should be: 1, expected 0", {"a": x[:6000], "b": ("F16", near)}, "",
     noted("ab") | {"fanin.key.b": "a"})  # fmt: skip
case(
    "tied_f16",
    "a tied tensor in f16",
    HOLDS,
    "-",
    {"a": x[:6000], "b": ("F16", x[:6000].astype("f4"))},
    "",
    noted("ab") | {"fanin.key.b": "a"},
)

# ---- The values of others in another order ----
SHUFFLED = "b: has the values of a, each as often, in another order"
y = x.reshape(200, 300)
promised("reversed", "a copy in reverse order", FAILS, "b: some ~ elements from number ~ down are those of a from number ~ on",
         {"a": x, "b": x[::-1]})  # fmt: skip
promised("reversed_part", "a part of another tensor in reverse order, with the other sign", FAILS, "b: some ~ elements from number ~ down",
         {"a": x, "b": -x[35000:5000:-1]})  # fmt: skip
promised("palindrome", "its second half is its first in reverse order", FAILS, "a: some ~ elements from number ~ down are those of the same",
         {"a": np.concatenate([x[:30000], x[29999::-1]])})  # fmt: skip
case("reversed_times_4", "a copy in reverse order, times 4", FAILS, "b: some ~ elements from number ~ down are those of a from number ~ on, times 4",
     {"a": x, "b": 4 * x[::-1]}, "", {"fanin.init.a": "normal", "fanin.init.b": "normal:std=4"})  # fmt: skip
promised(
    "shuffled", "the values of another tensor in another order", FAILS, SHUFFLED, {"a": x, "b": draw.permutation(x)}
)
promised(
    "shuffled_tied",
    "the same with --allow tied",
    FAILS,
    SHUFFLED,
    {"a": x, "b": draw.permutation(x)},
    options="--allow tied",
)
promised("shuffled_matrix", "rows and columns of another matrix, both in another order", FAILS, SHUFFLED,
         {"a": y, "b": y[draw.permutation(200)][:, draw.permutation(300)]})  # fmt: skip
promised(
    "shuffled_shape", "the same in another shape", FAILS, SHUFFLED, {"a": y, "b": draw.permutation(x).reshape(600, 100)}
)
promised("shuffled_bf16", "the same in bf16", FAILS, SHUFFLED, {"a": ("BF16", y), "b": ("BF16", draw.permutation(x))})
for dtype in ("F8_E4M3", "F8_E5M2"):
    own = f8(dtype, x[:6000])
    promised(f"shuffled_{dtype}", f"the same in {dtype}", FAILS, SHUFFLED, {"a": (dtype, own), "b": (dtype, draw.permutation(own))})  # fmt: skip
case("shuffled_alone", "the same, and nobody says what they should be", NOT, "suspicious: " + SHUFFLED,
     {"a": y, "b": draw.permutation(x).reshape(200, 300)})  # fmt: skip
promised("shuffled_rows", "20 rows of another tensor, the elements of each in another order", FAILS,
         "b: 20 rows of it have the values of rows of a in another order, row 30 those of row 40",
         {"a": y, "b": np.concatenate([normal(30, 300), draw.permuted(y[40:60], axis=1)])})  # fmt: skip
promised("reversed_row", "a row is another one in reverse order", FAILS,
         "w: count of rows that have the values of another in another order: 1, expected 0 (row 90 has those of row 7)",
         (lambda w: (put(90, w[7, ::-1])(w), {"w": w})[1])(normal(200, 300)))  # fmt: skip
promised("shuffled_vector", "a vector has the values of a row in another order", FAILS,
         "b: 1 row of it has the values of a row of a in another order, row 0 those of row 4", {"a": y, "b": draw.permutation(y[4])})  # fmt: skip


# ---- Orthogonal matrices, of which copies are no less copies ----
def orthogonal(n):
    return np.linalg.qr(normal(n, n))[0]


q = orthogonal(80)
for name, what, answer, line, other in (
    ("orthogonal_two", "two orthogonal matrices", HOLDS, "-", orthogonal(80)),
    ("orthogonal_copy", "a copy of an orthogonal matrix", FAILS, "b: is a copy of a, bit for bit", q),
    ("orthogonal_transposed", "the transpose of one", FAILS, "b: is a transposed copy of a", q.T),
    ("orthogonal_permuted", "its rows in another order", FAILS, "b: has the lines of a, bit for bit, in another order", q[::-1]),
    ("orthogonal_shuffled", "its rows and columns in another order", FAILS, SHUFFLED, q[draw.permutation(80)][:, draw.permutation(80)]),
    ("orthogonal_negative", "the same with the other sign", FAILS, "b: some ", -q),
):  # fmt: skip
    promised(name, what, answer, line, {"a": q, "b": other}, "orthogonal", a="OI", b="OI")

# ---- Values that are the same by right: few different ones, tables, ties ----
levels = draw.integers(-4, 5, (100, 300)) / 4
angle = np.outer(np.arange(1, 65), np.arange(256)) * (2 * np.pi / 256)
case("right_constants", "constants, zeros and identities, two of each", HOLDS, "-",
     {"a": np.ones((64, 64)), "b": np.ones((64, 64)), "c": np.zeros((64, 64)), "d": np.zeros(4096), "e": np.eye(64), "f": np.eye(64)},
     "--init a=ones --init b=ones --init c=zeros --init d=zeros --init e=identity --init f=identity")  # fmt: skip
case("right_levels", "few different values, in any order", NOT, "-", {"a": levels, "b": draw.permuted(levels, axis=1)})
case("right_cosines", "cosines and sines, whose values are the same ones", NOT, "suspicious: real: count of columns that are a multiple",
     {"real": np.cos(angle), "imag": np.sin(angle)})  # fmt: skip
odd = [draw.exponential(size=20000) ** 3 for k in range(8)]
case("right_odd", "tables whose second half is their first in reverse order, with the other sign", NOT, "-",
     {f"t{k}": np.concatenate([-x[::-1], x]) for k, x in enumerate(odd)})  # fmt: skip
promised("right_signs", "orthogonal matrices of 1 x 1, which are 1 and -1", HOLDS, "-",
         {name: np.sign(normal(200000, 1, 1)) for name in "ab"}, "orthogonal", a="BOI", b="BOI")  # fmt: skip
case(
    "right_tied",
    "tied tensors, as the metadata say",
    HOLDS,
    "-",
    {"a": y, "b": y},
    "",
    noted("ab") | {"fanin.key.b": "a"},
)
small = [f8("F8_E4M3", normal(16)) for k in range(60)]
case("right_small", "60 tensors of 16 elements of 8 bits", HOLDS, "-", {f"w{k}": ("F8_E4M3", small[k]) for k in range(60)}, "",
     noted([f"w{k}" for k in range(60)]))  # fmt: skip
case("right_embedding", "rows of few elements of 8 bits, of which some have the same values by chance", HOLDS, "-",
     {"w": ("F8_E4M3", f8("F8_E4M3", normal(20000, 4)))}, "", noted("w"))  # fmt: skip

# ---- Rows and columns that are multiples of others ----
linear("equal_rows", "two equal rows", FAILS, "fc.weight: count of rows that repeat another: 1, expected 0 (row 9 is row 4)",
       lambda w: put(9, w[4])(w))  # fmt: skip
linear("negative_row", "a row is another one with the other sign", FAILS,
       "fc.weight: count of rows that are a multiple of another: 1, expected 0 (row 9 is -1 times row 4)", lambda w: put(9, -w[4])(w))  # fmt: skip
linear("scaled_row", "a row is 0.7 times another", FAILS,
       "fc.weight: count of rows that are a multiple of another: 1, expected 0 (row 9 is 0.7 times row 4)", lambda w: put(9, 0.7 * w[4])(w))  # fmt: skip
linear("negative_column", "a column is another one with the other sign", FAILS,
       "fc.weight: count of columns that are a multiple of another: 1, expected 0 (column 250 is -1 times column 31)",
       lambda w: put((slice(None), 250), -w[:, 31])(w))  # fmt: skip
linear("scaled_row_alone", "a row is 0.7 times another, and nobody says what it should be", NOT,
       "suspicious: fc.weight: count of rows that are a multiple of another: 1", lambda w: put(9, 0.7 * w[4])(w), "")  # fmt: skip
promised("scaled_row_bf16", "in bf16, a row is -0.6 times another", FAILS, "w: count of rows that are a multiple of another: 1",
         (lambda y: (put(9, -0.6 * y[4])(y), {"w": ("BF16", y)})[1])(normal(200, 300)))  # fmt: skip

# ---- Padding ----
table = uniform((1000, 64), 0.05)
for name, what, rows, columns, answer, line in (
    ("padding", "a row of zeros of an embedding", [17], [], HOLDS, "note: embed.weight: row 17 is all zeros"),
    ("padded_end", "the last 5 rows of an embedding are zeros", [995, 996, 997, 998, 999], [], HOLDS,
     "note: embed.weight: the last 5 rows are all zeros"),
    ("two_dead", "two rows of an embedding are zeros", [17, 200], [], FAILS, "embed.weight: count of rows that are all zeros: 2"),
    ("dead_feature", "a column of an embedding is zeros", [], [3], FAILS, "embed.weight: count of columns that are all zeros: 1"),
    ("dead_end", "the last 200 rows of an embedding are zeros", range(800, 1000), [], FAILS,
     "embed.weight: count of rows that are all zeros: 200"),
):  # fmt: skip
    y = table.copy()
    y[list(rows)] = 0
    y[:, columns] = 0
    case(
        name,
        what + ", with --allow padding",
        answer,
        line,
        {"embed.weight": y},
        "--init uniform:lo=-0.05,hi=0.05 --allow padding",
    )

# ---- What files and rules say ----
w = {"fc.weight": uniform((200, 300), 300**-0.5)}
case(
    "lying_metadata",
    "the metadata say zeros of what is none",
    FAILS,
    "fc.weight: count of elements that are not what they should be: 60000",
    w,
    "",
    noted(w, "zeros"),
)
case("agreed_metadata", "metadata and rules say the same", HOLDS, "-", w, "--rules pytorch",
     noted(w, "pytorch_default") | {"fanin.layout.fc.weight": "OI"})  # fmt: skip
case("disputed", "the metadata say zeros, which it is, and rules do not", HOLDS,
     "suspicious: fc.weight: its metadata say zeros, and rules pytorch say he_uniform:a=2.2361: it is judged by the metadata",
     {"fc.weight": np.zeros((200, 300))}, "--rules pytorch", noted(w, "zeros"))  # fmt: skip
case(
    "unknown_maker",
    "the metadata name an initializer that there is not",
    NOT,
    "note: fc.weight: not judged: its initializer in the metadata",
    w,
    "",
    noted(w, "magic"),
)
case("unknown_maker_ruled", "the same, and rules know better", HOLDS, "-", w, "--rules pytorch", noted(w, "magic"))
case("swapped_layout", "the metadata name the other layout", FAILS, "fc.weight: std: 0.03", w, "",
     noted(w, "pytorch_default") | {"fanin.layout.fc.weight": "IO"})  # fmt: skip
case("false_factor", "the metadata name a factor that is negative", NOT, "note: fc.weight: not judged: its factor", w, "",
     {"fanin.calibrated.fc.weight": "he_normal", "fanin.factor.fc.weight": "-1"})  # fmt: skip
case("lost_twin", "a copy whose metadata name another tensor, which is not there", FAILS, "b: is a copy of a", {"a": x, "b": x}, "",
     noted("ab") | {"fanin.key.b": "gone"})  # fmt: skip
gemma = {"model.embed_tokens.weight": 0.02 * normal(500, 64), "model.norm.weight": np.zeros(64)}
case("declined", "Gemma's norm under rules that cannot tell it from Llama's", FAR,
     "note: model.norm.weight: not judged: the rules decline it: the value 'norm' must be given", gemma, "--rules llama")  # fmt: skip
case(
    "declined_init",
    "the same, with an initializer for what the rules leave, which the norm is not left to",
    FAR,
    "note: model.norm.weight: not judged: the rules decline it: the value 'norm' must be given",
    gemma,
    "--rules llama --init normal:std=0.02",
)
part = {f"h.{k}.attn.c_proj.weight": 0.02 / 24**0.5 * normal(64, 64) for k in range(6, 12)}
part |= {f"h.{k}.attn.c_attn.weight": 0.02 * normal(64, 192) for k in range(6, 12)}
case(
    "part",
    "the second half of a GPT-2, whose layers cannot be counted",
    FAR,
    "note: h.6.attn.c_proj.weight: not judged: the rules decline it: the value 'layers' would be 6",
    part,
    "--rules gpt2",
)
case("part_set", "the same, with their number", HOLDS, "-", part, "--rules gpt2 --set layers=12")
case("refused", "norms that the rules refuse", FAR, "note: model.norm.weight: not judged: the rules decline it: Gemma 2, Gemma 3 and Qwen3-Next have such norms",
     gemma | {"model.layers.0.pre_feedforward_layernorm.weight": np.ones(64)}, "--rules llama")  # fmt: skip
case("identity", "an identity whose rows are moved by one", FAILS, "w: count of elements that are not what they should be: 128",
     {"w": np.roll(np.eye(64), 1, 0)}, "", noted("w", "identity") | {"fanin.layout.w": "OI"})  # fmt: skip
case("orthogonal", "as long as an orthogonal matrix, and none", FAILS, "w: largest product of two lines",
     (lambda y: {"w": y / np.sqrt((y * y).mean()) / 8})(normal(64, 64)), "--init orthogonal")  # fmt: skip
case("fp8_nan", "NaN in fp8", FAILS, "w: 64 of its 64 values are not finite", {"w": ("F8_E4M3", np.full((8, 8), 0x7F))})
case(
    "scales",
    "a dtype that is not measured",
    NOT,
    "note: w: not judged: dtype F8_E8M0 is not measured",
    {"w": ("F8_E8M0", np.full((8, 8), 3))},
    "--init zeros",
)
case("empty", "a tensor without elements", NOT, "-", {"w": np.zeros((0, 4))}, "--init normal")
case("far", "a scalar of 1e30", FAILS, "w: mean: 1e+30, expected 0", {"w": np.float64(1e30)}, "--init normal")

# ---- Sizes of lines: normal values in all of them ----
z = normal(200, 300)
promised("row_norms", "every row has the same length", FAILS, "w: chi-square of the rows' sums of squares: ~.~, expected 199, z = -",
         {"w": scores(z / np.sqrt((z * z).mean(1, keepdims=True)))})  # fmt: skip
promised("row_sizes", "every other row is 10 % longer", FAILS, "w: chi-square of the rows' sums of squares: ",
         {"w": scores(z * np.where(np.arange(200) % 2, 1, 1.1)[:, None])})  # fmt: skip
promised("column_sizes", "the last third of the columns is 10 % longer", FAILS, "w: chi-square of the columns' sums of squares: ",
         {"w": scores(z * np.where(np.arange(300) < 200, 1, 1.1))})  # fmt: skip

# ---- 8 bits ----
promised("rank_60_8_bits", "a product of matrices with 60 columns, in F8_E4M3", FAILS, "w: mean product of the corners of rectangles: ",
         {"w": ("F8_E4M3", f8("F8_E4M3", scores(normal(300, 60) @ normal(60, 300))))})  # fmt: skip
promised("antisymmetric_8_bits", "an antisymmetric matrix, in F8_E4M3", FAILS, "w: correlation of elements with those across the diagonal: -1,",
         (lambda x: {"w": ("F8_E4M3", f8("F8_E4M3", np.triu(x) - np.triu(x, 1).T))})(normal(200, 200)))  # fmt: skip

with open(f"{sys.argv[1]}/cases.tsv", "w") as out:
    for row in cases:
        out.write("\t".join(field or "-" for field in row) + "\n")
