"""Loss against gazing ratio: the trained models beside heuristics and the greedy search, on clips kept apart.

Losses are the pasted picture's (see `judge`), in units of its own: the paper's (a learned reconstruction, with
feature terms) are quoted beside them for their order, not for their size. Intervals resample whole clips, or,
where the recordings are known, whole recordings: frames of one clip and clips of one recording resemble each
other.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from autogaze.gaze import Gaze
from autogaze.training import contenders as who
from autogaze.training.contenders import Choose
from autogaze.training.judge import Judge, PasteTable, judge_of
from autogaze.training.looks import held_back

RATIOS = (0.02, 0.05, 0.1, 0.2)
DRAWS = 10_000

PAPER: dict[str, Any] = {
    "source": "arXiv 2603.12254, Table 3 and Table 4 (printed)",
    "ratio_for_loss_0.7": {"no training": 0.263, "ntp": 0.102, "rl": 0.209, "ntp+rl": 0.094},
    "ratio_by_tokens_a_step": {"1": 0.074, "5": 0.078, "10": 0.094, "20": 0.109},
    "ratio_single_scale": 0.22,
}


@dataclass(frozen=True)
class Runs:
    """Losses float (contenders, ratios, clips), means over a clip's frames, and seconds (contenders, ratios)."""

    names: tuple[str, ...]
    ratios: tuple[float, ...]
    losses: NDArray[np.float64]
    seconds: NDArray[np.float64]


def evaluate_all(
    checkpoints: Mapping[str, str | Path],
    clips: Path,
    reference: str,
    limit: int = 48,
    heads: bool = False,
    loss: str = "paste",
) -> dict[str, Any]:
    """The whole comparison on a folder of labelled clips; see `summarise` for what comes out.

    heads: also the reference writing 1 and 5 tokens a step. loss: what is measured, by the name that
    `judge.judge_of` knows. Raises ValueError where something is missing.
    """
    frames, groups = held_back(clips, limit)
    everybody = {name: who.checkpoint(folder) for name, folder in checkpoints.items()}
    if heads and reference in checkpoints:
        everybody |= {
            f"{reference}, {n} a step": who.checkpoint(checkpoints[reference], heads=n) for n in (5, 1)
        }
    everybody |= {"untrained": who.untrained(), **who.heuristics(), "greedy": who.selector("greedy")}
    everybody["greedy, 224 px alone"] = who.greedy_finest
    judge = judge_of(loss)
    report = summarise(measure(everybody, frames, judge=judge), reference, groups=groups)
    return {**what_was_measured(groups, loss), **report}


def what_was_measured(groups: Sequence[str], loss: str) -> dict[str, Any]:
    """How many clips of which recordings were looked at, and what their loss is."""
    picture = "the pasted picture" if loss == "paste" else f"the picture of {loss}"
    return {
        "clips": len(groups),
        "recordings": {name: list(groups).count(name) for name in sorted(set(groups))},
        "loss": f"L1 of {picture}, earlier frames remembered, pixels normalised with 0.5 and 0.5",
    }


def table(report: Mapping[str, Any]) -> str:
    """The curves as text, best at the last ratio first."""
    curves: dict[str, dict[str, dict[str, float]]] = report["curves"]
    ratios = list(next(iter(curves.values())))
    lines = [f"{'loss at gazing ratio':24}" + "".join(f"{ratio:>9}" for ratio in ratios)]
    for name, points in sorted(curves.items(), key=lambda item: item[1]["0.1"]["loss"]):
        lines.append(f"{name:24}" + "".join(f"{points[ratio]['loss']:9.4f}" for ratio in ratios))
    return "\n".join(lines)


def measure(
    contenders: Mapping[str, Choose],
    clips: Sequence[Tensor],
    ratios: Sequence[float] = RATIOS,
    memory: bool = True,
    judge: Judge | None = None,
) -> Runs:
    """Let every contender gaze at every clip, uint8 (T, 3, 224, 224), at every ratio.

    judge: what is lost; the pasted picture's loss where none is given.
    """
    names = tuple(contenders)
    losses = np.zeros((len(names), len(ratios), len(clips)))
    seconds = np.zeros((len(names), len(ratios)))
    for c, clip in enumerate(clips):
        unit = clip[None].float() / 255
        table = PasteTable.of(unit, memory)
        for n, name in enumerate(names):
            for r, ratio in enumerate(ratios):
                start = time.perf_counter()
                with torch.no_grad():
                    masks = contenders[name](clip, ratio)
                seconds[n, r] += time.perf_counter() - start
                lost = table.losses(masks) if judge is None else judge(unit, Gaze.from_masks(masks))
                losses[n, r, c] = lost.mean().item()
    return Runs(names, tuple(ratios), losses, seconds)


def summarise(
    runs: Runs, reference: str, at: float = 0.1, groups: Sequence[str] | None = None, seed: int = 0
) -> dict[str, Any]:
    """Curves with 95 % intervals, each contender's distance from `reference` at ratio `at`, ratios for one loss.

    groups: the recording of every clip; without, each clip is a group of its own.
    Raises ValueError where reference or ratio were not measured.
    """
    if reference not in runs.names or at not in runs.ratios:
        raise ValueError(
            f"reference={reference!r}, at={at}: expected one of {runs.names} and of {runs.ratios}"
        )
    means = resampled(runs.losses, groups, seed)
    low, high = np.quantile(means, [0.025, 0.975], axis=-1)
    point = runs.losses.mean(-1)
    home, place = runs.names.index(reference), runs.ratios.index(at)
    target = float(point[home, place])
    curves, against, needed = {}, {}, {}
    for n, name in enumerate(runs.names):
        curves[name] = {
            f"{ratio:g}": _point(
                point[n, r], low[n, r], high[n, r], runs.seconds[n, r] / runs.losses.shape[-1]
            )
            for r, ratio in enumerate(runs.ratios)
        }
        gap = means[n, place] - means[home, place]
        against[name] = {
            "difference": round(float(point[n, place]) - target, 5),
            "low": round(float(np.quantile(gap, 0.025)), 5),
            "high": round(float(np.quantile(gap, 0.975)), 5),
        }
        needed[name] = ratio_for(target, runs.ratios, point[n].tolist())
    return {
        "curves": curves,
        f"loss_minus_{reference}_at_{at:g}": against,
        "ratio_for_loss": {"loss": round(target, 5), "ratios": needed},
        "paper": PAPER,
    }


def _point(loss: float, low: float, high: float, seconds: float) -> dict[str, float]:
    return {
        "loss": round(float(loss), 5),
        "low": round(float(low), 5),
        "high": round(float(high), 5),
        "seconds_a_clip": round(float(seconds), 4),
    }


def resampled(
    losses: NDArray[np.float64], groups: Sequence[str] | None = None, seed: int = 0, draws: int = DRAWS
) -> NDArray[np.float64]:
    """Means over clips (..., draws) in `draws` resamples of whole groups with replacement.

    losses: (..., clips). All contenders share the resamples, so that differences of theirs are paired.
    """
    clips = losses.shape[-1]
    labels = list(groups) if groups is not None else [str(n) for n in range(clips)]
    if len(labels) != clips:
        raise ValueError(f"groups: {len(labels)} of them for {clips} clips, expected one a clip")
    member = np.array([[label == group for label in labels] for group in sorted(set(labels))], dtype=float)
    draw = np.random.default_rng(seed)
    times = draw.multinomial(len(member), np.full(len(member), 1 / len(member)), size=draws)
    weights = times @ member
    mean: NDArray[np.float64] = losses @ (weights / weights.sum(1, keepdims=True)).T
    return mean


def ratio_for(loss: float, ratios: Sequence[float], losses: Sequence[float]) -> float | None:
    """The gazing ratio at which a falling curve reaches `loss`, on straight lines; None if it never does."""
    if losses[0] <= loss:
        return ratios[0]
    for (left, above), (right, below) in zip(
        zip(ratios, losses, strict=True), list(zip(ratios, losses, strict=True))[1:], strict=False
    ):
        if below <= loss:
            return round(left + (right - left) * (above - loss) / max(above - below, 1e-12), 4)
    return None
