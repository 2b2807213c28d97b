"""The package's version, which is the library's (include/fanin/base.h; a test compares them)."""

__version__ = "0.2.0"
