"""Running a checkpoint of ours: frames from the decoder of record, patches from any selector.

A video is seen once for all of its questions. Nothing is loaded before the first question.
"""

from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from loguru import logger

from autogaze.nvila.answering import Answerer, Look, Reply, published_selector
from autogaze.nvila.model import ContextOverflowError
from autogaze.nvila.processing import VideoPlan
from autogaze.nvila.sampling import GREEDY
from autogaze.selectors import LEARNED, arguments, foreign, get, weights_of
from autogaze.selectors.base import Selector
from autogaze.selectors.told import Told
from evaluators.core.base import Answer, guarded
from evaluators.core.memory import Peak, device_bytes
from evaluators.core.outcomes import text_ended
from evaluators.core.question_video import video_of
from evaluators.core.told import told_of
from evaluators.models.nvila.arguments import NvilaArguments
from evaluators.models.nvila.checkpoint import weights
from evaluators.models.nvila.gaze_watch import GazeWatch
from evaluators.models.nvila.overflow import out_of_memory, overflow
from evaluators.models.nvila.setup import Setup
from hlvid.dataset.question import Question
from hlvid.errors import RunError
from hlvid.video import Video

RANDOM = "random weights: this checkpoint was never trained, its answers are noise at chance accuracy"
WHOLE = "NVILA-HD's weights on whole small frames: not the paper's NVILA-8B-Video, which no code here runs"
PROMPT = "<vila/video>\n\n{prompt}"
"""The user's text; the checkpoint's chat template comes around it."""


class Native(Setup):
    """A video's tokens are kept until the next video is asked about."""

    kind = "native"
    sampling = GREEDY

    def __init__(
        self, arguments: NvilaArguments, data: dict[str, Any], device: str, model: str, single: bool = False
    ) -> None:
        super().__init__(arguments, data, device, model, single)
        self._warnings = ([WHOLE] if self.borrowed else []) + ([RANDOM] if self.config.random else [])
        for warning in self._warnings:
            logger.warning(f"{model}: {arguments.pretrained}: {warning}")
        self._newest: tuple[tuple[Path, str | None], Look | Answer, dict[str, Any]] | None = None

    def answer(self, question: Question) -> Answer:
        """One question; too large a setting is an answer without text, see `overflow`."""
        path = video_of(question)
        key = (
            path,
            question.prompt() if "question" in self.needs else None,
        )  # a query-aware gaze holds for one question
        reused = self._newest is not None and self._newest[0] == key
        if not reused:
            self._newest = None  # the last video's tokens go before the next one's come
            self._newest = key, *self._see(*key)
        assert self._newest is not None
        _, look, details = self._newest
        details = {**details, "video_seen_for_an_earlier_question": reused}
        if key[1] is not None:
            details["query_aware"] = True
        if isinstance(look, Answer):
            return Answer("", {**details, **look.details})
        return self._ask(look, question, details)

    @cached_property
    def folder(self) -> str:
        """Where the weights are: the checkpoint, or its conversion."""
        given = self.arguments
        return weights(given.pretrained, given.revision, given.autogaze_model_id)

    @cached_property
    def answerer(self) -> Answerer:
        """Model, tokenizer and selector, loaded at the first question."""
        try:
            answerer = Answerer.from_pretrained(
                self.folder,
                config=self.config,
                selector=self._selector(),
                settings=self.video,
                dtype=getattr(torch, self.dtype),
                device=str(self.device),
                revision=None if self.folder != self.arguments.pretrained else self.arguments.revision,
                llm=self.loading,
            )
        except ValueError as error:
            raise RunError(f"{self.model}: {error}") from error
        answerer.model.reduction = self.reduction
        return answerer

    def selector_weights(self) -> tuple[str, str | None] | None:
        """Of a selector of ours that has some, AutoGaze apart, which the checkpoint names."""
        name = self.selector_name
        return weights_of(get(name)) if name in LEARNED and name != "autogaze" else None

    def foreign_selector(self) -> Selector | None:
        """One that is not ours: its code and its checkpoints shape answers."""
        name = self.selector_name
        return self._selector() if name is not None and foreign(name) else None

    def _selector(self) -> Selector | None:
        name = self.selector_name
        if name is None:
            return None
        if name != "autogaze":
            own = {"seed": self.arguments.seed or 0, "device": str(self.device)}
            return get(name, **{key: value for key, value in own.items() if key in arguments(name)})
        named = self.arguments.autogaze_model_id or self.config.autogaze
        config = replace(self.config, autogaze=named, video=self.video)
        return published_selector(self.folder, config, str(self.device))

    def _see(self, path: Path, question: str | None) -> tuple[Look | Answer, dict[str, Any]]:
        """The video's tokens, or the answer that says why there are none; and what was seen."""
        answerer = self.answerer
        watch = GazeWatch.for_video(path) if self.selector_name else None
        with Video.open(path) as video:
            size = (video.width, video.height)
            details = self._about(video)
            with Peak(self.device) as peak:
                reserve = self.reserve if self.refuses else None

                def tell(plan: VideoPlan) -> Told:
                    return told_of(video, plan.indices, plan.grid.size, self.needs, question)

                look = self._guarded(lambda: answerer.look(video, reserve, watch, tell), size)
            details |= {"peak_memory": peak.record(), "decoder": video.decoder}
        if isinstance(look, Look):
            grid = look.plan.grid
            details |= {
                "frames": len(look.plan.indices),
                "frame_indices": list(look.plan.indices),
                "frames_distinct": len(set(look.plan.indices)),
                "thumbnail_indices": [look.plan.indices[place] for place in look.plan.thumbnails],
                "tiles": grid.tiles,
                "tile_grid": [grid.rows, grid.columns],
                "pixels": list(grid.size),
                "tokens_before": look.seen.patches,
                "tokens_selected": look.seen.gazed,
                "tokens_video": len(look.seen.embeddings),
                "seconds": look.seconds,
            }
            if watch:
                details["gaze_file"] = watch.save(look.plan, self.config.vision)
        return look, details

    def _about(self, video: Video) -> dict[str, Any]:
        details: dict[str, Any] = {
            "path": self.kind,
            "gaze_grid": self.video.gaze_grid,
            "frames": self.video.num_video_frames,
            "native_pixels": [video.height, video.width],
        }
        return {**details, "warning": "; ".join(self._warnings)} if self._warnings else details

    def _ask(self, look: Look, question: Question, details: dict[str, Any]) -> Answer:
        choices = list(question.options) if self.letters else None
        prompt = PROMPT.format(prompt=question.prompt())
        height, width = details["native_pixels"]
        most = self.arguments.max_new_tokens

        def ask() -> Reply:
            tokens = self.answerer.prompt_tokens(prompt) - 1 + len(look.seen.embeddings) + most
            if tokens > self.config.context and self.refuses:
                raise ContextOverflowError(tokens, look.plan.chunks, self.config.context)
            return self.answerer.ask(look, prompt, most, choices, self.sampling)

        with Peak(self.device) as peak:
            reply = self._guarded(ask, (width, height))
            if isinstance(reply, Answer):
                look.read.clear()  # it may be what the memory lacked
        details["peak_memory"] = _higher(details["peak_memory"], peak.record())
        if isinstance(reply, Answer):
            return Answer("", {**details, **reply.details})
        seconds = {name: round(value, 4) for name, value in {**details["seconds"], **reply.seconds}.items()}
        over = reply.tokens + most - self.config.context
        if over > 0:
            details["tokens_over"] = over
        tokens = {"tokens_llm": reply.tokens, "tokens_out": reply.said}
        return Answer(reply.text, {**details, **text_ended(reply.cut), **tokens, "seconds": seconds})

    def _guarded(self, work: Any, size: tuple[int, int]) -> Any:
        """The result of `work`, or an Answer where context or memory were not enough."""

        def short(error: Exception) -> Answer:
            there = device_bytes(self.device)
            return out_of_memory(error, self.config, self.video, size, self.dtype, there)

        try:
            return guarded(work, short)
        except ContextOverflowError as error:
            return overflow(error, self.config, self.video, size, self.reserve)


def _higher(one: dict[str, Any] | None, other: dict[str, Any] | None) -> dict[str, Any] | None:
    return max((peak for peak in (one, other) if peak), key=lambda peak: float(peak["gb"]), default=None)
