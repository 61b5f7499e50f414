"""One file per doctor rule."""
