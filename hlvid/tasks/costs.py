"""How a model tells the task what an answer took: frames, pixels, tokens, seconds.

lmms-eval passes only text from a model to a task, so this is a plain dict in the process that both share.
Tasks that run together may use the same ids; a model that says which task it answers keeps them apart. The
ledger is emptied when a task's data are loaded, so that no run sees the costs of an earlier one. Questions are
noted as they are handed to a model, so that a crash inside a foreign model can still name the one it was
working on.
"""

from collections.abc import Mapping
from typing import Any

_details: dict[tuple[str, str, int], dict[str, Any]] = {}
_asked_about: list[str] = []


def record(question_id: str, details: Mapping[str, Any], task: str = "", repeat: int = 0) -> None:
    """Keep JSON-ready facts about an answer; a second call for the same question and repetition adds to them."""
    _details.setdefault((task, question_id, repeat), {}).update(details)


def lookup(question_id: str, task: str = "", repeat: int = 0) -> dict[str, Any]:
    """What the model recorded for this task, else for none in particular; without `task`, for any.

    {} from a model that records nothing.
    """
    names = [task, ""] if task else ["", *(name for name, known, _ in _details if known == question_id)]
    keys = [(name, question_id, repeat) for name in names]
    return next((dict(_details[key]) for key in keys if key in _details), {})


def note_asked(question_id: str) -> None:
    """Note that a model has asked for this question's video."""
    _asked_about.append(question_id)


def last_asked() -> str | None:
    """The question that a model asked for last, or None."""
    return _asked_about[-1] if _asked_about else None


def clear() -> None:
    """Forget everything; called when a run loads its data."""
    _details.clear()
    _asked_about.clear()
