"""Where the control plane stands, for those who mount it before they need it."""

from typing import Final

PREFIX: Final = "/__admin"
