"""What a training costs, counted before it is started: arithmetic, memory, time."""

from ganvas.cost.cost import Cost, cost_of
from ganvas.cost.subject import Subject, subject_of

__all__ = ["Cost", "Subject", "cost_of", "subject_of"]
