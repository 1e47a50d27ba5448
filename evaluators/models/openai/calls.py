"""One question to an OpenAI-compatible endpoint, until it is answered or nothing more can be done.

Example::

    caller = Caller(settings, budget)
    reply = caller.ask(pictures, "Which sign …? Answer with the letter.", {"max_tokens": 64})
    reply.text, reply.outcome, reply.usage       # "B", "ok", Usage(tokens_in=35210, tokens_out=1)

Tried again, after the time that the server names or twice as long each time: 408, 409, 429, 5xx, lost and
silent connections, replies that are not JSON, replies without a choice. Not tried again: a refusal, which is
an answer, and other errors, which stop the run. The key appears in no message.
"""

import email.utils
import random
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from evaluators.models.openai.budget import Budget, Usage
from evaluators.models.openai.settings import NO_KEY, ApiSettings
from hlvid.errors import RunError

OK, REFUSAL, LENGTH, EMPTY = "ok", "refusal", "length", "empty"
RETRIED = {408, 409, 425, 429}


class GaveUpError(RunError):
    """One question found no answer in all its attempts; others may."""


class _TryAgainError(Exception):
    """Why an attempt failed, and how long the server wants to be left alone (s, or None)."""

    def __init__(self, why: str, wait: float | None = None) -> None:
        super().__init__(why)
        self.wait = wait


@dataclass(frozen=True)
class Reply:
    """text: "" for a refusal without words. usage: of all attempts; None where the endpoint tells nothing.

    outcome: "ok", "refusal", "length" (nothing said before the limit) or "empty" (time and again).
    """

    text: str
    outcome: str
    finish: str | None
    served_by: str | None
    usage: Usage | None
    attempts: int
    failures: tuple[str, ...]


class Caller:
    """An endpoint with its key and budget; safe to use from several threads.

    Args:
        sleep: how to wait, in seconds; by default until `stop` is called.

    Raises:
        RunError: no `openai` package, or no key in the environment.
    """

    def __init__(
        self, settings: ApiSettings, budget: Budget, sleep: Callable[[float], object] | None = None
    ) -> None:
        try:
            import openai
        except ImportError as error:
            raise RunError("openai_frames needs the extra 'api': pip install 'hlvid[api]'") from error
        self.settings, self.budget = settings, budget
        self._stopped = threading.Event()
        self._sleep = sleep or self._stopped.wait
        self._key = settings.key()
        self._openai: Any = openai
        self._client: Any = openai.OpenAI(
            api_key=self._key, base_url=settings.base_url, timeout=settings.timeout, max_retries=0
        )

    def ask(self, pictures: Sequence[str], prompt: str, options: Mapping[str, Any]) -> Reply:
        """Pictures first, then the prompt; `options` go into the request.

        Raises:
            GaveUpError: no usable reply in 1 + `retries` attempts.
            BudgetError: the cap is reached.
            RunError: an error that trying again does not mend (wrong key, unknown model, request too large).
        """
        failures: list[str] = []
        used: Usage | None = None
        for attempt in range(1, self.settings.retries + 2):
            try:
                with self.budget.turn():
                    completion = self._send(pictures, prompt, options)
                    usage = self._usage(completion)
                used = usage if used is None or usage is None else used + usage
                text, outcome, finish = _read(completion)
            except _TryAgainError as fault:
                failures.append(str(fault))
                self._pause(attempt, fault.wait)
                continue
            if outcome == EMPTY and attempt <= self.settings.retries:
                failures.append("a reply without a word")
                self._pause(attempt, None)
                continue
            served_by = self._served_by(completion)
            return Reply(text, outcome, finish, served_by, used, attempt, tuple(failures))
        raise GaveUpError(f"no answer in {len(failures)} attempts: {'; '.join(failures[-3:])}")

    def stop(self) -> None:
        """End all waiting; questions that are not answered yet give up."""
        self._stopped.set()

    def _pause(self, attempt: int, asked: float | None) -> None:
        """Wait before the next attempt, if there is one. Raises GaveUpError where waiting is no use."""
        if attempt > self.settings.retries:
            return
        self._sleep(self._wait(attempt, asked))
        if self._stopped.is_set():
            raise GaveUpError("the run was stopped")

    def _send(self, pictures: Sequence[str], prompt: str, options: Mapping[str, Any]) -> Any:
        content: list[dict[str, Any]] = [
            {"type": "image_url", "image_url": {"url": url, "detail": self.settings.detail}}
            for url in pictures
        ]
        content.append({"type": "text", "text": prompt})
        openai = self._openai
        try:
            return self._client.chat.completions.create(
                model=self.settings.model, messages=[{"role": "user", "content": content}], **options
            )
        except openai.APIStatusError as error:
            raise self._judged(error) from None
        except openai.APITimeoutError:
            raise _TryAgainError(f"no reply within {self.settings.timeout:g} s") from None
        except openai.APIConnectionError as error:
            raise _TryAgainError(self._clean(f"connection: {error.__cause__ or error}")) from None
        except (openai.APIError, ValueError) as error:  # a reply that is no JSON, or cut off
            raise _TryAgainError(self._clean(f"unreadable reply: {error}")) from None

    def _judged(self, error: Any) -> Exception:
        """An HTTP error: worth another attempt, or the end of the run."""
        status = int(error.status_code)
        message = self._clean(f"HTTP {status}: {' '.join(str(error.message).split())[:300]}")
        # A used-up account also answers 429, and waiting does not fill it.
        if (status in RETRIED or status >= 500) and error.code != "insufficient_quota":
            return _TryAgainError(message, retry_after(error.response.headers))
        return RunError(f"{self.settings.model}: {message}")

    def _wait(self, attempt: int, asked: float | None) -> float:
        """Seconds: what the server asks for, else 1, 2, 4, … with some chance, so that threads spread out."""
        if asked is not None and asked > self.settings.max_wait:
            raise GaveUpError(
                f"the server asks to wait {asked:g} s, above max_wait={self.settings.max_wait:g}; "
                "run the same command later to go on"
            )
        if asked is not None:
            return asked
        return float(min(2.0 ** (attempt - 1) * random.uniform(0.75, 1.25), self.settings.max_wait))

    def _usage(self, completion: Any) -> Usage | None:
        """Tokens of a reply, charged to the budget."""
        told = getattr(completion, "usage", None)
        if told is None or not isinstance(getattr(told, "prompt_tokens", None), int):
            if self.budget.capped and getattr(completion, "choices", None):
                raise RunError("the endpoint tells no token counts, so no cap can be kept; leave out the cap")
            return None
        usage = Usage(told.prompt_tokens, told.completion_tokens or 0)
        self.budget.charge(usage)
        return usage

    def _served_by(self, completion: Any) -> str | None:
        """The model that answered. Raises RunError where it is not the one asked, versions and vendors aside."""
        served, asked = getattr(completion, "model", None), self.settings.model
        if not isinstance(served, str) or self.settings.allow_other_model:
            return served
        if served not in asked and asked not in served:
            raise RunError(
                f"{asked}: the reply is from {served!r}; ask for that model, or set allow_other_model=True"
            )
        return served

    def _clean(self, text: str) -> str:
        """The text without the key, should a server repeat it."""
        return text.replace(self._key, "[key]") if self._key != NO_KEY else text


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds to wait by `retry-after-ms` or `Retry-After` (seconds or a date), None where there is neither."""
    for name, scale in (("retry-after-ms", 1e-3), ("retry-after", 1.0)):
        try:
            return max(0.0, float(headers[name]) * scale)
        except (KeyError, ValueError):
            continue
    try:
        when = email.utils.parsedate_to_datetime(headers["retry-after"])
    except (KeyError, ValueError, TypeError):
        return None
    return max(0.0, when.timestamp() - time.time())


def _read(completion: Any) -> tuple[str, str, str | None]:
    """(text, outcome, finish reason) of a reply. Raises _TryAgainError where it has no choice."""
    choices = getattr(completion, "choices", None)
    if not choices:
        raise _TryAgainError("a reply without a choice")
    message, finish = choices[0].message, choices[0].finish_reason
    refusal = getattr(message, "refusal", None)
    text = getattr(message, "content", None) or ""
    if refusal or finish == "content_filter":
        return text if text.strip() else str(refusal or ""), REFUSAL, finish
    if text.strip():
        return text, OK, finish
    return "", LENGTH if finish == "length" else EMPTY, finish
