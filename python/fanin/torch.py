"""PyTorch's modules, initialized by rules: the bits that `fanin init --like` writes for a checkpoint of the module.

    import fanin.torch
    model = Net()
    fanin.torch.init_(model, "pytorch", seed=42)

Each tensor's values follow from the seed and its name in state_dict(), on whatever device it is. The rules are those of
docs/checkpoints.md. docs/frameworks.md has examples.
"""

from __future__ import annotations

from typing import Any, Hashable, Mapping, Optional, SupportsFloat, SupportsIndex, Union

import torch

from . import _check
from ._by_rules import STORED_DTYPES, AnyRules, ByRules, InitReport, Place, Stored, check_name, check_overlaps
from ._command import Selector
from ._errors import bad_argument
from ._numpy import overlaps

Model = Union[torch.nn.Module, Mapping[str, Any]]

_DTYPES: dict[Any, str] = {getattr(torch, name): dtype for name, dtype in STORED_DTYPES.items() if hasattr(torch, name)}


def init_(
    module: torch.nn.Module,
    rules: AnyRules = "pytorch",
    *,
    seed: SupportsIndex,
    device: Selector = None,
    **values: SupportsFloat,
) -> InitReport:
    """Initializes a module's parameters and buffers in place, and returns what each of them got.

    rules: the name of a set ("pytorch", "gpt2", "llama", ...), the path of a .json file, or a dict that has what such a
        file has: {"include": "pytorch", "rules": [{"match": "*.pe", "skip": "made by the code"}]}.
    seed: with a tensor's name it decides the tensor's values.
    device: the selector of the OpenCL device that makes the values, as "gpu", an index or a name. The module's own devices do
        not matter: values are copied to where each tensor is.
    values: numbers that the rules ask for or have defaults of, as `layers=12`.

    A tensor that a rule skips stays as it is. A tensor with several names, as tied weights have, is made once, by the first
    of its names; rules that say different things of its names are refused, and so is a tensor that no rule takes. Every
    value is made before the first tensor is written: if there is an exception, nothing has changed.
    """
    if not isinstance(module, torch.nn.Module):
        _check.wrong_type("module", module, "a torch.nn.Module")
    tensors = _tensors_of(module)
    _check_complete(module, tensors)
    with _described(module, tensors, rules, values) as model:
        for name in model.report.made:
            _check_target(name, tensors[name], model.report.dtype(name), model.report[name]["rule"])
        made = model.values(seed, device)
        with torch.no_grad():
            for name, data in made.items():
                tensors[name].copy_(_tensor(data, tensors[name].dtype, tensors[name].shape))
        return model.report


def explain(model: Model, rules: AnyRules = "pytorch", **values: SupportsFloat) -> InitReport:
    """Which rule takes which tensor of a module or of a state_dict, and what it makes of it; changes nothing. The arguments
    are those of `init_()`."""
    with _described(model, _tensors_of(model), rules, values) as described:
        return described.report


def state_dict(
    model: Model,
    rules: AnyRules = "pytorch",
    *,
    seed: SupportsIndex,
    device: Selector = None,
    **values: SupportsFloat,
) -> dict[str, Any]:
    """A new state_dict for a module, or like a state_dict: what `init_()` would give, in new tensors.

    The model's own tensors are only described: they may be on torch's device "meta", where they have no memory. Those
    then get tensors on the CPU, for `model.load_state_dict(..., assign=True)`; others on the device of the tensor. What a
    rule skips is copied, or left out where it has no memory. Names of one tensor have one tensor in the result too.
    """
    tensors = _tensors_of(model)
    with _described(model, tensors, rules, values) as described:
        report = described.report
        made = {name: _new(name, report, tensors[name], data) for name, data in described.values(seed, device).items()}
    for name, one in tensors.items():
        if "skip" in report[name] and not one.is_meta:
            made[name] = one.detach().clone()
    result: dict[str, Any] = {}
    for name, one in _entries(model).items():
        of = report[name].get("tied", name) if name in tensors else name
        if name not in tensors:
            result[name] = one  # extra state, which is no tensor
        elif of in made:
            result[name] = made[of]
    return result


def _entries(model: Model) -> dict[str, Any]:
    """The state_dict of a module, with its parameters themselves, or a state_dict as it is."""
    if isinstance(model, torch.nn.Module):
        return dict(model.state_dict(keep_vars=True))
    if not isinstance(model, Mapping):
        _check.wrong_type("model", model, "a torch.nn.Module or a state_dict")
    return dict(model)


def _tensors_of(model: Model) -> dict[str, Any]:
    """The tensors of a model by their names, each of which can be described."""
    tensors = {
        check_name("state_dict()", name): one for name, one in _entries(model).items() if isinstance(one, torch.Tensor)
    }
    for name, one in tensors.items():
        if torch.nn.parameter.is_lazy(one):
            raise bad_argument(f"'{name}' has no shape yet; a module that has seen a first input is accepted")
        if one.layout != torch.strided or one.dtype not in _DTYPES:
            known = ", ".join(str(dtype) for dtype in _DTYPES)
            raise bad_argument(
                f"'{name}' is a tensor of {one.dtype} with layout {one.layout}; accepted are dense ones of {known}"
            )
    return tensors


def _described(
    model: Model, tensors: Mapping[str, Any], rules: AnyRules, values: Mapping[str, SupportsFloat]
) -> ByRules:
    stored = {name: Stored(_DTYPES[one.dtype], tuple(one.shape), _memory(one)) for name, one in tensors.items()}
    check_overlaps(stored, {name: _place(one) for name, one in tensors.items()})
    if not isinstance(model, torch.nn.Module):
        return ByRules("state_dict", stored, rules, values)
    buffers = [name for name, _ in model.named_buffers()]
    return ByRules(type(model).__name__, stored, rules, values, _texts(getattr(model, "config", None)), buffers)


def _texts(config: Any) -> dict[str, str]:
    """What a configuration of Hugging Face's says in texts, such as its model_type."""
    to_dict = None if isinstance(config, type) else getattr(config, "to_dict", None)
    try:
        said = dict(to_dict()) if callable(to_dict) else {}
    except Exception as problem:
        raise bad_argument(
            f"model.config has a to_dict() that gives no dict ({type(problem).__name__}: {problem}); a configuration whose "
            "to_dict() does, or that has none, is accepted"
        ) from problem
    said.setdefault("model_type", getattr(config, "model_type", None))
    return {key: value for key, value in said.items() if isinstance(key, str) and isinstance(value, str)}


def _memory(tensor: Any) -> Hashable:
    """What tensors have in common that are one tensor under several names."""
    place = _place(tensor)
    return id(tensor) if place is None else (*place, tensor.dtype, tuple(tensor.shape), tensor.stride())


def _place(tensor: Any) -> Optional[Place]:
    """Where a tensor's elements lie. On meta, where there are no addresses, its storage has a place of its own."""
    if not tensor.numel():
        return None
    if tensor.is_meta:
        where, begin = f"meta {_storage(tensor)._cdata}", tensor.storage_offset() * tensor.element_size()
    else:
        where, begin = str(tensor.device), tensor.data_ptr()
    if not begin and not tensor.is_meta:
        return None
    reach = sum(step * (extent - 1) for step, extent in zip(tensor.stride(), tensor.shape)) + 1
    return Place(where, begin, begin + reach * tensor.element_size())


def _storage(tensor: Any) -> Any:
    """A tensor's storage, which torch 1 has under another name."""
    return tensor.untyped_storage() if hasattr(tensor, "untyped_storage") else tensor.storage()


def _check_complete(module: torch.nn.Module, tensors: Mapping[str, Any]) -> None:
    """Sees that state_dict() has every parameter, and the module's own tensors: a hook may leave out some, or copy them."""
    own = {id(one): name for name, one in [*module.named_parameters(), *module.named_buffers()]}
    reached = {id(one) for one in tensors.values()}
    for name, one in tensors.items():
        if id(one) not in own:
            raise bad_argument(
                f"'{name}' of state_dict() is not the module's own tensor, and filling it would change nothing"
            )
    for name, parameter in module.named_parameters():
        if id(parameter) not in reached:
            raise bad_argument(
                f"the parameter '{name}' is not in state_dict(); a module whose parameters all are is accepted"
            )


def _method(kind: type, name: str) -> Any:
    """A class's method, the same object in classes that inherit it."""
    method = getattr(kind, name)
    return getattr(method, "__func__", method)


# What decides how a tensor is written, and torch's own forms of it.
_WRITING = {
    name: [_method(kind, name) for kind in (torch.Tensor, torch.nn.Parameter)]
    for name in ("__torch_function__", "copy_")
}


def _check_target(name: str, tensor: Any, dtype: str, rule: int) -> None:
    """Refuses what cannot be written, before anything is."""
    if type(tensor).__torch_dispatch__ is not torch.Tensor.__torch_dispatch__:
        raise bad_argument(
            f"'{name}' is a {type(tensor).__name__}, which is not dense memory; a torch.Tensor is accepted"
        )
    changed = next((method for method in _WRITING if _method(type(tensor), method) not in _WRITING[method]), None)
    if changed:
        raise bad_argument(
            f"'{name}' is a {type(tensor).__name__}, a class with a {changed}() of its own; a tensor whose class leaves that to "
            "torch is accepted"
        )
    if tensor.is_meta:
        raise bad_argument(
            f"'{name}' is on meta and has no memory; make tensors by fanin.torch.state_dict() and take them over by "
            "load_state_dict(..., assign=True), or give the module memory by to_empty(device=...)"
        )
    if _DTYPES[tensor.dtype] != dtype:
        raise bad_argument(
            f"'{name}' is a tensor of {tensor.dtype}, and rules[{rule}] makes it {dtype}; convert it, or take rules without "
            "this dtype"
        )
    if tensor.is_inference() and not torch.is_inference_mode_enabled():
        raise bad_argument(
            f"'{name}' is an inference tensor; a module that is made outside of inference_mode() is accepted"
        )
    if overlaps(tensor.shape, tensor.stride()):
        raise bad_argument(
            f"'{name}' has elements that share memory; a tensor whose elements do not overlap is accepted"
        )


def _tensor(data: Any, dtype: Any, shape: Any) -> Any:
    """A torch tensor over bytes."""
    return torch.from_numpy(data).view(dtype).reshape(shape)


def _new(name: str, report: InitReport, old: Any, data: Any) -> Any:
    dtype = next(dtype for dtype, stored in _DTYPES.items() if stored == report.dtype(name))
    return _tensor(data, dtype, old.shape).to("cpu" if old.is_meta else old.device, copy=True)
