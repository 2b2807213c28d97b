"""The command's functions: inspect, rules and init_file give what the command gives, and raise what it refuses."""

import json
import os
import stat
from pathlib import Path

import numpy as np
import pytest
from conftest import same_bits

import fanin
from fanin import _command

TENSORS = {"a.weight": ("f32", "OI", (30, 20), "he_normal"), "a.bias": (np.float32, "", 30, fanin.Init("zeros"))}


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    path = tmp_path_factory.mktemp("command") / "a model.safetensors"
    assert fanin.init_file(path, tensors=TENSORS, seed=np.int64(42)) == path
    return path


def test_init_file(written, command, tmp_path, source):
    assert fanin.array((30, 20), "he_normal", seed=42, name="a.weight", layout="OI").tobytes() in written.read_bytes()
    command(
        "init", source / "share/models/lenet-300-100.json", "--seed", 3, "--dtype=f16", "-o", tmp_path / "a.safetensors"
    )
    fanin.init_file(
        str(tmp_path / "b.safetensors"), model=source / "share/models/lenet-300-100.json", seed=3, dtype="float16"
    )
    assert (tmp_path / "a.safetensors").read_bytes() == (tmp_path / "b.safetensors").read_bytes()
    fanin.init_file(tmp_path / "c.safetensors", like=written, rules="pytorch", seed=5)
    command("init", "--like", written, "--rules", "pytorch", "--seed", 5, "-o", tmp_path / "d.safetensors")
    assert (tmp_path / "c.safetensors").read_bytes() == (tmp_path / "d.safetensors").read_bytes()
    single = fanin.init_file(tmp_path / "w.npy", tensors={"w": TENSORS["a.weight"]})
    assert same_bits(np.load(single), fanin.array((30, 20), "he_normal", seed=0, name="w", layout="OI"))


def test_rules(written, command):
    answer = fanin.rules(written, "pytorch")
    assert answer.to_dict() == json.loads(command("init", "--like", written, "--explain", "--json")) and answer.holds
    assert [one["name"] for one in answer.tensors] == ["a.weight", "a.bias"] and answer["rules"] == "pytorch"
    assert "--rules=pytorch" in answer.command and len(repr(answer)) < 200
    assert answer._repr_html_().count("<tr>") == 3 and "a.weight" in answer._repr_html_()


def test_set_and_options(written, tmp_path):
    file = tmp_path / "rules.json"
    what = {"name": "mine", "source": "this test", "values": {"mean": 3}}
    what["rules"] = [{"match": "*.weight", "init": "normal:mean={mean},std=2"}, {"match": "*", "init": "zeros"}]
    file.write_text(json.dumps(what))
    assert fanin.rules(written, file).tensors[0]["mean"] == 3
    assert fanin.rules(written, file, set={"mean": np.float32(0.1)}).tensors[0]["mean"] == float(np.float32(0.1))
    made = fanin.init_file(tmp_path / "set.safetensors", like=written, rules=file, set={"mean": 900}, dtype="f16")
    assert fanin.inspect(made).tensors[0]["dtype"] == "F16" and fanin.inspect(made).tensors[0]["mean"] > 800
    with pytest.raises(fanin.ArgumentError, match="depth"):
        fanin.rules(written, "pytorch", set={"depth": 12})


def test_inspect(written, tmp_path):
    answer = fanin.inspect(written)
    assert answer.holds and [one["name"] for one in answer.tensors] == ["a.weight", "a.bias"]
    assert set(answer) == set(answer.to_dict()) and len(answer) == len(list(answer))
    damaged = bytearray(written.read_bytes())
    damaged[-30 * 4 - 4 :] = np.full(31, 9, "f4").tobytes()
    path = tmp_path / "damaged.safetensors"
    path.write_bytes(damaged)
    assert not fanin.inspect(path).holds


def test_inspect_judges_by_init(tmp_path):
    """Schemes before an initializer see each tensor; what is not judged is no success."""
    path = tmp_path / "weights.safetensors"
    plain = {"a": ("f32", "OI", (60, 50), "fan_in normal"), "b": ("f32", "", 500, "normal:std=2")}
    fanin.init_file(path, tensors=plain)
    header = int.from_bytes(path.read_bytes()[:8], "little")
    data = json.loads(path.read_bytes()[8 : 8 + header])
    tensors = {name: one for name, one in data.items() if name != "__metadata__"}
    text = json.dumps(tensors).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + path.read_bytes()[8 + header :])
    unjudged = fanin.inspect(path)
    assert unjudged.holds is None and unjudged.condition is None and unjudged["answer"] == "not judged"
    assert fanin.inspect(path, require="judged").holds is False
    some = fanin.inspect(path, init="fan_in normal")
    assert some.holds is True and some.condition == some["condition"] == "as far as judged"
    assert "holds=True (as far as judged)" in repr(some)
    for init in ({"a": "fan_in normal", "b": fanin.Init("normal:std=2")}, ["normal:std=2", "a=fan_in normal"]):
        answer = fanin.inspect(path, init=init)
        assert answer.holds is True and answer.condition is None and [t["by"] for t in answer.tensors] == ["init"] * 2
    wrong = fanin.inspect(path, init={"a": "times:factor=1.3 fan_in normal"})
    assert wrong.holds is False and wrong.condition is None and wrong.tensors[0]["failed"] == "std"


REFUSED = [
    (lambda w: fanin.inspect("none.safetensors"), fanin.ArgumentError, "^none.safetensors: cannot open it"),
    (lambda w: fanin.inspect(), fanin.ArgumentError, "FILE|file"),
    (lambda w: fanin.inspect(w, no_such_option=3), fanin.ArgumentError, "no-such-option"),
    (lambda w: fanin.inspect(w, device="no such device"), fanin.Error, "no device answers the selector"),
    (lambda w: fanin.inspect(w, device=fanin.Device.open()), fanin.ArgumentError, "a selector is accepted"),
    (lambda w: fanin.inspect(3), TypeError, "^paths is 3"),
    (lambda w: fanin.inspect(w, init=3), TypeError, "^init is 3"),
    (lambda w: fanin.inspect(w, init={3: "normal"}), TypeError, "^a key of init is 3"),
    (lambda w: fanin.inspect(w, init="fanin normal"), fanin.ArgumentError, "no scheme is called 'fanin'"),
    (lambda w: fanin.inspect(w, device=1.5), TypeError, "^device is 1.5"),
    (lambda w: fanin.rules(w, "no set"), fanin.ArgumentError, "no set"),
    (lambda w: fanin.rules(w, 3), TypeError, "^rules is 3"),
    (lambda w: fanin.rules(w, set="x"), TypeError, "^set is 'x'"),
    (lambda w: fanin.rules(w, set={"layers": "x"}), TypeError, r"^set\['layers'\] is 'x'"),
    (lambda w: fanin.rules(w, dtype=3), TypeError, "^dtype is 3"),
    (lambda w: fanin.rules(None), TypeError, "^like is None"),
    (lambda w: fanin.init_file(3, like=w), TypeError, "^output is 3"),
    (lambda w: fanin.init_file("x.txt", like=w), fanin.ArgumentError, "x.txt.*must end"),
    (lambda w: fanin.init_file("x.safetensors"), fanin.ArgumentError, "one of model=, like= and tensors="),
    (lambda w: fanin.init_file("x.safetensors", like=w, model=w), fanin.ArgumentError, "one of model="),
    (lambda w: fanin.init_file("x.safetensors", like=w, seed=1.5), TypeError, "^seed is 1.5"),
    (lambda w: fanin.init_file("x.safetensors", tensors={"w": "f32"}), TypeError, r"^tensors\['w'\] is 'f32'"),
    (lambda w: fanin.init_file("x.safetensors", tensors={"w": ("f32",)}), fanin.ArgumentError, r"tensors\['w'\] has 1"),
    (lambda w: fanin.init_file("x.safetensors", tensors=3), TypeError, "^tensors is 3"),
    (lambda w: fanin.init_file("x.safetensors", model=3), TypeError, "^model is 3"),
]


@pytest.mark.parametrize("call, kind, words", REFUSED)
def test_refused(written, tmp_path, monkeypatch, call, kind, words):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(kind, match=words) as caught:
        call(written)
    assert "Try 'fanin" not in str(caught.value) and os.listdir(tmp_path) == []
    if kind is fanin.Error:
        assert caught.value.name == "FANIN_STATUS_NO_DEVICE" and not isinstance(caught.value, ValueError)


def program(path, text):
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)


def test_where_the_command_is_found(tmp_path, monkeypatch):
    """$FANIN, else the package's own, else one beside the library, else one in $PATH; or a sentence."""
    package, library = tmp_path / "package", tmp_path / "library"
    monkeypatch.setattr(_command, "__file__", str(package / "_command.py"))
    monkeypatch.setattr(_command._library, "path", str(library / "libfanin.so"))
    monkeypatch.delenv("FANIN", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path / "path"))
    with pytest.raises(fanin.Error, match=r"the fanin command was not found.*\$FANIN.*FANIN=build/fanin"):
        _command.find_command()
    anywhere = program(tmp_path / "path/fanin", "")
    assert _command.find_command() == (anywhere, dict(os.environ))
    beside = program(library / "fanin", "")
    assert _command.find_command()[0] == beside
    (package).mkdir()
    own = program(package / "bin/fanin", "")
    found, environment = _command.find_command()
    assert found == own and environment["LD_LIBRARY_PATH"].split(":")[0] == str(package)
    monkeypatch.setenv("FANIN", "/somewhere/fanin")
    assert _command.find_command()[0] == "/somewhere/fanin"
    with pytest.raises(fanin.Error, match="/somewhere/fanin cannot be run"):
        fanin.inspect("x.npy")


@pytest.mark.parametrize("status, kind", [(2, fanin.ArgumentError), (3, fanin.Error), (134, fanin.Error), (1, None)])
def test_exit_statuses(tmp_path, monkeypatch, status, kind):
    text = f"#!/bin/sh\necho '{{\"tensors\": []}}'\necho 'fanin: inspect: a sentence' >&2\nexit {status}\n"
    monkeypatch.setenv("FANIN", program(tmp_path / "fanin", text))
    if kind is None:
        assert not fanin.inspect("x.npy").holds
        return
    with pytest.raises(fanin.Error) as caught:
        fanin.inspect("x.npy")
    assert type(caught.value) is kind and str(caught.value) == "a sentence"


def test_names_that_look_like_options(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert fanin.init_file("-w.npy", tensors={"w": TENSORS["a.weight"]}) == Path("-w.npy")
    assert os.listdir(tmp_path) == ["-w.npy"] and fanin.inspect("-w.npy").tensors
