"""Builds the package: with the library and the command inside, which CMake makes of the source tree around this folder
unless they lie in fanin/ already (tools/make-wheel puts them there). The wheel's tag is then this platform's, for every Python.

FANIN_BUILD_LIBRARY=no leaves both out, for a library that is elsewhere ($FANIN_LIBRARY, or the system's).
"""

import os
import shutil
import subprocess
from pathlib import Path

from setuptools import Distribution, setup
from setuptools.command.build_py import build_py
from wheel.bdist_wheel import bdist_wheel

HERE = Path(__file__).resolve().parent
LIBRARY = "libfanin.so.0"
HAS_LIBRARY = (HERE / "fanin" / LIBRARY).exists()
WANTED = os.environ.get("FANIN_BUILD_LIBRARY", "yes") != "no"
INSTEAD = (
    "Or get a wheel, which needs no compiler (./run wheel makes one), or set FANIN_BUILD_LIBRARY=no to install the package for "
    "a library that is there already ($FANIN_LIBRARY, or the system's)."
)


def refuse(problem):
    """Ends the build with what is wrong and what to do."""
    raise SystemExit(f"\nerror: fanin's library cannot be built: {problem}\n{INSTEAD}\n")


def compiler():
    """The name of a C compiler that is there, or None."""
    return next((name for name in (os.environ.get("CC", "cc"), "gcc", "clang") if shutil.which(name.split()[0])), None)


def missing_tools():
    """What building needs beside CMake's own checks, and Debian's names for it."""
    tools = {"cmake": shutil.which("cmake"), "a C compiler (cc, or what $CC says)": compiler()}
    tools["make or ninja"] = shutil.which("make") or shutil.which("ninja")
    tools["pkg-config"] = shutil.which("pkg-config")
    return [name for name, path in tools.items() if not path]


def has_jansson():
    """Whether the command can be built too."""
    return subprocess.run(["pkg-config", "--exists", "jansson"], check=False).returncode == 0


def run(*command):
    """Runs a step of CMake's; its output is shown where it fails."""
    ran = subprocess.run([str(part) for part in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if ran.returncode != 0:
        refuse(
            f"{' '.join(map(str, command[:2]))} failed:\n{ran.stdout[-4000:]}\nIt needs the headers and the loader of OpenCL, "
            "and for the command jansson (Debian: opencl-headers ocl-icd-opencl-dev libjansson-dev)."
        )


def build_library(work, package):
    """Makes library and command in the folder `work`, and copies them into the package that is being built."""
    source = HERE.parent
    if not (source / "CMakeLists.txt").exists() or not (source / "kernels").exists():
        refuse(f"{source} is not fanin's source tree, of which this package is a part.")
    missing = missing_tools()
    if missing:
        refuse(f"{', '.join(missing)} not found (Debian: apt install build-essential cmake pkg-config).")
    build_type = os.environ.get("CMAKE_BUILD_TYPE", "Release")
    options = [
        f"-DCMAKE_BUILD_TYPE={build_type}",
        "-DFANIN_BUILD_TESTS=OFF",
        "-DFANIN_BUILD_MPI=OFF",
        "-DCMAKE_SKIP_RPATH=ON",
    ]
    with_command = has_jansson()
    options.append(f"-DFANIN_BUILD_CLI={'ON' if with_command else 'OFF'}")
    run("cmake", "-S", source, "-B", work, *options)
    run("cmake", "--build", work, "--parallel", os.cpu_count() or 1, "--target", "fanin", *["fanin_cli"] * with_command)
    shutil.copy(work / LIBRARY, package / LIBRARY)
    if with_command:
        (package / "bin").mkdir(exist_ok=True)
        shutil.copy(work / "fanin", package / "bin/fanin")
    else:
        print("without the fanin command, which needs jansson (Debian: libjansson-dev)")


class Build(build_py):
    def run(self):
        super().run()
        if WANTED and not HAS_LIBRARY:
            build = self.get_finalized_command("build")
            build_library(Path(build.build_temp).resolve() / "cmake", Path(self.build_lib) / "fanin")


class Package(Distribution):
    def has_ext_modules(self):
        return HAS_LIBRARY or WANTED


class Wheel(bdist_wheel):
    def get_tag(self):
        _, _, platform = super().get_tag()
        return ("py3", "none", platform)


setup(distclass=Package, cmdclass={"bdist_wheel": Wheel, "build_py": Build})
