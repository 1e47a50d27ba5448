"""Figure 1: one frame of a 4K video, the little of it that is looked at, and what that saves."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from matplotlib.figure import Figure

from analysis import reference, style
from analysis.figure import Made, MissingRecordsError
from analysis.inputs import Inputs
from analysis.records import latencies
from analysis.reference import row
from analysis.studies.clips import video_files
from analysis.studies.scenes import Pictures
from autogaze import selectors
from autogaze.gaze import SCALES, Boxes
from autogaze.overlay import gazed
from autogaze.selectors import Selector, needs_of
from autogaze.tiling import Tiling
from evaluators.core.told import told_of
from hlvid.video import Video
from hlvid.video.tiles import fit_long_side

RATIO = 0.1
WIDTH = 1344
KEY = "fig1_latency"
NEED = MissingRecordsError(
    "no latency of ours (panel c shows the paper's seconds alone)",
    "hlvid latency vit --shape base --cells 10x224 --out runs/latency && "
    "hlvid latency mllm --shape base --cells 10x224 --out runs/latency",
)


def make(inputs: Inputs) -> Made:
    path = video_files(inputs.videos or [inputs.dataset_root() / "videos"])[0]
    selector = inputs.looker(tells=inputs.tells | {"codec"})
    seen = look(selector, path, RATIO, WIDTH, question=inputs.question)
    seconds, ours = _seconds(inputs)
    rows = [
        row("measured", selector.name, panel="tokens", scale=s, value=n)
        for s, n in zip(SCALES, seen.tokens, strict=True)
    ]
    rows.append(row("measured", "everything", panel="tokens", value=seen.all_tokens))
    numbers = pd.DataFrame(rows + seconds)
    share = sum(seen.tokens) / seen.all_tokens
    caption = (
        f"One frame of {path.name}, {seen.frame.shape[1]} px wide; {inputs.describe(selector)} at a gazing ratio of "
        f"{RATIO:.0%}: {sum(seen.tokens):,} of {seen.all_tokens:,} patches ({share:.1%}). a: the frame; "
        f"b: gazed patches in the "
        f"colours of their scales; c: seconds of encoder and language model: {reference.mark('read')}{ours}."
    )
    return Made(numbers, caption, lambda: _draw(numbers, seen), missing=None if ours else NEED)


@dataclass(frozen=True)
class Seen:
    """frame, gazed: uint8 (H, W, 3). tokens: gazed, per scale. all_tokens: that show picture. at: frame number."""

    frame: Pictures
    gazed: Pictures
    tokens: tuple[int, ...]
    all_tokens: int
    at: int


def look(
    selector: Selector,
    path: Path,
    ratio: float,
    width: int,
    at: int | None = None,
    question: str | None = None,
) -> Seen:
    """Gaze at frame `at` (default: the middle one) of a video, its long side scaled to `width` px.

    Selectors with a history see the frame before, too.
    """
    with Video.open(path) as video:
        at = video.frame_count // 2 if at is None else at
        size = fit_long_side(video.width, video.height, min(width, max(video.width, video.height)))
        before = [max(0, at - 1)] if selector.history != 0 else []
        indices, tiling = [*before, at], Tiling.of(*size)
        frames, needs = video.frames(indices, size), needs_of(selector)
        told = told_of(video, indices, size, needs, question).context(needs, indices, tiling.split)
    asked = {"ratio": ratio, "valid": tiling.valid, "layout": tiling.layout}
    with torch.no_grad():
        gaze = selectors.look(selector, tiling.split(frames), told, **asked)
    boxes = gaze.boxes(tiling.boxes())
    last = boxes.frame == len(frames) - 1
    mine = Boxes(*(part[last] for part in boxes))
    tokens = tuple(int((mine.scale == k).sum()) for k in range(len(SCALES)))
    picture = gazed(np.ascontiguousarray(frames[-1]), mine, factor=1)
    return Seen(frames[-1], picture, tokens, int(tiling.valid.sum()), at)


def _seconds(inputs: Inputs) -> tuple[list[dict[str, Any]], str]:
    """Rows of the paper's seconds and of ours, and the words about ours."""
    rows = []
    for name, (vit, llm) in reference.entry(KEY)["rows"].items():
        rows += [
            row("read", name, panel="seconds", part="ViT", value=vit),
            row("read", name, panel="seconds", part="LLM", value=llm),
        ]
    found = [latencies(inputs.records, kind) for kind in ("vit", "mllm")]
    if any(table is None for table in found):
        return rows, ""
    words = ""
    for part, table in zip(("ViT", "MLLM"), found, strict=True):
        assert table is not None
        done = table[table.status == "ok"]
        largest = done[done.fps * done.resolution**2 == (done.fps * done.resolution**2).max()]
        for one in largest.to_dict("records"):
            name = "ours, gazed" if one["gazed"] else "ours, all"
            rows.append(row("measured", name, panel="seconds", part=part, value=float(one["median_s"])))
            words = (
                f"; ours: medians of {one['n']} rounds, {one['fps']} FPS at {one['resolution']} px on "
                f"{one['hardware']}"
            )
    return rows, words


def _draw(numbers: pd.DataFrame, seen: Any) -> Figure:
    height = style.WIDTH * 0.37 * seen.frame.shape[0] / seen.frame.shape[1] + 0.55
    figure, axes = style.panels(1, 3, height, gridspec_kw={"width_ratios": [1, 1, 0.72]})
    style.picture(axes[0], seen.frame, "a frame")
    style.picture(axes[1], seen.gazed, f"{sum(seen.tokens) / seen.all_tokens:.0%} of the patches")
    part = numbers[numbers.panel == "seconds"]
    names = list(dict.fromkeys(part.series))
    for k, piece in enumerate(("ViT", "LLM", "MLLM")):
        mine = part[part.part == piece]
        if len(mine):
            left = [
                float(part[(part.series == name) & (part.part == "ViT")].value.sum())
                if piece == "LLM"
                else 0.0
                for name in mine.series
            ]
            axes[2].barh([names.index(name) for name in mine.series], mine.value, left=left, height=0.6,
                         color=style.COLOURS[k], label=piece)  # fmt: skip
    axes[2].set_yticks(range(len(names)), [name.replace("LLM-only reduction", "LLM only") for name in names])
    axes[2].invert_yaxis()
    axes[2].grid(axis="y", visible=False)
    axes[2].set(xlabel="seconds", title="paper (read off)" if len(names) == 3 else "paper and ours")
    axes[2].legend(loc="lower right")
    style.letter(axes)
    return figure
