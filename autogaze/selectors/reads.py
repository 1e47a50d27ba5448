"""`reads`: a learned gaze for text. AutoGaze's trunk with a head that says where lines are, and how finely to look.

It sees every pixel once, through 1.7 million weights, and no detector. Each frame is judged by itself, and a picture as
a whole: with `layout` its tiles are laid together, so that a line on their border is seen like any other.

What it was taught on and what it reads is told in autogaze/weights/README.md; `hlvid train reads` makes another::

    get("reads", budget="picture").select(tiles, ratio=0.01, layout=(5, 8))
"""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from autogaze.gaze import PATCH_SIZE, SCALES
from autogaze.model.checkpoint import find_file, fingerprint, load_strict, save_tensors
from autogaze.model.config import AutoGazeConfig
from autogaze.model.network import TrunkBlock, VisionModel
from autogaze.model.processing import AutoGazeImageProcessor
from autogaze.selectors.base import Layout, ScoredSelector
from autogaze.selectors.pyramid import stitch, tokens, unstitch
from autogaze.weights import bundled_reads

HIDDEN, DEPTH = 128, 3
RARE = -4.0
"""Where logits start before training: few patches have text."""
LIKELY = 0.3
"""Probability from which on neighbouring patches are of one group."""
PROCESSOR = AutoGazeImageProcessor()


class TextReader(nn.Module):
    """Where a still picture has text: the trunk of an AutoGaze, three 3 x 3 convolutions, a linear map."""

    def __init__(self, config: AutoGazeConfig) -> None:
        super().__init__()
        self.config = config
        self.trunk = VisionModel(config)
        layers: list[nn.Module] = []
        for n in range(DEPTH):
            layers += [nn.Conv2d(HIDDEN if n else config.hidden_size, HIDDEN, 3, padding=1), nn.GELU()]
        last = nn.Conv2d(HIDDEN, len(SCALES), 1)
        nn.init.constant_(last.bias, RARE)  # type: ignore[arg-type]
        self.head = nn.Sequential(*layers, last)

    def forward(self, pixels: Tensor) -> Tensor:
        """Float (N, 3, H, W) in AutoGaze's range, sides multiples of 16 -> logits (N, 4, H / 16, W / 16).

        One for each scale: that the patch shows a line whose coarsest readable scale this is.
        """
        trunk, (N, _, H, W) = self.trunk, pixels.shape
        rows, columns = H // PATCH_SIZE, W // PATCH_SIZE
        cut = pixels.view(N, 3, rows, PATCH_SIZE, columns, PATCH_SIZE).permute(0, 2, 4, 1, 3, 5)
        embed = trunk.temporal_conv
        x = F.linear(cut.reshape(N * rows * columns, -1), embed.weight.flatten(1), embed.bias)
        x = trunk.norm(x.view(N, rows, columns, -1)).permute(0, 3, 1, 2)
        for block in trunk.blocks:
            # A still picture: nothing was before, so of each kernel only the present counts.
            assert isinstance(block, TrunkBlock)
            present = block.conv3d.weight[:, :, -1].contiguous(memory_format=torch.channels_last)
            x = F.relu(F.conv2d(x, present, block.conv3d.bias, padding=1))
        logits: Tensor = self.head(F.conv2d(x, trunk.out_proj.weight[:, :, 0], trunk.out_proj.bias))
        return logits

    def save(self, folder: Path) -> None:
        """Write config.json and model.safetensors, weights in half precision."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "config.json").write_text(json.dumps(self.config.to_dict(), indent=2) + "\n")
        half = {name: value.detach().half().cpu().contiguous() for name, value in self.state_dict().items()}
        save_tensors(half, folder / "model.safetensors")

    @classmethod
    def load(cls, source: str | Path) -> "TextReader":
        """From a folder that `save` wrote, or a hub id. Raises CheckpointError where something is missing."""
        reader = cls(AutoGazeConfig.from_pretrained(source))
        load_strict(reader, find_file(source, "model.safetensors"))
        return reader.float().eval()


@dataclass(frozen=True)
class Reads(ScoredSelector):
    """Whole groups of likely patches, each at its scale, the cheapest first; then what is likely at all.

    checkpoint: a folder of `hlvid train reads`; None for the bundled one. device: where it runs.

    Raises CheckpointError (a ValueError) where there is no usable checkpoint.
    """

    checkpoint: str | Path | None = None
    device: str = "cpu"
    reader: TextReader = field(init=False, repr=False, compare=False)

    name: ClassVar[str] = "reads"
    history: ClassVar[int | None] = 0

    @property
    def source(self) -> str | Path:
        """The checkpoint in use, named or bundled."""
        return self.checkpoint or bundled_reads()

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "reader", TextReader.load(self.source).to(self.device))

    def settings(self) -> dict[str, Any]:
        """Budget, checkpoint and the hash of its weights."""
        return {
            "name": self.name,
            "budget": self.budget,
            "checkpoint": str(self.checkpoint or "bundled"),
            "weights": fingerprint(self.source),
        }

    def scores(self, clips: Tensor, layout: Layout | None) -> Tensor:
        pictures = torch.stack([stitch(channel, layout) for channel in clips.unbind(2)], 2)
        likely = torch.stack([self._likely(picture) for picture in pictures.flatten(0, 1)])
        likely = likely.view(*pictures.shape[:2], *likely.shape[1:])
        grids = []
        for s, scale in enumerate(SCALES):
            fine = unstitch(likely[:, :, s], layout)
            coarse = F.adaptive_max_pool2d(fine, scale // PATCH_SIZE)
            grids.append(unstitch(_grouped(stitch(coarse, layout)), layout))
        return tokens(grids).to(clips.device)

    def _likely(self, picture: Tensor) -> Tensor:
        """Float (3, H, W) in [0, 1] -> probabilities (4, H / 16, W / 16)."""
        pixels = PROCESSOR.from_unit(picture[None, None].to(self.device))[0].float()
        found: Tensor = self.reader(pixels)[0].sigmoid().cpu()
        return found


def _grouped(grids: Tensor) -> Tensor:
    """Probabilities (G, T, h, w), and in their place 2 + mean / patches for each group of likely neighbours."""
    worth = grids.clone()
    for g, t in np.ndindex(*grids.shape[:2]):
        grid = grids[g, t].numpy()
        count, labels = cv2.connectedComponents((grid > LIKELY).astype(np.uint8), connectivity=8)
        sizes = np.bincount(labels.ravel(), minlength=count)
        means = np.bincount(labels.ravel(), grid.ravel(), count) / np.maximum(sizes, 1)
        values = 2 + means / np.maximum(sizes, 1)
        worth[g, t] = torch.from_numpy(np.where(labels > 0, values[labels], grid))
    return worth
