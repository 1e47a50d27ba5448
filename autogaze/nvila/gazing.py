"""Gazing at clips on the encoder's own grid, with AutoGaze, any other selector or none.

AutoGaze is asked as the published processor asks it (`target_scales`, `target_patch_size`), unless a frame's tiles
share their tokens. Other selectors see the same 224 px cuts of a tile; those that share a budget share it within it.
`gaze_for_encoder` is the same with `VideoSettings`: on the encoder's grid, the released one, or one of patches twice as
large; a frame's tiles may then share their tokens.
"""

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor

from autogaze import grids
from autogaze.gaze import Gaze, grid_sides, tokens_per_frame
from autogaze.model.config import AutoGazeConfig
from autogaze.model.network import resized
from autogaze.model.processing import resize
from autogaze.nvila.config import NVILAConfig
from autogaze.nvila.settings import Kind, VideoSettings
from autogaze.selectors.autogaze import AutoGazeSelector
from autogaze.selectors.base import Layout, Selector, look
from autogaze.selectors.context import Context

Ratio = float | Sequence[float] | None


def gaze_for_encoder(
    clips: Tensor,
    selector: Selector | None,
    config: NVILAConfig,
    settings: VideoSettings,
    kind: Kind,
    context: Context | None = None,
    tiles: Layout | None = None,
) -> Gaze:
    """What the encoder is told to see of clips, float (B, T, 3, S, S) in [0, 1], S the encoder's last scale.

    On the released grid AutoGaze is shown the clips at that grid's size (bilinear, in grey levels, as its own
    processor does it), and the encoder takes the numbers that come back for numbers of its own. context: of the clips,
    for selectors that need more than pixels. tiles: rows and columns of the frame that the clips are, where these share
    their tokens.
    """
    ratio, loss = settings.request(kind)
    grid = config.gaze_grid(settings)
    if grid == config.vision.grid:
        return gaze_at(clips, selector, grid.scales, grid.patch_size, ratio, loss, context, tiles)
    if settings.gaze_grid == "quartered":
        gaze = gaze_at(clips, selector, grid.scales, grid.patch_size, ratio, loss, context, tiles)
        return quartered(gaze, config.vision.patch_size)
    levels = clips.flatten(0, 1).mul(255).round().to(torch.uint8)
    side = grid.scales[-1]
    shown = resize(levels, side, side).view(*clips.shape[:3], side, side) / 255
    gaze = gaze_at(shown, selector, grid.scales, grid.patch_size, ratio, loss, _sized(context, side))
    return replace(gaze, scales=config.vision.scales, patch_size=config.vision.patch_size)


def gaze_at(
    clips: Tensor,
    selector: Selector | None,
    scales: Sequence[int],
    patch_size: int,
    ratio: Ratio = None,
    loss: float | None = None,
    context: Context | None = None,
    tiles: Layout | None = None,
) -> Gaze:
    """Which patches of clips, float (B, T, 3, S, S) in [0, 1] with S the last scale, to encode.

    Without a selector, or with ratio 1 and no loss requirement, that is every patch of every scale, in
    ascending order. tiles: see `gaze_for_encoder`. Raises ValueError where a selector does not take the request.
    """
    if selector is None or (loss is None and takes_all(ratio)):
        return everything(clips.shape[0], clips.shape[1], scales, patch_size, clips.device)
    if isinstance(selector, AutoGazeSelector) and tiles is None:
        video = selector.processor.from_unit(clips).to(selector.model.device)
        config = selector.model.config
        if grids.is_native(config, scales, patch_size):
            return selector.model.gaze(video, ratio=ratio, loss=loss).to(clips.device)
        return selector.model.gaze_for(video, scales, patch_size, ratio=ratio, loss=loss).to(clips.device)
    if isinstance(selector, AutoGazeSelector) and selector.budget != "picture":
        raise ValueError(
            f"gazing_budget='picture': this AutoGaze has budget={selector.budget!r}; make it with budget='picture'"
        )
    config = AutoGazeConfig()
    cuts, layout = grids.cut(clips, config, scales, patch_size)
    if tiles is not None and layout.across > 1:
        raise ValueError(
            f"gazing_budget='picture': needs tiles of 14 x 14 gazed patches, this encoder's are {layout.across} times "
            "as many a side; give gazing_budget='tile'"
        )
    cuts = _at_side(cuts, config.input_img_size)
    if context is not None and context.codec is not None:
        maps, _ = grids.cut(context.codec.to(clips), config, scales, patch_size)
        context = replace(context, codec=_at_side(maps, config.input_img_size))
    shown = _shown(layout, config).repeat(len(clips), 1).to(clips.device)
    cells = tiles or (layout.across, layout.across)
    return grids.lay(look(selector, cuts, context, ratio=ratio, loss=loss, valid=shown, layout=cells), layout)


def quartered(gaze: Gaze, patch_size: int) -> Gaze:
    """The same gaze in patches of half the side: four for each, in ascending order.

    >>> one = Gaze.from_masks(torch.arange(265).eq(0)[None, None])      # the upper left quarter at 32 px
    >>> quartered(one, 8).positions
    tensor([[0, 1, 4, 5]])
    """
    halves = [
        mask.repeat_interleave(2, -2).repeat_interleave(2, -1).flatten(2) for mask in gaze.scale_masks()
    ]
    return Gaze.from_masks(torch.cat(halves, -1), gaze.scales, patch_size)


def everything(
    batch: int, frames: int, scales: Sequence[int], patch_size: int, device: torch.device | str
) -> Gaze:
    """Every patch of every scale, in every frame."""
    shape = (batch, frames, tokens_per_frame(scales, patch_size))
    return Gaze.from_masks(torch.ones(shape, dtype=torch.bool, device=device), scales, patch_size)


def takes_all(ratio: Ratio) -> bool:
    """Whether a ratio leaves nothing out."""
    values = ratio if isinstance(ratio, Sequence) else [ratio]
    return all(value is None or value == 1 for value in values)


def _at_side(clips: Tensor, side: int) -> Tensor:
    """Clips (B, T, 3, S, S) in [0, 1] at another side, bicubic."""
    return clips if clips.shape[-1] == side else resized(clips, side).clamp(0, 1)


def _sized(context: Context | None, side: int) -> Context | None:
    """The context of clips that are shown at another side."""
    if context is None or context.codec is None:
        return context
    return replace(context, codec=_at_side(context.codec, side))


def _shown(layout: grids.Layout, config: AutoGazeConfig) -> Tensor:
    """Bool (n * n, 265): tokens of each cut that lie inside the encoder's grid and not in the padding."""
    n, parts = layout.across, []
    for own, side in zip(config.sides, grid_sides(layout.scales, layout.patch_size), strict=True):
        inside = torch.arange(n * own) < side
        whole = inside[:, None] & inside[None, :]
        parts.append(whole.view(n, own, n, own).permute(0, 2, 1, 3).reshape(n * n, own * own))
    return torch.cat(parts, dim=1)
