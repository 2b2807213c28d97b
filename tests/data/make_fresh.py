#!/usr/bin/env python3
"""Writes fresh/*.safetensors: public architectures as their own code initializes them, with configurations scaled down.
Nothing of fanin is used: torch, transformers and timm from PyPI, whose releases stand in fresh/VERSIONS, and for the
files rwkv-x*, BlinkDL/RWKV-LM's own code, as rwkv_code.py says.

  RWKV=FOLDER python3 make_fresh.py [NAME...]    in tests/data, with these packages
"""

import os
import sys

import timm
import torch
import transformers
from safetensors.torch import save_file
from torch import nn

import rwkv_code

NARROW = {
    "hidden_size": 40,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 80,
    "vocab_size": 200,
}
LLAMA = NARROW | {"num_key_value_heads": 2, "head_dim": 10, "tie_word_embeddings": False}


def of(name, **numbers):
    """A model of transformers: its configuration's class, and what differs from its defaults."""
    config = getattr(transformers, f"{name}Config")(**numbers)
    return transformers.AutoModelForCausalLM.from_config(config)


def bert():
    return transformers.BertForMaskedLM(transformers.BertConfig(**NARROW, max_position_embeddings=64))


def t5():
    return transformers.T5ForConditionalGeneration(
        transformers.T5Config(d_model=32, d_kv=8, d_ff=64, num_layers=2, num_heads=4, vocab_size=200)
    )


def whisper():
    numbers = {f"{part}_{what}": n for part in ("encoder", "decoder") for what, n in LAYERS.items()}
    return transformers.WhisperForConditionalGeneration(
        transformers.WhisperConfig(
            d_model=40,
            vocab_size=200,
            max_source_positions=50,
            max_target_positions=40,
            num_mel_bins=20,
            pad_token_id=0,
            bos_token_id=1,
            eos_token_id=2,
            decoder_start_token_id=1,
            suppress_tokens=None,
            begin_suppress_tokens=None,
            **numbers,
        )
    )


LAYERS = {"layers": 1, "attention_heads": 4, "ffn_dim": 80}


def clip():
    tower = {k: NARROW[k] for k in ("hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size")}
    return transformers.CLIPModel(
        transformers.CLIPConfig(
            text_config=tower
            | {
                "vocab_size": 200,
                "max_position_embeddings": 20,
                "eos_token_id": 2,
                "bos_token_id": 1,
                "num_hidden_layers": 1,
            },
            vision_config=tower | {"image_size": 32, "patch_size": 8, "num_hidden_layers": 1},
            projection_dim=40,
        )
    )


def first_blocks(model, n):
    """What follows them would be large, and is as they are."""
    model.blocks, model.conv_head, model.bn2, model.classifier = model.blocks[:n], None, None, None
    return model


class Defaults(nn.Module):
    """What torch.nn's modules have right after they are made."""

    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(200, 24, padding_idx=0)
        self.conv = nn.Conv1d(24, 40, 3)
        self.bn = nn.BatchNorm1d(40)
        self.lstm = nn.LSTM(40, 24, bidirectional=True)
        self.encoder = nn.TransformerEncoderLayer(48, 4, 64)
        self.fc = nn.Linear(48, 10)


MODELS = {
    "gpt2": lambda: of("GPT2", n_embd=40, n_layer=2, n_head=4, vocab_size=200, n_positions=64),
    "llama": lambda: of("Llama", **LLAMA),
    "qwen2": lambda: of("Qwen2", **LLAMA),
    "gemma": lambda: of("Gemma", **LLAMA | {"tie_word_embeddings": True, "pad_token_id": 0}),
    "gpt_neox": lambda: of("GPTNeoX", **NARROW, max_position_embeddings=64),
    "mamba": lambda: of("Mamba", hidden_size=40, num_hidden_layers=2, vocab_size=200, state_size=8),
    "bert": bert,
    "t5": t5,
    "whisper": whisper,
    "clip": clip,
    "vit": lambda: timm.create_model(
        "vit_tiny_patch16_224", img_size=32, patch_size=8, embed_dim=40, depth=2, num_heads=4, num_classes=10
    ),
    "resnet": lambda: timm.create_model(
        "resnet18", layers=(1, 1, 1, 1), channels=(8, 16, 24, 32), zero_init_last=False, num_classes=10
    ),
    "mobilenet": lambda: first_blocks(timm.create_model("mobilenetv2_035", num_classes=10), 4),
    "convnext": lambda: timm.create_model("convnext_atto", depths=(1, 1, 2, 1), dims=(16, 24, 32, 32), num_classes=10),
    "defaults": Defaults,
    "rwkv": lambda: of("Rwkv", hidden_size=32, num_hidden_layers=3, vocab_size=200, context_length=64),
    "rwkv-x052": lambda: rwkv_code.Model("x052", layers=2, width=32, head=8),
    "rwkv-x060": lambda: rwkv_code.Model("x060", layers=2, width=32, head=16, dim_ffn=32),
    "rwkv-x070": lambda: rwkv_code.Model("x070", layers=2, width=32, head=16),
}


def main():
    os.makedirs("fresh", exist_ok=True)
    with open("fresh/VERSIONS", "w") as f:
        print(f"torch {torch.__version__}, transformers {transformers.__version__}, timm {timm.__version__}", file=f)
    for seed, (name, make) in enumerate(MODELS.items()):
        if name not in (sys.argv[1:] or MODELS):
            continue
        torch.manual_seed(seed)
        seen, tensors = {}, {}
        for key, t in make().state_dict().items():
            if t.numel() > 1 and seen.setdefault((t.data_ptr(), t.shape), key) != key:
                continue  # tied: checkpoints have it once
            tensors[key] = t.clone().contiguous()
        save_file(tensors, f"fresh/{name}.safetensors")
        print(name, sum(t.numel() for t in tensors.values()))


main()
