"""Arguments of wrong types and values, and arrays of every form: the right result, or an error that names the argument."""

import fractions
import inspect

import numpy as np
import pyopencl as cl
import pyopencl.array as cla
import pytest
from conftest import same_bits

import fanin

HOW = dict(seed=5, name="w")
EXPECTED = fanin.array((6, 4), "normal", **HOW)


# ---- Arrays ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["f4", "f2", "f8"])
@pytest.mark.parametrize("order", "<>=")
def test_byte_orders(dtype, order):
    array = np.zeros((6, 4), order + dtype)
    fanin.fill_numpy(array, "normal", **HOW)
    assert (array == fanin.array((6, 4), "normal", dtype=np.dtype(dtype).name, **HOW)).all()
    made = fanin.array((6, 4), "normal", dtype=np.dtype(order + dtype), **HOW)
    assert made.dtype == np.dtype(order + dtype) and (made == array).all()
    view = np.zeros((6, 8), order + dtype)[::-1, ::2]
    fanin.fill_numpy(view, "normal", **HOW)
    assert (view == array).all()


def test_byte_order_of_held_bits():
    native, swapped = np.zeros(24, "u2"), np.zeros(24, np.dtype("u2").newbyteorder())
    for array in (native, swapped):
        fanin.fill_numpy(array, "normal", dtype="bf16", **HOW)
    assert (native == swapped).all() and native.any()


FOREIGN = np.dtype("f4").newbyteorder()


@pytest.mark.parametrize(
    "call",
    [
        lambda queue: fanin.fill(cla.Array(queue, 4, FOREIGN), "ones"),
        lambda queue: fanin.fill(cla.empty(queue, 4, "f4").base_data, "ones", dtype=FOREIGN, shape=4, queue=queue),
        lambda queue: fanin.Plan(queue, [fanin.Item(None, "ones", dtype=FOREIGN, shape=4)]),
        lambda queue: fanin.measure(cla.Array(queue, 4, FOREIGN)),
        lambda queue: fanin.probe([4, 4], dtype=FOREIGN),
        lambda queue: fanin.expect((4,), "ones", dtype=FOREIGN),
    ],
)
def test_byte_order_where_it_cannot_be_right(queue, call):
    with pytest.raises(fanin.ArgumentError, match="f4.* byte order"):
        call(queue)


def read_only():
    array = np.zeros(3, "f4")
    array.flags.writeable = False
    return array


@pytest.mark.parametrize(
    "array, words",
    [
        (read_only(), "array is read-only"),
        (np.broadcast_to(np.float32(0), (3, 3)), "array is read-only"),
        (np.lib.stride_tricks.as_strided(np.zeros(4, "f4"), (3, 3), (0, 4)), "do not overlap"),
        (np.lib.stride_tricks.as_strided(np.zeros(9, "f4"), (3, 3), (8, 4)), "do not overlap"),
        (np.zeros(3, [("a", "f4")]), "elements are .*a"),
        (np.zeros(3, object), "elements are .*object"),
        (np.zeros(3, "c8"), "elements are .*complex64"),
        (np.zeros(3, bool), "elements are .*bool"),
        (np.zeros(3, "i4"), "elements are .*int32"),
        (np.zeros(3, "U5"), "elements are .*U5"),
        (np.zeros(3, "M8[s]"), "elements are .*datetime64"),
        (np.zeros(3, "g"), "elements are .*float128"),
        (np.ma.zeros(3, "f4"), "masked array"),
    ],
)
@pytest.mark.parametrize("call", [fanin.fill, fanin.fill_numpy])
def test_arrays_refused(call, array, words):
    before = np.asarray(array).tobytes()
    with pytest.raises(fanin.ArgumentError, match=words):
        call(array, "ones")
    assert np.asarray(array).tobytes() == before


@pytest.mark.parametrize("shape", [(0,), (3, 0), (0, 5), (), (1,), (1, 1, 1)])
def test_shapes_of_few_elements(shape):
    array = np.zeros(shape, "f4")
    fanin.fill(array, "normal", **HOW)
    assert same_bits(array.ravel(), fanin.array(4, "normal", **HOW)[: array.size])


@pytest.mark.parametrize(
    "take",
    [
        lambda m: m.T,
        lambda m: m[::-1],
        lambda m: m[::-2, 1::2],
        lambda m: np.asfortranarray(m),
        lambda m: m[3],
        lambda m: m[:, 1],
        lambda m: np.frombuffer(bytearray(97), "f4", 24, 1).reshape(6, 4),  # not aligned
        lambda m: m.view(np.recarray),
    ],
)
def test_forms(take):
    array = take(np.zeros((6, 4), "f4"))
    fanin.fill(array, "normal", **HOW)
    assert (np.asarray(array) == fanin.array(array.shape, "normal", **HOW)).all()


# ---- Arguments -------------------------------------------------------------------------------------------------------


class Index:
    """What counts as an integer for Python."""

    def __index__(self):
        return 5


@pytest.mark.parametrize("five", [5, np.int8(5), np.uint64(5), np.array(5), Index()])
def test_integers_of_every_kind(five, queue):
    expected = fanin.array((6, 4), "normal", **HOW)
    assert same_bits(fanin.array((6, 4), "normal", seed=five, name="w"), expected)
    one = fanin.array(np.int64(3), "normal", seed=1, stream=five)
    assert same_bits(one, fanin.array(3, "normal", seed=1, stream=5))
    assert fanin.fans((five, np.uint8(10)), "OI", groups=five).fan_in == 10
    assert len(fanin.split((10, 3), five, np.int32(0))) == 5
    plan = fanin.Plan(queue, [fanin.Item(None, "normal", "w", dtype="f32", shape=(five, 4))])
    plan.fill(five)
    assert same_bits(plan.array(np.int64(0)).get(), expected[:5])


@pytest.mark.parametrize("number", [2, 2.0, np.float32(2), np.int16(2), fractions.Fraction(2), np.array(2.0)])
def test_numbers_of_every_kind(number):
    assert fanin.gain("leaky_relu", number) == fanin.gain("leaky_relu", 2.0)
    assert fanin.Init("normal", std=number) == fanin.Init("normal:std=2")
    assert fanin.theory([4, 4], sigma_w2=number)[0].sigma_w2 == 2


NO_INTEGERS = [1.5, 2.0, "42", b"42", True, np.True_, float("nan"), np.float32(1), 1j, [1], np.array([0, 1], "u4")]
NO_NUMBERS = ["1", b"1", True, np.True_, None, 1j, [1.0, 2.0], np.array([1.0, 2.0]), object()]
NO_TEXTS = [3, b"w", True, 1.5, ["w"], object()]
NO_FLAGS = [0, 1, "no", None, 1.5, np.array([True, False])]
NO_SEQUENCES = [3.5, "34", b"34", {4: 4}, object()]
NO_OBJECTS = [3, "x", 1.5, object()]
# name of the argument, what it is never to be, and a call with it.
TYPES = [
    ("seed", NO_INTEGERS, lambda x: fanin.array(3, "normal", seed=x, name="w")),
    ("seed", NO_INTEGERS, lambda x: fanin.array(3, "ones", seed=x)),
    ("seed", NO_INTEGERS, lambda x: fanin.probe([3, 3], seed=x)),
    ("stream", NO_INTEGERS, lambda x: fanin.array(3, "normal", seed=1, stream=x)),
    ("name", NO_TEXTS, lambda x: fanin.array(3, "normal", seed=1, name=x)),
    ("name", NO_TEXTS, fanin.stream_of),
    ("layout", NO_TEXTS, lambda x: fanin.fans((3, 3), x)),
    ("groups", NO_INTEGERS, lambda x: fanin.fans((3, 3), "OI", groups=x)),
    ("splits", NO_INTEGERS, lambda x: fanin.std((3, 3), "he_normal", "OI", splits=x)),
    ("shape", NO_SEQUENCES, lambda x: fanin.fans(x, "OI")),
    ("shape", NO_SEQUENCES, lambda x: fanin.array(x, "ones")),
    ("shape[1]", NO_INTEGERS[:9], lambda x: fanin.fans((3, x), "OI")),
    ("whole", NO_SEQUENCES, lambda x: fanin.array(3, "ones", whole=x, first=0)),
    ("whole", NO_SEQUENCES, lambda x: fanin.split(x, 2)),
    ("start", NO_SEQUENCES, lambda x: fanin.array(3, "ones", whole=(3,), start=x)),
    ("start[0]", NO_INTEGERS, lambda x: fanin.array(3, "ones", whole=(3,), start=[x])),
    ("first", NO_INTEGERS, lambda x: fanin.array(3, "ones", whole=(3,), first=x)),
    ("count", NO_INTEGERS, lambda x: fanin.split((3,), x)),
    ("dimension", NO_INTEGERS, lambda x: fanin.split((3,), 2, x)),
    ("init", [3, None, True, b"ones", object()], lambda x: fanin.array(3, x)),
    ("init", [3, None, b"ones"], fanin.Init),
    ("std", [None, b"1", 1j, [1.0], object()], lambda x: fanin.Init("normal", std=x)),
    ("factor", NO_NUMBERS, lambda x: fanin.Init("normal").scaled(x)),
    ("dtype", [3, None, True, 1.5, b"f32", object()], lambda x: fanin.array(3, "ones", dtype=x)),
    ("dtype", [3, None, True, 1.5, b"f32", object()], lambda x: fanin.expect(3, "ones", dtype=x)),
    ("device", [3.5, True, b"cpu", object()], lambda x: fanin.array(3, "ones", device=x)),
    ("selector", [3.5, True, b"cpu", object()], fanin.Device.open),
    ("context", NO_OBJECTS, fanin.Device),
    ("activation", NO_TEXTS, fanin.gain),
    ("slope", NO_NUMBERS[:4], lambda x: fanin.gain("leaky_relu", x)),
    ("criterion", NO_TEXTS, lambda x: fanin.gain("relu", criterion=x)),
    ("text", NO_TEXTS, fanin.scheme),
    ("widths", NO_SEQUENCES, fanin.probe),
    ("widths[1]", NO_INTEGERS, lambda x: fanin.probe([3, x])),
    ("activation", NO_TEXTS, lambda x: fanin.probe([3, 3], x)),
    ("slope", NO_NUMBERS, lambda x: fanin.probe([3, 3], slope=x)),
    ("bias_std", NO_NUMBERS, lambda x: fanin.probe([3, 3], bias_std=x)),
    ("norm", NO_TEXTS, lambda x: fanin.probe([3, 3], norm=x)),
    ("residual", NO_FLAGS, lambda x: fanin.probe([3, 3], residual=x)),
    ("block", NO_TEXTS, lambda x: fanin.probe([3, 3], block=x)),
    ("batch", NO_INTEGERS, lambda x: fanin.probe([3, 3], batch=x)),
    ("input", ["x", object(), [["a"]]], lambda x: fanin.probe([3, 3], input=x)),
    ("weights", NO_SEQUENCES, lambda x: fanin.probe([3, 3], weights=x)),
    ("weight_factors", NO_SEQUENCES, lambda x: fanin.probe([3, 3], weight_factors=x)),
    ("weight_factors[0]", NO_NUMBERS, lambda x: fanin.probe([3, 3], weight_factors=[x])),
    ("inits", NO_SEQUENCES, lambda x: fanin.probe([3, 3], inits=x)),
    ("biases", NO_SEQUENCES, lambda x: fanin.probe([3, 3], biases=x)),
    ("biases[0]", ["x", object(), [["a"]]], lambda x: fanin.probe([3, 3], biases=[x])),
    ("progress", NO_OBJECTS, lambda x: fanin.probe([3, 3], progress=x)),
    ("queue", NO_OBJECTS, lambda x: fanin.probe([3, 3], queue=x)),
    ("widths", NO_SEQUENCES, fanin.theory),
    ("widths[0]", NO_INTEGERS, lambda x: fanin.theory([x, 3])),
    ("activation", NO_TEXTS, lambda x: fanin.theory([3, 3], x)),
    ("sigma_w2", ["1", b"1", True, object()], lambda x: fanin.theory([3, 3], sigma_w2=x)),
    ("sigma_w2[0]", NO_NUMBERS, lambda x: fanin.theory([3, 3], sigma_w2=[x])),
    *[
        (name, NO_NUMBERS, lambda x, name=name: fanin.theory([3, 3], **{name: x}))
        for name in ("sigma_b2", "slope", "second_moment", "correlation", "gradient")
    ],
    ("norm", NO_TEXTS, lambda x: fanin.theory([3, 3], norm=x)),
    ("residual", NO_FLAGS, lambda x: fanin.theory([3, 3], residual=x)),
    ("activate_last", NO_FLAGS, lambda x: fanin.theory([3, 3], activate_last=x)),
    ("activation", NO_TEXTS, lambda x: fanin.fixed_points(x, 1)),
    ("sigma_w2", NO_NUMBERS, lambda x: fanin.fixed_points("tanh", x)),
    ("sigma_b2", NO_NUMBERS, lambda x: fanin.fixed_points("tanh", 1, x)),
    ("activation", NO_TEXTS, fanin.edge_of_chaos),
    ("sigma_b2", NO_NUMBERS, lambda x: fanin.edge_of_chaos("tanh", x)),
    ("slope", NO_NUMBERS, lambda x: fanin.edge_of_chaos("tanh", slope=x)),
    ("activation", NO_TEXTS, lambda x: fanin.suggest(x, 3)),
    ("depth", NO_INTEGERS, lambda x: fanin.suggest("tanh", x)),
    ("fan_ratio", NO_NUMBERS, lambda x: fanin.suggest("tanh", 3, fan_ratio=x)),
    ("sigma_b2", NO_NUMBERS, lambda x: fanin.suggest("tanh", 3, sigma_b2=x)),
    ("weights", NO_SEQUENCES, fanin.calibrate),
    ("weights[0]", NO_OBJECTS, lambda x: fanin.calibrate([x])),
]


@pytest.mark.parametrize("argument, wrong, call", TYPES)
def test_wrong_types(argument, wrong, call):
    for value in wrong:
        with pytest.raises(TypeError) as caught:
            call(value)
        sentence = str(caught.value)
        assert sentence.startswith(f"{argument} is ") and sentence.endswith("is accepted"), (value, sentence)
        assert type(value).__name__ in sentence and len(sentence) < 300


def test_wrong_types_on_a_queue(queue):
    array = cla.empty(queue, 3, "f4")
    arguments = {"criterion": NO_TEXTS, "target": NO_NUMBERS, "tolerance": NO_NUMBERS, "max_iterations": NO_INTEGERS}
    matrix = cla.zeros(queue, (3, 3), "f4")
    buffer = dict(dtype="f32", shape=2, queue=queue)
    calls = [("wait_for", ["x", 3, [3], cl.enqueue_marker(queue)], lambda x: fanin.fill(array, "ones", wait_for=x))]
    calls += [("wait_for", ["x", 3, [3]], lambda x: fanin.measure(array, wait_for=x))]
    calls += [("queue", NO_OBJECTS, lambda x: fanin.fill(array, "ones", queue=x))]
    calls += [("queue", NO_OBJECTS, lambda x: fanin.Plan(x, []))]
    calls += [("items", NO_SEQUENCES, lambda x: fanin.Plan(queue, x))]
    calls += [("items[0]", NO_OBJECTS, lambda x: fanin.Plan(queue, [x]))]
    calls += [("device", NO_OBJECTS, lambda x: fanin.Device(queue.context, x))]
    calls += [("strides", NO_SEQUENCES, lambda x: fanin.fill(array.base_data, "ones", **buffer, strides=x))]
    calls += [("offset", NO_INTEGERS, lambda x: fanin.fill(array.base_data, "ones", **buffer, offset=x))]
    calls += [(a, w, lambda x, a=a: fanin.calibrate([matrix], **{a: x})) for a, w in arguments.items()]
    plan = fanin.Plan(queue, [fanin.Item(array, "ones")])
    calls += [("seed", NO_INTEGERS, plan.fill), ("index", NO_INTEGERS, plan.array)]
    calls += [("wait_for", ["x", 3, [3]], lambda x: plan.fill(1, wait_for=x))]
    for argument, wrong, call in calls:
        for value in wrong:
            with pytest.raises(TypeError) as caught:
                call(value)
            assert str(caught.value).startswith((f"{argument} is ", f"{argument}[0] is ")), (value, caught.value)


HUGE = dict(dtype="f32", shape=(1 << 40, 1 << 40))


@pytest.mark.parametrize(
    "argument, call",
    [
        ("seed", lambda: fanin.array(3, "normal", seed=10**40, name="w")),
        ("seed", lambda: fanin.array(3, "ones", seed=-1)),
        ("stream", lambda: fanin.array(3, "normal", seed=1, stream=-(10**40))),
        ("name", lambda: fanin.array(3, "normal", seed=1, name="a\0b")),
        ("name", lambda: fanin.stream_of("\ud800")),
        ("init", lambda: fanin.Init("normal\0x")),
        ("groups", lambda: fanin.fans((3, 3), "OI", groups=1 << 32)),
        ("shape[0]", lambda: fanin.fans((-1, 3), "OI")),
        (
            "the number of elements of shape",
            lambda: fanin.Plan(None, [fanin.Item(None, "ones", **HUGE, whole=(9,), first=0)]),
        ),
        ("shape", lambda: fanin.array((1 << 40, 1 << 40), "ones")),
        ("widths[0]", lambda: fanin.theory([-2, 2])),
        ("depth", lambda: fanin.suggest("relu", -5)),
        ("target", lambda: fanin.calibrate([np.zeros((3, 3))], target=0)),
        ("sigma_b2", lambda: fanin.edge_of_chaos("tanh", float("nan"))),
        ("slope", lambda: fanin.gain("leaky_relu", 10**400)),
    ],
)
def test_wrong_values(argument, call):
    with pytest.raises((fanin.ArgumentError, TypeError)) as caught:
        call()
    assert argument in str(caught.value) or "weights[0]" in str(caught.value)


def test_every_argument_is_tried():
    """Public functions have no argument that the tables above forgot."""
    tried = {argument.partition("[")[0] for argument, _, _ in TYPES}
    tried |= {"wait_for", "queue", "items", "device", "strides", "offset", "target", "tolerance", "max_iterations"}
    tried |= {"target", "array", "arguments", "index", "parameters"}
    tried |= {"paths", "rules", "set", "options", "like", "output", "model", "tensors"}  # test_command.py
    tried |= {"values"}  # test_torch.py
    functions = [value for name, value in vars(fanin).items() if inspect.isfunction(value)]
    functions += [fanin.Plan.__init__, fanin.Plan.fill, fanin.Plan.array, fanin.Device.open, fanin.Init.scaled]
    for function in functions:
        missing = set(inspect.signature(function).parameters) - tried - {"self"}
        assert not missing, (function, missing)
