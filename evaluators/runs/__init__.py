"""Evaluations, each in a folder of its own: `execute` runs one, `write_report` shows it question by question."""

from evaluators.runs.run import execute
from evaluators.runs.spec import RunSpec

__all__ = ["RunSpec", "execute"]
