"""Generators on the Hugging Face hub: one safetensors file of a repository, through huggingface_hub. No pickle."""

from __future__ import annotations

import re
from pathlib import Path

from ganvas.errors import GanvasError, UsageError, first_line

SCHEME = "hf://"
FILE = "model.safetensors"
"""The generator in a folder that `ganvas export --to hub` makes, and in a repository that it was uploaded to."""
DISCRIMINATOR = "discriminator.safetensors"
"""Its discriminator, where it was exported with it."""
MOST_BYTES = 1_000_000_000
"""Of a generator that is fetched; networks for small images have a few per cent of it."""
ADDRESS = re.compile(r"hf://([\w.-]{1,96}/[\w.-]{1,96})(?:@([\w./-]{1,200}))?", re.ASCII)


def fetch(address: str, file: str = FILE) -> Path:
    """The file of hf://OWNER/NAME[@REVISION], from huggingface_hub's cache or fetched into it.

    Only this one file is fetched, once its size is known. Raises UsageError where that is no such address,
    GanvasError where huggingface_hub is missing, cannot fetch the file, or the file is too large.
    """
    found = ADDRESS.fullmatch(address)
    if found is None or ".." in address:
        raise UsageError(f"{address}: expected hf://OWNER/NAME or hf://OWNER/NAME@REVISION")
    try:
        import huggingface_hub as client
    except ImportError as error:
        raise GanvasError(f"{address} needs the package huggingface_hub: pip install huggingface_hub") from error
    repository, revision = found[1], found[2]
    try:
        about = client.get_hf_file_metadata(client.hf_hub_url(repository, file, revision=revision))
        size = about.size
        if type(size) is int and size <= MOST_BYTES:
            return Path(client.hf_hub_download(repository, file, revision=about.commit_hash or revision))
    except Exception as error:  # of the client: no network, no such repository, no rights, ...
        kept = client.try_to_load_from_cache(repository, file, revision=revision)
        if isinstance(kept, str):
            return Path(kept)
        raise GanvasError(f"{address}: {file} cannot be fetched ({first_line(error)})") from error
    held = "of unknown size" if type(size) is not int else f"of {size / 1e6:,.0f} MB"
    raise GanvasError(f"{address}: {file} is {held}; at most {MOST_BYTES / 1e6:,.0f} MB are fetched")
