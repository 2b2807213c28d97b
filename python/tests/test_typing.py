"""The package's types: mypy --strict and pyright accept a user's program and refuse a wrong one. (./run lint checks the
package.)"""

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import fanin

PROGRAM = Path(__file__).with_name("typed_program.py")
WRONG = """import fanin
fanin.gain(3)
fanin.fans((3, 4), "OI").fan
fanin.theory(["3"])
fanin.no_such_function()
x: int = fanin.std((3,), "ones")
"""


def programs(work):
    """Writes the wrong program, and one with all names, beside which the user's program is checked."""
    (work / "wrong.py").write_text(WRONG)
    (work / "names.py").write_text("import fanin\n" + "".join(f"print(fanin.{name})\n" for name in fanin.__all__))


@pytest.fixture(scope="module")
def said(tmp_path_factory):
    """What mypy says of the program, of one that is wrong, and of one with all names: the lines of each by its name."""
    if importlib.util.find_spec("mypy") is None:
        pytest.skip("mypy is not installed")
    work = tmp_path_factory.mktemp("mypy")
    programs(work)
    (work / "mypy.ini").write_text("[mypy]\n")
    # Errors inside fanin are not the program's, as where it is installed.
    options = ["--strict", "--follow-imports=silent", "--config-file=mypy.ini", "--cache-dir", os.devnull]
    command = [sys.executable, "-m", "mypy", *options, PROGRAM, "wrong.py", "names.py"]
    environment = {**os.environ, "MYPYPATH": str(Path(fanin.__file__).parents[1])}
    ran = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=work)
    assert not ran.stderr and "checked 3 source files" in ran.stdout, ran.stdout + ran.stderr
    lines = ran.stdout.splitlines()[:-1]
    return {name: [line for line in lines if name in line] for name in (PROGRAM.name, "wrong.py", "names.py")}


def test_a_user_s_program(said):
    assert said[PROGRAM.name] == []


def test_a_wrong_program(said):
    for line in range(2, 7):
        assert any(f"wrong.py:{line}: error" in one for one in said["wrong.py"]), said["wrong.py"]


def test_pyright(tmp_path):
    """The strict mode of pyright, but for what is not known of packages that have no types, as PyOpenCL before 2025."""
    pyright = shutil.which("basedpyright") or shutil.which("pyright")
    if pyright is None:
        pytest.skip("neither basedpyright nor pyright is installed: pip install basedpyright")
    programs(tmp_path)
    shutil.copy(PROGRAM, tmp_path)
    unknown = {f"reportUnknown{what}Type": "none" for what in ("Member", "Argument", "Variable", "Parameter", "Lambda")}
    configuration = {"typeCheckingMode": "strict", "extraPaths": [str(Path(fanin.__file__).parents[1])], **unknown}
    (tmp_path / "pyrightconfig.json").write_text(json.dumps(configuration))
    command = [pyright, "--pythonpath", sys.executable, "--outputjson", "."]
    ran = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    if not ran.stdout.lstrip().startswith("{"):
        pytest.skip(f"{pyright} does not run: {ran.stderr[-200:]}")  # 'pyright' of PyPI fetches Node.js
    said = json.loads(ran.stdout)
    found = [
        (Path(one["file"]).name, one["range"]["start"]["line"] + 1, one["message"])
        for one in said["generalDiagnostics"]
    ]
    assert said["summary"]["filesAnalyzed"] == 3 and {name for name, _, _ in found} == {"wrong.py"}, found
    assert {line for _, line, _ in found} == {2, 3, 4, 5, 6}, found


def test_every_name_is_exported(said):
    """Type checkers take a name of a package for public only if __all__ has it in so many words."""
    names = {name for name in vars(fanin) if not name.startswith("_")}
    modules = {name for name in names if getattr(vars(fanin)[name], "__spec__", None)}
    assert set(fanin.__all__) - {"__version__"} == (names - modules) | {"init"}
    assert said["names.py"] == [] and (Path(fanin.__file__).parent / "py.typed").exists()


def test_the_program_runs():
    ran = subprocess.run([sys.executable, PROGRAM], capture_output=True, text=True)
    assert ran.returncode == 0 and "<ProbeReport of 20-30-10, tanh" in ran.stdout, ran.stdout + ran.stderr
