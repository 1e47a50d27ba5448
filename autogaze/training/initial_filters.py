"""Vision weights to start from that measure what gaze goes by: detail at two scales, and change.

A token's greedy gain is the error that it removes: detail that coarser tokens cannot show, where something is new.
The published layers can say so from the start. Random filters of a frequency band answer in proportion to that
band's energy; the trunk's ReLU, on a filter and its negative, makes absolute values of the answers, and the
projection adds them up into one direction of the features. What stands in the way is the layer norm behind the
filters, which divides by a patch's contrast: four channels that hold a large constant keep its divisor steady.
"""

import math

import torch
from torch import Tensor

from autogaze.model.network import TrunkBlock, VisionModel

DETAIL = 3
"""Measures: fine detail (what 112 px cells cannot show), middle detail (nor 56 px ones), change."""

STEADY = 8.0
"""Root mean square that the constants give the norm's input: contrasts well below it pass unchanged."""

REST = 0.03
"""Of the plain draw in the projection: what else features say is small at first."""


def measure(vision: VisionModel, axes: Tensor) -> None:
    """Set filters, trunk and projection in place; axes (5, C): the first three receive the measures.

    Raises ValueError for filters so few that no band has one, and for more than one block in the trunk.
    """
    dim = vision.temporal_conv.out_channels
    if len(vision.blocks) != 1 or dim < 24:
        raise ValueError(f"vision_dim={dim}, vision_depth={len(vision.blocks)}: expected 24 or more, and 1")
    counts = (dim // 8, dim // 8, dim // 6)
    with torch.no_grad():
        _filters(vision, counts)
        _trunk(vision, counts)
        _projection(vision, counts, axes)


def _filters(vision: VisionModel, counts: tuple[int, ...]) -> None:
    """Fine band, middle band, lowest cosines, the same in colours, constants."""
    conv = vision.temporal_conv
    dim, patch = conv.out_channels, conv.kernel_size[-1]
    waves, highest = patch_waves(patch)
    generator = torch.Generator().manual_seed(3)
    fine = _band(waves[highest >= patch // 2], counts[0], generator)
    middle = _band(waves[(highest >= patch // 4) & (highest < patch // 2)], counts[1], generator)
    lowest = waves[torch.argsort(highest)]
    left = dim - sum(counts) - 4
    opponents = torch.tensor([[1.0, 1, 1], [1, 0, -1], [-0.5, 1, -0.5]])
    opponents = opponents / opponents.norm(dim=1, keepdim=True)
    colours = torch.stack([lowest[i // 3] * opponents[i % 3].view(3, 1, 1) for i in range(left)])
    grey = torch.cat([fine, middle, lowest[: counts[2]]])[:, None].expand(-1, 3, -1, -1) / 3
    weights = torch.cat([grey, colours, torch.zeros(4, 3, patch, patch)])
    conv.weight.copy_(weights[:, :, None])
    assert conv.bias is not None
    # Pixels reach the network in -3..1 (see AutoGazeImageProcessor): a middle grey, -1, shall read as zero.
    conv.bias.copy_(weights.sum((1, 2, 3)))
    constant = STEADY * math.sqrt(dim / 4)
    conv.bias[-4:] = torch.tensor([constant, -constant, constant, -constant])
    vision.norm.weight.fill_(STEADY)
    vision.norm.bias.zero_()


def _trunk(vision: VisionModel, counts: tuple[int, ...]) -> None:
    """Each filter of a band and its negative; of the lowest cosines, their change since the frame before."""
    block = vision.blocks[0]
    assert isinstance(block, TrunkBlock)
    conv = block.conv3d
    assert conv.bias is not None
    middle = conv.weight.shape[-1] // 2
    conv.weight.mul_(0.1)
    conv.bias.zero_()
    for channel in range(2 * sum(counts)):
        source, sign = channel // 2, 1.0 if channel % 2 == 0 else -1.0
        conv.weight[channel] = 0
        conv.weight[channel, source, -1, middle, middle] = sign
        if source >= counts[0] + counts[1]:
            conv.weight[channel, source, -2, middle, middle] = -sign


def _projection(vision: VisionModel, counts: tuple[int, ...], axes: Tensor) -> None:
    """Mean absolute answer of each kind into its direction, and little else anywhere."""
    weight = vision.out_proj.weight
    assert vision.out_proj.bias is not None
    vision.out_proj.bias.zero_()
    weight.mul_(REST)
    weight[:, :, 0, 0, 0] = apart(axes[:4]) @ weight[:, :, 0, 0, 0]
    start = 0
    for axis, count in zip(axes[:DETAIL], counts, strict=True):
        weight[:, start : start + 2 * count, 0, 0, 0] += axis[:, None] / count
        start += 2 * count


def patch_waves(patch: int) -> tuple[Tensor, Tensor]:
    """Orthonormal cosines over a `patch` px square, (patch**2, patch, patch), and each one's higher frequency."""
    steps = torch.arange(patch)
    return cosine_waves(patch), torch.maximum(steps[:, None], steps).flatten()


def cosine_waves(side: int) -> Tensor:
    """Orthonormal cosines over a side x side grid, by vertical, then horizontal frequency: (side**2, side, side)."""
    lines = cosine_lines(side)
    return torch.einsum("uh,vw->uvhw", lines, lines).reshape(-1, side, side)


def cosine_lines(count: int) -> Tensor:
    """Orthonormal cosines over `count` cells, one a row: (count, count)."""
    middle = torch.arange(count) + 0.5
    lines = torch.stack([torch.cos(math.pi * wave * middle / count) for wave in range(count)])
    orthonormal: Tensor = lines / lines.norm(dim=1, keepdim=True)
    return orthonormal


def apart(axes: Tensor) -> Tensor:
    """(C, C): what is left of a vector without the given directions, orthonormal (N, C)."""
    return torch.eye(axes.shape[1]) - axes.T @ axes


def _band(waves: Tensor, count: int, generator: torch.Generator) -> Tensor:
    """`count` random mixtures (count, patch, patch): each answers with the band's energy, on average."""
    return torch.einsum("ck,khw->chw", torch.randn(count, len(waves), generator=generator), waves)
