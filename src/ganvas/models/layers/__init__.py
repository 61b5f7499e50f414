"""Layers and first weights that the families share."""
