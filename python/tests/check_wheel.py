"""What a manylinux wheel says of itself and has inside: check_wheel.py WHEEL VERSION. Needs PyPI's pyelftools, which auditwheel
brings."""

import ast
import email
import io
import re
import sys
import zipfile

from elftools.elf.dynamic import DynamicSection
from elftools.elf.elffile import ELFFile

# What the tag lets every system have, OpenCL's loader, and what lies in the wheel itself.
ALLOWED = r"lib(c|m|gcc_s|stdc\+\+|OpenCL|fanin)\.so\.\d+|ld-linux-.*|libjansson-[0-9a-f]{8}\.so\.[\d.]+"
WANTED = ["fanin/py.typed", "fanin/libfanin.so.0", "fanin/bin/fanin", "fanin/loader/libOpenCL.so.1"]


def check_metadata(metadata, version):
    fields = email.message_from_bytes(metadata)
    assert (fields["Name"], fields["Version"]) == ("fanin", version), fields["Version"]
    assert fields["Requires-Python"] == ">=3.9" and fields["Description-Content-Type"] == "text/markdown"
    assert 20 < len(fields["Summary"]) < 512 and "import" in fields.get_payload()
    assert fields.get_all("Requires-Dist")[0] == "numpy", fields.get_all("Requires-Dist")
    for wanted in [
        "License :: OSI Approved :: MIT License",
        "Typing :: Typed",
        "Programming Language :: Python :: 3.14",
    ]:
        assert wanted in fields.get_all("Classifier"), wanted
    licences = set(fields.get_all("License-File"))
    assert licences == {"LICENSE", "LICENSE.libjansson", "LICENSE.ocl-icd-libopencl"}, licences


def check_elf(name, content):
    """No path of the machine that built it, and nothing but what every system of the tag has."""
    dynamic = [s for s in ELFFile(io.BytesIO(content)).iter_sections() if isinstance(s, DynamicSection)]
    tags = [tag for section in dynamic for tag in section.iter_tags()]
    for tag in tags:
        if tag.entry.d_tag == "DT_NEEDED":
            assert re.fullmatch(ALLOWED, tag.needed), f"{name} needs {tag.needed}"
        for path in {"DT_RPATH": "rpath", "DT_RUNPATH": "runpath"}.get(tag.entry.d_tag, "").split():
            for folder in getattr(tag, path).split(":"):
                assert folder.startswith("$ORIGIN"), f"{name} looks into {folder}"


def main():
    path, version = sys.argv[1:]
    assert re.search(r"/fanin-[\d.]+-py3-none-manylinux_2_\d+_\w+\.whl$", path), path
    with zipfile.ZipFile(path) as wheel:
        files = {name: wheel.read(name) for name in wheel.namelist() if not name.endswith("/")}
    assert set(WANTED) <= set(files), set(WANTED) - set(files)
    assert not [name for name in files if name.startswith("fanin.libs/libOpenCL")], "it would hide the system's loader"
    info = f"fanin-{version}.dist-info"
    check_metadata(files[f"{info}/METADATA"], version)
    elves = [name for name, content in files.items() if content.startswith(b"\x7fELF")]
    assert len(elves) == 4, elves
    for name in elves:
        check_elf(name, files[name])
    for name in files:
        if name.endswith(".py"):
            ast.parse(files[name], name, feature_version=(3, 9))
    print(f"{path}: {len(files)} files")


if __name__ == "__main__":
    main()
