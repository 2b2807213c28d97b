"""A C compiler compares what the package believes of the library's structs, enumerators and functions with the headers."""

import ctypes
import os
import subprocess
import sys

import pytest

import fanin
from fanin import _library, _mirror, _structs


@pytest.fixture
def compile_and_run(source, tmp_path):
    def run(code):
        (tmp_path / "abi.c").write_text("#define FANIN_EXPERIMENTAL\n#include <fanin.h>\n#include <stdio.h>\n" + code)
        command = [os.environ.get("CC", "cc"), "-std=c11", "-Werror", "-Wall", f"-I{source}/include"]
        built = subprocess.run([*command, "-o", tmp_path / "abi", tmp_path / "abi.c"], capture_output=True, text=True)
        assert built.returncode == 0, built.stderr
        return subprocess.run([tmp_path / "abi"], check=True, capture_output=True, text=True).stdout.splitlines()

    return run


def test_structs(compile_and_run):
    lines, expected = [], []
    for name, struct in _mirror.STRUCTS.items():
        lines.append(f'printf("{name} %zu\\n", sizeof({name}));')
        expected.append(f"{name} {ctypes.sizeof(struct)}")
        for field, kind in struct._fields_:
            if field.startswith("_"):  # several fields of C in one
                continue
            member, place = f"(({name} *)0)->{field}", getattr(struct, field)
            is_double = f"_Generic({member}, double: 1, float: 1, default: 0)"
            lines.append(
                f'printf("{name}.{field} %zu %zu %d\\n", offsetof({name}, {field}), sizeof({member}), {is_double});'
            )
            expected.append(f"{name}.{field} {place.offset} {place.size} {int(kind is ctypes.c_double)}")
    assert compile_and_run("int main(void) {" + "\n".join(lines) + "}") == expected


def test_enumerators(compile_and_run):
    names = [(prefix + name.upper(), at) for prefix, known in _structs.ENUMERATORS for at, name in enumerate(known)]
    names += [("FANIN_MAX_RANK", _structs.MAX_RANK), ("FANIN_STATUS_BAD_ARGUMENT", 1)]
    names += [("FANIN_STATUS_BAD_TEXT", 5), ("FANIN_STATUS_NO_DEVICE", 6)]  # between them, errors are of arguments
    lines = [f'printf("{name} %d\\n", (int){name});' for name, _ in names]
    assert compile_and_run("int main(void) {" + "\n".join(lines) + "}") == [f"{name} {value}" for name, value in names]


def test_functions(compile_and_run):
    """Declaring a function twice is an error unless both declarations agree."""
    compile_and_run(_library.DECLARATIONS + "int main(void) { return 0; }")
    with pytest.raises(AssertionError, match="conflicting types"):
        wrong = _library.DECLARATIONS.replace("uint64_t seed, const char *name", "uint32_t seed, const char *name")
        compile_and_run(wrong + "int main(void) { return 0; }")


def test_every_call_is_declared(source):
    """ctypes takes an undeclared function for one that returns int."""
    import re

    files = [path for path in (source / "python/fanin").glob("*.py") if path.name != "_library.py"]
    called = {name for path in files for name in re.findall(r"\blib\.(fanin_\w+)", path.read_text())}
    declared = set(re.findall(r"(fanin_\w+)\(", _library.DECLARATIONS))
    assert called | {"fanin_version", "fanin_status_name", "fanin_last_error"} == declared


def test_version_is_the_library_s(compile_and_run):
    version = 'printf("%d.%d.%d\\n", FANIN_VERSION_MAJOR, FANIN_VERSION_MINOR, FANIN_VERSION_PATCH);'
    assert compile_and_run("int main(void) {" + version + "}") == [fanin.__version__] == [fanin.library_version]


@pytest.mark.parametrize("version, fits", [("0.2.7", True), ("0.1.0", False), ("1.1.0", False)])
def test_library_of_another_version(tmp_path, version, fits):
    code = f'const char *fanin_version(void) {{ return "{version}"; }}'
    made = tmp_path / "libfanin.so"
    subprocess.run([os.environ.get("CC", "cc"), "-shared", "-o", made, "-xc", "-"], input=code, text=True, check=True)
    # One of the right version goes on to look for its functions.
    with pytest.raises(AttributeError if fits else ImportError, match="fanin_status_name" if fits else version):
        _library.load(str(made))


def test_no_library(tmp_path):
    ran = subprocess.run(
        [sys.executable, "-c", "import fanin"],
        env={**os.environ, "FANIN_LIBRARY": str(tmp_path / "none.so")},
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 1 and "none.so" in ran.stderr and "ImportError" in ran.stderr
