"""Uses an installed wheel as a stranger would, with NumPy alone: bits that are known beforehand, a probe, and
the command. Prints what it did. With the argument "no-loader", as on a system without OpenCL's loader.

Run by wheel.sh, and to be run in a bare root: it needs no source tree.
"""

import ctypes
import subprocess
import sys
import tempfile
from pathlib import Path

LOADER = "libOpenCL.so.1"


def without_the_system_s_loader():
    """The name alone is not found from here on."""
    load = ctypes.CDLL

    def refuse(name, *arguments, **options):
        if name == LOADER:
            raise OSError(f"{name}: cannot open shared object file: No such file or directory")
        return load(name, *arguments, **options)

    ctypes.CDLL = refuse


def loaders():
    """The files of that name that this process has loaded."""
    lines = Path("/proc/self/maps").read_text().splitlines()
    return {Path(line.split()[-1]).parent for line in lines if "libOpenCL" in line}


def main():
    if "no-loader" in sys.argv:
        without_the_system_s_loader()
    import fanin

    own = Path(fanin.__file__).parent
    assert Path(fanin.library_path).parent == own, fanin.library_path
    if "no-loader" in sys.argv:
        assert loaders() == {own / "loader"} and fanin._library.loader == own / "loader", loaders()
    # Philox4x32-10's first word for key and counter 0 is 0x6627e8d5: (int32 + 1/2) * 2^-31.
    first = fanin.array((3, 5), "uniform:lo=-1,hi=1", seed=0, stream=0)[0, 0]
    assert float(first) == float.fromhex("0x1.989fa4p-1"), first.hex()
    report = fanin.probe([64, 32, 10], "relu", "he_normal", seed=1)
    assert report.conforms, report
    with tempfile.TemporaryDirectory() as folder:
        file = fanin.init_file(f"{folder}/w.safetensors", tensors={"w": ("f32", "OI", (64, 32), "he_normal")}, seed=42)
        assert fanin._command.find_command()[0].startswith(str(own)) and fanin.inspect(file).holds
    said = subprocess.run(
        [sys.executable, "-m", "fanin", "--version"], check=True, capture_output=True, text=True
    ).stdout
    assert fanin.__version__ in said, said
    print(f"Python {sys.version.split()[0]}, {fanin.devices()[0].name}, loaders {sorted(map(str, loaders()))}: right")


if __name__ == "__main__":
    main()
