"""`hlvid latency stages`: where the time of a whole answer goes as frames and resolution grow, gazed and not.

A cell is (frames, resolution): so many frames over the whole video, tiles of the encoder's size, one question answered
with `ANSWER` tokens. The ungazed model sees every patch of every scale, as NVILA-HD does with `gazing=off`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import torch

from autogaze.nvila.answering import Answerer
from autogaze.nvila.config import VIDEO_TOKEN
from autogaze.nvila.model import ContextOverflowError
from autogaze.nvila.settings import CLIP_FRAMES, VideoSettings
from autogaze.nvila.stages import Stages
from autogaze.nvila.tokenizer import byte_tokenizer
from autogaze.selectors.autogaze import AutoGazeSelector
from evaluators.profiling.latency.pipeline import Pipeline
from evaluators.profiling.latency.request import Request
from evaluators.profiling.latency.schema import Row
from evaluators.profiling.latency.timing import Timing, measure
from evaluators.profiling.plan import make_plan
from hlvid.errors import RunError
from hlvid.video import Video

ANSWER = 8
PROMPT = f"{VIDEO_TOKEN}\nWhat does the sign say?"


def run(request: Request) -> Iterator[Row]:
    """Row after row: all cells gazed, then all ungazed (which may not fit)."""
    pipeline = Pipeline.build(request, language=True)
    for gazed in (True, False):
        for frames, resolution in request.cells:
            ratio = request.asked(CLIP_FRAMES, resolution)[0] if gazed else None
            settings = _settings(pipeline, frames, resolution, ratio)
            timing = _time(request, pipeline, settings, gazed)
            planned = _planned(request, pipeline, settings)
            yield request.row(frames, resolution, gazed, ratio, timing, planned_bytes=planned)


def _time(request: Request, pipeline: Pipeline, settings: VideoSettings, gazed: bool) -> Timing:
    assert pipeline.model
    answerer = Answerer(pipeline.model, byte_tokenizer(), pipeline.selector if gazed else None, settings)

    def work(stages: Stages) -> Mapping[str, Any]:
        with Video.open(request.video) as video:
            # Gazed, all is read, be it more than the context: time does not depend on what is understood. Every patch
            # of a long video would take hours before memory ran out, so there the context is the limit.
            look = answerer.look(video, None if gazed else ANSWER)
        reply = answerer.ask(look, PROMPT, ANSWER)
        for name, seconds in (*look.seconds.items(), *reply.seconds.items()):
            stages.add(name, seconds)
        return {
            "tiles": look.plan.grid.tiles,
            "patches": look.seen.gazed,
            "reached": look.seen.gazed / look.seen.patches,
            "llm_tokens": reply.tokens,
        }

    try:
        with torch.inference_mode(), pipeline.attending():
            return measure(work, rounds=request.rounds, device=pipeline.device, warmup=0)
    except ContextOverflowError as error:
        return Timing("out_of_memory", note=f"context: {error}")


def _planned(request: Request, pipeline: Pipeline, settings: VideoSettings) -> int:
    """Bytes on the device at the worst moment, foretold."""
    with Video.open(request.video) as video:
        size = video.width, video.height
    own = pipeline.selector.model.config if isinstance(pipeline.selector, AutoGazeSelector) else None
    return make_plan(pipeline.config, settings, *size, request.dtype, own, prompt=ANSWER).peak.total


def _settings(pipeline: Pipeline, frames: int, resolution: int, ratio: float | None) -> VideoSettings:
    """Of the shape's own settings: so many frames, as many tiles as the resolution has, one ratio for all."""
    if frames % CLIP_FRAMES:
        raise RunError(f"latency: {frames} frames; stages take whole clips, multiples of {CLIP_FRAMES}")
    across = max(1, round(resolution / pipeline.config.tile))
    return replace(
        pipeline.config.video,
        num_video_frames=frames,
        num_video_frames_thumbnail=max(1, frames // CLIP_FRAMES),
        max_tiles_video=max(1, across * round(across * 9 / 16)),
        gazing_ratio_tile=ratio if ratio is not None else 1.0,
        gazing_ratio_thumbnail=1.0,
        task_loss_requirement_tile=None,
        task_loss_requirement_thumbnail=None,
        max_batch_size_autogaze=pipeline.batch,
    )
