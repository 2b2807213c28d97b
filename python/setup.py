"""The wheel's tag: a wheel with the library inside is of this platform, for every Python; one without is for any."""

from pathlib import Path

from setuptools import setup
from wheel.bdist_wheel import bdist_wheel

HAS_LIBRARY = (Path(__file__).parent / "fanin/libfanin.so").exists()


class Wheel(bdist_wheel):
    def finalize_options(self):
        super().finalize_options()
        self.root_is_pure = not HAS_LIBRARY

    def get_tag(self):
        _, _, platform = super().get_tag()
        return ("py3", "none", platform)


setup(cmdclass={"bdist_wheel": Wheel})
