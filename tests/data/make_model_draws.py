#!/usr/bin/env python3
"""Writes model_draws.json: random numbers that models begin with, and how far fanin's are from them, by the sets of rules. The
models are those of torch 2.15, transformers 5.24, torchvision 0.29, timm 1.0.31, diffusers 0.42 and PEFT 0.21 (from PyPI), of
facebookresearch/DiT at commit ed81ce2, of openai/gpt-2 at commit 9b63575 on TensorFlow 2.21
(from PyPI), and of BlinkDL/RWKV-LM at commit 524481d (rwkv_code.py).

  DIT=CLONE GPT2=CLONE RWKV=CLONE PYTHONPATH=../cli python3 make_model_draws.py FANIN model_draws.json [NAME...]

The models' own code builds them, from configurations with few layers, so that 2^16 numbers or more of each law are in tensors that
have it. Widths differ, so that swapped fans show. What is small in every such model, as a token for the class, is replaced by
something larger of the same kind, and the model's own initialization runs again.

Of each model the list has all tensors, [name, count, dtype, shape], where {} in a name stands for the numbers from 0 to count - 1.
Of each law it has patterns of names of tensors, whose values are taken together (the first 2^18 of them), how many these are, their
distance to fanin's (cli/draws.py has its bound), and their quantiles k / 32 for k from 1 to 31. From these the test cli.draws sees
without the packages how far away fanin's numbers are.
"""

import importlib.util
import json
import os
import re
import sys
import types

import diffusers
import peft
import rwkv_code
import timm
import torch
import torchvision
import transformers as hf
from draws import bound, distance, of_model, pooled, quantiles_of, tensors_of
from timm.layers import AttentionPoolLatent, PatchEmbed
from timm.models.vision_transformer import VisionTransformer
from torch import nn

DTYPES = {torch.float32: "F32", torch.int64: "I64"}
VERSIONS = {
    module.__name__: module.__version__.split("+")[0] for module in (torch, torchvision, timm, hf, diffusers, peft)
}
VERSIONS |= {"DiT": "ed81ce2", "gpt-2": "9b63575", "RWKV-LM": "524481d"}
models = {}  # {name: (package, rules, settings, make, [patterns])}


def add(name, rules, make, *draws, set=()):
    """A model, whose name begins with its package. Each of draws has patterns of names, with blanks between."""
    models[name] = name.rpartition("-")[0], rules, list(set), make, draws


def of_hf(cls, config, **k):
    return lambda: getattr(hf, cls)(getattr(hf, config)(**k))


# ---- transformers: text ---------------------------------------------------------------------------------------------------

text = dict(hidden_size=144, intermediate_size=500, num_hidden_layers=3, num_attention_heads=4, vocab_size=600)
add("transformers-bert", "bert", of_hf("BertForMaskedLM", "BertConfig", **text), "*.intermediate.dense.weight")
add("transformers-gpt_neox", "gpt_neox", of_hf("GPTNeoXForCausalLM", "GPTNeoXConfig", **text), "*.dense_h_to_4h.weight")
add("transformers-llama", "llama", of_hf("LlamaForCausalLM", "LlamaConfig", **text), "*.gate_proj.weight")
experts = dict(hidden_size=64, intermediate_size=160, num_hidden_layers=1, num_attention_heads=4, vocab_size=50)
add(
    "transformers-mixtral",
    "llama",
    of_hf("MixtralForCausalLM", "MixtralConfig", **experts, num_key_value_heads=2, num_local_experts=5),
    "*.experts.gate_up_proj",
)
add(
    "transformers-gemma",
    "gemma",
    of_hf("GemmaForCausalLM", "GemmaConfig", **text, num_key_value_heads=2, head_dim=24),
    "*.gate_proj.weight",
)
add(
    "transformers-gpt2",
    "gpt2",
    of_hf("GPT2LMHeadModel", "GPT2Config", n_embd=144, n_layer=3, n_head=4, vocab_size=500, n_positions=96),
    "*.c_attn.weight",
    "*.attn.c_proj.weight *.mlp.c_proj.weight",
)
cut = dict(hidden_size=256, intermediate_size=512, num_hidden_layers=3, num_attention_heads=4, vocab_size=100)
add(
    "transformers-modernbert",
    "modernbert",
    of_hf("ModernBertForSequenceClassification", "ModernBertConfig", **cut, pad_token_id=0, num_labels=1 << 10),
    "*.mlp.Wi.weight",
    "*.attn.Wo.weight *.mlp.Wo.weight",
    "classifier.weight",
)
add(
    "transformers-t5",
    "t5",
    of_hf(
        "T5ForConditionalGeneration",
        "T5Config",
        d_model=96,
        d_kv=48,
        d_ff=500,
        num_layers=2,
        num_heads=8,
        vocab_size=1000,
        relative_attention_num_buckets=1 << 13,
        initializer_factor=0.7,
    ),
    "shared.weight",
    "*.relative_attention_bias.weight",
    "*Attention.q.weight",
    "*Attention.[kv].weight *.wi.weight",
    "*Attention.o.weight",
    "*.wo.weight",
    set=["factor=0.7"],
)
add(
    "transformers-whisper",
    "whisper",
    of_hf(
        "WhisperForConditionalGeneration",
        "WhisperConfig",
        d_model=120,
        encoder_ffn_dim=500,
        decoder_ffn_dim=500,
        encoder_layers=2,
        decoder_layers=2,
        encoder_attention_heads=4,
        decoder_attention_heads=4,
        vocab_size=500,
        pad_token_id=0,
        bos_token_id=1,
        eos_token_id=2,
        decoder_start_token_id=1,
    ),
    "*.fc1.weight",
    "*encoder.conv[12].weight",
)
wide = dict(hidden_size=8, vocab_size=500, expand=1 << 9)
add(
    "transformers-mamba",
    "mamba",
    of_hf("MambaForCausalLM", "MambaConfig", **wide, num_hidden_layers=16, state_size=2, time_step_rank=3),
    "*.mixer.in_proj.weight",
    "*.mixer.conv1d.weight",
    "*.mixer.dt_proj.weight",
    "*.mixer.dt_proj.bias",
    "*.mixer.out_proj.weight",
)
add(
    "transformers-mamba2",
    "mamba",
    of_hf(
        "Mamba2ForCausalLM", "Mamba2Config", **wide, num_hidden_layers=16, state_size=2, num_heads=1 << 12, head_dim=1
    ),
    "*.mixer.in_proj.weight",
    "*.mixer.conv1d.weight",
    "*.mixer.dt_bias",
    "*.mixer.out_proj.weight",
)

# ---- transformers: vision -------------------------------------------------------------------------------------------------

image = dict(image_size=32, patch_size=16, hidden_size=144, num_hidden_layers=2, num_attention_heads=4)
vision = dict(image, intermediate_size=500)
add("transformers-vit", "vit", of_hf("ViTForImageClassification", "ViTConfig", **vision), "*.mlp.fc[12].weight")
add(
    "transformers-beit",
    "beit",
    of_hf("BeitForImageClassification", "BeitConfig", **vision),
    "*.mlp.fc[12].weight",
    set=["layer_scale=0.1"],
)
add(
    "transformers-dinov2",
    "dinov2",
    of_hf("Dinov2ForImageClassification", "Dinov2Config", **image),
    "*.mlp.fc[12].weight",
)
window = dict(image_size=64, patch_size=4, depths=[1, 2], num_heads=[2, 4], window_size=4)
add(
    "transformers-swin",
    "swin",
    of_hf("SwinForImageClassification", "SwinConfig", **window, embed_dim=72),
    "*.layers.1.*.dense.weight *.layers.1.*.fc[12].weight",
)
towers = dict(hidden_size=96, intermediate_size=500, num_attention_heads=4)


def clip(text_config, vision_config):
    return lambda: hf.CLIPModel(hf.CLIPConfig(text_config=text_config, vision_config=vision_config, projection_dim=700))


add(
    "transformers-clip",
    "clip",
    clip(
        dict(towers, num_hidden_layers=3, vocab_size=1000, max_position_embeddings=20),
        dict(towers, hidden_size=120, num_hidden_layers=5, image_size=32, patch_size=16),
    ),
    "text_model.embeddings.token_embedding.weight",
    "text_model.*.[qkv]_proj.weight",
    "vision_model.*.[qkv]_proj.weight",
    "vision_model.*.out_proj.weight",
    "text_model.*.fc1.weight",
    "text_model.*.fc2.weight",
    "vision_model.*.fc2.weight",
    "visual_projection.weight",
)
no_layers = dict(hidden_size=1 << 16, num_attention_heads=1, num_hidden_layers=0, image_size=2, patch_size=2)
add(
    "transformers-clip_class",
    "clip",
    lambda: hf.CLIPModel(
        hf.CLIPConfig(
            text_config=dict(towers, num_hidden_layers=1, vocab_size=20, max_position_embeddings=4),
            vision_config=no_layers,
            projection_dim=4,
        )
    ),
    "vision_model.embeddings.class_embedding",
    set=["vision_layers=1"],
)
biased = dict(hidden_size=16, intermediate_size=1 << 14, num_hidden_layers=4, num_attention_heads=2)


def siglip(cls, version, text_config, vision_config, **k):
    config = getattr(hf, f"Siglip{version}Config")(text_config=text_config, vision_config=vision_config, **k)
    return getattr(hf, f"Siglip{version}{cls}")(config)


def siglip_probe():
    model = siglip("Model", "", biased, dict(towers, num_hidden_layers=1, image_size=32, patch_size=16))
    head = model.vision_model.head
    head.probe = nn.Parameter(torch.zeros(1, 1, 1 << 16))
    model._init_weights(head)
    return model


add(
    "transformers-siglip",
    "siglip",
    lambda: siglip(
        "Model",
        "",
        dict(biased, vocab_size=1 << 13, max_position_embeddings=20),
        dict(towers, num_hidden_layers=2, hidden_size=288, image_size=32, patch_size=16),
    ),
    "text_model.embeddings.token_embedding.weight",
    "text_model.*.fc1.bias",
    "text_model.*.fc1.weight",
    "vision_model.*.fc1.weight",
    "vision_model.*.[qkv]_proj.weight",
    "vision_model.embeddings.patch_embedding.weight",
)
add("transformers-siglip_probe", "siglip", siglip_probe, "vision_model.head.probe")
add(
    "transformers-siglip_classifier",
    "siglip",
    lambda: siglip(
        "ForImageClassification",
        "",
        dict(towers, num_hidden_layers=1),
        dict(towers, num_hidden_layers=1, image_size=32, patch_size=16),
        num_labels=1 << 10,
    ),
    "classifier.weight",
)
add(
    "transformers-siglip2",
    "siglip",
    lambda: siglip(
        "Model",
        2,
        dict(towers, num_hidden_layers=1, hidden_size=144, vocab_size=20, projection_size=500),
        dict(towers, num_hidden_layers=1, hidden_size=288, patch_size=16, num_patches=16),
    ),
    "vision_model.embeddings.patch_embedding.weight",
    "text_model.head.weight",
    "vision_model.head.attention.in_proj_weight",
)

# ---- torchvision ----------------------------------------------------------------------------------------------------------

tv = torchvision.models


def vision_transformer(width, mlp):
    return lambda: tv.VisionTransformer(
        image_size=368, patch_size=16, num_layers=4, num_heads=4, hidden_dim=width, mlp_dim=mlp, num_classes=10
    )


add(
    "torchvision-vit",
    "vit",
    vision_transformer(144, 500),
    "encoder.pos_embedding",
    "conv_proj.weight",
    "*.in_proj_weight",
    "*.out_proj.weight",
    "*.mlp.0.weight *.mlp.3.weight",
)
add("torchvision-vit_biases", "vit", vision_transformer(8, 1 << 14), "*.mlp.0.bias")


def with_head(model, head):
    model.fc = head
    return model


add(
    "torchvision-resnet",
    "resnet",
    lambda: with_head(
        tv.ResNet(tv.resnet.Bottleneck, [1, 1, 1, 1], groups=4, width_per_group=8), nn.Linear(11, 1 << 16)
    ),
    "layer4.0.conv1.weight",
    "layer4.0.conv2.weight",
    "layer4.0.conv3.weight",
    "fc.weight",
    "fc.bias",
)
stages = [tv.convnext.CNBlockConfig(48, 112, 1), tv.convnext.CNBlockConfig(112, None, 1)]
add("torchvision-convnext", "convnext", lambda: tv.ConvNeXt(stages), "features.*.block.[35].weight")


windows = dict(patch_size=[18, 18], embed_dim=72, depths=[1, 2], num_heads=[2, 4], window_size=[4, 4])
add(
    "torchvision-swin",
    "swin",
    lambda: tv.SwinTransformer(**windows, num_classes=10),
    "features.3.*.mlp.[03].weight",
    "features.0.0.weight",
)

# ---- timm -----------------------------------------------------------------------------------------------------------------

small = dict(img_size=32, patch_size=16, embed_dim=144, depth=2, num_heads=4)


def larger(model, **parts):
    """The model with these parts, by default an embedding of patches, in the place of its own."""
    for name, part in (parts or {"patch_embed": PatchEmbed(img_size=4, patch_size=2, embed_dim=1 << 16)}).items():
        setattr(model, name, part)
    model.init_weights(needs_reset=False)
    return model


def timm_vit(**k):
    return VisionTransformer(**small, num_classes=500, **k)


matrices = "blocks.*.attn.qkv.weight blocks.*.mlp.fc[12].weight"
add(
    "timm-vit",
    "vit",
    lambda: larger(timm_vit()),
    matrices,
    "patch_embed.proj.weight",
    "patch_embed.proj.bias",
)
add(
    "timm-vit_class",
    "vit",
    lambda: larger(timm_vit(), cls_token=nn.Parameter(torch.zeros(1, 500, 144))),
    "cls_token",
)
add(
    "timm-vit_map",
    "vit",
    lambda: larger(timm_vit(global_pool="map"), attn_pool=AttentionPoolLatent(144, num_heads=4, latent_len=1 << 11)),
    "attn_pool.latent",
)
add(
    "timm-dinov2",
    "dinov2",
    lambda: larger(timm_vit(init_values=1e-5, reg_tokens=500)),
    matrices,
    "reg_token",
    "patch_embed.proj.weight",
    "patch_embed.proj.bias",
    set=["gamma=1e-5"],
)


relative = dict(init_values=0.1, use_abs_pos_emb=True, num_classes=1000)
add(
    "timm-beit",
    "beit",
    lambda: larger(timm.models.beit.Beit(**small, **relative)),
    "blocks.*.attn.qkv.weight blocks.*.mlp.fc1.weight",
    "blocks.0.attn.proj.weight blocks.0.mlp.fc2.weight",
    "blocks.1.attn.proj.weight blocks.1.mlp.fc2.weight",
    "head.weight",
    "patch_embed.proj.weight",
    "patch_embed.proj.bias",
    set=["layer_scale=0.1"],
)


shifted = dict(img_size=64, embed_dim=72, depths=(1, 2), num_heads=(2, 4), window_size=4, num_classes=10)
add(
    "timm-swin",
    "swin",
    lambda: larger(timm.models.swin_transformer.SwinTransformer(**shifted)),
    "layers.1.*.mlp.fc[12].weight",
    "patch_embed.proj.weight",
    "patch_embed.proj.bias",
)
add(
    "timm-convnext",
    "convnext",
    lambda: timm.models.convnext.ConvNeXt(depths=(1, 1, 1, 1), dims=(24, 48, 96, 192), num_classes=10),
    "*.mlp.fc[12].weight",
    "stages.3.downsample.1.weight",
)
add(
    "timm-efficientnet",
    "efficientnet",
    lambda: timm.create_model("efficientnet_b0", num_classes=200),
    "blocks.2.*.conv_dw.weight blocks.4.*.conv_dw.weight blocks.5.*.conv_dw.weight",
    "blocks.5.[123].conv_pw.weight",
    "conv_head.weight",
    "classifier.weight",
)
add(
    "timm-resnet",
    "resnet",
    lambda: timm.models.resnet.ResNet(timm.models.resnet.BasicBlock, (1, 1, 1, 1), channels=(16, 32, 64, 128)),
    "layer4.0.conv1.weight",
    "fc.weight",
    set=["last=0"],
)

# ---- diffusers, DiT, openai/gpt-2 -----------------------------------------------------------------------------------------

add(
    "diffusers-controlnet_flux",
    "controlnet",
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
        num_mode=1100,
    ),
    "controlnet_mode_embedder.weight",
)
add(
    "diffusers-unet",
    "pytorch",
    lambda: diffusers.UNet2DConditionModel(
        sample_size=16,
        block_out_channels=(32, 96),
        down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"),
        up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"),
        layers_per_block=1,
        cross_attention_dim=48,
        attention_head_dim=8,
    ),
    "up_blocks.*.resnets.*.conv1.weight",
    "mid_block.*.ff.net.0.proj.weight",
)


def load(folder, path):
    """A module of a clone, whose folder is in the environment."""
    spec = importlib.util.spec_from_file_location("theirs", f"{os.environ[folder]}/{path}")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def dit():
    return load("DIT", "models.py").DiT(
        input_size=32, patch_size=16, hidden_size=144, depth=2, num_heads=4, num_classes=600
    )


add(
    "DiT-dit",
    "dit",
    dit,
    "blocks.*.attn.qkv.weight",
    "blocks.*.mlp.fc[12].weight",
    "x_embedder.proj.weight",
    "y_embedder.embedding_table.weight",
)


def gpt2():
    """A program for TensorFlow 1, which is run by TensorFlow 2's interface of that version."""
    import tensorflow
    import tensorflow.compat.v1 as tf

    tf.disable_v2_behavior()
    tf.set_random_seed(1)
    training = types.SimpleNamespace(HParams=types.SimpleNamespace)
    sys.modules |= {"tensorflow": tf, "tensorflow.contrib": training, "tensorflow.contrib.training": training}
    model = load("GPT2", "src/model.py").model
    sys.modules["tensorflow"] = tensorflow
    model(training.HParams(n_vocab=500, n_ctx=1 << 10, n_embd=144, n_head=4, n_layer=2), tf.zeros([1, 5], tf.int32))
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        return {v.op.name: torch.tensor(session.run(v)) for v in tf.global_variables()}


add("gpt-2-openai", "gpt2", gpt2, "model/wpe", "model/wte", "*/c_attn/w */c_fc/w")


def rwkv(version):
    return lambda: rwkv_code.Model(version, layers=2, width=256, head=64, vocabulary=600).state_dict()


add(
    "RWKV-LM-x060",
    "rwkv",
    rwkv("x060"),
    "emb.weight",
    "blocks.*.att.time_maa_w2 blocks.*.att.time_decay_w2",
    "blocks.*.att.key.weight blocks.*.att.gate.weight",
    "blocks.*.att.receptance.weight blocks.*.att.value.weight",
)
add("RWKV-LM-x070", "rwkv", rwkv("x070"), "blocks.*.att.[wavg]2", "head.weight")
add(
    "transformers-rwkv",
    "rwkv",
    of_hf("RwkvForCausalLM", "RwkvConfig", hidden_size=256, num_hidden_layers=2, vocab_size=600, context_length=64),
    "*.attention.*.weight",
    "rwkv.embeddings.weight",
)

# ---- torch ----------------------------------------------------------------------------------------------------------------


def matrices_and_convolutions():
    m = nn.Module()
    m.embedding, m.linear, m.bilinear = nn.Embedding(1 << 11, 40), nn.Linear(3, 1 << 16), nn.Bilinear(20, 12, 300)
    m.conv1, m.conv2, m.conv3 = nn.Conv1d(100, 150, 5), nn.Conv2d(96, 128, 5, groups=4), nn.Conv3d(40, 70, 3)
    m.transposed, m.attention = nn.ConvTranspose2d(60, 80, 4), nn.MultiheadAttention(152, 4)
    return m


add(
    "torch-layers",
    "pytorch",
    matrices_and_convolutions,
    "embedding.weight",
    "linear.weight",
    "linear.bias",
    "bilinear.weight",
    "conv1.weight",
    "conv2.weight",
    "conv3.weight",
    "transposed.weight",
    "attention.in_proj_weight",
)


def recurrent():
    m = nn.Module()
    m.lstm = nn.ModuleList(nn.LSTM(7, 24) for _ in range(700))
    m.projected = nn.ModuleList(nn.LSTM(7, 24, proj_size=5) for _ in range(700))
    return m


add(
    "torch-recurrent",
    "pytorch",
    recurrent,
    "lstm.*.weight_ih_l0",
    "lstm.*.weight_hh_l0",
    "lstm.*.bias_ih_l0",
    "lstm.*.bias_hh_l0",
    "projected.*.weight_ih_l0",
    "projected.*.weight_hh_l0",
    "projected.*.weight_hr_l0",
    "projected.*.bias_ih_l0",
    "projected.*.bias_hh_l0",
)


def normalized():
    m, old, new = nn.Module(), nn.utils.weight_norm, nn.utils.parametrizations.weight_norm
    for name, norm in (("old", old), ("new", new)):
        layers = nn.ModuleDict({"linear": norm(nn.Linear(3, 1 << 16)), "conv1": norm(nn.Conv1d(40, 400, 5))})
        layers["conv2"], layers["conv3"] = norm(nn.Conv2d(40, 80, 5)), norm(nn.Conv3d(40, 70, 3))
        setattr(m, name, layers)
    return m


add(
    "torch-weight_norm",
    "pytorch",
    normalized,
    *(
        f"old.{name}"
        for name in ("linear.weight_v", "linear.bias", "conv1.weight_v", "conv2.weight_v", "conv3.weight_v")
    ),
    *(f"new.{name}.parametrizations.weight.original1" for name in ("linear", "conv1", "conv2", "conv3")),
    "new.linear.bias",
)

# ---- PEFT -----------------------------------------------------------------------------------------------------------------


def lora():
    m = nn.ModuleDict({"table": nn.Embedding(30, 500), "up": nn.Linear(500, 40)})
    return peft.get_peft_model(m, peft.LoraConfig(r=144, target_modules=["table", "up"]))


add("peft-lora", "pytorch", lora, "*.up.lora_A.*.weight", "*.table.lora_embedding_B.*")

# ---- What is written ------------------------------------------------------------------------------------------------------


def listed(state):
    """[name, count, dtype, shape] of a state, where one row may stand for tensors with numbers from 0 up in their names."""
    kinds = {}
    for name, t in state.items():
        number = re.search(r"(?<=\.)\d+(?=\.)", name)
        template = f"{name[:number.start()]}{{}}{name[number.end():]}" if number else name
        kind = template, DTYPES[t.dtype], tuple(t.shape)
        kinds.setdefault(kind, []).append((int(number[0]) if number else 0, name))
    for (template, dtype, shape), found in kinds.items():
        if [number for number, _ in found] == list(range(len(found))):
            yield [template, len(found), dtype, list(shape)]
        else:
            yield from ([name, 1, dtype, list(shape)] for _, name in found)


def state_of(model):
    """Without what is tied to another tensor: a checkpoint has it once."""
    places, state = set(), {}
    for name, t in (model if isinstance(model, dict) else model.state_dict()).items():
        if t.numel() < 2 or t.data_ptr() not in places:
            places.add(t.data_ptr())
            state[name] = t.detach()
    return state


def recorded(fanin, name, comparisons):
    package, rules, settings, make, draws = models[name]
    torch.manual_seed(1)
    state = state_of(make())
    said = {"model": name, "package": package, "version": VERSIONS[package], "rules": rules, "set": settings}
    said["tensors"] = list(listed(state))
    assert {row["name"] for row in tensors_of(said)} == set(state)
    ours, _ = of_model(fanin, said)
    theirs = {name: t.numpy() for name, t in state.items() if t.dtype == torch.float32}
    said["draws"] = []
    for patterns in draws:
        values, made = pooled(theirs, patterns), pooled(ours, patterns)
        n, far = len(values), distance(values, made)
        assert n == len(made) and n >= 1 << 16, (name, patterns, n)
        quantiles = [float(f"{x:.6g}") for x in quantiles_of(values, 32)]
        said["draws"].append({"tensors": patterns, "n": n, "distance": round(float(far), 6), "quantiles": quantiles})
        print(f"{name} {patterns}: {n} {far:.6f}", "" if far < bound(n, comparisons) else "TOO FAR", flush=True)
    return said


def text_of(said):
    """JSON with a line for each tensor and for each law."""
    rows = {key: ",\n".join(f"   {json.dumps(row)}" for row in said[key]) for key in ("tensors", "draws")}
    head = json.dumps({key: value for key, value in said.items() if key not in rows})
    return f" {head[:-1]},\n" + ",\n".join(f'  "{key}": [\n{lines}]' for key, lines in rows.items()) + "}"


def main(fanin, path, *names):
    """Of all models, or with names, of these and of those that the file lacks: the others stay."""
    comparisons, kept = sum(len(draws) for *_, draws in models.values()), {}
    if names:
        with open(path) as file:
            kept = {said["model"]: said for said in json.load(file)["models"] if said["model"] not in names}
    texts = [text_of(kept[name] if name in kept else recorded(fanin, name, comparisons)) for name in models]
    with open(path, "w") as file:
        file.write('{"models": [\n' + ",\n".join(texts) + "\n]}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
