"""How a model tells the task what an answer took: frames, pixels, tokens, seconds.

Example::

    ledger.record(question.id, {"frames": 12, "tokens_selected": 1440})   # in the model
    ledger.lookup(question.id)                                            # in the task's process_results

lmms-eval passes only text from a model to a task, so this is a plain dict in the process that both share.
It is emptied when a task's data are loaded, so that no run sees the costs of an earlier one. Questions are
noted as they are handed to a model, so that a crash inside a foreign model can still name the one it was
working on.
"""

from collections.abc import Mapping
from typing import Any

_details: dict[str, dict[str, Any]] = {}
_handed_out: list[str] = []


def record(question_id: str, details: Mapping[str, Any]) -> None:
    """Keep JSON-ready facts about an answer; a second call for the same question adds to them."""
    _details.setdefault(question_id, {}).update(details)


def lookup(question_id: str) -> dict[str, Any]:
    """What the model recorded, or {} from a model that records nothing."""
    return dict(_details.get(question_id, {}))


def hand_out(question_id: str) -> None:
    """Note that a model has asked for this question's video."""
    _handed_out.append(question_id)


def last_handed_out() -> str | None:
    """The question that a model asked for last, or None."""
    return _handed_out[-1] if _handed_out else None


def clear() -> None:
    """Forget everything; called when a run loads its data."""
    _details.clear()
    _handed_out.clear()
