"""Trained generators for use elsewhere: ONNX, safetensors with a card, folders for the Hugging Face hub; animations."""

from ganvas.exporting.animation import Animation, animate
from ganvas.exporting.formats import FORMATS, Exported, export

__all__ = ["FORMATS", "Animation", "Exported", "animate", "export"]
