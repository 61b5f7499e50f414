"""Trained generators for use elsewhere: ONNX, a card, the hub, a web page; tables and logs of runs; animations."""

from ganvas.exporting.animation import Animation, animate
from ganvas.exporting.formats import FORMATS, Exported, export

__all__ = ["FORMATS", "Animation", "Exported", "animate", "export"]
