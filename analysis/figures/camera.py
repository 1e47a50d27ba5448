"""New: how much more has to be looked at when the camera moves? Gazing ratio needed against camera speed.

Video is cheap to gaze at because most of a frame was in the frame before. A pan leaves that true of the scene
and false of the pixels.
"""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from analysis import stats, style
from analysis.cache import cached
from analysis.figure import Made
from analysis.inputs import Inputs
from analysis.reference import row
from analysis.studies.clips import Clip, describe, identity, load_clips
from analysis.studies.flow import speed_of
from analysis.studies.losses import BOUNDS, METRIC, bounds, curves, needed
from analysis.studies.scenes import make_texture, pan

SPEEDS = (0.0, 1.0, 2.0, 4.0, 8.0, 16.0)
RATIOS = (0.02, 0.05, 0.12, 0.3)
TARGETS = (0.05, 0.1)
TEXTURES = 6


def make(inputs: Inputs) -> Made:
    selector, count = inputs.looker(tells=()), min(TEXTURES, inputs.clips)
    key = {"ratios": RATIOS, "seed": inputs.seed, "count": count} | selector.settings()
    pans = cached(
        inputs, "pans", key | {"speeds": SPEEDS}, lambda: curves([selector], _pans(inputs, count), RATIOS)
    )
    pans = pans.assign(speed=pans["clip"].str.rpartition("@")[2].astype(float))
    rows = _numbers(pans, "pans")
    textures = pans["cluster"].nunique()
    what = f"pans over {stats.number(textures, 'generated texture')} at {pans.speed.nunique()} speeds"
    if inputs.videos:
        real = cached(inputs, "moving", key | identity(inputs), lambda: _moving(selector, load_clips(inputs)))
        rows += _single(real)
        what += f"; crosses: {describe(real, inputs)} at their median DIS flow"
    numbers = pd.DataFrame(rows)
    caption = (
        f"Gazing ratio (of 265 tokens a frame, mean of 16 frames) needed for a loss of "
        f"{' and '.join(map(str, TARGETS))}, "
        f"against the speed of the camera. {inputs.describe(selector)}; {what}. Interpolated between ratios "
        f"{', '.join(map(str, RATIOS))}; {BOUNDS}. Hollow: more than half are such bounds. "
        f"{METRIC}. Bars: {stats.intervals(textures, stats.number(textures, 'texture'))}."
    )
    return Made(numbers, caption, lambda: _draw(numbers))


def _pans(inputs: Inputs, count: int) -> list[Clip]:
    clips = []
    for k in range(count):
        texture = make_texture(np.random.default_rng([inputs.seed + k, 7]))
        clips += [Clip(f"texture {k}@{speed}", f"texture {k}", pan(texture, speed)) for speed in SPEEDS]
    return clips


def _moving(selector: Any, clips: list[Clip]) -> pd.DataFrame:
    table = curves([selector], clips, RATIOS)
    speeds = {clip.name: float(np.median(speed_of(clip))) for clip in clips}
    return table.assign(speed=table["clip"].map(speeds))


def _numbers(table: pd.DataFrame, name: str) -> list[dict[str, Any]]:
    rows = []
    for target in TARGETS:
        for speed, part in needed(table, target, by=("speed", "clip", "cluster")).groupby("speed"):
            mean = stats.ends(stats.mean(part.needed, part.cluster.tolist()))
            rows.append(row("measured", name, loss=target, speed=speed, **bounds(part), **mean))
    return rows


def _single(table: pd.DataFrame) -> list[dict[str, Any]]:
    found = needed(table, TARGETS[0], by=("speed", "clip", "cluster"))
    return [
        row(
            "measured",
            "clip",
            loss=TARGETS[0],
            speed=float(one["speed"]),
            value=float(one["needed"]),
            clip=one["clip"],
            floor=float(one["bound"] == "floor"),
            ceiling=float(one["bound"] == "ceiling"),
        )
        for one in found.to_dict("records")
    ]


def _draw(numbers: pd.DataFrame) -> Figure:
    figure, (axes,) = style.panels(1, 1, 2.5, width=3.8)
    for index, target in enumerate(TARGETS):
        part = numbers[(numbers.series == "pans") & (numbers.loss == target)].sort_values("speed")
        error = style.bars(part.value, part.low, part.high)
        axes.errorbar(part.speed, part.value, error, label=f"pans, loss {target}", **style.line(index))
        bound = part[part.floor + part.ceiling > 0.5]
        axes.plot(
            bound.speed, bound.value, **style.line(index, linestyle="none", markerfacecolor="white", zorder=4)
        )
    clips = numbers[numbers.series == "clip"]
    if len(clips):
        axes.plot(clips.speed, clips.value, "x", color=style.GREY, label=f"clips, loss {TARGETS[0]}")
    axes.set_xscale("symlog", linthresh=1)
    style.ticks(axes, SPEEDS)
    axes.set(xlabel="speed of the camera (px / frame)", ylabel="gazing ratio needed", ylim=(0, None))
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, 1.16), ncols=2)
    return figure
