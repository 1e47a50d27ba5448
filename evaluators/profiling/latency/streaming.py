"""`hlvid latency streaming`: the highest frame rate that keeps up with the video, by resolution (paper Fig. 12).

Frames arrive one at a time. AutoGaze keeps its keys and values of the frames before; the encoder sees the new frame's
gazed patches. The ungazed row encodes every patch of the finest scale.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import torch

from autogaze import grids
from autogaze.model.streaming import Stream
from autogaze.nvila.stages import Stages
from autogaze.selectors.autogaze import AutoGazeSelector
from evaluators.profiling.latency.cells import Request, asked
from evaluators.profiling.latency.clock import Timing, measure
from evaluators.profiling.latency.film import CLIP, Film
from evaluators.profiling.latency.rig import Rig
from evaluators.profiling.latency.schema import Row, hardware
from hlvid.errors import RunError


def run(request: Request) -> Iterator[Row]:
    """Row after row: for each cell ungazed, then gazed. A cell is (frame rate of the ratio, resolution)."""
    rig = Rig.build(
        request.shape, device=request.device, dtype=request.dtype, attention=request.attention,
        selector="autogaze", checkpoint=request.checkpoint, batch=request.batch,
    )  # fmt: skip
    if not isinstance(rig.selector, AutoGazeSelector):
        raise RunError("latency streaming: only AutoGaze streams")
    for fps, resolution in request.cells:
        film = Film.decode(request.video, CLIP, resolution, rig.config.tile)
        for gazed in (False, True):
            ratio, loss = asked(request, fps, resolution) if gazed else (None, None)
            timing = _time(request, rig, film, ratio, loss)
            yield Row(
                kind="streaming", fps=fps, resolution=resolution, gazed=gazed, ratio=ratio,
                dtype=request.dtype, attention=request.attention, hardware=hardware(request.device),
                selector="autogaze" if gazed else None,
                max_fps=CLIP / timing.median if timing.median else None, **timing.fields(),
            )  # fmt: skip


def _time(request: Request, rig: Rig, film: Film, ratio: float | None, loss: float | None) -> Timing:
    with rig.attending():
        return measure(
            lambda stages: _play(rig, film, stages, ratio, loss), rounds=request.rounds, device=rig.device
        )


def _play(rig: Rig, film: Film, stages: Stages, ratio: float | None, loss: float | None) -> Mapping[str, Any]:
    """A clip frame by frame: all tiles of a frame go together through the selector, then the encoder."""
    if ratio is None and loss is None:
        return rig.look(film, stages, None)
    assert isinstance(rig.selector, AutoGazeSelector)
    vision, processor = rig.config.vision, rig.selector.processor
    model = rig.selector.model
    film_tiles = torch.cat(list(film.clips(rig.batch, rig.device)))
    stream: Stream | None = None
    patches = slots = 0
    for t in range(film_tiles.shape[1]):
        frame = film_tiles[:, t : t + 1]
        with stages.measure("selector"):
            cuts, layout = grids.cut(
                processor.from_unit(frame), model.config, vision.scales, vision.patch_size
            )
            stream = stream or Stream(model, len(cuts))
            gaze = grids.lay(stream.gaze(cuts, ratio, loss), layout)
        with stages.measure("encoder"):
            rig.encode(frame, gaze)
        patches += int(gaze.counts().sum())
        slots += gaze.batch * gaze.frames * gaze.tokens
    return {"tiles": film.tiles, "patches": patches, "reached": patches / slots}
