"""The exit codes of the interface that more than one command ends with."""

from typing import Final

USAGE: Final = 2
UNREACHABLE: Final = 3
INTERRUPTED: Final = 130
