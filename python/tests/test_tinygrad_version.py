"""fanin.tinygrad says which versions of tinygrad it works with."""

from importlib import metadata

import pytest

from fanin import _tinygrad_version


@pytest.mark.parametrize("version, fits", [("0.11.0", 0), ("0.12.1", 0), ("0.13.0", 1), ("0.14.0", 1), ("1.0", 1)])
def test_versions(monkeypatch, version, fits):
    monkeypatch.setattr(metadata, "version", lambda name: version)
    if fits:
        _tinygrad_version.check_version()
        return
    with pytest.raises(ImportError, match=f"tinygrad is version {version}; fanin.tinygrad needs tinygrad 0.13"):
        _tinygrad_version.check_version()


def test_none(monkeypatch):
    def missing(name):
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "version", missing)
    with pytest.raises(ImportError, match="tinygrad is not installed; fanin.tinygrad needs tinygrad 0.13"):
        _tinygrad_version.check_version()
