"""`python -m docsite [OUT]`: builds the site into OUT (site/) by way of build/site/."""

import sys
from pathlib import Path

from docsite.build import build
from docsite.pages import ROOT

out = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "site"
build(out, ROOT / "build" / "site")
print(f"open {out / 'index.html'}")
