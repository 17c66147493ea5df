"""The exit codes of the interface that more than one command ends with: their one home, light enough for every start."""

from typing import Final

BROKEN: Final = 1
USAGE: Final = 2
UNREACHABLE: Final = 3
INTERRUPTED: Final = 130
