"""One file per check of `doctor --data`."""
