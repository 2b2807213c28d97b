"""documents.py: what docs/ shows of model files, rules and commands that read them, run by the command.

Every block of JSON in the documentation is a whole model file or a whole file of rules, and runs as it stands there. Every
command of docs/checkpoints.md runs too, on checkpoints of the names that it has; and output that is shown is what the
command says, in docs/probe.md each block of text behind a command. $FANIN is the command, $SRC the source tree; the current folder is empty."""

import json
import math
import os
import re
import struct
import subprocess
from pathlib import Path

FANIN, SRC = os.environ["FANIN"], Path(os.environ["SRC"])
PAGES = [SRC / "README.md", SRC / "python/README.md", *sorted((SRC / "docs").rglob("*.md"))]
SIZES = {"F32": 4, "I64": 8}


def write(path, tensors):
    """A checkpoint of {name: shape} or {name: (dtype, shape)}; its values are zeros."""
    header, at = {}, 0
    for name, one in tensors.items():
        dtype, shape = one if isinstance(one, tuple) else ("F32", one)
        end = at + SIZES[dtype] * math.prod(shape)
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [at, end]}
        at = end
    text = json.dumps(header).encode()
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    with open(path, "wb") as out:
        out.write(struct.pack("<Q", len(text)) + text)
        out.truncate(8 + len(text) + at)


def header_of(path):
    with open(path, "rb") as file:
        return json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))


def run(*arguments, status=0):
    ran = subprocess.run([FANIN, *arguments], capture_output=True, text=True)
    assert ran.returncode == status, (arguments, ran.returncode, ran.stdout, ran.stderr)
    return ran


def section(text, title):
    return text.partition(f"## {title}\n")[2].partition("\n## ")[0]


# ---- Checkpoints for the pages' rules and commands ----

# By what a block of rules begins with. Each of its rules takes one of these tensors, so that none is reported.
OF_RULES = {
    "include pytorch": {"mix.weight": [3, 8, 4], "block.act.weight": [1], "fc.weight": [8, 4], "fc.bias": [8]},
    "name tagger": {
        "embed.weight": [20, 8],
        "lstm.weight_ih_l0": [16, 8],
        "lstm.weight_hh_l0": [16, 4],
        "lstm.bias_ih_l0": [16],
        "lstm.bias_hh_l0": [16],
    },
    "name mine": {
        "embed.weight": [20, 8],
        "lm_head.weight": [20, 8],
        "final_norm.weight": [8],
        "0.attn.q.weight": [8, 8],
        "0.attn.q.bias": [8],
        "0.attn.mask": [4, 4],
        "0.attn.rel_bias.weight": [16, 2],
        "0.attn.out.weight": [8, 8],
        "0.router.weight": [3, 8],
        "0.steps": ("I64", [3]),
    },
}
GPT2 = {"wte.weight": [50257, 8], "wpe.weight": [10, 8], "ln_f.weight": [8], "ln_f.bias": [8]}
GPT2 |= {"h.0.attn.c_attn.weight": [8, 24], "h.0.attn.c_proj.weight": [8, 8], "h.0.ln_1.weight": [8]}
LLAMA = {"model.embed_tokens.weight": [32000, 8], "model.norm.weight": [8], "lm_head.weight": [32000, 8]}
QUERIES = {"model.layers.0.self_attn.q_proj.weight": [8, 8]}
RESNET = {"conv1.weight": [8, 3, 7, 7], "bn1.weight": [8], "bn1.bias": [8], "fc.weight": [5, 8], "fc.bias": [5]}


def make_checkpoints():
    """Those that the commands of docs/checkpoints.md name."""
    write("gpt2/model.safetensors", GPT2)
    write("resnet50.safetensors", RESNET)
    write("with-head.safetensors", RESNET | {"head.weight": [3, 8], "head.bias": [3]})
    shards = {"model-00001-of-00002.safetensors": LLAMA, "model-00002-of-00002.safetensors": QUERIES}
    for name, tensors in shards.items():
        write(f"llama/{name}", tensors)
    places = {tensor: name for name, tensors in shards.items() for tensor in tensors}
    Path("llama/model.safetensors.index.json").write_text(json.dumps({"weight_map": places}))
    write("x.safetensors", OF_RULES["name mine"])
    write("tagger.safetensors", OF_RULES["name tagger"])
    lora = {"q.lora_a.weight": [2, 8], "q.lora_b.weight": [12, 2]}
    write("base.safetensors", {"q.weight": [12, 8]})
    write("authors.safetensors", {"q.weight": [12, 8], "q.weight_m_wdecomp.weight": [12, 1]} | lora)
    write("torchtune.safetensors", {"q.weight": [12, 8], "q.magnitude": [12]} | lora)
    write("dino.safetensors", {"head.last_layer.weight_g": [12, 1], "head.last_layer.weight_v": [12, 8]})
    Path("fresh").mkdir()


# ---- Blocks of JSON ----


def run_model(text):
    """A model file: what is made holds, and has the tensors that the page says, in its order."""
    Path("model.json").write_text(text)
    run("init", "model.json", "-o", "model.safetensors")
    last = run("inspect", "--require", "judged", "model.safetensors").stdout.splitlines()[-1]
    assert last.startswith("HOLDS: "), last
    return [name for name in header_of("model.safetensors") if name != "__metadata__"]


def run_rules(text):
    rules = json.loads(text)
    key = next(iter(rules))
    tensors = OF_RULES.get(f"{key} {rules[key]}")
    assert tensors, f"there is no checkpoint for the rules that begin with {key} {rules[key]!r}: add one to OF_RULES"
    Path("mine.json").write_text(text)
    write("rules.safetensors", tensors)
    ran = run("init", "--like", "rules.safetensors", "--rules", "mine.json", "-o", "made.safetensors")
    assert not ran.stderr, ran.stderr  # no rule took nothing
    left = set(tensors) - set(header_of("made.safetensors"))
    skipped = {"0.attn.mask"} & set(tensors)
    assert left == skipped, left
    return rules


def run_blocks():
    kinds = {"tensors": 0, "rules": 0}
    for page in PAGES:
        text = page.read_text()
        for match in re.finditer(r"^```json\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
            data = json.loads(match[1])
            kind = next((kind for kind in kinds if kind in data), None)
            assert kind, f"{page}: a block of JSON that is neither a model file nor rules: {match[1]}"
            kinds[kind] += 1
            if kind == "rules":
                run_rules(match[1])
                continue
            names = run_model(match[1])
            said = re.match(r"\s*makes (`[^.].*?), in this order", text[match.end() :], re.DOTALL)
            assert said and re.findall(r"`(.*?)`", said[1]) == names, (page, names)
    assert kinds["tensors"] >= 1 and kinds["rules"] >= 2, kinds


# ---- Commands, and what they say ----


def run_commands():
    """Each command of docs/checkpoints.md, whose mine.json and tagger.json are the page's own."""
    text = (SRC / "docs/checkpoints.md").read_text()
    blocks = re.findall(r"^```json\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    for name in ("mine", "tagger"):
        Path(f"{name}.json").write_text(next(block for block in blocks if f'"{name}"' in block))
    make_checkpoints()
    commands = re.findall(r"^    (fanin init .*)$", text, re.MULTILINE)
    assert len(commands) >= 4, commands
    for command in commands:
        ran = subprocess.run(["bash", "-c", f'fanin() {{ "$FANIN" "$@"; }}; {command}'], capture_output=True, text=True)
        assert ran.returncode == 0 and not ran.stderr, (command, ran.returncode, ran.stdout, ran.stderr)
        if "--explain" not in command:
            made = re.search(r"-o (\S+)", command)[1]
            assert Path(made).stat().st_size > 0, command
            Path(made).unlink()


def run_refusal():
    """The refusal that docs/model-files.md shows, of the file that it is about."""
    page = (SRC / "docs/model-files.md").read_text()
    shown = re.search(r"^    (fanin: init: (\S+): .*)$", section(page, "What is refused"), re.MULTILINE)
    plain = {"name": "w", "shape": [2], "init": "zeros"}
    tensors = [{**plain, "name": f"w{k}"} for k in range(3)]
    tensors.append({"repeat": {"i": [0, 1]}, "tensors": [{**plain, "name": "x.{i}", "shape": [3, 0]}]})
    path = Path(shown[2])
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps({"tensors": tensors}))
    said = run("init", str(path), "-o", "refused.safetensors", status=2).stderr.splitlines()[0]
    assert said == shown[1], (said, shown[1])


# ---- Output of probes ----

NUMBER = re.compile(r"[-+]?\d+(?:\.\d+)?(?:e[-+]?\d+)?")


def is_alike(shown, said):
    """Two lines that are the same but for blanks, and for the last digits of sums that a device adds up in its own order."""
    numbers = [NUMBER.findall(line) for line in (shown, said)]
    words = [NUMBER.sub("#", line).split() for line in (shown, said)]
    if words[0] != words[1] or len(numbers[0]) != len(numbers[1]):
        return False
    close = lambda a, b: math.isclose(float(a), float(b), rel_tol=2e-3, abs_tol=0.011 if a[0] in "+-" else 0)
    return all(a == b or ("." in a and close(a, b)) for a, b in zip(*numbers))


def run_probes():
    """Commands of docs/probe.md with the output behind them: its lines come in this order, and between them others may, where
    "..." stands. It is shown for 100 columns."""
    page = (SRC / "docs/probe.md").read_text()
    block = r"^    (fanin probe (?:[^\n]*\\\n)*[^\n]*)\n\n```text\n(.*?)^```$"
    shown = re.findall(block, page, re.MULTILINE | re.DOTALL)
    assert len(shown) == page.count("\n```text\n") >= 2, (len(shown), "a block of text that is behind no command")
    for command, output in shown:
        script = f'fanin() {{ "$FANIN" "$@"; }}; {command}'
        environment = {**os.environ, "COLUMNS": "100"}
        ran = subprocess.run(["bash", "-c", script], capture_output=True, text=True, env=environment, cwd=SRC)
        expected = int(re.search(r"# status (\d)$", command)[1]) if "# status" in command else 0
        assert ran.returncode == expected and not ran.stderr, (command, ran.returncode, ran.stdout, ran.stderr)
        said, any_next = iter(ran.stdout.splitlines()), True  # the heading may come before
        for line in output.splitlines():
            if line == "...":
                any_next = True
                continue
            found = next((one for one in said if is_alike(line, one) or not any_next), None)
            assert found is not None and is_alike(line, found), (command, line, found, ran.stdout)
            any_next = False


run_blocks()
run_commands()
run_probes()
run_refusal()
