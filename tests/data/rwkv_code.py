"""The weights that BlinkDL/RWKV-LM's own code begins with, for make_models.py and make_fresh.py. The repository (commit
524481d) is in no package: its folder is $RWKV. Its model.py compiles CUDA kernels and imports PyTorch Lightning when it is
loaded, neither of which has a part in the weights: they are left out here.
"""

import importlib.util
import os
import sys
import types
from unittest import mock

import torch

FILES = {
    "x052": "RWKV-v5/src/model.py",
    "x060": "RWKV-v5/src/model.py",
    "x070": "RWKV-v5/src/model.py",
    "x070-train_temp": "RWKV-v7/train_temp/src/model.py",
}
NOT_USED = {
    "pytorch_lightning": {"LightningModule": torch.nn.Module},
    "pytorch_lightning.utilities": {"rank_zero_info": print, "rank_zero_only": lambda f: f},
    "pytorch_lightning.strategies": {"DeepSpeedStrategy": None},
}
SETTINGS = {
    "RWKV_JIT_ON": "0",
    "RWKV_KERNEL": "",
    "RWKV_TRAIN_TYPE": "",
    "RWKV_CTXLEN": "64",
    "RWKV_FLOAT_MODE": "fp32",
    "RWKV_HEAD_L2WRAP_CE_CHUNK": "0",
}


def module(name, contents):
    made = types.ModuleType(name)
    vars(made).update(contents)
    return made


class Model:
    """As its training begins: `state_dict` is what generate_init_weight() makes, `parameters` what the modules did."""

    def __init__(self, version, layers, width, head, vocabulary=200, **more):
        settings = SETTINGS | {
            "RWKV_MY_TESTING": version[:4],
            "RWKV_HEAD_SIZE": str(head),
            "RWKV_HEAD_SIZE_A": str(head),
        }
        args = types.SimpleNamespace(
            n_layer=layers,
            n_embd=width,
            vocab_size=vocabulary,
            head_size=head,
            head_size_a=head,
            head_size_divisor=8,
            my_testing=version[:4],
            my_pos_emb=0,
            pre_ffn=0,
            head_qk=0,
            tiny_att_dim=0,
            dropout=0,
            accelerator="CPU",
            **more,
        )
        spec = importlib.util.spec_from_file_location("rwkv_model", f"{os.environ['RWKV']}/{FILES[version]}")
        code = importlib.util.module_from_spec(spec)
        with (
            mock.patch.dict(os.environ, settings),
            mock.patch.dict(sys.modules, {name: module(name, contents) for name, contents in NOT_USED.items()}),
            mock.patch("torch.utils.cpp_extension.load", lambda **_: None),
            mock.patch("torch.library.register_autograd", lambda *_, **__: None),
            mock.patch("torch.jit.script", lambda f: f),
            mock.patch("builtins.print"),
        ):
            spec.loader.exec_module(code)
            self.model = code.RWKV(args)
            self.made = self.model.generate_init_weight()

    def state_dict(self):
        return self.made

    def parameters(self):
        return self.model.state_dict()
