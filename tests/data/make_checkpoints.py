#!/usr/bin/env python3
"""Writes checkpoints/*.csv: the tensors of well-known models' checkpoints, and the law that the reference
implementation's own code gives each. Nothing of fanin is used: torch's in-place fills are recorded while transformers
4.30.2, torchvision 0.14.1 and timm 0.9.16 build their models (on torch 1.13), and what they were last asked for is
written down. std is the argument of the call (for uniform, that of its bounds); of trunc_normal, before the cut.

  python3 make_checkpoints.py    in a directory checkpoints/, with these packages
"""
import csv
import math

import torch

laws = {}


def key(t):
    return t.data_ptr(), tuple(t.shape)


def record(name, describe):
    original = getattr(torch.Tensor, name)

    def recorded(self, *args, **kwargs):
        laws[key(self)] = describe(self, *args, **kwargs)
        return original(self, *args, **kwargs) if self.numel() < 1000 else self

    setattr(torch.Tensor, name, recorded)


def truncated(t, mean=0.0, std=1.0, a=-2.0, b=2.0):
    laws[key(t)] = "trunc_normal", mean, std, a, b
    return t


def constant(value):
    return "constant", float(value), 0, float(value), float(value)




record("normal_", lambda t, mean=0, std=1, **k: ("normal", float(mean), std, "", ""))
record("uniform_", lambda t, a=0, b=1, **k: ("uniform", (a + b) / 2, (b - a) / math.sqrt(12), a, b))
record("fill_", lambda t, v: constant(v))
record("zero_", lambda t: constant(0))
torch.nn.init.trunc_normal_ = truncated

import timm  # noqa: E402
import timm.models.vision_transformer  # noqa: E402
from torchvision.models import resnet50, vit_b_16  # noqa: E402
from transformers import (GPT2Config, GPT2LMHeadModel, LlamaConfig, LlamaForCausalLM, T5Config,  # noqa: E402
                          T5ForConditionalGeneration, ViTConfig, ViTForImageClassification)

timm.models.vision_transformer.trunc_normal_ = truncated

# Parameters that are made by torch.ones() or torch.zeros() and filled by nobody: seen in the named source.
MADE = {"input_layernorm.weight": 1, "post_attention_layernorm.weight": 1, "norm.weight": 1,  # LlamaRMSNorm
        "class_token": 0}  # torchvision's VisionTransformer


def write(path, model, strip="", extra=()):
    seen, rows = set(), []
    for name, t in model.state_dict().items():
        if t.data_ptr() in seen and t.numel() > 1:
            continue  # tied: checkpoints have it once
        seen.add(t.data_ptr())
        if "inv_freq" in name:
            law = "skip", "", "", "", ""
        else:
            made = [v for end, v in MADE.items() if name.endswith(end)] if "llama" in path or "torchvision" in path else []
            law = constant(made[0]) if made else laws[key(t)]
        dtype = {torch.float32: "F32", torch.int64: "I64"}[t.dtype]
        rows.append([name.removeprefix(strip), dtype, "x".join(map(str, t.shape)), *law])
    rows += extra
    with open(path, "w") as f:
        w = csv.writer(f, lineterminator="\n")
        w.writerow(["name", "dtype", "shape", "law", "mean", "std", "lo", "hi"])
        w.writerows(rows)
    laws.clear()


# The file on the Hub also has each layer's causal mask.
masks = [[f"h.{i}.attn.bias", "F32", "1x1x1024x1024", "skip", "", "", "", ""] for i in range(12)]
write("gpt2.csv", GPT2LMHeadModel(GPT2Config()), "transformer.", masks)
write("t5-small.csv", T5ForConditionalGeneration(T5Config(d_model=512, d_kv=64, d_ff=2048, num_layers=6, num_heads=8)))
write("t5-v1_1-small.csv", T5ForConditionalGeneration(T5Config(
    d_model=512, d_kv=64, d_ff=1024, num_layers=2, num_heads=6, feed_forward_proj="gated-gelu",
    tie_word_embeddings=False)))  # the first two of its eight layers
write("llama.csv", LlamaForCausalLM(LlamaConfig(hidden_size=512, intermediate_size=1376, num_hidden_layers=2,
                                                num_attention_heads=8, vocab_size=2000)))
write("vit.csv", ViTForImageClassification(ViTConfig(num_labels=1000, num_hidden_layers=2)))
write("vit-torchvision.csv", vit_b_16())
write("vit-timm.csv", timm.create_model("vit_base_patch16_224"))
write("resnet50.csv", resnet50())


class Modules(torch.nn.Module):
    """One of each module whose defaults rules/pytorch.json knows."""

    def __init__(self):
        super().__init__()
        self.embedding = torch.nn.Embedding(100, 24)
        self.linear = torch.nn.Linear(24, 40)
        self.conv1 = torch.nn.Conv1d(24, 16, 5)
        self.conv2 = torch.nn.Conv2d(16, 32, 3, groups=4)
        self.conv3 = torch.nn.Conv3d(8, 6, 3)
        self.transposed = torch.nn.ConvTranspose2d(12, 20, 4)
        self.norm = torch.nn.LayerNorm(24)
        self.bn = torch.nn.BatchNorm2d(16)
        self.self_attn = torch.nn.MultiheadAttention(24, 4)
        self.cross_attention = torch.nn.MultiheadAttention(24, 4, kdim=16, vdim=20)
        self.lstm = torch.nn.LSTM(24, 50, num_layers=2, bidirectional=True)
        self.gru = torch.nn.GRU(24, 30)


write("pytorch.csv", Modules())
