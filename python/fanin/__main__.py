"""`python -m fanin ...` is the fanin command, with the library that this package has."""

import os
import sys

from ._command import find_command

path, environment = find_command()
os.execve(path, ["fanin", *sys.argv[1:]], environment)
