"""The README's example runs as it is printed; and the bits are the same on two devices of one machine."""

import os
import re
import subprocess
import sys

import pytest

import fanin


@pytest.mark.parametrize("page", ["README.md", "python/README.md"])
def test_five_lines(source, page):
    (example,) = re.findall(r"^    python3 -c '\n(.*?)'$", (source / page).read_text(), re.MULTILINE | re.DOTALL)
    code = re.sub("^    ", "", example, flags=re.MULTILINE)
    assert len(code.strip().splitlines()) == 5
    printed = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    measured, expected = map(float, printed.split())
    # sd of a sample's std by 4.5
    assert (
        expected == pytest.approx((2 / 1024) ** 0.5) and abs(measured / expected - 1) < 4.5 / (2 * 4096 * 1024) ** 0.5
    )


TWO = """
import numpy as np, pyopencl as cl, pyopencl.array as cla, fanin
(platform,) = [p for p in cl.get_platforms() if p.name == "Portable Computing Language"]
first, second = platform.get_devices()
context = cl.Context([first, second])
for d, device in enumerate((first, second)):
    queue = cl.CommandQueue(context, device)
    half = cla.empty(queue, (50, 30), "f4")
    fanin.fill(half, "he_normal", seed=7, name="w", layout="OI", whole=(100, 30), start=(50 * d, 0))
    half.get().tofile(f"{d}.raw")
    queue.finish()
"""


def test_two_devices_of_one_context(tmp_path):
    """Two of PoCL's, each with a half of the tensor."""
    environment = {**os.environ, "POCL_DEVICES": "basic pthread"}
    subprocess.run([sys.executable, "-c", TWO], check=True, cwd=tmp_path, env=environment)
    halves = b"".join((tmp_path / f"{d}.raw").read_bytes() for d in (0, 1))
    assert halves == fanin.array((100, 30), "he_normal", seed=7, name="w", layout="OI").tobytes()
