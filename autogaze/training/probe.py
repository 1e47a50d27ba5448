"""Can a trunk see text? One small head on its features, taught where text is; before any decoder is trained.

The head is a 3 x 3 convolution, GELU and a linear map: for each patch of the finest scale and each scale, how likely
there is text whose coarsest readable scale this is. A run's folder is one as `hlvid train report` shows it; killed,
the same call goes on with it.
"""

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import Tensor, nn

from autogaze.gaze import PATCH_SIZE, SCALES
from autogaze.model.autogaze import AutoGaze
from autogaze.model.checkpoint import find_file, fingerprint, save_tensors
from autogaze.model.network import Network
from autogaze.selectors.base import Layout, ScoredSelector
from autogaze.selectors.pyramid import stitch, tokens, unstitch
from autogaze.selectors.text_map import LIKELY
from autogaze.training.batches import PROCESSOR
from autogaze.training.config import TrainingError
from autogaze.training.schedule import rate
from autogaze.training.text_tiles import HELD_OUT, tiles
from autogaze.training.trail import Trail

SIDE = SCALES[-1] // PATCH_SIZE
HIDDEN = 64
RATE = 1e-3
LOOK = 200
"""Steps between two looks at the tiles that are not trained on, and two states to go on from."""
TESTED = 512
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
    """On held-out tiles, auc: the chance that a patch with text is rated above one without; scale:
    the share of patches with text that are rated highest at the right scale."""

    auc: float
    scale: float


def probe(
    model: AutoGaze,
    out: Path,
    steps: int = 600,
    batch: int = 64,
    count: int = 2048,
    seed: int = 0,
    trunk: bool = False,
) -> Probe:
    """Train a head for `steps` on `count` tiles, and measure it on others; with `trunk` the model's trunk, too.

    Writes into `out` the head, the model with that trunk in out/trunk, metrics, and the newest state.
    Raises TrainingError where the folder holds a run with other settings.
    """
    torch.manual_seed(seed)
    head, network = Head(model.config.hidden_size), model.gazing_model
    network.requires_grad_(False).vision_model.requires_grad_(trunk)
    parts = [head, network.vision_model] if trunk else [head]
    learning = [weight for part in parts for weight in part.parameters()]
    optimizer = torch.optim.AdamW(learning, lr=RATE)
    state: dict[str, Any] = {"key": [steps, batch, count, seed, trunk], "step": 0}
    state |= {"learners": parts, "optimizer": optimizer}
    begin = _resume(out / "state.pt", state)
    shown, wanted = tiles(range(seed * count, (seed + 1) * count))
    tested = tiles(range(HELD_OUT, HELD_OUT + min(count // 4, TESTED)))
    trail, start = Trail(out, begin), time.perf_counter()
    for step in range(begin, steps):
        for group in optimizer.param_groups:
            group["lr"] = rate(step, steps, RATE, steps // 20, "cosine")
        draw = np.random.default_rng([seed, 12, step])
        picked = draw.integers(len(shown), size=batch)
        loss = _loss(head, network, *_varied(shown[picked], wanted[picked], draw))
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        done = step + 1
        trail.step(step, {"loss": loss.item(), "minutes": (time.perf_counter() - start) / 60})
        if done % LOOK == 0 and done < steps:
            found = _measure(head, network, *tested)
            trail.validation(done, {"auc": found.auc, "scale": found.scale})
            _keep(out / "state.pt", {**state, "step": done})
    found = _measure(head.eval(), network, *tested)
    trail.validation(steps, {"auc": found.auc, "scale": found.scale})
    trail.close()
    save_tensors(head.state_dict(), out / "model.safetensors")
    model.save_pretrained(out / "trunk")
    return found


def _loss(head: Head, network: Network, pictures: Tensor, places: Tensor) -> Tensor:
    """Of uint8 (N, 3, 224, 224) and the shares of text in it."""
    with torch.autocast("cpu", torch.bfloat16):
        said = head(_features(network, pictures.float() / 255))
    return F.binary_cross_entropy_with_logits(said.float(), places)


def _varied(pictures: Tensor, places: Tensor, draw: np.random.Generator) -> tuple[Tensor, Tensor]:
    """The same in other colours, and half of the times mirrored."""
    if draw.random() < 0.5:
        pictures, places = pictures.flip(-1), places.flip(-1)
    pictures = pictures[:, draw.permutation(3)]
    return (255 - pictures if draw.random() < 0.5 else pictures), places


@torch.no_grad()
def _measure(head: Head, network: Network, pictures: Tensor, places: Tensor) -> Probe:
    said = head(_features(network, pictures.float() / 255))
    text = places.amax(1) >= TEXT
    right = (said.argmax(1) == places.argmax(1))[text].float().mean()
    return Probe(auc(said.amax(1), text), float(right))


def _keep(path: Path, state: dict[str, Any]) -> None:
    """Replace the newest state in one move."""
    learners = [part.state_dict() for part in state["learners"]]
    half = path.with_suffix(".part")
    torch.save({**state, "learners": learners, "optimizer": state["optimizer"].state_dict()}, half)
    half.replace(path)


def _resume(path: Path, state: dict[str, Any]) -> int:
    """Load the newest state, if there is one; the step to go on with."""
    if not path.is_file():
        return 0
    kept = torch.load(path, weights_only=True)
    if kept["key"] != state["key"]:
        raise TrainingError(
            f"{path.parent}: holds a run with other settings; name another --out, or remove it"
        )
    for part, weights in zip(state["learners"], kept["learners"], strict=True):
        part.load_state_dict(weights)
    state["optimizer"].load_state_dict(kept["optimizer"])
    return int(kept["step"])


def auc(scores: Tensor, positive: Tensor) -> float:
    """Area under the ROC curve; ties count half."""
    from scipy.stats import rankdata

    known = positive.flatten().numpy()
    hits, misses = int(known.sum()), int((~known).sum())
    above = rankdata(scores.flatten().numpy())[known].sum() - hits * (hits + 1) / 2
    return float(above / (hits * misses))


@dataclass(frozen=True)
class Headed(ScoredSelector):
    """A gaze by such a head, as `text_lines` by the detector: whole groups of likely patches, each at its scale, the
    cheapest first. It sees every tile through the trunk, once, and no detector. head: folder of `probe`.

    Raises CheckpointError (a ValueError) where one of them is missing.
    """

    head: str = ""
    network: Network = field(init=False, repr=False, compare=False)
    layers: Head = field(init=False, repr=False, compare=False)

    name: ClassVar[str] = "headed"
    history: ClassVar[int | None] = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        model = AutoGaze.from_pretrained(Path(self.head) / "trunk")
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
            "trunk": fingerprint(Path(self.head) / "trunk"),
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
