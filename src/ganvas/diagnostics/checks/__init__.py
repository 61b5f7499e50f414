"""What can be checked before there is a run: a data set (`doctor --data`), the installation (`doctor --env`)."""

from ganvas.diagnostics.checks import data, environment
from ganvas.diagnostics.checks.check import CHECKS, Check, Result, register_check
from ganvas.diagnostics.checks.run import check_data, check_environment
from ganvas.plugins import discover

discover(data)
discover(environment)

__all__ = ["CHECKS", "Check", "Result", "check_data", "check_environment", "register_check"]
