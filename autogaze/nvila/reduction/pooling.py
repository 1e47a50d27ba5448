"""Average pooling over space, time or both: the plainest reduction.

Source: spatial pooling as in LLaVA-Video (arXiv 2410.02713) and Video-ChatGPT (arXiv 2306.05424, which also pools
over time). Bins are those of adaptive pooling: nearly equal, without gaps, and overlapping by one where sizes do not
divide.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from autogaze.nvila.reduction.reduced import Reduced, places, target


def spatial(features: Tensor, keep: float, scores: Tensor | None = None) -> Reduced:
    """Rows and columns pooled alike; every frame stays."""
    T, H, W, _ = features.shape
    rows, columns = _box((H, W), target(H * W, keep))
    return _pool(features, (T, rows, columns))


def temporal(features: Tensor, keep: float, scores: Tensor | None = None) -> Reduced:
    """Neighbouring frames averaged; at least one frame stays."""
    T, H, W, _ = features.shape
    return _pool(features, (max(1, int(T * keep + 1e-9)), H, W))


def spatiotemporal(features: Tensor, keep: float, scores: Tensor | None = None) -> Reduced:
    """Frames, rows and columns pooled alike."""
    T, H, W, _ = features.shape
    box = _box((T, H, W), target(T * H * W, keep))
    return _pool(features, (box[0], box[1], box[2]))


def _box(sizes: tuple[int, ...], most: int) -> tuple[int, ...]:
    """The grid of at most `most` cells whose sides are nearly one share of `sizes`, the largest there is on the way."""
    best = (1,) * len(sizes)
    shares = sorted({count / size for size in sizes for count in range(1, size + 1)})
    for share in shares:
        box = tuple(max(1, int(size * share + 1e-9)) for size in sizes)
        cells = 1
        for side in box:
            cells *= side
        if cells > most:
            return best
        best = box
    return best


def _pool(features: Tensor, box: tuple[int, int, int]) -> Reduced:
    where = places(features).view(*features.shape[:3], 3)
    both = torch.cat([features.float(), where], dim=-1).permute(3, 0, 1, 2)
    pooled = F.adaptive_avg_pool3d(both, box).flatten(1).T
    tokens, positions = pooled[:, :-3].to(features.dtype), pooled[:, -3:]
    share = features[..., 0].numel() / len(tokens)
    return Reduced.sorted(tokens, positions, torch.full((len(tokens),), share, device=features.device))
