"""What an endpoint's reply says: an answer, a refusal, one that was cut, or an error that ends the run.

>>> read(200, {"choices": [{"finish_reason": "stop", "message": {"content": "B"}}]}).text
'B'
>>> read(400, {"error": {"code": "content_filter", "message": "…"}}).outcome
'refusal'

One room for replies that come at once and for those of a batch. A question that the provider's filter rejects, or that
is longer than the model's context, is answered: trying again does not help it, and the others can still be asked.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from evaluators.core.outcomes import CUT, EMPTY, LENGTH, OK, OVERFLOW, REFUSAL, classify
from evaluators.models.openai.budget import Usage
from hlvid.errors import RunError

FILTERED = (
    *("content_filter", "responsibleaipolicyviolation", "content_policy_violation", "moderation_blocked"),
    *("invalid_prompt", "data_inspection_failed", "datainspectionfailed", "prohibited_content", "safety"),
)
"""Error codes of a rejected question: OpenAI's, Azure's, LiteLLM's, DashScope's, Gemini's."""

PASSING = (408, 409, 425, 429)
"""Statuses that the next hour may mend, beside 5xx."""

REMEDIES = {
    "max_tokens": "set token_field=max_completion_tokens",
    "max_completion_tokens": "set token_field=max_tokens",
    "temperature": "set send_temperature=False",
    "reasoning_effort": "leave out reasoning_effort, or give a value that it names",
}
"""By the parameter that an endpoint does not take."""


class GaveUpError(RunError):
    """One question found no answer; others may, and it may later."""


@dataclass(frozen=True)
class Reply:
    """text: "" for a refusal without words, or where all tokens went into reasoning.

    outcome: "ok", "refusal", "length" (cut), "empty" or "context_overflow"; message: why, where there is no text.
    usage: None where the endpoint tells nothing. reasoning: what the model thought, where the endpoint tells it.
    """

    text: str
    outcome: str
    finish: str | None = None
    served_by: str | None = None
    usage: Usage | None = None
    reasoning: str = ""
    message: str = ""


def read(status: int, body: Any) -> Reply:
    """A reply as HTTP brings it: its status and its JSON (or its text, where it is none).

    Raises:
        GaveUpError: no usable reply this time: an overloaded server, no choice in the reply, no JSON.
        RunError: an error that asking again does not mend (wrong key, unknown model, an argument not taken).
    """
    if status >= 400:
        return _refused(status, body)
    choices = body.get("choices") if isinstance(body, Mapping) else None
    if not isinstance(choices, list) or not choices or not isinstance(choices[0], Mapping):
        if isinstance(body, Mapping) and body.get("error"):  # some gateways say 200 whatever happens
            code = _error_of(body).get("code")
            return _refused(code if isinstance(code, int) else 502, body)
        raise GaveUpError("a reply without a choice" if isinstance(body, Mapping) else "an unreadable reply")
    message, finish = choices[0].get("message"), choices[0].get("finish_reason")
    message = message if isinstance(message, Mapping) else {}
    text, refusal = _text(message.get("content")), _text(message.get("refusal"))
    said: dict[str, Any] = {
        "finish": finish,
        "served_by": body.get("model") if isinstance(body.get("model"), str) else None,
        "usage": _usage(body.get("usage")),
        "reasoning": _text(message.get("reasoning_content") or message.get("reasoning")),
    }
    if refusal or finish == "content_filter":
        return Reply(text if text.strip() else refusal, REFUSAL, **said)
    if finish == "length":
        return Reply(text, LENGTH, **said, message=CUT)
    return Reply(text, OK if text.strip() else EMPTY, **said)


def _refused(status: int, body: Any) -> Reply:
    """An HTTP error as an answer, if it is one. Raises as `read`."""
    error = _error_of(body)
    said = " ".join(str(error.get("message") or body or "no message").split())[:300]
    inner = error.get("innererror")
    codes = [error.get("code"), error.get("type"), inner.get("code") if isinstance(inner, Mapping) else None]
    known = [str(code).lower() for code in codes if code]
    what = f"HTTP {status}: {said}"
    if any(code in FILTERED for code in known):
        return Reply("", REFUSAL, message=what)
    if status == 413 or OVERFLOW in (classify(said), *map(classify, known)):
        return Reply("", OVERFLOW, message=what)
    if (status in PASSING or status >= 500) and "insufficient_quota" not in known:
        raise GaveUpError(what)
    remedy = REMEDIES.get(str(error.get("param")))
    if remedy is None and status == 404:
        remedy = "check model= and base_url=, which usually ends in /v1"
    raise RunError(what + (f"; {remedy}" if remedy else ""))


def _error_of(body: Any) -> Mapping[str, Any]:
    """The part of an error's body that names it; servers nest it, or not, or send a text."""
    if not isinstance(body, Mapping):
        return {}
    inner = body.get("error") or body.get("detail") or body
    return inner if isinstance(inner, Mapping) else {"message": inner}


def _text(content: Any) -> str:
    """Text as it is, or the text of a list of parts."""
    if isinstance(content, list):
        parts = [part.get("text") for part in content if isinstance(part, Mapping)]
        return "".join(part for part in parts if isinstance(part, str))
    return content if isinstance(content, str) else ""


def _usage(told: Any) -> Usage | None:
    if not isinstance(told, Mapping) or not isinstance(told.get("prompt_tokens"), int):
        return None
    details = told.get("completion_tokens_details")
    thought = details.get("reasoning_tokens") if isinstance(details, Mapping) else None
    spoken = told.get("completion_tokens")
    return Usage(
        told["prompt_tokens"],
        spoken if isinstance(spoken, int) else 0,
        thought if isinstance(thought, int) else 0,
    )
