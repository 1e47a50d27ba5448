"""Reduction between the vision encoder and the token shuffle of NVILA, clip by clip.

The encoder has to look at one scale and at all of it, so that a clip's features are a grid. `counts` are the tokens
of each frame that has any left; the shuffle puts neighbours of one frame side by side.
"""

import torch
from torch import Tensor

from autogaze.encoders.siglip import GazedSiglip
from autogaze.gaze import Gaze
from autogaze.nvila.reduction import SCORED, Reduction, reduce
from autogaze.nvila.reduction.attention import with_attention

FASTV = "fastv"
"""Is done in the language model, by its own attention; see `autogaze.nvila.reduction.llm`."""


def reduced_features(
    encoder: GazedSiglip, pixels: Tensor, gaze: Gaze, reduction: Reduction
) -> tuple[Tensor, Tensor]:
    """Encode clips (B, T, 3, S, S) and reduce each.

    Raises ValueError unless the gaze is every patch of a single scale.
    """
    sides = encoder.config.grid.sides
    B, T, side = gaze.batch, gaze.frames, sides[-1]
    if len(sides) != 1 or gaze.positions.shape[1] != T * side * side or bool(gaze.padded.any()):
        raise ValueError(
            f"reduction={reduction.name!r}: expected one scale and all of its patches, gazing off"
        )
    if reduction.name in SCORED:
        features, scores = with_attention(encoder, pixels, gaze)
        ranks: list[Tensor | None] = list(scores.view(B, T, side, side))
    else:
        features, ranks = encoder.packed(pixels, gaze), [None] * B
    clips = features.view(B, T, side, side, -1)
    parts = [
        reduce(reduction.name, clip, reduction.keep, rank) for clip, rank in zip(clips, ranks, strict=True)
    ]
    return torch.cat([part.tokens for part in parts]), torch.cat([part.counts() for part in parts])
