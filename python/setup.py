"""The wheel's tag: a wheel with the library inside is of this platform, for every Python; one without is for any."""

from pathlib import Path

from setuptools import Distribution, setup
from wheel.bdist_wheel import bdist_wheel

HAS_LIBRARY = (Path(__file__).parent / "fanin/libfanin.so").exists()


class Package(Distribution):
    def has_ext_modules(self):
        return HAS_LIBRARY


class Wheel(bdist_wheel):
    def get_tag(self):
        _, _, platform = super().get_tag()
        return ("py3", "none", platform)


setup(distclass=Package, cmdclass={"bdist_wheel": Wheel})
