"""`openai_frames`: frames of our decoder to any OpenAI-compatible endpoint: GPT-4o, Gemini, a vLLM server.

Example::

    export OPENAI_API_KEY=…
    lmms_eval --tasks hlvid --model openai_frames --model_args \\
        model=gpt-4o,frames=32,resolution=1344,detail=high,price_in=2.5,price_out=10,max_cost=50
    lmms_eval --tasks hlvid_mini --model openai_frames --model_args \\
        model=Qwen/Qwen2.5-VL-7B-Instruct,base_url=http://localhost:8000/v1,api_key_env=none,frames=16,resolution=896

All arguments are in `evaluators.models.openai.settings`. Questions are asked several at a time; each answer is on disk
with its tokens and price as soon as it is there. A question that finds no answer does not stop the others:
the run ends with an error that names it, and the same command asks it again.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import Any, ClassVar

from lmms_eval.api.instance import GenerationResult, Instance

from evaluators.core.base import Answer, Asked, JournalledModel
from evaluators.core.journal import Journal
from evaluators.models.frames.audit import sent
from evaluators.models.frames.delivery import Delivery, deliver
from evaluators.models.frames.settings import Form
from evaluators.models.openai.budget import Budget, Usage
from evaluators.models.openai.calls import Caller, GaveUpError, Reply
from evaluators.models.openai.pictures import check_size, encode
from evaluators.models.openai.settings import ApiSettings
from hlvid.dataset.question import Question
from hlvid.errors import RunError
from hlvid.tasks.arguments import model_looks_at

KEPT_VIDEOS = 2
"""Videos whose pictures stay in memory: the one being asked about, and the next."""


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
        common = {key: arguments.pop(key) for key in _COMMON if key in arguments}
        super().__init__(**common)
        self.api = ApiSettings.read(arguments)
        api = self.api
        model_looks_at(api.frames)
        self.budget = Budget(api.price_in, api.price_out, api.max_cost, api.max_tokens_total)
        self.caller = Caller(api, self.budget)
        self._charged: set[Path] = set()
        self._videos: OrderedDict[Path, tuple[Delivery, list[str]]] = OrderedDict()
        self._decoding = threading.Lock()

    def settings(self) -> dict[str, Any]:
        """What can change an answer; neither the key nor limits."""
        return self.api.shaping()

    def answer(self, question: Question) -> Answer:
        """The endpoint's text; "" with an outcome in the details where it refused or said nothing.

        Raises:
            GaveUpError, BudgetError, RunError: see `Caller.ask` and `check_size`.
        """
        delivery, pictures = self._pictures_of(question)
        prompt, generation = question.prompt(), self.generation
        size = check_size(pictures, prompt, self.api.max_request_mb)
        started = time.perf_counter()
        reply = self.caller.ask(pictures, prompt, self._options(generation))
        seconds = {"decode": round(delivery.seconds, 4), "call": round(time.perf_counter() - started, 4)}
        return Answer(reply.text, self._details(reply, delivery, size, seconds))

    def generate_until(self, requests: Sequence[Instance]) -> list[GenerationResult]:
        """Asks what the journal lacks, several at a time, then answers from it in order.

        Raises:
            RunError: the run had to stop, or questions are left without an answer; all others are kept.
        """
        asked = self._read_all(requests)
        journal = self.journal(asked)
        self._charge_earlier(journal)
        self._ask_all([one for one in asked if journal.get(one.key) is None], journal)
        return super().generate_until(requests)

    def _ask_all(self, missing: Sequence[Asked], journal: Journal) -> None:
        """Answer all, or raise; questions without an answer are named when the others are done."""
        lost: list[str] = []
        with ThreadPoolExecutor(self.api.concurrency, thread_name_prefix=self.name) as pool:
            futures: list[Future[Answer | None]] = [
                pool.submit(self._answer, one, journal) for one in missing
            ]
            try:
                for future in as_completed(futures):
                    error = future.exception()
                    if isinstance(error, RunError) and isinstance(error.__cause__, GaveUpError):
                        lost.append(str(error))
                    elif error is not None:
                        raise error
            except BaseException:  # Ctrl-C, too: whoever waits for a retry need not
                self.caller.stop()
                pool.shutdown(wait=True, cancel_futures=True)
                raise
        if lost:
            raise RunError(
                f"{len(lost)} of {len(missing)} questions found no answer, the others are kept; "
                f"run the same command to ask them again. First: {lost[0]}"
            )

    def computing(self) -> dict[str, str]:
        """Elsewhere."""
        return {}

    def check(self, one: Asked) -> None:
        """As the base class; a model that takes no temperature cannot be asked at one."""
        super().check(one)
        if not self.api.send_temperature and one.generation.get("temperature"):
            raise RunError(
                f"{self.name}: temperature={one.generation['temperature']}, but send_temperature=False"
            )

    def _options(self, generation: dict[str, Any]) -> dict[str, Any]:
        """The task's generation settings in the endpoint's words."""
        options: dict[str, Any] = {self.api.token_field: generation.get("max_new_tokens", 64)}
        if self.api.send_temperature:
            options["temperature"] = generation.get("temperature", 0)
        if generation.get("temperature") and generation.get("top_p") not in (None, 1):
            options["top_p"] = generation["top_p"]
        return options

    def _pictures_of(self, question: Question) -> tuple[Delivery, list[str]]:
        """A video's frames as data URLs; one thread decodes at a time, the others wait for it or the net."""
        path = question.video_path
        if path is None or not path.is_file():
            raise RunError(f"video {path or question.video} not found; 'hlvid verify' shows what is missing")
        with self._decoding:
            if path not in self._videos:
                delivery = deliver(path, self.api.asked_for(), Form())
                self._videos[path] = (
                    delivery,
                    encode(delivery.frames, self.api.image_format, self.api.quality),
                )
            self._videos.move_to_end(path)
            while len(self._videos) > KEPT_VIDEOS:
                self._videos.popitem(last=False)
            return self._videos[path]

    def _details(
        self, reply: Reply, delivery: Delivery, size: int, seconds: dict[str, float]
    ) -> dict[str, Any]:
        usage = reply.usage
        return {
            "frames": delivery.count,
            "pixels": list(delivery.size),
            "indices": delivery.indices,
            "decoder": delivery.decoder,
            "audit": sent(self.api.asked_for(), delivery),
            "request_bytes": size,
            "outcome": reply.outcome,
            "finish_reason": reply.finish,
            "served_by": reply.served_by,
            "attempts": reply.attempts,
            "failures": list(reply.failures),
            "tokens_in": usage.tokens_in if usage else None,
            "tokens_out": usage.tokens_out if usage else None,
            "cost": self.budget.price_of(usage) if usage else None,
            "seconds": seconds,
        }

    def _charge_earlier(self, journal: Journal) -> None:
        """A cap holds for a run, not for each start of it."""
        if journal.path in self._charged:
            return
        self._charged.add(journal.path)
        for key in journal:
            details = (journal.get(key) or {}).get("details", {})
            if details.get("tokens_in") is not None:
                self.budget.charge(Usage(details["tokens_in"], details["tokens_out"]))


class OpenAIFramesChat(OpenAIFrames):
    """The same for tasks built for chat models; lmms-eval asks for the flag to tell them apart."""

    is_simple = False


_COMMON = ("batch_size", "max_batch_size", "device", "runs")
