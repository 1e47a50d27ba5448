"""`openai_frames`: frames of our decoder to any OpenAI-compatible endpoint: GPT-4o, Gemini, a vLLM server.

All arguments are in `evaluators.models.openai.settings`. Questions are asked several at a time, video by video, or as
batches (`batch`); each answer is on disk with its tokens and price as soon as it is there. A question that finds no
answer does not stop the others: the run ends with an error that names it, and the same command asks it again.
"""

import threading
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import Any, ClassVar

from lmms_eval.api.instance import GenerationResult, Instance

from evaluators.core.arguments import take_common
from evaluators.core.base import Answer, JournalledModel, for_chat
from evaluators.core.journal import Journal
from evaluators.core.outcomes import OVERFLOW
from evaluators.core.question_video import video_of
from evaluators.core.requests import Asked, by_video
from evaluators.core.share import Share
from evaluators.models.frames.audit import SENT, sent
from evaluators.models.frames.delivery import Delivery, deliver
from evaluators.models.frames.settings import Form
from evaluators.models.openai.budget import Budget, Usage
from evaluators.models.openai.calls import Caller
from evaluators.models.openai.pictures import asking, encode, server_side, shown, size_of
from evaluators.models.openai.replies import GaveUpError, Reply
from evaluators.models.openai.settings import ApiSettings
from hlvid.dataset.question import Question
from hlvid.errors import RunError
from hlvid.tasks.arguments import model_looks_at

HOPELESS = 20
"""Questions without any answer, and none with one, after which the endpoint is taken for dead."""


class OpenAIFrames(JournalledModel):
    """See the module.

    Args:
        arguments: of `ApiSettings` and `JournalledModel`.

    Raises:
        RunError: an argument that is not allowed, no key in the environment, or no `openai` package.
    """

    name: ClassVar[str] = "openai_frames"
    obeys: ClassVar[frozenset[str]] = frozenset({"temperature", "top_p"})
    libraries: ClassVar[tuple[str, ...]] = ("av", "numpy", "openai", "pillow")

    def __init__(self, **arguments: Any) -> None:
        common = take_common(arguments)
        super().__init__(**common)
        self.api = ApiSettings.read(arguments)
        api = self.api
        if api.batch and Share.here():
            raise RunError(f"{self.name}: batch=True asks for all questions at once; leave out --processes")
        model_looks_at(api.frames)
        self.budget = Budget(api.price_in, api.price_out, api.max_cost, api.max_tokens_total)
        self.caller = Caller(api, self.budget)
        self._charged: set[Path] = set()
        self._videos: dict[Path | None, tuple[Delivery, list[str]]] = {}
        self._left: Counter[Path | None] = Counter()
        self._decoding = threading.Lock()

    def settings(self) -> dict[str, Any]:
        """What can change an answer; neither the key nor limits."""
        return self.api.shaping()

    def answer(self, question: Question) -> Answer:
        """The endpoint's text; "" with an outcome in the details where it refused or said nothing.

        Raises:
            GaveUpError, BudgetError, RunError: see `Caller.ask`.
        """
        body, about = self.prepared(question, self.generation)
        if body is None:
            return Answer("", about)
        started = time.perf_counter()
        reply, attempts = self.caller.ask(body)
        about["seconds"]["call"] = round(time.perf_counter() - started, 4)
        return self.answered(reply, {**about, "attempts": attempts})

    def prepared(
        self, question: Question, generation: dict[str, Any]
    ) -> tuple[dict[str, Any] | None, dict[str, Any]]:
        """The request's body, and what is known of it; no body where it is larger than `max_request_mb`."""
        delivery, pictures = self._pictures_of(question)
        told = server_side(self.api, delivery)
        content = [*shown(self.api, pictures), {"type": "text", "text": question.prompt()}]
        body = asking(self.api, content, generation, told)
        size, limit = size_of(body), self.api.max_request_mb
        caps = told.get("mm_processor_kwargs")
        verdict = f"{SENT}; its cap on pixels was set: {caps}" if caps else SENT
        about: dict[str, Any] = {
            "frames": delivery.count,
            "pixels": list(delivery.size),
            "indices": delivery.indices,
            "decoder": delivery.decoder,
            "audit": sent(self.api.asked_for(), delivery, verdict),
            "request_bytes": size,
            "seconds": {"decode": round(delivery.seconds, 4)},
        }
        if size <= limit * 1e6:
            return body, about
        about |= {
            "outcome": OVERFLOW,
            "message": (
                f"a request of {size / 1e6:.1f} MB is above max_request_mb={limit:g}; ask for fewer frames, a smaller "
                "resolution or quality, or, if the endpoint allows, raise it and run with --again context_overflow"
            ),
            "fits": {"frames": int(delivery.count * limit * 1e6 / size)},
        }
        return None, about

    def answered(self, reply: Reply, about: dict[str, Any]) -> Answer:
        """A reply with all that is known of it."""
        usage, details = reply.usage, dict(about)
        details |= {
            "outcome": reply.outcome,
            "finish_reason": reply.finish,
            "served_by": reply.served_by,
            "tokens_in": usage.tokens_in if usage else None,
            "tokens_out": usage.tokens_out if usage else None,
            "cost": self.budget.price_of(usage) if usage else None,
        }
        if usage and usage.reasoning:
            details["tokens_reasoning"] = usage.reasoning
        details |= {name: getattr(reply, name) for name in ("reasoning", "message") if getattr(reply, name)}
        return Answer(reply.text, details)

    def generate_until(self, requests: Sequence[Instance]) -> list[GenerationResult]:
        """Asks what the journal lacks, several at a time, then answers from it in order.

        Raises:
            RunError: the run had to stop, or questions are left without an answer; all others are kept.
        """
        asked = self._read_all(requests)
        journal = self.journal(asked)
        self._charge_earlier(journal)
        missing = [one for group in by_video(asked) for one in group if journal.get(one.key) is None]
        self._left = Counter(one.question.video_path for one in missing)
        if self.api.batch and missing:
            from evaluators.models.openai.batches import ask_all

            if self.budget.capped and not len(journal):  # its price is what the cap is kept by
                self._ask_all(missing[:1], journal)
            lost = ask_all(self, [one for one in missing if journal.get(one.key) is None], journal)
        else:
            lost = self._ask_all(missing, journal)
        if lost:
            raise RunError(
                f"{len(lost)} of {len(missing)} questions found no answer, the others are kept; "
                f"run the same command to ask them again. First: {lost[0]}"
            )
        return super().generate_until(requests)

    def _ask_all(self, missing: Sequence[Asked], journal: Journal) -> list[str]:
        """Answer all; returns why some found no answer, after the others are done."""
        lost: list[str] = []
        done = 0
        self.caller.stopped.clear()
        with ThreadPoolExecutor(self.api.concurrency, thread_name_prefix=self.name) as pool:
            futures: list[Future[Answer | None]] = [pool.submit(self._one, one, journal) for one in missing]
            try:
                for future in as_completed(futures):
                    error = future.exception()
                    if isinstance(error, RunError) and isinstance(error.__cause__, GaveUpError):
                        lost.append(str(error))
                    elif error is not None:
                        raise error
                    else:
                        done += 1
                    if len(lost) >= HOPELESS and not done:
                        raise RunError(f"{len(lost)} questions in a row found no answer. First: {lost[0]}")
            except BaseException:  # Ctrl-C, too: whoever waits for a retry need not
                self.caller.stopped.set()
                pool.shutdown(wait=True, cancel_futures=True)
                raise
        return lost

    def _one(self, one: Asked, journal: Journal) -> Answer | None:
        try:
            return self._answer(one, journal)
        finally:
            self.leave(one.question)

    def leave(self, question: Question) -> None:
        """Done with a question: the last one of a video lets its pictures go."""
        with self._decoding:
            self._left[question.video_path] -= 1
            if self._left[question.video_path] <= 0:
                self._videos.pop(question.video_path, None)

    def computing(self) -> dict[str, str]:
        return {}  # it is done elsewhere

    def check(self, one: Asked) -> None:
        """As the base class; a model that takes no temperature cannot be asked at one."""
        super().check(one)
        if not self.api.send_temperature and one.generation.get("temperature"):
            raise RunError(
                f"{self.name}: temperature={one.generation['temperature']}, but send_temperature=False"
            )

    def _pictures_of(self, question: Question) -> tuple[Delivery, list[str]]:
        """A video's frames as data URLs; one thread decodes at a time, the others wait for it or the net."""
        path = video_of(question)
        with self._decoding:
            if path not in self._videos:
                delivery = deliver(path, self.api.asked_for(), Form())
                pictures = encode(delivery.frames, self.api.image_format, self.api.quality)
                self._videos[path] = delivery.told(), pictures
            return self._videos[path]

    def _charge_earlier(self, journal: Journal) -> None:
        """A cap holds for a run, not for each start of it."""
        if journal.path in self._charged:
            return
        self._charged.add(journal.path)
        for key in journal:
            details = (journal.get(key) or {}).get("details", {})
            if details.get("tokens_in") is not None:
                self.budget.charge(Usage(details["tokens_in"], details["tokens_out"]))


OpenAIFramesChat = for_chat(OpenAIFrames)
