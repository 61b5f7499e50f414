"""Did the change help? Groups of runs that differ only in their seed, compared by one score per seed.

groups.py       runs -> groups                     comparison.py   compare(): groups + scores + verdicts
scores.py       one score per run and metric       tables.py       the comparison as tables of text
verdicts.py     Welch's test -> better, worse ...  formats.py      text, Markdown, LaTeX, CSV, JSON; write()
metric_names.py what can be tested                   machines.py      on which kinds they were trained
page.py         one HTML file                      pictures.py, curves.py   what the page shows beside tables
"""

from ganvas.comparison.comparison import Comparison, compare
from ganvas.comparison.formats import write

__all__ = ["Comparison", "compare", "write"]
