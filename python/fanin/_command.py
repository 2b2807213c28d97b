"""What the fanin command does with files, as functions. Each runs the command, so that there is one implementation: its JSON
is the result, and its exit status an exception."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any, Iterator, Mapping, Optional, Sequence, SupportsFloat, SupportsIndex, Union

from . import _check, _library
from ._device import Device
from ._dtypes import DTYPES
from ._errors import Error, bad_argument
from ._init import AnyInit, init_of
from ._report import table
from ._tensor import Shape, as_shape, dtype_of

AnyPath = Union[str, "os.PathLike[str]"]
Selector = Union[str, SupportsIndex, None]

# The command's exit statuses (cli/base/failure.h).
CHECK, INPUT, DEVICE = 1, 2, 3
NO_DEVICE, UNSUPPORTED = 6, 7


class Answer(Mapping[str, Any]):
    """What a command printed as JSON, by its keys (docs/inspect.md, docs/checkpoints.md list them).

    `holds` is False where the command's exit status says that a check failed, and None where nothing was judged.
    `condition` is what `holds` is said with where it is True: "as far as judged", if some tensors are not judged; else
    None. `tensors` has the answer's tensors.
    """

    def __init__(self, data: Mapping[str, Any], command: str, passed: bool) -> None:
        self._data = dict(data)
        self.command = command
        self.holds: Optional[bool] = self._data.get("holds", True) if passed else False
        self.condition: Optional[str] = self._data.get("condition") if self.holds else None

    def __getitem__(self, key: str) -> Any:
        return self._data[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._data)

    def __len__(self) -> int:
        return len(self._data)

    def __repr__(self) -> str:
        condition = f" ({self.condition})" if self.condition else ""
        return f"<Answer of {_check.shown(self.command)}: {len(self.tensors)} tensors, holds={self.holds}{condition}>"

    @property
    def tensors(self) -> list[dict[str, Any]]:
        """A dict for each tensor."""
        return list(self._data.get("tensors", []))

    def to_dict(self) -> dict[str, Any]:
        """The whole answer, as json.loads() made it."""
        return dict(self._data)

    def _repr_html_(self) -> str:
        """A table of the tensors, for notebooks."""
        rows = [{k: v for k, v in one.items() if not isinstance(v, dict)} for one in self.tensors]
        names = dict.fromkeys(name for row in rows for name in row)
        return table({name: [float("nan") if row.get(name) is None else row[name] for row in rows] for name in names})


def find_command() -> tuple[str, dict[str, str]]:
    """The command, and the environment that it runs in: $FANIN, the package's own, one beside the library, one in $PATH."""
    environment = dict(os.environ)
    named = os.environ.get("FANIN")
    if named:
        return named, environment
    own = Path(__file__).parent
    for found, is_own in [(own / "bin/fanin", True), (Path(_library.path).parent / "fanin", False)]:
        if found.is_file() and os.access(found, os.X_OK):
            if (
                is_own
            ):  # it needs the library that lies in the package, and OpenCL's loader where that is the package's own
                paths = [str(own), str(_library.loader or ""), os.environ.get("LD_LIBRARY_PATH", "")]
                environment["LD_LIBRARY_PATH"] = os.pathsep.join(filter(None, paths))
            return str(found), environment
    anywhere = shutil.which("fanin")
    if anywhere is None:
        raise Error(
            UNSUPPORTED,
            "FANIN_STATUS_UNSUPPORTED",
            "the fanin command was not found, which is looked for in $FANIN, in the package, beside the library and in $PATH: "
            "install a wheel (./run wheel makes one), or build it (./run build) and set FANIN=build/fanin",
        )
    return anywhere, environment


def _run(*arguments: str) -> tuple[str, int, str]:
    """What the command printed, its exit status (0 or CHECK), and how it was called. Other statuses are raised."""
    path, environment = find_command()
    try:
        ran = subprocess.run(
            [path, *arguments],
            capture_output=True,
            text=True,
            encoding="utf-8",
            env=environment,
            stdin=subprocess.DEVNULL,
        )
    except OSError as problem:
        raise Error(UNSUPPORTED, "FANIN_STATUS_UNSUPPORTED", f"{path} cannot be run: {problem}") from None
    if ran.returncode in (0, CHECK):
        return ran.stdout, ran.returncode, " ".join(["fanin", *arguments])
    sentence = _sentence(ran.stderr, arguments[0]) or f"fanin {arguments[0]} ended with status {ran.returncode}"
    if ran.returncode == INPUT:
        raise bad_argument(sentence)
    if ran.returncode == DEVICE:
        raise Error(NO_DEVICE, "FANIN_STATUS_NO_DEVICE", sentence)
    raise Error(UNSUPPORTED, "FANIN_STATUS_UNSUPPORTED", sentence)


def _sentence(printed: str, command: str) -> str:
    """The command's sentence without its name, and without its hint to --help."""
    lines = [line for line in printed.strip().splitlines() if not line.startswith("Try 'fanin")]
    return "\n".join(lines).replace(f"fanin: {command}: ", "", 1)


def _answer(*arguments: str) -> Answer:
    printed, status, command = _run(*arguments)
    return Answer(json.loads(printed), command, status == 0)


def _path(argument: str, value: Any) -> str:
    try:
        path = os.fspath(value)
    except TypeError:
        _check.wrong_type(argument, value, "a path")
    _check.text(argument, path)
    return f"./{path}" if path.startswith("-") else str(path)


def _selector(device: Any) -> Optional[str]:
    if isinstance(device, Device):
        raise bad_argument("device is a Device, and the command runs in a process of its own; a selector is accepted")
    if device is None or isinstance(device, str):
        return None if device is None else _check.text("device", device).decode()
    return str(_check.integer("device", device))


def _options(**values: Any) -> list[str]:
    """`--name=value` for each value; None and False leave an option out, True is a switch, sequences are repeated."""
    options = []
    for name, value in values.items():
        option = "--" + name.replace("_", "-")
        for one in value if isinstance(value, (list, tuple)) else [value]:
            if one is True:
                options.append(option)
            elif one is not None and one is not False:
                if not isinstance(one, (str, os.PathLike)):
                    _check.number(name, one)
                options.append(f"{option}={os.fspath(one) if isinstance(one, os.PathLike) else one}")
    return options


def _rules(rules: Any, set: Any) -> dict[str, Any]:
    """Options of rules, and of the values that are set for them."""
    if set is not None and not isinstance(set, Mapping):
        _check.wrong_type("set", set, 'a dict such as {"layers": 12}')
    given = [f"{name}={_check.number(f'set[{name!r}]', value):.17g}" for name, value in (set or {}).items()]
    return {"rules": None if rules is None else _path("rules", rules), "set": given}


def _init_text(init: Any) -> str:
    """An initializer as the command takes it. The command reads texts, because schemes in them see the tensor."""
    return _check.text("init", init).decode() if isinstance(init, str) else str(init_of(init))


def _inits(init: Any) -> list[str]:
    """The values of --init."""
    if isinstance(init, Mapping):
        return [f"{_check.text('a key of init', name).decode()}={_init_text(one)}" for name, one in init.items()]
    given = init if isinstance(init, (list, tuple)) else [] if init is None else [init]
    return [_init_text(one) for one in given]


def inspect(
    *paths: AnyPath,
    rules: Optional[AnyPath] = None,
    set: Optional[Mapping[str, SupportsFloat]] = None,
    init: Union[AnyInit, Sequence[AnyInit], Mapping[str, AnyInit], None] = None,
    device: Selector = None,
    **options: Any,
) -> Answer:
    """Tests the tensors of .safetensors or .npy files, as `fanin inspect` does. `holds` False: a test failed; None: nothing was
    judged.

    init: what each tensor should be of which nothing else says it; {name: initializer} for single tensors; or a list, as
    ["he_normal", "fc.bias=zeros"]. Texts may have schemes before the initializer. Other options of the command are
    keywords: name="value" is --name=value, name=True is --name.
    """
    files = [_path("paths", path) for path in paths]
    given = _options(**_rules(rules, set), init=_inits(init), device=_selector(device), **options)
    return _answer("inspect", "--json", *given, *files)


def rules(
    like: AnyPath,
    rules: AnyPath = "pytorch",
    *,
    set: Optional[Mapping[str, SupportsFloat]] = None,
    dtype: Any = None,
    **options: Any,
) -> Answer:
    """Which rule takes which tensor of a checkpoint, and what it makes of it, as `fanin init --explain` has it.

    rules: the name of a set or a .json file. set: values of the rules, as {"layers": 12}.
    """
    given = _options(like=_path("like", like), **_rules(rules, set), dtype=_dtype(dtype), **options)
    return _answer("init", "--explain", "--json", *given)


def _dtype(dtype: Any) -> Optional[str]:
    return None if dtype is None else DTYPES[dtype_of(dtype)].name


def init_file(
    output: AnyPath,
    *,
    model: Optional[AnyPath] = None,
    like: Optional[AnyPath] = None,
    rules: Optional[AnyPath] = None,
    set: Optional[Mapping[str, SupportsFloat]] = None,
    tensors: Optional[Mapping[str, Sequence[Any]]] = None,
    seed: SupportsIndex = 0,
    dtype: Any = None,
    device: Selector = None,
    **options: Any,
) -> Path:
    """Writes a .safetensors (or .npy) file of new weights, as `fanin init` does, and returns its path.

    model: a model file (docs/model-files.md). like, rules, set: a checkpoint whose tensors are made anew by rules
    (docs/checkpoints.md). tensors: {name: (dtype, layout, shape, init)}. One of the three says what to write.
    """
    given = dict(model=model, like=like, tensors=tensors)
    if len([value for value in given.values() if value is not None]) != 1:
        raise bad_argument("say what to write by one of model=, like= and tensors=")
    path = _path("output", output)
    arguments = _options(
        output=path,
        like=None if like is None else _path("like", like),
        **_rules(rules, set),
        seed=_check.integer("seed", seed),
        dtype=_dtype(dtype),
        device=_selector(device),
        **options,
    )
    arguments += [] if model is None else [_path("model", model)]
    if tensors is not None and not isinstance(tensors, Mapping):
        _check.wrong_type("tensors", tensors, "a dict {name: (dtype, layout, shape, init)}")
    for name, one in (tensors or {}).items():
        described = _check.elements(f"tensors[{name!r}]", one, "dtype, layout, shape and init")
        if len(described) != 4:
            raise bad_argument(
                f"tensors[{name!r}] has {len(described)} elements; dtype, layout, shape and init are accepted"
            )
        arguments += _tensor(name, *described)
    _run("init", *arguments)
    return Path(output)


def _tensor(name: str, dtype: Any, layout: str, shape: Shape, init: AnyInit) -> list[str]:
    extents = "x".join(map(str, as_shape(shape)))
    text = _check.text("layout", layout).decode()
    return [f"--tensor={name}:{_dtype(dtype)}:{text}:{extents}", f"--init={_init_text(init)}"]
