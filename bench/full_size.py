#!/usr/bin/env python3
"""full_size.py: models that people train, at full size, through `fanin init`: time, rate and peak memory.

    bench/full_size.py [--fanin build/fanin] [--inspect DIR] [MODEL...]

Names and shapes are those of the models' public checkpoints, made here from their config.json: a header that is followed by
a hole. What is written goes to /dev/null, through a link whose name ends in .safetensors, so that no disk is measured.
With --inspect the file is written to DIR instead, and `fanin inspect` judges every tensor of it.
"""
import argparse
import json
import math
import os
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path


def llama(layers=32, d=4096, kv=1024, ff=14336, vocab=128256):
    yield "model.embed_tokens.weight", (vocab, d)
    for k in range(layers):
        at = f"model.layers.{k}"
        yield f"{at}.input_layernorm.weight", (d,)
        yield f"{at}.mlp.down_proj.weight", (d, ff)
        yield f"{at}.mlp.gate_proj.weight", (ff, d)
        yield f"{at}.mlp.up_proj.weight", (ff, d)
        yield f"{at}.post_attention_layernorm.weight", (d,)
        for name, rows in {"k": kv, "o": d, "q": d, "v": kv}.items():
            yield f"{at}.self_attn.{name}_proj.weight", (rows, d)
    yield "model.norm.weight", (d,)
    yield "lm_head.weight", (vocab, d)


def qwen3_moe(layers=48, d=2048, head=128, heads=32, kv_heads=4, experts=128, ff=768, vocab=151936):
    yield "model.embed_tokens.weight", (vocab, d)
    for k in range(layers):
        at = f"model.layers.{k}"
        yield f"{at}.input_layernorm.weight", (d,)
        yield f"{at}.post_attention_layernorm.weight", (d,)
        for e in range(experts):
            yield f"{at}.mlp.experts.{e}.down_proj.weight", (d, ff)
            yield f"{at}.mlp.experts.{e}.gate_proj.weight", (ff, d)
            yield f"{at}.mlp.experts.{e}.up_proj.weight", (ff, d)
        yield f"{at}.mlp.gate.weight", (experts, d)
        yield f"{at}.self_attn.q_norm.weight", (head,)
        yield f"{at}.self_attn.k_norm.weight", (head,)
        yield f"{at}.self_attn.q_proj.weight", (heads * head, d)
        yield f"{at}.self_attn.k_proj.weight", (kv_heads * head, d)
        yield f"{at}.self_attn.v_proj.weight", (kv_heads * head, d)
        yield f"{at}.self_attn.o_proj.weight", (d, heads * head)
    yield "model.norm.weight", (d,)
    yield "lm_head.weight", (vocab, d)


def mamba2(layers=64, d=2560, state=128, head=64, kernel=4, vocab=50288):
    inner, heads = 2 * d, 2 * d // head
    yield "backbone.embeddings.weight", (vocab, d)
    for k in range(layers):
        at = f"backbone.layers.{k}"
        yield f"{at}.norm.weight", (d,)
        for name in "A_log", "D", "dt_bias":
            yield f"{at}.mixer.{name}", (heads,)
        yield f"{at}.mixer.conv1d.bias", (inner + 2 * state,)
        yield f"{at}.mixer.conv1d.weight", (inner + 2 * state, 1, kernel)
        yield f"{at}.mixer.in_proj.weight", (2 * inner + 2 * state + heads, d)
        yield f"{at}.mixer.norm.weight", (inner,)
        yield f"{at}.mixer.out_proj.weight", (d, inner)
    yield "backbone.norm_f.weight", (d,)


def vit(layers=24, d=1024, ff=4096, patch=16, image=224, classes=1000):
    yield "vit.embeddings.cls_token", (1, 1, d)
    yield "vit.embeddings.position_embeddings", (1, (image // patch) ** 2 + 1, d)
    yield "vit.embeddings.patch_embeddings.projection.weight", (d, 3, patch, patch)
    yield "vit.embeddings.patch_embeddings.projection.bias", (d,)
    for k in range(layers):
        at = f"vit.encoder.layer.{k}"
        names = [f"attention.attention.{name}" for name in ("query", "key", "value")] + ["attention.output.dense"]
        for name, shape in [(name, (d, d)) for name in names] + [
            ("intermediate.dense", (ff, d)),
            ("output.dense", (d, ff)),
        ]:
            yield f"{at}.{name}.weight", shape
            yield f"{at}.{name}.bias", shape[:1]
        for name in "layernorm_before", "layernorm_after":
            yield f"{at}.{name}.weight", (d,)
            yield f"{at}.{name}.bias", (d,)
    for name, shape in ("vit.layernorm", (d, d)), ("classifier", (classes, d)):
        yield f"{name}.weight", shape if name == "classifier" else shape[:1]
        yield f"{name}.bias", shape[:1]


MODELS = {  # name: tensors, dtype of the checkpoint, rules
    "Llama-3-8B": (llama, "BF16", "llama"),
    "Qwen3-30B-A3B": (qwen3_moe, "BF16", "llama"),
    "Mamba2-2.7B": (mamba2, "F32", "mamba"),
    "ViT-L/16": (vit, "F32", "vit"),
}


def write_header(path, tensors, dtype):
    """A safetensors file whose values are a hole. Returns the tensors, the parameters and the bytes."""
    header, at, parameters, size = {}, 0, 0, {"F32": 4, "BF16": 2}[dtype]
    for name, shape in tensors:
        end = at + size * math.prod(shape)
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [at, end]}
        parameters, at = parameters + math.prod(shape), end
    text = json.dumps(header).encode()
    with open(path, "wb") as out:
        out.write(struct.pack("<Q", len(text)) + text)
        out.truncate(8 + len(text) + at)
    return len(header), parameters, at


def run(*command):
    """Runs it to its end: seconds, peak resident memory in bytes, and what it printed."""
    start = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as program:
        printed = program.stdout.read()
        _, status, usage = os.wait4(program.pid, 0)
        program.returncode = os.waitstatus_to_exitcode(status)
    if program.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))}: exit status {program.returncode}\n{printed[-2000:]}")
    return time.perf_counter() - start, usage.ru_maxrss * 1024, printed


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--fanin", default="build/fanin")
    parser.add_argument("--inspect", metavar="DIR", help="write the files to DIR, and judge them")
    parser.add_argument("models", nargs="*", metavar="MODEL", help=", ".join(MODELS))
    options = parser.parse_args()
    unknown = set(options.models) - set(MODELS)
    if unknown:
        parser.error(f"no model is called {sorted(unknown)[0]!r}; there are {', '.join(MODELS)}")
    print(f"{'model':14} {'tensors':>8} {'parameters':>15} {'bytes':>10} {'seconds':>8} {'GB/s':>6} {'peak MB':>8}")
    for name in options.models or MODELS:
        tensors, dtype, rules = MODELS[name]
        with tempfile.TemporaryDirectory(dir=options.inspect) as folder:
            like, out = Path(folder, "like.safetensors"), Path(folder, "out.safetensors")
            count, parameters, size = write_header(like, tensors(), dtype)
            if not options.inspect:
                out.symlink_to("/dev/null")
            seconds, peak, _ = run(options.fanin, "init", "--like", like, "--rules", rules, "-o", out)
            print(
                f"{name:14} {count:8,} {parameters:15,} {size / 1e9:7.1f} GB {seconds:8.1f} {size / 1e9 / seconds:6.2f} "
                f"{peak / 1e6:8.0f}",
                flush=True,
            )
            if options.inspect:
                seconds, peak, said = run(options.fanin, "inspect", "--require", "judged", "--json", out)
                judged = sum(t["answer"] == "holds" for t in json.loads(said)["tensors"])
                print(
                    f"{'':14} {judged:,} of {count:,} tensors hold, in {seconds:.1f} s, peak {peak / 1e6:.0f} MB",
                    flush=True,
                )


if __name__ == "__main__":
    main()
