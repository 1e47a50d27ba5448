"""Figure 7, right: the gazing ratio that reaches a loss, by frame rate and resolution; beside it the paper's.

The same second of video, seen at more frames or more pixels, holds little that is new: the share that has to
be looked at falls. How far depends on the video; ours are another set than the paper's.

One second from the middle of each video. Resolution is that of a square (224, 448, 896, 1792 px), cut from the middle
of the frame at full height and scaled; cells that a video has too few frames or pixels for are left out. Of a large
square's tiles a few are drawn, the same ones for every frame rate: each tile is gazed at by itself, so they stand
for all.
"""

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
import torch
from matplotlib.figure import Figure
from torch import Tensor
from tqdm import tqdm

from analysis import reference, stats, style
from analysis.cache import cached, files_identity
from analysis.figure import Made
from analysis.inputs import Inputs
from analysis.reference import row
from analysis.studies.clips import centre, fit, video_files
from analysis.studies.losses import BOUNDS, METRIC, bounds, curve, needed
from analysis.studies.scenes import SIDE, Pictures
from autogaze.gaze import Gaze
from autogaze.selectors.base import Selector
from hlvid.video import Video

TARGET = 0.05
KEY = "fig7_ratio_for_loss_0_7"
FPS = (1, 3, 10, 30)
RESOLUTIONS = (224, 448, 896, 1792)
RATIOS = (0.02, 0.05, 0.12, 0.3)
TILES = 2
LONGEST = 16  # frames that a selector takes at once


def make(inputs: Inputs) -> Made:
    selector = inputs.looker(tells=())
    files = video_files(inputs.videos or [inputs.dataset_root() / "videos"])[: inputs.clips]
    key = {"videos": files_identity(files), "seed": inputs.seed} | selector.settings()
    table = cached(inputs, "redundancy", key, lambda: measure(selector, files, inputs.seed))
    numbers = _numbers(table)
    count = table["cluster"].nunique()
    videos = stats.number(count, "video")
    whose = "the given folders" if inputs.videos else f"dataset {inputs.dataset}"
    caption = (
        f"Gazing ratio (of 265 tokens a frame) needed for a loss, by frame rate and resolution. Left: "
        f"{inputs.describe(selector)} and a loss of {TARGET}, on one second of each of {videos} of "
        f"{whose}, up to {TILES} tiles of each; cells that no video has enough frames or pixels for are empty. Ratios "
        f"measured: {', '.join(map(str, RATIOS))}; {BOUNDS}; '>' and '<' mark cells where most of the videos do. "
        f"Intervals, in the CSV: {stats.intervals(count, videos)}. {METRIC}. Right: the paper's loss of 0.7, "
        f"{reference.mark('read')}; "
        "its eight printed values in bold."
    )
    return Made(numbers, caption, lambda: _draw(numbers))


def _numbers(table: pd.DataFrame) -> pd.DataFrame:
    rows: list[dict[str, Any]] = []
    found = needed(table, TARGET, by=("fps", "resolution", "video", "cluster"))
    for (fps, resolution), part in found.groupby(["fps", "resolution"]):
        ratio = stats.ends(stats.mean(part.needed, part.cluster.tolist()))
        rows.append(row("measured", "needed", fps=fps, resolution=resolution, **bounds(part), **ratio))
    paper = reference.entry(KEY)
    for side, values in paper["by_resolution"].items():
        for fps, value in zip(paper["fps"], values, strict=True):
            kind = reference.precision(KEY, value)
            rows.append(
                row(kind, "needed", fps=fps, resolution=int(side), value=value, floor=0.0, ceiling=0.0)
            )
    return pd.DataFrame(rows)


def measure(selector: Selector, files: Sequence[Path], seed: int = 0) -> pd.DataFrame:
    """One row a video, cell and ratio: video, cluster, fps, resolution, asked, ratio, loss."""
    rows: list[dict[str, Any]] = []
    for path in tqdm(files, desc="redundancy", leave=False):
        with Video.open(path) as video:
            pictures, rate = _second(video)
        for fps, frames, sides in _rates(pictures, rate, seed):
            for resolution, losses in _curves(selector, frames, sides):
                cell = {"video": path.name, "cluster": str(path), "fps": fps, "resolution": resolution}
                rows += [cell | one for one in losses]
    return pd.DataFrame(rows)


def _second(video: Video) -> tuple[Pictures, float]:
    """All frames of a second from the middle, square, at most 1792 px: uint8 (T, S, S, 3), and their rate."""
    count = max(1, min(video.frame_count, round(video.fps)))
    first = (video.frame_count - count) // 2
    side = min(RESOLUTIONS[-1], video.height, video.width)
    size = fit(video.height, video.width, side)
    frames = [centre(one[None], side)[0] for _, one in video.stream(range(first, first + count), size)]
    return np.stack(frames), video.fps


def _tiles(pictures: Pictures, resolution: int, seed: int) -> Tensor:
    """Up to two tiles of the square at this resolution: uint8 (tiles, T, 3, 224, 224)."""
    across = resolution // SIDE
    small = np.stack(
        [cv2.resize(p, (resolution, resolution), interpolation=cv2.INTER_AREA) for p in pictures]
    )
    chosen = np.random.default_rng(seed).permutation(across * across)[:TILES]
    cells = small.reshape(len(small), across, SIDE, across, SIDE, 3).transpose(1, 3, 0, 5, 2, 4)
    return torch.from_numpy(np.ascontiguousarray(cells.reshape(-1, *cells.shape[2:])[np.sort(chosen)]))


def _rates(pictures: Pictures, rate: float, seed: int) -> Iterator[tuple[int, Tensor, list[int]]]:
    """Of each frame rate that the video has: the tiles of all resolutions, and the resolution of each tile."""
    parts = {side: _tiles(pictures, side, seed) for side in RESOLUTIONS if side <= pictures.shape[1]}
    tiles, sides = torch.cat(list(parts.values())), [side for side, part in parts.items() for _ in part]
    for fps in FPS:
        if fps <= rate * 1.05 and len(pictures) >= fps * 0.95:
            indices = [min(len(pictures) - 1, int(k * rate / fps)) for k in range(fps)]
            yield fps, tiles[:, indices], sides


def _gaze(selector: Selector, clips: Tensor, ratio: float) -> Gaze:
    return selector.select(clips, ratio=ratio)


def _curves(
    selector: Selector, frames: Tensor, sides: Sequence[int]
) -> Iterator[tuple[int, list[dict[str, Any]]]]:
    """Loss against ratio, a resolution: the mean over its tiles (of tiles, T, 3, 224, 224) and chunks of 16 frames."""
    chunks = torch.split(frames, LONGEST, dim=1)
    units = (chunk.float() / 255 for chunk in chunks)
    parts = [curve(selector.name, unit, partial(_gaze, selector, unit), RATIOS) for unit in units]
    weights = [chunk.shape[1] for chunk in chunks]
    for side in dict.fromkeys(sides):
        mine = [k for k, one in enumerate(sides) if one == side]
        rows = []
        for place, asked in enumerate(RATIOS):
            means = {
                key: float(
                    np.average(
                        [np.mean([part[k][place][key] for k in mine]) for part in parts], weights=weights
                    )
                )
                for key in ("ratio", "loss")
            }
            rows.append({"asked": asked} | means)
        yield side, rows


def _draw(numbers: pd.DataFrame) -> Figure:
    figure, axes = style.panels(1, 2, 2.5)
    for one, whose, title in zip(
        axes, (reference.OURS, reference.PAPER), (f"ours, loss {TARGET}", "paper, its loss 0.7"), strict=True
    ):
        _grid(one, numbers[numbers.whose == whose], title)
    style.letter(axes)
    return figure


def _grid(axes: Any, part: pd.DataFrame, title: str) -> None:
    rates, sides = sorted(part.fps.unique()), sorted(part.resolution.unique())
    values = np.full((len(sides), len(rates)), np.nan)
    for one in part.to_dict("records"):
        values[sides.index(one["resolution"]), rates.index(one["fps"])] = float(one["value"])
    axes.imshow(np.log(values), cmap="cividis", vmin=np.log(0.008), vmax=np.log(0.5), aspect="auto")
    for one in part.to_dict("records"):
        over = "> " if float(one["ceiling"]) > 0.5 else "< " if float(one["floor"]) > 0.5 else ""
        axes.text(
            rates.index(one["fps"]), sides.index(one["resolution"]), f"{over}{100 * one['value']:.3g} %",
            ha="center", va="center", color="white" if float(one["value"]) < 0.07 else "black", fontsize=7,
            weight="bold" if one["precision"] == "printed" else "normal",
        )  # fmt: skip
    axes.set_xticks(range(len(rates)), [f"{rate:g}" for rate in rates])
    axes.set_yticks(range(len(sides)), [f"{side:g}" for side in sides])
    axes.set(xlabel="frames per second", ylabel="resolution (px)", title=title)
    axes.grid(visible=False)
