#!/usr/bin/env python3
"""Writes models/*.csv: the tensors of many models' checkpoints, and what their own code makes of each. Nothing of fanin
is used: torch's in-place fills are recorded while transformers 5.24, torchvision 0.29, timm 1.0.31, diffusers 0.42 and
PEFT 0.21 build their models on torch 2.15 (from PyPI), from configurations that are scaled down. Widths differ, so that
swapped fans show; of what repeats, two or three layers stay. `projection` and `weight_norm`, which need torch alone, are
Debian's torch 1.13's.

  python3 make_models.py DIRECTORY [NAME...]

A row has a tensor's name, dtype and shape, then two laws: `own` is what the model's code did last, `module` what the
torch.nn module that owns the tensor did when it was made, which rules/pytorch.json is about; "" where no module did.
normal:MEAN:STD, uniform:LO:HI, trunc:MEAN:STD:LO:HI (STD before the cut) and constant:VALUE are laws that were asked for
and that the values were found to have; orthogonal:GAIN is a matrix that has orthogonal rows or columns of this length;
values:MEAN:STD:LEAST:MOST are of numbers that are the same each time; `other` is anything else, as tables of sinusoids.
"""

import csv
import importlib.util
import math
import os
import re
import sys
import tempfile

import torch

torch.manual_seed(1)
own, module, depth = {}, {}, 0


def key(t):
    return t.data_ptr(), t.numel()  # without the shape: code fills views of other shapes


def note(t, law):
    own[key(t)] = law
    if depth:
        module[key(t)] = law


def record(name, law_of):
    original = getattr(torch.Tensor, name)

    def recorded(self, *args, **kwargs):
        result = original(self, *args, **kwargs)
        law = law_of(self, *args, **kwargs)
        if law:
            note(self, law)
        return result

    setattr(torch.Tensor, name, recorded)


def scaled(t, factor, *_, **__):
    law = own.get(key(t))
    if law and not isinstance(factor, torch.Tensor):
        return (law[0], *(x * factor for x in law[1:]))


record("normal_", lambda t, mean=0, std=1, **k: ("normal", float(mean), float(std)))
record("uniform_", lambda t, a=0, b=1, **k: ("uniform", float(a), float(b)))
record("fill_", lambda t, v: ("constant", float(v)))
record("zero_", lambda t: ("constant", 0.0))
record("mul_", scaled)
record("div_", lambda t, d, *_, **__: None if isinstance(d, torch.Tensor) else scaled(t, 1 / d))


def truncating(where, name):
    original = getattr(where, name)

    def recorded(tensor, mean=0.0, std=1.0, a=-2.0, b=2.0, *rest, **named):
        result = original(tensor, mean, std, a, b, *rest, **named)
        note(tensor, ("trunc", float(mean), float(std), float(a), float(b)))
        return result

    setattr(where, name, recorded)


truncating(torch.nn.init, "_no_grad_trunc_normal_")


def orthogonalizing(where, name):
    original = getattr(where, name)

    def recorded(tensor, gain=1, *rest, **named):
        result = original(tensor, gain, *rest, **named)
        note(tensor, ("orthogonal", float(gain)))
        return result

    setattr(where, name, recorded)


orthogonalizing(torch.nn.init, "orthogonal_")


def resetting(cls, name):
    original = cls.__dict__[name]

    def recorded(self, *args, **kwargs):
        global depth
        depth += 1
        try:
            return original(self, *args, **kwargs)
        finally:
            depth -= 1

    setattr(cls, name, recorded)


for cls in {c for c in vars(torch.nn).values() if isinstance(c, type)} | {
    torch.nn.modules.conv._ConvNd,
    torch.nn.modules.batchnorm._NormBase,
    torch.nn.modules.rnn.RNNBase,
}:
    for name in ("reset_parameters", "_reset_parameters", "reset_running_stats"):
        if name in cls.__dict__ and not cls.__name__.startswith("Transformer"):
            resetting(cls, name)

try:
    import peft
    import transformers as hf

    import diffusers
    import timm
    import timm.layers.weight_init
    import torchvision

    truncating(timm.layers.weight_init, "_trunc_normal_")
except ImportError as error:
    print(f"only models that need no more than what was found can be written: {error}", file=sys.stderr)


def verified(t, law):
    """The law, if the values have it; else what can be seen of them."""
    x = t.detach().double()
    if x.numel() == 0:
        return "other"
    if x.min() == x.max():
        return (
            f"constant:{x.flatten()[0].item()!r}"
            if not t.dtype == torch.float32
            else f"constant:{float(t.flatten()[0]):.9g}"
        )
    if not law or law[0] == "constant":
        return "other"
    if law[0] == "orthogonal":
        short = x if x.shape[0] <= x.shape[1] else x.T
        unit = law[1] ** 2 * torch.eye(len(short), dtype=x.dtype)
        return f"orthogonal:{law[1]:.9g}" if torch.allclose(short @ short.T, unit, atol=1e-5 * law[1] ** 2) else "other"
    x = x[x.abs().reshape(len(x), -1).amax(1) > 0] if x.dim() > 1 else x  # without padding rows
    n = x.numel()
    if law[0] == "normal":
        mean, std = law[1:]
        lo, hi = -math.inf, math.inf
    elif law[0] == "uniform":
        lo, hi = law[1:]
        mean, std = (lo + hi) / 2, (hi - lo) / math.sqrt(12)
    else:
        mean, std, lo, hi = law[1:]
        x = x[(x > lo) & (x < hi)]  # without what timm's erfinv_ has at infinity and clamps
        n = x.numel()
        cut = (hi - mean) / std
        assert abs(lo + hi - 2 * mean) < 1e-9
        std *= math.sqrt(1 - cut * math.sqrt(2 / math.pi) * math.exp(-(cut**2) / 2) / math.erf(cut / math.sqrt(2)))
    near = abs(x.std().item() / std - 1) < 6 / math.sqrt(n) + 1e-3 and abs(
        x.mean().item() - mean
    ) < 6 * std / math.sqrt(n)
    inside = x.min() >= lo - 1e-6 * abs(lo) and x.max() <= hi + 1e-6 * abs(hi)
    if n >= 8 and not (near and inside):
        return "other"
    return ":".join([law[0]] + [f"{v:.9g}" for v in law[1:]])


DTYPES = {torch.float32: "F32", torch.int64: "I64", torch.bool: "BOOL", torch.int32: "I32"}
models = {}


def add(name, make, most=None, saved=False, twice=False):
    """Of what repeats, `most` stay. If `saved`, NAME-saved has the tensors and names of the file that transformers
    writes, which are those of the Hub: experts one by one, and the names of older versions. If `twice`, numbers that
    are the same in a second model are recorded."""
    models[name] = (same_twice(make) if twice else make, most, False)
    if saved:
        models[f"{name}-saved"] = (make, most, True)


same = {}


def same_twice(make):
    """Notes numbers of the model that another one has too."""

    def made():
        first, model = make().state_dict(), make()
        for name, t in model.state_dict().items():
            x = t.double()
            if t.numel() > 1 and torch.equal(t, first[name]) and x.min() < x.max():
                same[key(t)] = f"values:{x.mean():.9g}:{x.std(correction=0):.9g}:{x.min():.9g}:{x.max():.9g}"
        return model

    return made


def norm_law(name, state):
    """ "norm:V" of a tensor that has the norms of V beside it, as weight normalization and DoRA begin; else None."""
    for g, v in (("weight_g", "weight_v"), ("original0", "original1")):
        of = state.get(name[: -len(g)] + v) if name.endswith(g) else None
        if of is not None:
            summed = [d for d in range(of.dim()) if not state[name].dim() or state[name].shape[d] == 1]
            norms = of.double().pow(2).sum(summed, keepdim=True).sqrt().reshape(state[name].shape)
            assert torch.allclose(norms, state[name].double(), rtol=1e-6), name
            return f"norm:{name[: -len(g)]}{v}"
    base = name.replace("lora_magnitude_vector.default", "base_layer")
    if base != name and state[name].shape == state[base].shape[:1]:  # DoRA
        if torch.allclose(state[base].double().flatten(1).norm(dim=1), state[name].double(), rtol=1e-6):
            return f"norm:{base}"


def laws_of(model):
    """{name: (tensor, own law, module's law)}"""
    laws, seen = {}, set()
    for name, t in model.state_dict().items():
        if t.data_ptr() in seen and t.numel() > 1:
            continue  # tied: a checkpoint has it once
        seen.add(t.data_ptr())
        default = module.get(key(t))
        default = "" if not default else ":".join([default[0]] + [f"{v:.9g}" for v in default[1:]])
        norm = norm_law(name, model.state_dict())
        law = norm or same.get(key(t)) or verified(t, own.get(key(t)))
        laws[name] = t, law, law if ".lora_" in name else norm or default  # the rules are about PEFT's layers, too
    return laws


def laws_of_file(model):
    """The same of the file. To find where its tensors come from, the model's are filled with their numbers."""
    origins = list(laws_of(model).values())
    with torch.no_grad():
        for i, (t, _, _) in enumerate(origins):
            t.copy_(torch.full_like(t, i))
    with tempfile.TemporaryDirectory() as directory:
        model.save_pretrained(directory)
        file = importlib.import_module("safetensors.torch").load_file(f"{directory}/model.safetensors")
    laws = {}
    for name, t in file.items():
        found = {origins[int(i)][1:] for i in t.unique()}
        assert len(found) == 1, (name, found)
        laws[name] = t, *found.pop()
    return laws


def write(directory, name):
    make, most, saved = models[name]
    own.clear()
    module.clear()
    same.clear()
    rows, kinds = [], {}
    for tensor_name, (t, law, default) in (laws_of_file if saved else laws_of)(make()).items():
        kind = re.sub(r"\d+", "#", tensor_name), tuple(t.shape)
        kinds[kind] = kinds.get(kind, 0) + 1
        if most and kinds[kind] > most:
            continue
        rows.append([tensor_name, DTYPES[t.dtype], "x".join(map(str, t.shape)), law, default])
    with open(f"{directory}/{name}.csv", "w") as f:
        w = csv.writer(f, lineterminator="\n")
        w.writerow(["name", "dtype", "shape", "own", "module"])
        w.writerows(rows)
    print(name, len(rows), sum(r[3] == "other" for r in rows), flush=True)


def causal(cls, config, **k):
    return lambda: getattr(hf, cls)(getattr(hf, config)(**k))


# ---- Decoders -----------------------------------------------------------------------------------------------------------

small = dict(
    hidden_size=64,
    intermediate_size=160,
    num_hidden_layers=2,
    num_attention_heads=4,
    vocab_size=500,
    max_position_embeddings=96,
)
grouped = dict(small, num_key_value_heads=2)
add("gpt2", causal("GPT2LMHeadModel", "GPT2Config", n_embd=64, n_layer=3, n_head=4, vocab_size=500, n_positions=96))
add("gpt2-bare", causal("GPT2Model", "GPT2Config", n_embd=64, n_layer=3, n_head=4, vocab_size=500, n_positions=96))
add(
    "gpt_neo",
    causal(
        "GPTNeoForCausalLM",
        "GPTNeoConfig",
        hidden_size=64,
        num_layers=2,
        num_heads=4,
        vocab_size=500,
        attention_types=[[["global", "local"], 1]],
        max_position_embeddings=96,
    ),
)
add("gptj", causal("GPTJForCausalLM", "GPTJConfig", n_embd=64, n_layer=2, n_head=4, vocab_size=500, rotary_dim=8))
add("gpt_neox", causal("GPTNeoXForCausalLM", "GPTNeoXConfig", **small))
add(
    "gpt_bigcode",
    causal("GPTBigCodeForCausalLM", "GPTBigCodeConfig", n_embd=64, n_layer=2, n_head=4, vocab_size=500, n_positions=96),
)
add(
    "opt",
    causal(
        "OPTForCausalLM",
        "OPTConfig",
        hidden_size=64,
        ffn_dim=160,
        num_hidden_layers=2,
        num_attention_heads=4,
        vocab_size=500,
        max_position_embeddings=96,
        word_embed_proj_dim=64,
    ),
)
add("bloom", causal("BloomForCausalLM", "BloomConfig", hidden_size=64, n_layer=2, n_head=4, vocab_size=500))
add(
    "falcon",
    causal(
        "FalconForCausalLM", "FalconConfig", hidden_size=64, num_hidden_layers=2, num_attention_heads=4, vocab_size=500
    ),
)
add("llama", causal("LlamaForCausalLM", "LlamaConfig", **grouped))
add("llama-tied", causal("LlamaForCausalLM", "LlamaConfig", **grouped, tie_word_embeddings=True))
add("mistral", causal("MistralForCausalLM", "MistralConfig", **grouped))
add("mixtral", causal("MixtralForCausalLM", "MixtralConfig", **grouped, num_local_experts=4), saved=True)
add("qwen2", causal("Qwen2ForCausalLM", "Qwen2Config", **grouped))
add("qwen3", causal("Qwen3ForCausalLM", "Qwen3Config", **grouped, head_dim=24))
add(
    "qwen2_moe",
    causal(
        "Qwen2MoeForCausalLM",
        "Qwen2MoeConfig",
        **grouped,
        num_experts=4,
        moe_intermediate_size=48,
        shared_expert_intermediate_size=80,
    ),
    saved=True,
)
few = dict(num_experts=4, moe_intermediate_size=48)  # experts
add("qwen3_moe", causal("Qwen3MoeForCausalLM", "Qwen3MoeConfig", **grouped, **few, head_dim=24), saved=True)
add("olmoe", causal("OlmoeForCausalLM", "OlmoeConfig", **grouped, num_experts=4), saved=True)
add("granitemoe", causal("GraniteMoeForCausalLM", "GraniteMoeConfig", **grouped, num_local_experts=4), saved=True)
add(
    "minimax_m2",
    causal("MiniMaxM2ForCausalLM", "MiniMaxM2Config", **grouped, head_dim=24, num_local_experts=4),
    saved=True,
)
add("phimoe", causal("PhimoeForCausalLM", "PhimoeConfig", **grouped, num_local_experts=4), saved=True)
add(
    "gpt_oss",
    causal("GptOssForCausalLM", "GptOssConfig", **grouped, head_dim=24, num_local_experts=4, pad_token_id=0),
)
latent = dict(
    small,
    num_hidden_layers=3,
    q_lora_rank=24,
    kv_lora_rank=20,
    qk_rope_head_dim=8,
    qk_nope_head_dim=12,
    v_head_dim=14,
    n_routed_experts=4,
    moe_intermediate_size=48,
    first_k_dense_replace=1,
    n_group=2,
    topk_group=1,
)
add("deepseek_v2", causal("DeepseekV2ForCausalLM", "DeepseekV2Config", **latent), saved=True)
add(
    "deepseek_v2-lite",
    causal("DeepseekV2ForCausalLM", "DeepseekV2Config", **dict(latent, q_lora_rank=None)),
    saved=True,
)
add("deepseek_v3", causal("DeepseekV3ForCausalLM", "DeepseekV3Config", **latent), saved=True)
add(
    "glm4_moe",
    causal(
        "Glm4MoeForCausalLM",
        "Glm4MoeConfig",
        **grouped,
        n_routed_experts=4,
        moe_intermediate_size=48,
        use_qk_norm=True,
        attention_bias=True,
    ),
    saved=True,
)
add(
    "ernie4_5_moe",
    causal(
        "Ernie4_5_MoeForCausalLM",
        "Ernie4_5_MoeConfig",
        **grouped,
        moe_num_experts=4,
        moe_intermediate_size=48,
        tie_word_embeddings=False,
    ),
    saved=True,
)
add(
    "llama4",
    causal(
        "Llama4ForCausalLM",
        "Llama4TextConfig",
        **grouped,
        intermediate_size_mlp=224,
        head_dim=24,
        num_local_experts=4,
        interleave_moe_layer_step=2,
        pad_token_id=0,
    ),
)
add("granitemoe_swa", causal("GraniteMoeSWAForCausalLM", "GraniteMoeSWAConfig", **grouped, num_local_experts=4))
add("hy_v3", causal("HYV3ForCausalLM", "HYV3Config", **grouped, **few, head_dim=16, num_shared_experts=1), saved=True)
add("cohere", causal("CohereForCausalLM", "CohereConfig", **grouped, pad_token_id=0))
add("nemotron", causal("NemotronForCausalLM", "NemotronConfig", **grouped))
add(
    "minimax_m3",
    causal(
        "MiniMaxM3VLForCausalLM",
        "MiniMaxM3VLTextConfig",
        **grouped,
        head_dim=16,
        num_local_experts=4,
        shared_intermediate_size=80,
    ),
)
add("olmo3", causal("Olmo3ForCausalLM", "Olmo3Config", **grouped))
add("granite", causal("GraniteForCausalLM", "GraniteConfig", **grouped))
add("smollm3", causal("SmolLM3ForCausalLM", "SmolLM3Config", **grouped, pad_token_id=0))
add("glm4", causal("Glm4ForCausalLM", "Glm4Config", **grouped, head_dim=24, pad_token_id=0))
add(
    "qwen3_next",
    causal(
        "Qwen3NextForCausalLM",
        "Qwen3NextConfig",
        **grouped,
        head_dim=24,
        num_experts=4,
        moe_intermediate_size=48,
        shared_expert_intermediate_size=80,
        linear_num_value_heads=4,
        linear_num_key_heads=2,
        linear_key_head_dim=8,
        linear_value_head_dim=12,
        layer_types=["linear_attention", "full_attention"],
    ),
    saved=True,
)
add("phi", causal("PhiForCausalLM", "PhiConfig", **small))
add("phi3", causal("Phi3ForCausalLM", "Phi3Config", **grouped, pad_token_id=0))
add("olmo2", causal("Olmo2ForCausalLM", "Olmo2Config", **grouped))
add("stablelm", causal("StableLmForCausalLM", "StableLmConfig", **grouped))
add("starcoder2", causal("Starcoder2ForCausalLM", "Starcoder2Config", **grouped))
add("gemma", causal("GemmaForCausalLM", "GemmaConfig", **grouped, head_dim=24))
add("gemma2", causal("Gemma2ForCausalLM", "Gemma2Config", **grouped, head_dim=24))
add("gemma3", causal("Gemma3ForCausalLM", "Gemma3TextConfig", **grouped, head_dim=24))
add(
    "mamba",
    causal("MambaForCausalLM", "MambaConfig", hidden_size=64, num_hidden_layers=2, vocab_size=500, state_size=8),
)
two = dict(hidden_size=64, num_hidden_layers=2, vocab_size=500, state_size=8, expand=2)
add("mamba2", causal("Mamba2ForCausalLM", "Mamba2Config", **two, num_heads=8, head_dim=16, n_groups=2))
add(
    "mamba2-tied",
    causal(
        "Mamba2ForCausalLM", "Mamba2Config", **two, num_heads=16, head_dim=8, use_bias=True, tie_word_embeddings=True
    ),
)

add(
    "rwkv",
    causal("RwkvForCausalLM", "RwkvConfig", hidden_size=64, num_hidden_layers=3, vocab_size=500, context_length=64),
    twice=True,
)
add(
    "rwkv-wide",
    causal(
        "RwkvModel",
        "RwkvConfig",
        hidden_size=64,
        attention_hidden_size=96,
        intermediate_size=40,
        num_hidden_layers=2,
        vocab_size=50,
    ),
    twice=True,
)


def rwkv(version, **numbers):
    """BlinkDL/RWKV-LM's own code, with what the modules of torch did."""
    model = importlib.import_module("rwkv_code").Model(version, **numbers)
    for name, t in model.parameters().items():
        module[key(model.state_dict()[name])] = module.get(key(t))
    return model


add("rwkv-x052", lambda: rwkv("x052", layers=3, width=64, head=16), twice=True)
add("rwkv-x060", lambda: rwkv("x060", layers=3, width=96, head=32), twice=True)
add("rwkv-x070", lambda: rwkv("x070", layers=3, width=64, head=16, vocabulary=40), twice=True)
add("rwkv-x070-train_temp", lambda: rwkv("x070-train_temp", layers=4, width=128, head=64), twice=True)

# ---- Encoders, and encoders with decoders --------------------------------------------------------------------------------

add("bert", causal("BertForMaskedLM", "BertConfig", **small))
add("bert-classifier", causal("BertForSequenceClassification", "BertConfig", **small))
add("roberta", causal("RobertaForMaskedLM", "RobertaConfig", **small))
add(
    "distilbert",
    causal(
        "DistilBertForMaskedLM",
        "DistilBertConfig",
        dim=64,
        hidden_dim=160,
        n_layers=2,
        n_heads=4,
        vocab_size=500,
        max_position_embeddings=96,
    ),
)
add("albert", causal("AlbertForMaskedLM", "AlbertConfig", **small, embedding_size=32))
add("electra", causal("ElectraForPreTraining", "ElectraConfig", **small, embedding_size=32))
add("deberta_v2", causal("DebertaV2ForMaskedLM", "DebertaV2Config", **small))
modern = dict(small, num_hidden_layers=3, pad_token_id=0)
add("modernbert", causal("ModernBertForMaskedLM", "ModernBertConfig", **modern))
add(
    "modernbert-classifier",
    causal("ModernBertForSequenceClassification", "ModernBertConfig", **modern, classifier_bias=True),
)
add(
    "modernbert-biased",
    causal("ModernBertForMaskedLM", "ModernBertConfig", **modern, norm_bias=True, attention_bias=True, mlp_bias=True),
)
add("modernbert-untied", causal("ModernBertForMaskedLM", "ModernBertConfig", **modern, tie_word_embeddings=False))
add("modernbert_decoder", causal("ModernBertDecoderForCausalLM", "ModernBertDecoderConfig", **modern))
t5_small = {"d_model": 64, "d_kv": 12, "d_ff": 160, "num_layers": 2, "num_heads": 4, "vocab_size": 500}
add("t5", causal("T5ForConditionalGeneration", "T5Config", **t5_small))
add(
    "t5-v1_1",
    causal(
        "T5ForConditionalGeneration",
        "T5Config",
        **t5_small,
        feed_forward_proj="gated-gelu",
        tie_word_embeddings=False,
    ),
)
add(
    "mt5",
    causal(
        "MT5ForConditionalGeneration",
        "MT5Config",
        **t5_small,
    ),
)
add(
    "bart",
    causal(
        "BartForConditionalGeneration",
        "BartConfig",
        d_model=64,
        encoder_ffn_dim=160,
        decoder_ffn_dim=160,
        encoder_layers=2,
        decoder_layers=2,
        encoder_attention_heads=4,
        decoder_attention_heads=4,
        vocab_size=500,
        max_position_embeddings=96,
    ),
)
add(
    "whisper",
    causal(
        "WhisperForConditionalGeneration",
        "WhisperConfig",
        d_model=64,
        encoder_ffn_dim=160,
        decoder_ffn_dim=160,
        encoder_layers=2,
        decoder_layers=2,
        encoder_attention_heads=4,
        decoder_attention_heads=4,
        vocab_size=500,
        max_source_positions=100,
        max_target_positions=48,
        pad_token_id=0,
        bos_token_id=1,
        eos_token_id=2,
        decoder_start_token_id=1,
    ),
)
add(
    "wav2vec2",
    causal(
        "Wav2Vec2ForCTC",
        "Wav2Vec2Config",
        hidden_size=64,
        intermediate_size=160,
        num_hidden_layers=2,
        num_attention_heads=4,
        conv_dim=(32, 32),
        conv_kernel=(10, 3),
        conv_stride=(5, 2),
        num_feat_extract_layers=2,
        num_conv_pos_embeddings=16,
        num_conv_pos_embedding_groups=4,
        vocab_size=40,
    ),
)

# ---- Vision -------------------------------------------------------------------------------------------------------------

vision = dict(
    hidden_size=64, intermediate_size=160, num_hidden_layers=2, num_attention_heads=4, image_size=32, patch_size=8
)
add("vit", causal("ViTForImageClassification", "ViTConfig", **vision), saved=True)
add("deit", causal("DeiTForImageClassificationWithTeacher", "DeiTConfig", **vision), saved=True)
add("beit", causal("BeitForImageClassification", "BeitConfig", **vision), saved=True)
add("deit-bare", causal("DeiTModel", "DeiTConfig", **vision), saved=True)
add("vit-bare", causal("ViTModel", "ViTConfig", **vision), saved=True)
add("beit-bare", causal("BeitModel", "BeitConfig", **vision, use_shared_relative_position_bias=True), saved=True)
add(
    "beit-positions",
    causal(
        "BeitForMaskedImageModeling",
        "BeitConfig",
        **vision,
        use_mask_token=True,
        use_absolute_position_embeddings=True,
        use_relative_position_bias=True,
        vocab_size=500,
    ),
    saved=True,
)
add(
    "dinov2",
    causal(
        "Dinov2ForImageClassification",
        "Dinov2Config",
        hidden_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        image_size=32,
        patch_size=8,
    ),
    saved=True,
)
dino = {k: v for k, v in vision.items() if k != "intermediate_size"}
add("dinov2-bare", causal("Dinov2Model", "Dinov2Config", **dino, use_swiglu_ffn=True), saved=True)
add("dinov2-registers", causal("Dinov2WithRegistersModel", "Dinov2WithRegistersConfig", **dino), saved=True)
add("dinov3", causal("DINOv3ViTModel", "DINOv3ViTConfig", **vision, num_register_tokens=4), saved=True)
add(
    "siglip",
    lambda: hf.SiglipModel(
        hf.SiglipConfig(
            text_config={**small, "max_position_embeddings": 20},
            vision_config={**vision, "hidden_size": 48},
        )
    ),
)
add(
    "siglip2",
    lambda: hf.Siglip2Model(
        hf.Siglip2Config(
            text_config={**small, "max_position_embeddings": 20},
            vision_config={**vision, "hidden_size": 48, "num_patches": 16},
        )
    ),
)
add("siglip-vision", causal("SiglipVisionModel", "SiglipVisionConfig", **vision))
add("siglip-text", causal("SiglipTextModel", "SiglipTextConfig", **small))
add(
    "siglip-classifier",
    lambda: hf.SiglipForImageClassification(
        hf.SiglipConfig(text_config=dict(small), vision_config=dict(vision), num_labels=3)
    ),
)
add(
    "clip",
    lambda: hf.CLIPModel(
        hf.CLIPConfig(
            text_config=dict(small, max_position_embeddings=20), vision_config=dict(vision), projection_dim=48
        )
    ),
)
add(
    "swin",
    causal(
        "SwinForImageClassification",
        "SwinConfig",
        image_size=64,
        patch_size=4,
        embed_dim=16,
        depths=[1, 1],
        num_heads=[2, 4],
        window_size=4,
    ),
    saved=True,
)
window = dict(image_size=64, patch_size=4, embed_dim=16, depths=[1, 1], num_heads=[2, 4], window_size=4)
add("swin-bare", causal("SwinModel", "SwinConfig", **window, use_absolute_embeddings=True), saved=True)
add("swinv2", causal("Swinv2ForImageClassification", "Swinv2Config", **window))
add(
    "convnext",
    causal("ConvNextForImageClassification", "ConvNextConfig", hidden_sizes=[16, 24], depths=[1, 1], num_stages=2),
)
add(
    "segformer",
    causal("SegformerForImageClassification", "SegformerConfig", hidden_sizes=[16, 24, 32, 40], depths=[1, 1, 1, 1]),
)
for name in (
    "resnet18",
    "resnet50",
    "resnext50_32x4d",
    "mobilenet_v2",
    "efficientnet_b0",
    "densenet121",
    "convnext_tiny",
    "swin_t",
    "swin_v2_t",
    "vit_b_16",
    "alexnet",
    "squeezenet1_0",
):
    add(f"torchvision-{name}", lambda name=name: getattr(torchvision.models, name)(num_classes=10), 2)
add("torchvision-vgg11_bn", lambda: torchvision.models.vgg11_bn(num_classes=10))
for name in (
    "resnet50",
    "resnetv2_50",
    "vit_tiny_patch16_224",
    "deit_tiny_distilled_patch16_224",
    "beit_base_patch16_224",
    "beitv2_base_patch16_224",
    "vit_small_patch14_dinov2",
    "vit_small_patch14_reg4_dinov2",
    "swin_tiny_patch4_window7_224",
    "swinv2_tiny_window8_256",
    "vit_base_patch16_siglip_224",
    "mixer_s16_224",
    "convnext_atto",
    "efficientnet_b0",
    "regnety_002",
):
    add(f"timm-{name}", lambda name=name: timm.create_model(name, num_classes=10), 2)

# ---- Others -------------------------------------------------------------------------------------------------------------

add(
    "diffusers-unet",
    lambda: diffusers.UNet2DConditionModel(
        sample_size=16,
        block_out_channels=(32, 64),
        down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"),
        up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"),
        layers_per_block=1,
        cross_attention_dim=48,
        attention_head_dim=8,
    ),
    2,
)
add(
    "diffusers-vae",
    lambda: diffusers.AutoencoderKL(
        block_out_channels=(32, 64),
        layers_per_block=1,
        down_block_types=("DownEncoderBlock2D",) * 2,
        up_block_types=("UpDecoderBlock2D",) * 2,
    ),
    2,
)
add(
    "diffusers-controlnet",
    lambda: diffusers.ControlNetModel(
        block_out_channels=(32, 64),
        down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"),
        layers_per_block=1,
        cross_attention_dim=48,
        attention_head_dim=8,
        conditioning_embedding_out_channels=(16, 24),
    ),
    2,
)
add(
    "diffusers-controlnet_flux",
    lambda: diffusers.FluxControlNetModel(
        in_channels=16,
        num_layers=1,
        num_single_layers=1,
        attention_head_dim=16,
        num_attention_heads=4,
        joint_attention_dim=48,
        pooled_projection_dim=24,
        axes_dims_rope=(4, 6, 6),
        guidance_embeds=True,
        num_mode=3,
    ),
)
add(
    "diffusers-controlnet_sd3",
    lambda: diffusers.SD3ControlNetModel(
        sample_size=16,
        in_channels=8,
        num_layers=2,
        attention_head_dim=16,
        num_attention_heads=4,
        joint_attention_dim=48,
        caption_projection_dim=64,
        pooled_projection_dim=24,
        pos_embed_max_size=8,
    ),
)
add(
    "diffusers-dit",
    lambda: diffusers.DiTTransformer2DModel(
        num_attention_heads=4, attention_head_dim=16, in_channels=4, num_layers=2, sample_size=8, num_embeds_ada_norm=20
    ),
)


def dit(**options):
    """facebookresearch/DiT's own models.py (commit ed81ce2), which is in no package: its folder is $DIT."""
    spec = importlib.util.spec_from_file_location("dit_models", f"{os.environ['DIT']}/models.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.DiT(**options)


add("dit", lambda: dit(input_size=8, hidden_size=64, depth=3, num_heads=4, num_classes=20))
add(
    "dit-unconditional",
    lambda: dit(
        input_size=16,
        patch_size=4,
        hidden_size=48,
        depth=2,
        num_heads=4,
        num_classes=10,
        class_dropout_prob=0,
        learn_sigma=False,
    ),
)


def embedder():
    """OpenAI's diffusion code: time_embed is a Sequential of Linear, SiLU and Linear; ADM's and ldm's checkpoints."""
    m = torch.nn.Module()
    m.time_embed = torch.nn.Sequential(torch.nn.Linear(320, 1280), torch.nn.SiLU(), torch.nn.Linear(1280, 1280))
    m.label_emb = torch.nn.Embedding(10, 1280)
    m.input_blocks = torch.nn.ModuleList([torch.nn.Sequential(torch.nn.Conv2d(4, 320, 3, padding=1))])
    m.out = torch.nn.Sequential(torch.nn.GroupNorm(32, 320), torch.nn.SiLU(), torch.nn.Conv2d(320, 4, 3, padding=1))
    return m


def modules():
    """One of each module that rules/pytorch.json knows."""
    m, nn = torch.nn.Module(), torch.nn
    m.embedding, m.linear, m.bilinear = nn.Embedding(100, 24), nn.Linear(24, 40), nn.Bilinear(20, 12, 7)
    m.conv1, m.conv2, m.conv3 = nn.Conv1d(24, 16, 5), nn.Conv2d(16, 32, 3, groups=4), nn.Conv3d(8, 6, 3)
    m.transposed, m.norm, m.bn = nn.ConvTranspose2d(12, 20, 4), nn.LayerNorm(24), nn.BatchNorm2d(16)
    m.self_attn, m.cross_attention = nn.MultiheadAttention(24, 4), nn.MultiheadAttention(24, 4, kdim=16, vdim=20)
    m.lstm, m.gru, m.rnn = nn.LSTM(24, 50, num_layers=2, bidirectional=True), nn.GRU(24, 30), nn.RNN(24, 18)
    m.cell = nn.LSTMCell(24, 14)
    m.sequence = nn.Sequential(nn.Linear(24, 16), nn.LayerNorm(16), nn.Linear(16, 12), nn.BatchNorm1d(12))
    return m


def projection():
    """LSTMs with proj_size, of several layers and both directions, beside one without."""
    m, nn = torch.nn.Module(), torch.nn
    m.lstm = nn.LSTM(24, 50, num_layers=2, proj_size=10)
    m.both = nn.LSTM(12, 32, num_layers=2, proj_size=7, bidirectional=True)
    m.unbiased = nn.LSTM(12, 20, proj_size=5, bias=False)
    m.plain = nn.LSTM(10, 6)
    return m


def normalized():
    """Modules with torch.nn.utils.weight_norm, along each dimension and as a whole; as in HiFi-GAN and wav2vec 2.0."""
    m, nn, weight_norm = torch.nn.Module(), torch.nn, torch.nn.utils.weight_norm
    m.linear, m.unbiased = weight_norm(nn.Linear(24, 40)), weight_norm(nn.Linear(16, 9, bias=False), dim=1)
    m.whole = weight_norm(nn.Linear(12, 7), dim=None)
    m.conv_pre, m.ups = weight_norm(nn.Conv1d(8, 16, 7)), nn.ModuleList([weight_norm(nn.ConvTranspose1d(16, 12, 4))])
    m.pos_conv_embed = nn.ModuleDict({"conv": weight_norm(nn.Conv1d(16, 16, 6, groups=4), dim=2)})
    m.image, m.transposed = weight_norm(nn.Conv2d(6, 10, 3)), weight_norm(nn.ConvTranspose2d(6, 10, 3), dim=1)
    m.volume = weight_norm(nn.Conv3d(3, 5, 2))
    m.lstm = nn.LSTM(12, 20, bias=False)
    for name in ("weight_ih_l0", "weight_hh_l0"):
        weight_norm(m.lstm, name)
    return m


def dora(*layers, **config):
    """PEFT's DoRA on some layers of a model."""
    m, nn = torch.nn.Module(), torch.nn
    m.embed, m.q_proj, m.square = nn.Embedding(30, 24), nn.Linear(24, 40), nn.Linear(24, 24, bias=False)
    m.conv, m.norm, m.head = nn.Conv2d(3, 8, 5), nn.LayerNorm(24), nn.Linear(24, 9)
    m.norm_in = nn.Sequential(nn.Linear(24, 16))
    return peft.get_peft_model(m, peft.LoraConfig(r=4, use_dora=True, target_modules=list(layers), **config))


def dora_file():
    """The tensors of the file that PEFT writes of an adapter."""
    m, state = torch.nn.Module(), peft.get_peft_model_state_dict(dora("q_proj"))
    m.state_dict = lambda: state
    return m


linears = "q_proj", "square", "norm_in.0"
add("peft-dora", lambda: dora(*linears))
add("peft-dora-scaled", lambda: dora(*linears, lora_alpha=64, use_rslora=True))
add("peft-dora-embedding", lambda: dora("embed"))
add("peft-dora-conv", lambda: dora("conv"))
add("peft-dora-file", dora_file)
add(
    "peft-dora-gpt2",
    lambda: peft.get_peft_model(
        hf.GPT2LMHeadModel(hf.GPT2Config(n_embd=64, n_layer=1, n_head=4, vocab_size=500, n_positions=96)),
        peft.LoraConfig(r=4, use_dora=True, target_modules=["c_attn", "attn.c_proj"], fan_in_fan_out=True),
    ),
)
add("modules", modules)
add("weight_norm", normalized)
add("projection", projection)
add("time_embed", embedder)

if __name__ == "__main__":
    for model_name in sys.argv[2:] or models:
        try:
            write(sys.argv[1], model_name)
        except Exception as error:  # a version of a package that has it otherwise
            print(model_name, "FAILED", repr(error)[:200], flush=True)
