"""One file per check of `doctor --env`. Nothing here imports torch before it is known to import."""
