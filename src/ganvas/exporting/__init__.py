"""Trained generators for use elsewhere: ONNX files, safetensors with a card, folders for the Hugging Face hub."""

from ganvas.exporting.formats import FORMATS, Exported, export

__all__ = ["FORMATS", "Exported", "export"]
