"""`hlvid latency streaming`: the highest frame rate that keeps up with the video, by resolution (paper Fig. 12).

Frames arrive one at a time. AutoGaze keeps its keys and values of the frames before; the encoder sees the new frame's
gazed patches. The ungazed row encodes every patch of the finest scale.
"""

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

import torch

from autogaze import grids
from autogaze.model.streaming import Stream
from autogaze.nvila.settings import CLIP_FRAMES
from autogaze.nvila.stages import Stages
from autogaze.selectors.autogaze import AutoGazeSelector
from evaluators.profiling.latency.footage import Footage
from evaluators.profiling.latency.pipeline import Pipeline
from evaluators.profiling.latency.request import Request
from evaluators.profiling.latency.schema import Row
from hlvid.errors import RunError


def run(request: Request) -> Iterator[Row]:
    """Row after row: for each cell ungazed, then gazed. A cell is (frame rate of the ratio, resolution)."""
    if request.selector != "autogaze":
        raise RunError(f"latency streaming: selector is {request.selector!r}; only 'autogaze' streams")
    pipeline = Pipeline.build(request)
    for fps, resolution in request.cells:
        footage = Footage.decode(request.video, CLIP_FRAMES, resolution, pipeline.config.tile)
        for gazed in (False, True):
            ratio, loss = request.asked(fps, resolution) if gazed else (None, None)
            timing = pipeline.timed(partial(_play, pipeline, footage, ratio=ratio, loss=loss), request.rounds)
            rate = CLIP_FRAMES / timing.median if timing.median else None
            yield request.row(fps, resolution, gazed, ratio, timing, max_fps=rate)


def _play(
    pipeline: Pipeline, footage: Footage, stages: Stages, ratio: float | None, loss: float | None
) -> Mapping[str, Any]:
    """A clip frame by frame: all tiles of a frame go together through the selector, then the encoder."""
    if ratio is None and loss is None:
        return pipeline.look(footage, stages, None)
    assert isinstance(pipeline.selector, AutoGazeSelector)
    vision, processor = pipeline.config.vision, pipeline.selector.processor
    model = pipeline.selector.model
    tiles = torch.cat(list(footage.clips(pipeline.batch, pipeline.device)))
    stream: Stream | None = None
    patches = slots = 0
    for t in range(tiles.shape[1]):
        frame = tiles[:, t : t + 1]
        with stages.measure("selector"):
            cuts, layout = grids.cut(
                processor.from_unit(frame), model.config, vision.scales, vision.patch_size
            )
            stream = stream or Stream(model, len(cuts))
            gaze = grids.lay(stream.gaze(cuts, ratio, loss), layout)
        with stages.measure("encoder"):
            pipeline.encode(frame, gaze)
        patches += int(gaze.counts().sum())
        slots += gaze.batch * gaze.frames * gaze.tokens
    return {"tiles": footage.tiles, "patches": patches, "reached": patches / slots}
