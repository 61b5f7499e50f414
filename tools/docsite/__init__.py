"""Builds the documentation site: English into site/, Korean into site/ko/, readable from disk without a network.

    PYTHONPATH=tools python -m docsite [OUT]          (make site)

Pages are written for GitHub, where their links reach any file of the repository. So they are gathered first (pages.py):
from the pages of docs/nav.toml every link is followed; documents become pages, sources become pages of code, notebooks
pages with their outputs, pictures are copied. Zensical makes HTML of each language (build.py), and what came out is
checked (links.py).
"""
