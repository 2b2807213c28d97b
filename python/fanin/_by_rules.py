"""The tensors of a model in a program, made by rules as `fanin init --like` makes those of a checkpoint: what the modules for
frameworks have in common.

The model is described to the command by a file: a checkpoint's header with names, dtypes and shapes, and a hole in place of
the values. The command writes the new values to a second file, from which they are copied. So there is one implementation
of the rules, the bits are the command's own whatever the rules say, and while anything can still go wrong no tensor of the
model has been touched. The price is room for the values in the folder of temporary files ($TMPDIR) while they are copied.
"""

from __future__ import annotations

import json
import math
import os
import tempfile
import warnings
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Hashable, Iterable, Iterator, Mapping, NamedTuple, Optional, SupportsFloat, SupportsIndex, Union

import numpy as np

from . import _check, _command
from ._command import AnyPath, Selector
from ._dtypes import DTYPES
from ._errors import ArgumentError, Error, bad_argument
from ._numpy import numpy_dtype
from ._report import table
from ._tensor import as_shape, dtype_of

AnyRules = Union[AnyPath, Mapping[str, Any]]

# What NumPy, torch, JAX, Keras and tinygrad call a dtype, and what safetensors files do.
STORED_DTYPES: dict[str, str] = {
    **{info.python: info.safetensors for info in DTYPES},
    **{f"{kind}int{bits}": f"{kind or 'i'}{bits}".upper() for kind in ("", "u") for bits in (8, 16, 32, 64)},
    "bool": "BOOL",
    "complex64": "C64",
}


# What the command's sentences advise, and how the functions here have it.
_ARGUMENTS = {
    "Give --rule 'PATTERN=INIT' for them, other --rules, or a file": "Give other rules, or a dict or a file",
    "give the index of the whole checkpoint, or a rule of your own": "give a rule of your own",
    "--set ": "",
    "give --rules ": "give rules ",
    "(--rules ": "(rules ",
    "there is no lm_head.weight and no config.json with a model_type that is known": "no lm_head.weight is a tensor of its "
    "own, and there is no model.config with a model_type that is known",
}


class Stored(NamedTuple):
    """A tensor as the rules see it. Tensors whose `memory` is equal are one tensor under several names."""

    dtype: str
    shape: tuple[int, ...]
    memory: Hashable


class InitReport(Mapping[str, Mapping[str, Any]]):
    """What each tensor of a model got by rules: a dict by its name, in the model's order.

    A dict has the keys of `fanin init --explain --json` (docs/checkpoints.md): `init`, `layout`, `dtype`, `rule`, `mean`,
    `std` and so on; or `norm_of`, the tensor whose norms it has; or `skip`, why the tensor was left as it was; or `tied`,
    the name by which the same tensor was made.
    `rules` says which rules, and `seed` is None where nothing was made.
    """

    def __init__(
        self, of: str, rules: str, tensors: Mapping[str, Mapping[str, Any]], seed: Optional[int] = None
    ) -> None:
        self.of, self.rules, self.seed = of, rules, seed
        self._tensors = {name: dict(one) for name, one in tensors.items()}

    def __getitem__(self, name: str) -> Mapping[str, Any]:
        return self._tensors[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._tensors)

    def __len__(self) -> int:
        return len(self._tensors)

    def __repr__(self) -> str:
        counts = [f"{len(self.made)} tensor{'s' * (len(self.made) != 1)}"]
        for what, key in [("skipped", "skip"), ("tied", "tied")]:
            count = sum(key in one for one in self._tensors.values())
            counts += [f"{count} {what}"] if count else []
        seed = "" if self.seed is None else f", seed {self.seed}"
        return f"<InitReport of {_check.shown(self.of)[1:-1]} by rules {self.rules}{seed}: {', '.join(counts)}>"

    @property
    def made(self) -> list[str]:
        """The names of the tensors that have an initializer, or the norms of another one."""
        return [name for name, one in self._tensors.items() if "init" in one or "norm_of" in one]

    def dtype(self, name: str) -> str:
        """What safetensors files call the dtype that a tensor is made in. The command has names of its own for most."""
        said = self._tensors[name]["dtype"]
        return next((info.safetensors for info in DTYPES if info.name == said), said)

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {"of": self.of, "rules": self.rules, "seed": self.seed, "tensors": self._tensors}

    def _repr_html_(self) -> str:
        """A table, for notebooks."""
        keys = ("dtype", "shape", "init", "layout", "std", "norm_of", "skip", "tied")
        columns = {key: [one.get(key, "") for one in self._tensors.values()] for key in keys}
        return table({"tensor": list(self), **{key: cells for key, cells in columns.items() if any(cells)}})


class ByRules:
    """A model that is described to the command, in a `with` block: `report`, which there is from the start, and `values()`.

    of: what messages call the model. tensors: {name: Stored} in the model's order; of a tensor with several names the
    first counts, as in a file that has it once. config: texts of the model's configuration, which rules may ask for.
    buffers: names of tensors that the model's code makes.
    """

    def __init__(
        self,
        of: str,
        tensors: Mapping[str, Stored],
        rules: AnyRules,
        values: Mapping[str, SupportsFloat],
        config: Optional[Mapping[str, str]] = None,
        buffers: Iterable[str] = (),
    ) -> None:
        self._of, self._tensors, self._buffers = of, tensors, buffers
        self._values = {name: _check.number(name, value) for name, value in values.items()}
        self._folder = tempfile.TemporaryDirectory(prefix="fanin-")
        here = Path(self._folder.name)
        try:
            self._rules = self._path_of(rules)
            self._name = rules if self._rules == str(rules) else "rules"
            if config:
                (here / "config.json").write_text(json.dumps(config))
            self.report = self._explain()
        except BaseException:
            self._folder.cleanup()
            raise

    def __enter__(self) -> ByRules:
        if self._unused:
            which = ", ".join(f"rules[{index}]" for index in sorted(self._unused))
            warnings.warn(f"{self._of}: {which} of {self._name} takes no tensor", stacklevel=3)
        return self

    def __exit__(
        self, kind: Optional[type[BaseException]], value: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        self._folder.cleanup()

    def values(self, seed: SupportsIndex, device: Selector) -> dict[str, Any]:
        """The bytes of each tensor that is made, by its first name. They lie in a file that is mapped into memory."""
        self.report = InitReport(self._of, self.report.rules, self.report, _check.integer("seed", seed))
        like, made = self._like(), Path(self._folder.name) / "made.safetensors"
        with self._in_messages(like):
            _command.init_file(made, like=like, rules=self._rules, set=self._values, seed=seed, device=device)
        return read_bytes(made)

    def _path_of(self, rules: AnyRules) -> str:
        """The rules as the command takes them: a name, a path, or the path of a file that is written here."""
        if not isinstance(rules, Mapping):
            return _command._path("rules", rules)
        path = Path(self._folder.name) / "rules.json"
        try:
            path.write_text(json.dumps(dict(rules)))
        except (TypeError, ValueError) as problem:
            raise bad_argument(f"rules is a dict that JSON cannot hold: {problem}") from None
        return str(path)

    def _like(self) -> Path:
        """Where the file lies that describes the model. What the model is called may be no name for a file."""
        return Path(self._folder.name) / "like.safetensors"

    @contextmanager
    def _in_messages(self, like: Path) -> Iterator[None]:
        """Puts the model's own name in place of the files' in the command's sentences."""
        try:
            yield
        except Error as problem:
            sentence = str(problem).replace(str(like), self._of)
            sentence = sentence.replace(str(Path(self._folder.name) / "rules.json"), "rules")
            for option, argument in _ARGUMENTS.items():
                sentence = sentence.replace(option, argument)
            named = [name for name in self._buffers if f"'{name}'" in sentence]
            if named:
                skip = json.dumps({"match": named[0], "skip": "made by the code"})
                sentence += f". '{named[0]}' is a buffer; a rule {skip} leaves it as it is"
            raise type(problem)(problem.status, problem.name, sentence) from None

    def _answer(self, tensors: Mapping[str, Stored]) -> _command.Answer:
        like = self._like()
        write_header(like, tensors)
        with self._in_messages(like):
            return _command.rules(like, self._rules, set=self._values)

    def _explain(self) -> InitReport:
        """Which rule takes which tensor; refuses rules that do not say the same of all names of one tensor."""
        first: dict[Hashable, str] = {}
        there = {name: one for name, one in self._tensors.items() if math.prod(one.shape)}
        names = {name: first.setdefault(one.memory, name) for name, one in there.items()}
        tied = {name: of for name, of in names.items() if name != of}
        all_names = self._answer(there) if tied else None
        answer = self._answer({name: one for name, one in there.items() if name not in tied})  # the file that stays
        explained = {one["name"]: one for one in answer.tensors}
        self._unused = {*answer["unused_rules"]}
        if all_names:
            self._unused &= {*all_names["unused_rules"]}
            said = {one["name"]: one for one in all_names.tensors}
            for name, of in tied.items():
                for one in (of, name):
                    _check_tied(of, explained[of], name, said[one], self._name)
        return InitReport(
            self._of,
            str(self._name),
            {
                name: {"name": name, "skip": "it has no elements"}
                if name not in there
                else explained[name]
                if name not in tied
                else {"name": name, "tied": tied[name]}
                for name in self._tensors
            },
        )


def _check_tied(first: str, made: Mapping[str, Any], name: str, said: Mapping[str, Any], rules: AnyRules) -> None:
    def what(one: Mapping[str, Any]) -> dict[str, Any]:
        return {key: value for key, value in one.items() if key not in ("name", "rule", "layout", "same_as")}

    if what(made) == what(said):
        return
    texts = [one.get("init", "norm_of" if "norm_of" in one else "skip") for one in (made, said)]
    raise bad_argument(
        f"'{first}' and '{name}' are one tensor, and rules {rules} say {texts[0]} of it and {texts[1]}; rules that say one "
        f'thing are accepted, as with {{"match": "{name}", "same_as": "{first}"}} before the others'
    )


def write_header(path: Path, tensors: Mapping[str, Stored]) -> None:
    """Writes a safetensors file that has these tensors and a hole in place of their values."""
    header: dict[str, Any] = {}
    end = 0
    for name, one in tensors.items():
        begin, end = end, end + math.prod(one.shape) * BYTES[one.dtype]
        header[name] = {"dtype": one.dtype, "shape": one.shape, "data_offsets": (begin, end)}
    text = json.dumps(header).encode()
    with open(path, "wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        file.truncate(8 + len(text) + end)


BYTES = {
    stored: next((info.bytes for info in DTYPES if info.python == name), 0) or np.dtype(name).itemsize
    for name, stored in STORED_DTYPES.items()
}


def read_bytes(path: Path) -> dict[str, Any]:
    """The bytes of each tensor of a safetensors file. They are mapped, and what is written to them stays in memory."""
    whole = np.memmap(path, np.uint8, "c")
    size = int.from_bytes(bytes(whole[:8]), "little")
    header = json.loads(bytes(whole[8 : 8 + size]))
    places = {name: one["data_offsets"] for name, one in header.items() if name != "__metadata__"}
    return {name: np.asarray(whole[8 + size + begin : 8 + size + end]) for name, (begin, end) in places.items()}


class Place(NamedTuple):
    """The bytes from the first element of a tensor to the last: whose memory it is, and a range in it."""

    where: str
    begin: int
    end: int


def check_overlaps(stored: Mapping[str, Stored], places: Mapping[str, Optional[Place]]) -> None:
    """Refuses different tensors that share memory, such as a weight and its transpose. None is a place of its own."""
    ranges = sorted((place, name) for name, place in places.items() if place is not None)
    for (place, name), (next_place, next_name) in zip(ranges, ranges[1:]):
        apart = place.where != next_place.where or place.end <= next_place.begin
        if not apart and stored[name].memory != stored[next_name].memory:
            raise bad_argument(
                f"'{name}' and '{next_name}' lie in overlapping ranges of memory and are not one tensor; tensors in ranges of "
                "their own, or one tensor under two names, are accepted"
            )


def check_name(argument: str, name: Any) -> str:
    """The name of a tensor, which is what its values follow from."""
    _check.text(f"a name in {argument}", name)
    if name == "__metadata__":
        raise bad_argument(f"a name in {argument} is '__metadata__', which safetensors files keep for something else")
    return str(name)


def stored_dtype(argument: str, dtype: Any) -> str:
    """What safetensors files call a dtype of NumPy, JAX, torch or Keras, or "f32"."""
    for name in (dtype, getattr(dtype, "name", None), getattr(dtype, "__name__", None), str(dtype).rpartition(".")[2]):
        if isinstance(name, str) and name in STORED_DTYPES:
            return STORED_DTYPES[name]
    return DTYPES[dtype_of(dtype, argument)].safetensors


def arrays(
    tensors: Mapping[str, Any],
    rules: AnyRules = "pytorch",
    *,
    seed: SupportsIndex,
    device: Selector = None,
    **values: SupportsFloat,
) -> dict[str, np.ndarray[Any, Any]]:
    """New NumPy arrays for the tensors of a model, initialized by rules: those that `fanin init --like` writes for a checkpoint
    with tensors of these names, dtypes and shapes.

    tensors: by its name anything that has `dtype` and `shape`, as arrays, `jax.ShapeDtypeStruct` and Keras's variables; or a
        pair of them. Values are not looked at.
    rules: the name of a set, the path of a .json file, or a dict that has what such a file has (docs/checkpoints.md).
    device: the selector of an OpenCL device.
    values: numbers that the rules ask for or have defaults of, as `layers=12`.

    A tensor that a rule skips is left out. What NumPy lacks, as bf16, comes as in `array()`.
    """
    if not isinstance(tensors, Mapping):
        _check.wrong_type("tensors", tensors, "a dict {name: array}")
    stored = {check_name("tensors", name): _stored(f"tensors[{name!r}]", one) for name, one in tensors.items()}
    with ByRules("tensors", stored, rules, values) as model:
        made = model.values(seed, device)
        report = model.report
    return {name: _array(report.dtype(name), report[name]["shape"], made[name]) for name in report.made}


def _stored(argument: str, one: Any) -> Stored:
    if isinstance(one, tuple) and len(one) == 2:
        dtype, shape = one
    elif hasattr(one, "dtype") and hasattr(one, "shape"):
        dtype, shape = one.dtype, one.shape
    else:
        _check.wrong_type(argument, one, "an array, or a pair of dtype and shape,")
    try:
        return Stored(stored_dtype("dtype", dtype), as_shape(shape), argument)
    except ArgumentError as problem:
        raise bad_argument(f"{argument}: {problem}") from None


def _array(dtype: str, shape: Any, made: Any) -> np.ndarray[Any, Any]:
    known = next((number for number, info in enumerate(DTYPES) if info.safetensors == dtype), None)
    kind = (
        numpy_dtype(known) if known is not None else np.dtype(next(k for k, v in STORED_DTYPES.items() if v == dtype))
    )
    array: np.ndarray[Any, Any] = np.array(made).view(kind).reshape(shape)
    return array
