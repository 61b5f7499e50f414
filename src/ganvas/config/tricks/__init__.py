"""Optional tricks (`--with NAME`), a file for each source or topic; `registry.py` says what a trick is."""

import sys

from ganvas.config.tricks.registry import TRICKS, Trick, active, apply, conflicts, get, register_trick
from ganvas.plugins import discover

discover(sys.modules[__name__])

__all__ = ["TRICKS", "Trick", "active", "apply", "conflicts", "get", "register_trick"]
