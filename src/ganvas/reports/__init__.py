"""One run directory in; a self-contained report.html, animations and curves.png out."""

from ganvas.reports.page import write

__all__ = ["write"]
