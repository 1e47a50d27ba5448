"""Token reduction after the vision encoder: the methods that AutoGaze is compared with, behind one interface.

`keep` is the share of the tokens that go on. A method returns `target(T * H * W, keep)` tokens, but at least one of
each piece of the clip that it treats by itself; visionzip rounds frame by frame, and the poolings, whose outputs are
grids, return as many as fit below it. All need every patch encoded first, so they save time in the language model and
none in the encoder.
"""

from collections.abc import Callable

from torch import Tensor

from autogaze.nvila.reduction.fastvid import fastvid
from autogaze.nvila.reduction.pooling import spatial, spatiotemporal, temporal
from autogaze.nvila.reduction.pruning import fastv
from autogaze.nvila.reduction.reduced import Reduced, Reduction, target
from autogaze.nvila.reduction.tome import tome
from autogaze.nvila.reduction.visionzip import visionzip

__all__ = ["METHODS", "Reduced", "Reduction", "names", "reduce", "target"]

Method = Callable[[Tensor, float, Tensor | None], Reduced]

METHODS: dict[str, Method] = {
    "spatial": spatial,
    "temporal": temporal,
    "spatiotemporal": spatiotemporal,
    "tome": tome,
    "visionzip": visionzip,
    "fastv": fastv,
    "fastvid": fastvid,
}
SCORED = ("visionzip", "fastv", "fastvid")
"""Methods that need scores."""


def names() -> list[str]:
    return list(METHODS)


def reduce(name: str, features: Tensor, keep: float, scores: Tensor | None = None) -> Reduced:
    """Fewer tokens for a clip.

    Args:
        name: of `METHODS`.
        features: float (T, H, W, C).
        keep: share of the tokens to keep, in (0, 1].
        scores: float (T, H, W), the higher the more important; what "visionzip", "fastv" and "fastvid" rank by.

    Raises:
        ValueError: naming the argument, its value and what is allowed.
    """
    if name not in METHODS:
        raise ValueError(f"reduction={name!r}: allowed are {', '.join(METHODS)}")
    if features.dim() != 4 or not features.numel():
        raise ValueError(f"features: shape {tuple(features.shape)}, expected (T, H, W, C)")
    if not 0 < keep <= 1:
        raise ValueError(f"keep={keep!r}: expected a number above 0, up to 1")
    if name in SCORED and (scores is None or scores.shape != features.shape[:3]):
        found = None if scores is None else tuple(scores.shape)
        raise ValueError(f"scores: {found}, reduction {name!r} needs {tuple(features.shape[:3])}")
    return METHODS[name](features, keep, scores)
