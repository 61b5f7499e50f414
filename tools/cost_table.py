"""Counts what every recipe costs at 3 x 32 x 32 with ten classes, and writes the table into the pages that show it.

    python tools/cost_table.py

A test says when the table is not that of today.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "src"))

from ganvas.cost.table import overview, overview_lines  # noqa: E402

PAGES = (ROOT / "docs" / "recipes.md", ROOT / "docs" / "ko" / "recipes.md")
TABLE = re.compile(r"(?<=<!-- table: tools/cost_table.py -->\n)(?:\|.*\n)*")


def main() -> None:
    """Write the tables."""
    head, rule, *rows = overview_lines(overview(), markdown=True)
    for page in PAGES:
        text = page.read_text("utf-8")
        (found,) = TABLE.findall(text)
        own_head = found.splitlines()[0] if found else head  # of another language
        page.write_text(TABLE.sub(lambda _, own=own_head: "\n".join([own, rule, *rows, ""]), text), "utf-8")


if __name__ == "__main__":
    main()
