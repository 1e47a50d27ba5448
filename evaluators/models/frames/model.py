"""`hlvid_frames`: any model of lmms-eval, on frames of our decoder, at the size that was asked or not at all.

`inner` is a `--model` of lmms-eval, chat or simple; arguments that are not ours (see
`evaluators.models.frames.settings`) are its own. Its reader gets the frames that `hlvid.video` decoded, known caps
are lifted, and what entered its generate() is measured. A question whose frames were changed on the way
stops the run, unless `allow_resize=True`: then it is recorded. Answers are journalled one by one. A table of
what was asked, decoded and seen ends the run; `hlvid audit RUN` prints it again.
"""

import copy
import time
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, ClassVar

import torch
from lmms_eval.api.instance import GenerationResult, Instance

from evaluators.core.arguments import take_common
from evaluators.core.base import Answer, JournalledModel, for_chat
from evaluators.core.generation import NARROWING, WITHOUT_SAMPLING
from evaluators.core.memory import Peak, is_out_of_memory, release
from evaluators.core.outcomes import MEMORY, OVERFLOW
from evaluators.core.question_video import video_of
from evaluators.core.requests import Asked
from evaluators.core.weights import named_in
from evaluators.models.frames import caps
from evaluators.models.frames.audit import EXACT, audit, table
from evaluators.models.frames.decord_standin import importable
from evaluators.models.frames.delivery import Delivery, deliver
from evaluators.models.frames.inner import build, defaults_of, messages, visual
from evaluators.models.frames.probe import Probe, TooLongError, probing
from evaluators.models.frames.served import Served
from evaluators.models.frames.settings import FrameSettings
from evaluators.models.frames.standins import modules_of, serving
from hlvid.dataset.question import Question
from hlvid.errors import HlvidError, RunError, first_line
from hlvid.tasks.arguments import model_looks_at

PROMPT = 512
"""Tokens kept for question and template where frames that would fit are told."""


class HlvidFrames(JournalledModel):
    """See the module.

    Args:
        arguments: of `FrameSettings`, of `JournalledModel`, and the inner model's own.

    Raises:
        RunError: an argument that is not allowed, no such inner model, or one that cannot be built.
    """

    name: ClassVar[str] = "hlvid_frames"
    obeys: ClassVar[frozenset[str]] = frozenset({*WITHOUT_SAMPLING, *NARROWING})  # handed to the inner model
    libraries: ClassVar[tuple[str, ...]] = (
        *("av", "lmms-eval", "numpy", "qwen-vl-utils", "tokenizers"),
        *("accelerate", "bitsandbytes", "flash-attn", "peft"),
        *("torch", "torchvision", "transformers"),
    )

    def __init__(self, **arguments: Any) -> None:
        common = take_common(arguments)
        super().__init__(**common)
        if common.get("batch_size") not in (None, 1, "1"):
            raise RunError(f"{self.name}: batch_size is {common['batch_size']}; allowed: 1")
        self.asked_for, self.inner_arguments = FrameSettings.read(arguments, self.name)
        model_looks_at(self.asked_for.frames, like=self.asked_for.inner)
        self.form = self.asked_for.form()
        self.inner = build(self.asked_for, self.inner_arguments, common.get("device"))
        # Under torchrun or accelerate the inner model knows which share of the questions is ours.
        self._rank, self._world_size = self.inner.rank, self.inner.world_size
        self.device = getattr(self.inner, "device", self.device)
        if hasattr(self.inner, "accelerator"):
            self.accelerator = self.inner.accelerator
        self._asked: dict[int, tuple[Asked, Instance]] = {}
        self._newest: Delivery | None = None

    def settings(self) -> dict[str, Any]:
        """What was asked, and the inner model with its arguments; the checkpoints among them are `checkpoints`."""
        own = {name: value for name, value in self.inner_arguments.items() if name not in self.checkpoints()}
        return {**asdict(self.asked_for), "inner_arguments": own}

    def checkpoints(self) -> dict[str, tuple[str, str | None]]:
        """All that the inner model's arguments name, those left out as it fills them in."""
        return named_in(
            {**defaults_of(self.inner), **self.inner_arguments}, self.inner_arguments.get("revision")
        )

    def sources(self) -> list[str]:
        """Also the inner model's, which may be a user's, or of an lmms-eval that somebody works on."""
        return [*super().sources(), type(self.inner).__module__]

    def computing(self) -> dict[str, str]:
        """Measured at the inner model, which decides them itself."""
        network = getattr(self.inner, "_model", None) or getattr(self.inner, "model", None)
        first = next(iter(getattr(network, "parameters", tuple)()), None)
        return (
            super().computing() if first is None else {"device": first.device.type, "dtype": str(first.dtype)}
        )

    def answer(self, question: Question) -> Answer:
        """The inner model's text; "" with an outcome in the details where memory or context were not enough.

        Raises:
            RunError: the frames were changed on their way into the model, or the inner model failed.
        """
        delivery = self._delivery_of(question)
        now = caps.lift(self.inner, delivery)
        started = time.perf_counter()
        text = ""
        with (
            importable(),
            serving(delivery, modules_of(self.inner)) as served,
            probing(self.inner) as probe,
            Peak(torch.device(self.device)) as peak,
        ):
            try:
                text = self._ask(question, delivery)
            except Exception as raised:
                probe.error = probe.error or raised
        seconds = {"decode": delivery.seconds, "model": time.perf_counter() - started}
        details: dict[str, Any] = {
            "frames": delivery.count,
            "pixels": [delivery.size[0], delivery.size[1]],
            "indices": delivery.indices,
            "decoder": delivery.decoder,
            "readers": sorted(set(served.readers)),
            "tokens_in": probe.tokens_in,
            "peak_memory": peak.record(),
            "seconds": {name: round(value, 4) for name, value in seconds.items()},
        }
        if short_of := self._short_of_memory(probe):
            return _unanswered(MEMORY, short_of, details)
        details["audit"] = {**self._audited(delivery, served, probe), "caps": now}
        if isinstance(error := probe.error, TooLongError):
            fits = int(delivery.count * (error.context - PROMPT) / error.tokens)
            details["fits"] = {"frames": fits} if fits > 0 else None
            return _unanswered(OVERFLOW, str(error), details)
        return Answer(text, details)

    def _short_of_memory(self, probe: Probe) -> str | None:
        """Why memory ran out, once it is free again; None where it did not. Raises what else went wrong."""
        error = probe.error
        if error is None or isinstance(error, TooLongError):
            return None
        if isinstance(error, HlvidError):
            raise error
        said = first_line(error)
        if not is_out_of_memory(error):
            raise RunError(f"{self.asked_for.inner}: {type(error).__name__}: {said}") from error
        error = probe.error = None  # its frames hold what was computed
        release()
        return said

    def generate_until(self, requests: Sequence[Instance]) -> list[GenerationResult]:
        """As the base class, and prints the audit at the end."""
        from rich.console import Console

        from hlvid.tasks import costs

        results = super().generate_until(requests)
        asked = [one for one, _ in self._asked.values()]
        details = (costs.lookup(one.question.id, one.task, one.repeat) for one in asked)
        rows = [one["audit"] for one in details if "audit" in one]
        if rows and self.rank == 0:
            Console(stderr=True).print(table(rows))
        self._asked.clear()
        return results

    def _read(self, index: int, request: Instance, repeat: int) -> Asked:
        asked = super()._read(index, request, repeat)
        self._asked[id(asked.question)] = asked, request
        return asked

    def _delivery_of(self, question: Question) -> Delivery:
        """The question's frames; the base class asks the questions of a video in a row."""
        path = video_of(question)
        if self._newest is None or self._newest.path != path:
            self._newest = None  # two videos' frames at a time may be more than the memory holds
            self._newest = deliver(path, self.asked_for, self.form)
        return self._newest

    def _ask(self, question: Question, delivery: Delivery) -> str:
        """One request to the inner model, in its own form."""
        asked, request = self._asked[id(question)]
        context = str(request.args[0])
        *_, doc_id, task, split = request.args
        self.inner.task_dict = self.task_dict
        generation = copy.deepcopy(asked.generation)
        path = str(delivery.path)
        if getattr(self.inner, "is_simple", True):
            middle: tuple[Any, ...] = (generation, visual(path))
        else:
            middle = (messages(path, context), generation)
        one = Instance(
            request_type="generate_until",
            arguments=(context, *middle, doc_id, task, split),
            idx=0,
            metadata={"task": task, "doc_id": doc_id, "repeats": 1},
        )
        (result,) = self.inner.generate_until([one])
        return str(getattr(result, "text", result))

    def _audited(self, delivery: Delivery, served: Served, probe: Probe) -> dict[str, Any]:
        """The row of the audit. Raises RunError if anything differs and nobody allowed it."""
        deep = int(getattr(probe.processor, "temporal_patch_size", 1) or 1)
        row = audit(self.asked_for, delivery, probe.seen, deep)
        faults = [] if row["verdict"] == EXACT else [row["verdict"]]
        if not served.readers:
            faults.append("the model read the video in a way of its own, not through our decoder")
        elif not served.complete:
            faults.append(
                f"the model took {len(served.taken)} of {delivery.count} frames, or in an order of its own"
            )
        row["verdict"] = "; ".join(faults) or EXACT
        if faults and not self.asked_for.allow_resize:
            inner = self.asked_for.inner
            raise RunError(
                f"inner={inner}, frames={self.asked_for.frames}, resolution={self.asked_for.resolution}: "
                f"{row['verdict']}; ask for what it takes, or set allow_resize=True to have it recorded"
            )
        return row


HlvidFramesChat = for_chat(HlvidFrames)


def _unanswered(outcome: str, message: str, details: dict[str, Any]) -> Answer:
    return Answer("", {**details, "outcome": outcome, "message": message})
