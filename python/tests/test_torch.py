"""fanin.torch: modules and state_dicts initialized by rules, with the bits that the command writes for a checkpoint of them.

Written for Debian 12's torch 1.13 and for torch 2.
"""

import inspect
import json
import warnings

import numpy as np
import pytest
from conftest import same_bits

import fanin

torch = pytest.importorskip("torch")
nn = torch.nn

import fanin.torch as road  # noqa: E402

RULES = {"rules": [{"match": "*", "init": "normal"}]}
ASSIGNS = "assign" in inspect.signature(nn.Module.load_state_dict).parameters
STORED = {torch.float32: "F32", torch.float16: "F16", torch.bfloat16: "BF16", torch.float64: "F64", torch.int64: "I64"}


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3)
        self.norm = nn.BatchNorm2d(8)
        self.rnn = nn.LSTM(8, 4)
        self.fc = nn.Linear(4, 5)

    def forward(self, x):
        return self.fc(self.rnn(self.norm(self.conv(x)).mean(-1).permute(2, 0, 1))[0][-1])


def test_fans_of_depthwise_kernels():
    """Those that torch counts for the kernel of one channel; of the whole kernel torch's own fan_in is the same."""
    count = nn.init._calculate_fan_in_and_fan_out
    for taps, letters in ((5,), "W"), ((3, 5), "HW"), ((2, 3, 4), "DHW"):
        channels, multiplier = 6, 3
        whole = (nn.Conv1d, nn.Conv2d, nn.Conv3d)[len(taps) - 1](channels, channels * multiplier, taps, groups=channels)
        of_one = count(torch.empty(multiplier, 1, *taps))
        assert fanin.fans((*taps, channels, multiplier), letters + "GO") == of_one
        assert fanin.fans(tuple(whole.weight.shape), "OI" + letters, groups=channels) == of_one
        assert count(whole.weight)[0] == of_one[0]


def bits_of(tensor):
    return tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes()


def checkpoint(path, tensors):
    """Writes a safetensors file of zeros with tensors like these."""
    header, end = {}, 0
    for name, one in tensors.items():
        begin, end = end, end + one.numel() * one.element_size()
        header[name] = {"dtype": STORED[one.dtype], "shape": list(one.shape), "data_offsets": [begin, end]}
    text = json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + bytes(end))


def written(path):
    """The bytes of each tensor of a safetensors file."""
    data = path.read_bytes()
    start = 8 + int.from_bytes(data[:8], "little")
    header = json.loads(data[8:start])
    return {
        name: data[start + one["data_offsets"][0] : start + one["data_offsets"][1]]
        for name, one in header.items()
        if name != "__metadata__"
    }


def expected(command, folder, tensors, *options):
    """What `fanin init --like` writes for a checkpoint of these tensors."""
    checkpoint(folder / "like.safetensors", tensors)
    command("init", "--like", folder / "like.safetensors", "-o", folder / "made.safetensors", *options)
    return written(folder / "made.safetensors")


def snapshot(module):
    return {name: bits_of(one) for name, one in module.state_dict().items() if not one.is_meta}


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16", "float64"])
def test_the_command_s_bits(command, tmp_path, dtype):
    net = Net().to(getattr(torch, dtype))
    net.norm.num_batches_tracked += 3
    report = road.init_(net, seed=2**63 + 5)
    wanted = expected(command, tmp_path, net.state_dict(), "--seed", 2**63 + 5)
    assert snapshot(net) == wanted and list(report) == list(net.state_dict()) and report.made == list(report)
    assert net.norm.num_batches_tracked == 0 and net.norm.num_batches_tracked.dtype == torch.int64
    assert net.norm.running_var.eq(1).all() and net.fc.weight.requires_grad
    assert repr(report) == "<InitReport of Net by rules pytorch, seed 9223372036854775813: 13 tensors>"


def test_weight_normalization():
    """Norms are made with what they are of, so that the module computes what its plain weight would."""
    net = nn.Sequential(nn.Conv1d(6, 9, 3), nn.Linear(8, 5))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch 2 has a successor of it
        for layer, dim in zip(net, (0, None)):
            torch.nn.utils.weight_norm(layer, dim=dim)
    rules = {"include": "pytorch", "rules": [{"match": "0.weight_v", "layout": "OIW", "init": "pytorch_default"}]}
    report = road.init_(net, rules, seed=3)
    assert report.made == list(report) == list(net.state_dict()) and report["1.weight_g"]["norm_of"] == "1.weight_v"
    for layer, dims in ((net[0], (1, 2)), (net[1], (0, 1))):
        v = layer.weight_v.detach().double()
        norm = v.pow(2).sum(dims, keepdim=True).sqrt().reshape(layer.weight_g.shape).float()
        assert torch.allclose(layer.weight_g, norm, rtol=1e-7, atol=0)
    x = torch.linspace(-1, 1, 60).reshape(1, 6, 10)
    assert torch.allclose(net[0](x), nn.functional.conv1d(x, net[0].weight_v, net[0].bias), atol=1e-6)


def test_the_library_s_bits():
    """Each tensor is what fill() makes by the reported initializer and the tensor's name."""
    net = Net()
    report = road.init_(net, seed=7)
    for name, one in net.named_parameters():
        got = report[name]
        own = fanin.array(tuple(one.shape), got["init"], layout=got.get("layout"), seed=7, name=name)
        assert same_bits(one.detach().numpy(), own), name
    assert (
        report["conv.weight"]["init"] == "he_uniform:a=2.23606797749979" and report["conv.weight"]["layout"] == "OIHW"
    )


def test_laws_are_torch_s():
    """Of the default rules: what torch's own reset_parameters() draws from, by the bounds of uniform numbers."""
    net = Net()
    report = road.explain(net)
    for name, one in net.named_parameters():
        if one.min() == one.max():
            assert report[name]["mean"] == one.flatten()[0], name
            continue
        bound = report[name]["hi"]
        assert one.abs().max() <= bound * (1 + 1e-6), name
        assert one.numel() < 30 or one.abs().max() > 0.8 * bound, name  # missed by chance: 0.8^30 = 0.1 %
    assert report.seed is None and "seed" not in repr(report)


def test_memory_stays(command, tmp_path):
    """In place: views, optimisers and autograd see it, and nothing beside a view's elements is written."""
    whole = torch.full((6, 9), 7.0)
    layer = nn.Linear(4, 6, bias=False)
    layer.weight = nn.Parameter(whole[:, 1:9:2])
    module = nn.Sequential(layer)
    version, pointer = layer.weight._version, layer.weight.data_ptr()
    road.init_(module, seed=3)
    assert layer.weight._version > version and layer.weight.data_ptr() == pointer and layer.weight.grad is None
    wanted = expected(command, tmp_path, {"0.weight": torch.empty(6, 4)}, "--seed", 3)
    assert bits_of(layer.weight) == wanted["0.weight"]
    assert whole[:, 0::2].eq(7).all()


def test_fill_then_train():
    net = Net()
    road.init_(net, seed=1)
    before = net.fc.weight.detach().clone()
    net(torch.randn(4, 3, 6, 6)).square().mean().backward()
    torch.optim.SGD(net.parameters(), lr=0.1).step()
    assert not torch.equal(net.fc.weight, before)


def test_documented():
    """The blocks of python/README.md and docs/frameworks.md."""
    import fanin.torch

    model = Net()
    report = fanin.torch.init_(model, "pytorch", seed=42)
    assert "13 tensors" in repr(report)
    weight = fanin.array((5, 4), "pytorch_default", layout="OI", seed=42, name="fc.weight")
    assert same_bits(model.fc.weight.detach().numpy(), weight)

    model = Tied()
    rules = {"include": "pytorch", "rules": [{"match": "head.weight", "same_as": "embed.weight"}]}
    fanin.torch.init_(model, rules, seed=42)
    embedding = fanin.array((11, 6), "normal:std=1", seed=42, name="embed.weight")
    assert same_bits(model.head.weight.detach().numpy(), embedding)

    model = nn.Sequential(nn.Linear(4, 4))
    model.register_buffer("pe", torch.arange(3.0))
    rules = {"include": "pytorch", "rules": [{"match": "*pe", "skip": "positions, which the code makes"}]}
    fanin.torch.init_(model, rules, seed=42)
    assert model.pe.tolist() == [0, 1, 2]


@pytest.mark.skipif(not ASSIGNS, reason="load_state_dict() has no assign= before torch 2.1")
def test_documented_of_meta():
    model = on_meta(Net)
    made = fanin.torch.state_dict(model, "pytorch", seed=42)
    model.load_state_dict(made, assign=True)
    assert snapshot(model) == {name: bits_of(one) for name, one in made.items()}
    assert isinstance(model.fc.weight, nn.Parameter) and not model.fc.weight.is_meta


class Tied(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(11, 6)
        self.mix = nn.Linear(6, 6)
        self.head = nn.Linear(6, 11, bias=False)
        self.head.weight = self.embed.weight


ONE_LAW = {"include": "pytorch", "rules": [{"match": "head.weight", "same_as": "embed.weight"}]}


def test_tied_weights_are_made_once(command, tmp_path):
    net = Tied()
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # a rule for the second name takes something
        report = road.init_(net, ONE_LAW, seed=4)
    assert net.head.weight is net.embed.weight and report["head.weight"] == {
        "name": "head.weight",
        "tied": "embed.weight",
    }
    once = {name: one for name, one in net.state_dict().items() if name != "head.weight"}
    wanted = expected(command, tmp_path, once, "--seed", 4)
    assert {name: bits_of(one) for name, one in once.items()} == wanted
    assert "3 tensors, 1 tied" in repr(report)


def test_rules_must_agree_on_tied_weights():
    net = Tied()
    before = snapshot(net)
    words = (
        "'embed.weight' and 'head.weight' are one tensor, and rules pytorch say normal.* of it and he_uniform.*same_as"
    )
    with pytest.raises(fanin.ArgumentError, match=words):
        road.init_(net, seed=4)
    # what the rules say of the first name alone is not enough
    turned = {"include": "pytorch", "rules": [{"match": "embed.weight", "same_as": "head.weight"}]}
    with pytest.raises(fanin.ArgumentError, match="are one tensor"):
        road.init_(net, turned, seed=4)
    # nor is what they say of the second, where a rule sees whether there are two
    seen = [{"match": "embed.weight", "with": "head.weight", "init": "ones"}, {"match": "*", "init": "zeros"}]
    with pytest.raises(fanin.ArgumentError, match="rules rules say zeros of it and ones"):
        road.init_(net, {"rules": seen}, seed=4)
    assert snapshot(net) == before
    apart = Tied()
    apart.head.weight = nn.Parameter(apart.embed.weight.detach().clone())
    assert road.init_(apart, seed=4).made == ["embed.weight", "mix.weight", "mix.bias", "head.weight"]
    road.init_(apart, ONE_LAW, seed=4)
    assert torch.equal(apart.head.weight, apart.embed.weight) and apart.head.weight is not apart.embed.weight


def test_a_module_under_two_names():
    layer = nn.Linear(3, 3)
    report = road.init_(nn.ModuleDict({"one": layer, "two": layer}), seed=1)
    assert report.made == ["one.weight", "one.bias"] and report["two.bias"]["tied"] == "one.bias"
    assert same_bits(
        layer.weight.detach().numpy(), fanin.array((3, 3), "pytorch_default", layout="OI", seed=1, name="one.weight")
    )


class Llama(nn.Module):
    """The names of Hugging Face's LlamaForCausalLM."""

    def __init__(self, tied, model_type=None):
        super().__init__()
        projections = nn.ModuleDict({f"{name}_proj": nn.Linear(8, 8, bias=False) for name in "qkvo"})
        mlp = nn.ModuleDict({f"{name}_proj": nn.Linear(8, 8, bias=False) for name in ("gate", "up", "down")})
        norms = {name: nn.LayerNorm(8) for name in ("input_layernorm", "post_attention_layernorm")}
        layer = nn.ModuleDict({"self_attn": projections, "mlp": mlp, **norms})
        self.model = nn.ModuleDict(
            {"embed_tokens": nn.Embedding(32, 8), "layers": nn.ModuleList([layer]), "norm": nn.LayerNorm(8)}
        )
        for one in [*norms.values(), self.model["norm"]]:
            one.bias = None
        self.lm_head = nn.Linear(8, 32, bias=False)
        if tied:
            self.lm_head.weight = self.model["embed_tokens"].weight
        if model_type:
            self.config = type("Config", (), {"model_type": model_type, "to_dict": lambda config: {"hidden_size": 8}})()


def test_a_model_with_hugging_face_s_names():
    net = Llama(tied=False)
    report = road.init_(net, rules="llama", seed=42)
    got = report["model.layers.0.self_attn.q_proj.weight"]
    assert got["init"] == "normal:std=0.02" and net.model["norm"].weight.eq(1).all()
    query = net.model["layers"][0]["self_attn"]["q_proj"].weight.detach().numpy()
    assert same_bits(
        query, fanin.array((8, 8), "normal:std=0.02", seed=42, name="model.layers.0.self_attn.q_proj.weight")
    )


def test_what_a_model_s_configuration_says():
    """Llama and Gemma with tied embeddings have the same names; the configuration tells, or a value."""
    for model_type, norm in [("llama", 1), ("gemma", 0)]:
        net = Llama(True, model_type)
        road.init_(net, "llama", seed=1)
        assert net.model["norm"].weight.eq(norm).all()
    for rules in ("llama", "pytorch"):
        with pytest.raises(fanin.ArgumentError, match="the value 'norm' must be given by norm=NUMBER") as caught:
            road.init_(Llama(True), rules, seed=1)
        said = str(caught.value)
        assert "no lm_head.weight is a tensor of its own, and there is no model.config with a model_type" in said
        assert "config.json" not in said
    net = Llama(True)
    road.init_(net, "llama", seed=1, norm=0)
    assert net.model["norm"].weight.eq(0).all()


class Config:
    """A configuration that a program of one's own has as a class, which nobody makes an instance of."""

    model_type = "gemma"

    def to_dict(self):
        return {"model_type": "llama"}


def test_configurations_that_are_not_hugging_face_s():
    net = Llama(True)
    net.config = Config
    road.init_(net, "llama", seed=1)
    assert net.model["norm"].weight.eq(0).all()
    before = snapshot(net)
    for gives in (lambda: 3, lambda missing: {}):
        net.config = type("Config", (), {"to_dict": staticmethod(gives)})()
        with pytest.raises(
            fanin.ArgumentError, match=r"model.config has a to_dict\(\) that gives no dict \(TypeError: "
        ):
            road.init_(net, "llama", seed=1)
    assert snapshot(net) == before


@pytest.mark.parametrize("name", ["made", "like", "config", "rules", "../up", "a/b", "x" * 300, "Gr\u00f6\u00dfe"])
def test_a_module_s_class_may_have_any_name(name):
    net = type(name, (nn.Linear,), {})(3, 2)
    report = road.init_(net, seed=1)
    assert report.of == name and report.made == ["weight", "bias"]
    with pytest.raises(fanin.ArgumentError) as caught:
        road.init_(net, {"rules": [{"match": "weight", "init": "zeros"}]}, seed=1)
    assert str(caught.value).startswith(f"{name}: no rule of rules takes 1 of its 2 tensors: 'bias'")


def test_a_bias_whose_weight_is_not_there():
    """What the command advises about a checkpoint of several files is not said of a module."""
    module = nn.Module()
    module.fc = nn.Module()
    module.fc.bias = nn.Parameter(torch.zeros(3))
    with pytest.raises(fanin.ArgumentError) as caught:
        road.init_(module, seed=1)
    said = str(caught.value)
    assert "follows the fans of 'fc.weight', which is not in Module: give a rule of your own for it" in said
    assert "checkpoint" not in said


def test_values_and_rules_as_a_dict():
    net = nn.Sequential(nn.Linear(300, 200))
    rules = {
        "values": {"std": 1},
        "rules": [{"match": "*.weight", "init": "normal:std={std}"}, {"match": "*", "skip": "later"}],
    }
    bias = bits_of(net[0].bias)
    report = road.init_(net, rules, seed=1, std=np.float32(0.5))
    assert report["0.weight"]["std"] == 0.5 and bits_of(net[0].bias) == bias and report["0.bias"]["skip"] == "later"
    assert repr(report).endswith("by rules rules, seed 1: 1 tensor, 1 skipped>")
    assert abs(net[0].weight.std() - 0.5) < 4.5 * 0.5 / (2 * 60000) ** 0.5  # sd of a sample's std by 4.5
    with pytest.raises(fanin.ArgumentError, match="rules rules have no value 'sd'"):
        road.init_(net, rules, seed=1, sd=3)


def test_rules_of_a_file(tmp_path):
    net = nn.Sequential(nn.Linear(3, 2))
    path = tmp_path / "mine.json"
    path.write_text(json.dumps({"rules": [{"match": "*", "init": "constant:value=3"}, {"match": "x", "init": "ones"}]}))
    with pytest.warns(UserWarning, match=r"Sequential: rules\[1\] of .*mine.json takes no tensor") as caught:
        road.init_(net, path, seed=1)
    assert caught[0].filename == __file__
    assert net[0].weight.eq(3).all() and net[0].bias.eq(3).all()


def test_a_rule_s_dtype():
    net = nn.Sequential(nn.Linear(3, 2)).to(torch.bfloat16)
    rules = {"rules": [{"match": "*.weight", "dtype": "f32", "init": "ones"}, {"match": "*", "init": "zeros"}]}
    with pytest.raises(
        fanin.ArgumentError, match=r"'0.weight' is a tensor of torch.bfloat16, and rules\[0\] makes it F32"
    ):
        road.init_(net, rules, seed=1)
    made = road.state_dict(net, rules, seed=1)
    assert made["0.weight"].dtype == torch.float32 and made["0.bias"].dtype == torch.bfloat16


class WithBuffers(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(4, 4)
        self.register_buffer("pe", torch.arange(12.0).reshape(3, 4))
        self.register_buffer("mask", torch.ones(4, 4, dtype=torch.bool).tril())
        self.register_buffer("scratch", torch.ones(3), persistent=False)


SKIP = {"include": "pytorch", "rules": [{"match": ["pe", "mask"], "skip": "made by the code"}]}


def test_buffers():
    net = WithBuffers()
    before = snapshot(net)
    with pytest.raises(fanin.ArgumentError) as caught:
        road.init_(net, seed=1)
    assert str(caught.value).startswith("WithBuffers: no rule of pytorch takes 2 of its 4 tensors: 'pe', 'mask'.")
    assert "'mask'. Give other rules, or a dict or a file of your own that includes a set" in str(caught.value)
    assert """'pe' is a buffer; a rule {"match": "pe", "skip": "made by the code"} leaves it""" in str(caught.value)
    assert snapshot(net) == before
    report = road.init_(net, SKIP, seed=1)
    after = snapshot(net)
    assert [name for name in after if after[name] != before[name]] == ["fc.weight", "fc.bias"] == report.made
    assert "2 tensors, 2 skipped" in repr(report) and net.scratch.eq(1).all()


def test_state_dict(command, tmp_path):
    net = WithBuffers()
    before = snapshot(net)
    made = road.state_dict(net, SKIP, seed=5)
    assert list(made) == list(net.state_dict()) and snapshot(net) == before
    wanted = expected(
        command, tmp_path, {name: net.state_dict()[name] for name in ("fc.weight", "fc.bias")}, "--seed", 5
    )
    assert {name: bits_of(made[name]) for name in wanted} == wanted
    assert torch.equal(made["mask"], net.mask) and made["mask"].data_ptr() != net.mask.data_ptr()
    net.load_state_dict(made)
    again = road.state_dict(net.state_dict(), SKIP, seed=5)
    assert {name: bits_of(one) for name, one in again.items()} == snapshot(net)
    made["fc.weight"].zero_()  # memory of its own, that can be written
    assert not any(one.requires_grad for one in made.values())


def test_state_dict_of_tied_weights_and_what_is_no_tensor():
    net = Tied()
    made = road.state_dict(net, ONE_LAW, seed=4)
    assert made["head.weight"] is made["embed.weight"]
    net.load_state_dict(made)
    assert net.head.weight is net.embed.weight and torch.equal(net.embed.weight, made["embed.weight"])
    with_extra = road.state_dict({"w": torch.empty(3), "_extra_state": {"step": 3}}, RULES, seed=4)
    assert with_extra["_extra_state"] == {"step": 3} and same_bits(
        with_extra["w"].numpy(), fanin.array((3,), "normal", seed=4, name="w")
    )


def on_meta(make):
    if hasattr(torch, "set_default_device"):  # torch 2
        with torch.device("meta"):
            return make()
    return make().to("meta")


def test_meta():
    net = on_meta(Net)
    assert net.fc.weight.is_meta
    made = road.state_dict(net, seed=6)
    usual = Net()
    road.init_(usual, seed=6)
    assert {name: bits_of(one) for name, one in made.items()} == snapshot(usual)
    with pytest.raises(
        fanin.ArgumentError, match="'conv.weight' is on meta and has no memory.*state_dict.*assign=True"
    ):
        road.init_(net, seed=6)
    assert snapshot(net.to_empty(device="cpu")).keys() == made.keys()
    road.init_(net, seed=6)
    assert snapshot(net) == snapshot(usual)
    tied = on_meta(Tied)
    tied.head.weight = tied.embed.weight  # to() takes it apart in torch 1
    made = road.state_dict(tied, ONE_LAW, seed=6)
    assert made["head.weight"] is made["embed.weight"]
    left = road.state_dict(on_meta(WithBuffers), SKIP, seed=6)
    assert list(left) == ["fc.weight", "fc.bias"]


def test_ties_on_meta():
    """A state_dict's tensors, which are detached, and views are judged as in memory."""
    tied = on_meta(Tied)
    tied.head.weight = tied.embed.weight  # to() takes it apart in torch 1
    for model in (tied, tied.state_dict()):
        with pytest.raises(fanin.ArgumentError, match="'embed.weight' and 'head.weight' are one tensor"):
            road.state_dict(model, seed=6)
        made = road.state_dict(model, ONE_LAW, seed=6)
        assert made["head.weight"] is made["embed.weight"]
    whole = torch.empty(3, 4, device="meta")
    for other in (whole.t(), whole[1:], whole.reshape(4, 3)):
        with pytest.raises(fanin.ArgumentError, match="'one' and 'two' lie in overlapping ranges"):
            road.state_dict({"one": whole, "two": other}, RULES, seed=6)
    halves = {"one": whole[:2], "two": whole[2:]}
    assert road.explain(halves, RULES).made == ["one", "two"]


def test_explain_needs_no_memory():
    report = road.explain(on_meta(Net), "pytorch")
    assert report["fc.weight"]["shape"] == [5, 4] and len(report) == 13
    assert json.loads(json.dumps(report.to_dict()))["tensors"]["fc.bias"]["rule"] == report["fc.bias"]["rule"]
    assert report._repr_html_().count("<tr>") == 14
    assert list(road.explain(Net().state_dict())) == list(report)


def test_empty_and_scalar_tensors():
    module = nn.Module()
    module.scale, module.none = nn.Parameter(torch.ones(())), nn.Parameter(torch.empty(0, 3))
    module.also = nn.Parameter(torch.empty(0, 3))
    report = road.init_(module, RULES, seed=2)
    assert report.made == ["scale"] and report["none"]["skip"] == "it has no elements"
    assert list(road.state_dict(module, RULES, seed=2)) == ["scale", "none", "also"]
    assert same_bits(module.scale.detach().numpy(), fanin.array((), "normal", seed=2, name="scale"))


def sharing(view):
    module = nn.Module()
    module.one = nn.Parameter(torch.arange(12.0).reshape(3, 4))
    module.two = nn.Parameter(view(module.one.detach()))
    return module


def hooked(change):
    net = nn.Sequential(nn.Linear(3, 2))
    net._register_state_dict_hook(lambda module, found, prefix, metadata: change(found))
    return net


def without_bias(found):
    del found["0.bias"]


def inference():
    with torch.inference_mode():
        return nn.Linear(3, 2)


class Wrapped(torch.Tensor):
    """A tensor whose memory is elsewhere, as a DTensor's."""

    @classmethod
    def __torch_dispatch__(cls, function, types, arguments=(), keywords=None):
        raise NotImplementedError


def wrapped():
    module = nn.Module()
    module.register_buffer("w", torch.zeros(3).as_subclass(Wrapped))
    return module


class Guarded(nn.Parameter):
    """A parameter that cannot be written."""

    @classmethod
    def __torch_function__(cls, function, types, arguments=(), keywords=None):
        if function is torch.Tensor.copy_:
            raise RuntimeError("it cannot be written")
        with torch._C.DisableTorchFunction():
            return function(*arguments, **keywords or {})


class Frozen(nn.Parameter):
    """The same by a method of its own."""

    def copy_(self, *arguments):
        raise RuntimeError("it cannot be written")


class Named(nn.Parameter):
    """A parameter that is written like any other."""


@pytest.mark.parametrize("kind, changed", [(Guarded, "__torch_function__"), (Frozen, "copy_")])
def test_nothing_is_written_before_a_class_that_may_refuse(kind, changed):
    net = nn.Linear(3, 2)
    net.bias = kind(torch.zeros(2))
    before = bits_of(net.weight)
    with pytest.raises(
        fanin.ArgumentError, match=rf"'bias' is a {kind.__name__}, a class with a {changed}\(\) of its own"
    ):
        road.init_(net, seed=1)
    assert bits_of(net.weight) == before
    net.bias = Named(torch.zeros(2))
    assert road.init_(net, seed=1).made == ["weight", "bias"] and bits_of(net.weight) != before


REFUSED = [
    (lambda: road.init_(nn.Linear(3, 2), "no_set", seed=1), fanin.ArgumentError, "no set of rules is called 'no_set'"),
    (lambda: road.init_(nn.Linear(3, 2), seed=1.5), TypeError, "seed is 1.5"),
    (lambda: road.init_(nn.Linear(3, 2), seed=-1), fanin.ArgumentError, "seed is -1"),
    (lambda: road.init_(nn.Linear(3, 2), 3, seed=1), TypeError, "rules is 3"),
    (
        lambda: road.init_(nn.Linear(3, 2), {"rules": [{1, 2}]}, seed=1),
        fanin.ArgumentError,
        "rules is a dict that JSON",
    ),
    (
        lambda: road.init_(nn.Linear(3, 2), {"rules": []}, seed=1),
        fanin.ArgumentError,
        "^rules: the file: needs 'rules'",
    ),
    (lambda: road.init_(nn.Linear(3, 2), seed=1, depth="x"), TypeError, "^depth is 'x'.*a number"),
    (lambda: road.init_(nn.Linear(3, 2), seed=1, device="no such"), fanin.Error, "no device answers"),
    (
        lambda: road.init_(nn.Linear(3, 2).state_dict(), seed=1),
        TypeError,
        "^module is of type OrderedDict; a torch.nn.Module is accepted",
    ),
    (lambda: road.state_dict(3, seed=1), TypeError, "model is 3.*state_dict is accepted"),
    (lambda: road.state_dict({3: torch.zeros(3)}, seed=1), TypeError, "a name in state_dict.. is 3"),
    (lambda: road.init_(nn.ReLU(), seed=1), fanin.ArgumentError, "ReLU: there is no tensor"),
    (lambda: road.init_(nn.PReLU(), seed=1), fanin.ArgumentError, "tensor 'weight': may be the weight of a norm"),
    (lambda: road.init_(nn.LazyLinear(3), seed=1), fanin.ArgumentError, "'weight' has no shape yet"),
    (
        lambda: road.init_(sharing(lambda t: t.T), RULES, seed=1),
        fanin.ArgumentError,
        "'one' and 'two' lie in overlapping ranges",
    ),
    (
        lambda: road.init_(sharing(lambda t: t[1:]), RULES, seed=1),
        fanin.ArgumentError,
        "'one' and 'two' lie in overlapping ranges",
    ),
    (
        lambda: road.init_(sharing(lambda t: torch.zeros(3, 1).expand(3, 4)), RULES, seed=1),
        fanin.ArgumentError,
        "'two' has elements that share memory",
    ),
    (
        lambda: road.init_(hooked(without_bias), seed=1),
        fanin.ArgumentError,
        "'0.bias' is not in state_dict",
    ),
    (
        lambda: road.init_(hooked(lambda d: d.update({"0.bias": d["0.bias"] * 1})), seed=1),
        fanin.ArgumentError,
        "'0.bias' of state_dict.* not the module's own",
    ),
    (lambda: road.init_(inference(), seed=1), fanin.ArgumentError, "'weight' is an inference tensor"),
    (lambda: road.init_(wrapped(), RULES, seed=1), fanin.ArgumentError, "'w' is a Wrapped"),
    (
        lambda: road.state_dict({"w": torch.quantize_per_tensor(torch.zeros(3), 0.1, 0, torch.quint8)}, RULES, seed=1),
        fanin.ArgumentError,
        "'w' is a tensor of torch.quint8",
    ),
    (
        lambda: road.state_dict({"w": torch.eye(3).to_sparse()}, RULES, seed=1),
        fanin.ArgumentError,
        "layout torch.sparse",
    ),
    (lambda: road.state_dict({"__metadata__": torch.eye(3)}, RULES, seed=1), fanin.ArgumentError, "__metadata__"),
    (lambda: road.state_dict({"w": torch.zeros(3, dtype=torch.int8)}, RULES, seed=1), fanin.ArgumentError, "dtype I8"),
]


@pytest.mark.parametrize("call, kind, words", REFUSED)
def test_refused(call, kind, words):
    with pytest.raises(kind, match=words) as caught:
        call()
    assert "/fanin-" not in str(caught.value)  # the folder of temporary files
    assert " --" not in str(caught.value)  # options of the command


def test_all_or_nothing(monkeypatch, tmp_path):
    """Whatever fails before the values are there, the module is as it was, and no file is left."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    net = Net()
    before = snapshot(net)
    net.fc.bias = nn.Parameter(torch.zeros(1).expand(5))  # the last tensor cannot be written
    with pytest.raises(fanin.ArgumentError, match="'fc.bias' has elements"):
        road.init_(net, seed=1)
    with pytest.raises(fanin.Error, match="no device answers"):
        road.init_(Net(), seed=1, device="no such")
    assert {**snapshot(net), "fc.bias": 0} == {**before, "fc.bias": 0} and not list(tmp_path.iterdir())
    road.init_(Net(), seed=1)
    assert not list(tmp_path.iterdir())


def test_arrays(command, tmp_path):
    net = Net()
    names = {name: (str(one.dtype), one.shape) for name, one in net.state_dict().items()}
    made = fanin.arrays(names, "pytorch", seed=8)
    wanted = expected(command, tmp_path, net.state_dict(), "--seed", 8)
    assert {name: one.tobytes() for name, one in made.items()} == wanted and list(made) == list(names)
    assert made["norm.num_batches_tracked"].dtype == np.int64 and made["fc.weight"].shape == (5, 4)
    like = fanin.arrays({name: np.empty(one.shape, "f2") for name, one in net.named_parameters()}, seed=8)
    assert like["fc.weight"].dtype == np.float16
    assert fanin.arrays({"b": ("bf16", 3), "s": (np.float64, ())}, RULES, seed=8)["s"].shape == ()
    with pytest.raises(TypeError, match=r"tensors\['w'\] is 3, of type int; an array, or a pair"):
        fanin.arrays({"w": 3}, seed=1)
    with pytest.raises(TypeError, match="tensors is 3"):
        fanin.arrays(3, seed=1)
    with pytest.raises(fanin.ArgumentError, match=r"tensors\['w'\]: dtype is \"f33\""):
        fanin.arrays({"w": ("f33", (3,))}, seed=1)
    with pytest.raises(fanin.ArgumentError, match=r"tensors\['w'\]: shape\[0\] is -3"):
        fanin.arrays({"w": ("f32", (-3,))}, seed=1)
