"""Can a trunk see text? One small head on its frozen features, taught where text is; before any decoder is trained.

Example::

    found = probe(AutoGaze.from_pretrained(bundled()), steps=600)
    found.auc                                             # 0.93: of patches of tiles that were not trained on
    save(found.head, "runs/probe")
    Headed(head="runs/probe").select(tiles, ratio=0.01, layout=(5, 8))     # a gaze by that head alone

The head is a 3 x 3 convolution, GELU and a linear map: for each patch of the finest scale and each scale, how likely
there is text whose coarsest readable scale this is.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from autogaze.gaze import PATCH_SIZE, SCALES
from autogaze.model.autogaze import AutoGaze
from autogaze.model.checkpoint import find_file, fingerprint
from autogaze.model.network import Network
from autogaze.selectors.base import Layout, ScoredSelector
from autogaze.selectors.pyramid import stitch, tokens, unstitch
from autogaze.selectors.text_map import LIKELY
from autogaze.training.batches import PROCESSOR
from autogaze.training.text_tiles import tiles
from autogaze.weights import bundled

SIDE = SCALES[-1] // PATCH_SIZE
HIDDEN = 64
HELD_OUT = 10_000_000
"""Seeds from here on are never trained on."""
TEXT = 0.25
"""Share of a patch under a line from which on it counts as text."""


class Head(nn.Sequential):
    """Features (B, C, 14, 14) -> logits (B, 4, 14, 14)."""

    def __init__(self, channels: int) -> None:
        super().__init__(
            nn.Conv2d(channels, HIDDEN, 3, padding=1), nn.GELU(), nn.Conv2d(HIDDEN, len(SCALES), 1)
        )


@dataclass(frozen=True)
class Probe:
    """head: as trained. On held-out tiles, auc: the chance that a patch with text is rated above one without; scale:
    the share of patches with text that are rated highest at the right scale."""

    head: Head
    auc: float
    scale: float


def probe(model: AutoGaze, steps: int = 600, batch: int = 64, count: int = 2048, seed: int = 0) -> Probe:
    """Train a head for `steps` on `count` tiles, and measure it on a quarter as many others."""
    torch.manual_seed(seed)
    shown, wanted = _examples(model, range(seed * count, (seed + 1) * count))
    head = Head(shown.shape[1])
    optimizer = torch.optim.AdamW(head.parameters(), lr=2e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 2e-3, total_steps=steps)
    for _ in range(steps):
        picked = torch.randint(len(shown), (batch,))
        loss = F.binary_cross_entropy_with_logits(head(shown[picked].float()), wanted[picked])
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        schedule.step()
    shown, wanted = _examples(model, range(HELD_OUT, HELD_OUT + count // 4))
    with torch.no_grad():
        said = head.eval()(shown.float())
    text = wanted.amax(1) >= TEXT
    right = (said.argmax(1) == wanted.argmax(1))[text].float().mean()
    return Probe(head, auc(said.amax(1), text), float(right))


def auc(scores: Tensor, positive: Tensor) -> float:
    """Area under the ROC curve; ties count half."""
    from scipy.stats import rankdata

    known = positive.flatten().numpy()
    hits, misses = int(known.sum()), int((~known).sum())
    above = rankdata(scores.flatten().numpy())[known].sum() - hits * (hits + 1) / 2
    return float(above / (hits * misses))


def save(head: Head, folder: str | Path) -> None:
    """Write the head's weights into a folder."""
    from safetensors.torch import save_file

    Path(folder).mkdir(parents=True, exist_ok=True)
    save_file(head.state_dict(), str(Path(folder) / "model.safetensors"))


@dataclass(frozen=True)
class Headed(ScoredSelector):
    """A gaze by such a head, as `text_lines` by the detector: whole groups of likely patches, each at its scale, the
    cheapest first. It sees every tile through the trunk, once, and no detector. head: its folder. checkpoint: of the
    trunk, else bundled.

    Raises CheckpointError (a ValueError) where one of them is missing.
    """

    head: str = ""
    checkpoint: str | None = None
    network: Network = field(init=False, repr=False, compare=False)
    layers: Head = field(init=False, repr=False, compare=False)

    name: ClassVar[str] = "headed"
    history: ClassVar[int | None] = 0

    def __post_init__(self) -> None:
        from safetensors.torch import load_file

        super().__post_init__()
        model = AutoGaze.from_pretrained(self.checkpoint or bundled())
        layers = Head(model.config.hidden_size)
        layers.load_state_dict(load_file(str(find_file(self.head, "model.safetensors"))))
        object.__setattr__(self, "network", model.gazing_model)
        object.__setattr__(self, "layers", layers.eval())

    def settings(self) -> dict[str, Any]:
        """Budget, and the hashes of both files."""
        return {
            "name": self.name,
            "budget": self.budget,
            "head": fingerprint(self.head),
            "trunk": fingerprint(self.checkpoint or bundled()),
        }

    def scores(self, clips: Tensor, layout: Layout | None) -> Tensor:
        """See the class."""
        B, T = clips.shape[:2]
        likely = (
            self.layers(_features(self.network, clips.flatten(0, 1))).sigmoid().view(B, T, -1, SIDE, SIDE)
        )
        grids = []
        for s, scale in enumerate(SCALES):
            pooled = F.adaptive_max_pool2d(likely[:, :, s], scale // PATCH_SIZE)
            grids.append(unstitch(_grouped(stitch(pooled, layout)), layout))
        return tokens(grids)


def _grouped(grids: Tensor) -> Tensor:
    """Probabilities (G, T, h, w), and in their place 2 + mean / patches for each group of likely neighbours."""
    worth = grids.clone()
    for g, t in np.ndindex(*grids.shape[:2]):
        grid = grids[g, t].numpy()
        count, labels = cv2.connectedComponents((grid > LIKELY).astype(np.uint8), connectivity=8)
        sizes = np.bincount(labels.ravel(), minlength=count)
        means = np.bincount(labels.ravel(), grid.ravel(), count) / sizes
        values = 2 + means / sizes
        worth[g, t] = torch.from_numpy(np.where(labels > 0, values[labels], grid))
    return worth


def _features(network: Network, pictures: Tensor) -> Tensor:
    """Float (N, 3, 224, 224) in [0, 1], each by itself -> features (N, C, 14, 14)."""
    parts = torch.split(pictures, 32)
    found = torch.cat([network.features(PROCESSOR.from_unit(part[:, None]))[0][:, 0] for part in parts])
    return found.transpose(1, 2).reshape(len(pictures), -1, SIDE, SIDE)


@torch.no_grad()
def _examples(model: AutoGaze, seeds: range) -> tuple[Tensor, Tensor]:
    """Features, half precision (N, C, 14, 14), and the share of text in each patch (N, 4, 14, 14)."""
    pictures, places = tiles(seeds)
    return _features(model.gazing_model, pictures.float() / 255).half(), places
