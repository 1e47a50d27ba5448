"""Evaluations, each in a folder of its own: `execute` runs one, `write_report` shows it question by question.

Example::

    from evaluators.runs import RunSpec, execute

    execute(RunSpec("hlvid_mini", "blind", {"strategy": "hash"}), Path("runs/blind"))["accuracy"]
"""

from evaluators.runs.run import execute
from evaluators.runs.spec import RunSpec

__all__ = ["RunSpec", "execute"]
