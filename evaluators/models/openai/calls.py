"""One question to an OpenAI-compatible endpoint, until it is answered or nothing more can be done.

The client library tries again, after the time that the server names or twice as long each time: 408, 409, 429, 5xx,
lost and silent connections. What a reply means is in `replies`. The key appears in no message and no reply.
"""

import json
import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from evaluators.models.openai.budget import Budget
from evaluators.models.openai.replies import GaveUpError, Reply, read
from evaluators.models.openai.settings import NO_KEY, ApiSettings
from hlvid.errors import RunError

_KEYLIKE = re.compile(r"\b(?:(?:sk|pk|gsk|xai)-|AIza)[\w*-]{3,}")
"""Keys as services print them back in errors, whole or starred."""


class _StoppedError(BaseException):
    """Passes through the library's own retries."""


class Caller:
    """An endpoint with its key and budget; safe to use from several threads.

    stopped: once set, no further request leaves, and questions that are not answered yet give up.

    Raises:
        RunError: no `openai` package, or no key in the environment.
    """

    def __init__(self, settings: ApiSettings, budget: Budget) -> None:
        try:
            import openai
        except ImportError as error:
            raise RunError("openai_frames needs the extra 'api': pip install 'hlvid[api]'") from error
        self.settings, self.budget = settings, budget
        self.stopped = threading.Event()
        self._key = settings.key()
        self._openai: Any = openai
        hooks: dict[str, Any] = {"request": [self._leaving], "response": [self._arriving]}
        self.client: Any = openai.OpenAI(
            api_key=self._key,
            base_url=settings.base_url,
            timeout=settings.timeout,
            max_retries=settings.retries,
            http_client=openai.DefaultHttpxClient(event_hooks=hooks),
        )

    def ask(self, body: Mapping[str, Any]) -> tuple[Reply, int]:
        """The reply, and how many attempts it took.

        Raises:
            GaveUpError: no usable reply in 1 + `retries` attempts.
            BudgetError: the cap is reached.
            RunError: an error that trying again does not mend (wrong key, unknown model, an argument not taken).
        """
        rest = {name: value for name, value in body.items() if name not in ("model", "messages")}
        with self.budget.turn(), self.errors():
            try:
                raw = self.client.chat.completions.with_raw_response.create(
                    model=body["model"], messages=body["messages"], extra_body=rest
                )
            except self._openai.APIStatusError as error:
                return self.judged(int(error.status_code), error.body or error.message), 1
            try:
                data = json.loads(raw.text)
            except ValueError:
                data = None
            return self.judged(int(raw.status_code), data), int(raw.retries_taken) + 1

    def judged(self, status: int, body: Any) -> Reply:
        """`replies.read`, charged to the budget and checked; of a batch's replies, too. Raises as `ask`."""
        try:
            reply = read(status, body)
        except GaveUpError as error:
            raise GaveUpError(self.clean(str(error))) from None
        except RunError as error:
            raise RunError(f"{self.settings.model}: {self.clean(str(error))}") from None
        if reply.usage is not None:
            self.budget.charge(reply.usage)
        elif self.budget.capped and status < 400:
            raise RunError("the endpoint tells no token counts, so no cap can be kept; leave out the cap")
        self._same_model(reply.served_by)
        said = {name: self._hide(getattr(reply, name)) for name in ("text", "reasoning", "served_by")}
        return replace(reply, **said, message=self.clean(reply.message))

    @contextmanager
    def errors(self) -> Iterator[None]:
        """A context in which the library's errors become ours. Raises as `ask`."""
        openai, tried = self._openai, f"in {self.settings.retries + 1} attempts"
        try:
            yield
        except _StoppedError:
            raise GaveUpError("the run was stopped") from None
        except openai.APIStatusError as error:
            reply = self.judged(int(error.status_code), error.body or error.message)
            raise RunError(f"{self.settings.model}: {reply.message}") from None
        except openai.APITimeoutError:
            raise GaveUpError(f"no reply within {self.settings.timeout:g} s {tried}") from None
        except openai.APIConnectionError as error:
            raise GaveUpError(self.clean(f"no connection {tried}: {error.__cause__ or error}")) from None
        except openai.OpenAIError as error:
            raise GaveUpError(self.clean(f"{type(error).__name__}: {error}")) from None

    def clean(self, text: str) -> str:
        """A message without the key, should a server repeat it, and without anything that looks like one."""
        return _KEYLIKE.sub("[key]", self._hide(text))

    def _hide(self, text: Any) -> Any:
        return text.replace(self._key, "[key]") if text and self._key != NO_KEY else text

    def _leaving(self, _: Any) -> None:
        if self.stopped.is_set():
            raise _StoppedError

    def _arriving(self, response: Any) -> None:
        """A used-up account also answers 429, and waiting does not fill it."""
        if response.status_code == 429:
            response.read()
            if "insufficient_quota" in response.text:
                response.headers["x-should-retry"] = "false"

    def _same_model(self, served: str | None) -> None:
        """Raises RunError where the model that answered is not the one asked, versions and vendors aside."""
        asked = self.settings.model
        if served and not self.settings.allow_other_model and served not in asked and asked not in served:
            raise RunError(
                f"{asked}: the reply is from {served!r}; ask for that model, or set allow_other_model=True"
            )
