"""Teach a gaze to read: AutoGaze's trunk and a head (`selectors.reads`), on generated squares that know their text.

Example::

    found = learn(AutoGaze.from_pretrained(bundled()), Path("runs/reads"), Recipe(steps=2400))
    get("reads", checkpoint="runs/reads")

With `frozen` the head alone learns: can the trunk, as it is, see text at all? What is taught is a map; that a list
made from the true map reads what there is to read is shown in autogaze/weights/README.md, so no decoder is taught.

A run's folder is one as `hlvid train report` shows it. Killed, the same call makes its squares anew and goes on.
"""

import hashlib
import time
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from autogaze.gaze import grid_sides
from autogaze.model.autogaze import AutoGaze
from autogaze.selectors.pyramid import tokens
from autogaze.selectors.reads import PROCESSOR, TextReader
from autogaze.selectors.text_map import text_map
from autogaze.training import state
from autogaze.training.batches import MIRROR
from autogaze.training.clips import Window, videos_in
from autogaze.training.gather import gather
from autogaze.training.schedule import rate
from autogaze.training.text_tiles import HELD_OUT, SIZE, SQUARE, Squares, shades, squares, wanted
from autogaze.training.trail import Trail

LOOK = 200
"""Steps between two looks at the tiles that are not trained on, and two states to go on from."""
TESTED = 512
TOGETHER = 256
"""Squares that a process makes at a time."""
TEXTLESS = 0.25
"""A recording's window whose most likely pixel of text is below this has none."""
WINDOWS = 24
"""Windows of a recording that are looked at, from a quarter as many frames."""


@dataclass(frozen=True)
class Recipe:
    """steps of `batch` tiles each, cut at random from `count` squares (250 kB of memory each); `peak` learning rate.

    seed decides squares, weights of the head and order. frozen: the trunk stays as it is.
    """

    steps: int = 2400
    batch: int = 64
    count: int = 16384
    peak: float = 2e-3
    seed: int = 0
    frozen: bool = False


@dataclass(frozen=True)
class Found:
    """On held-out tiles, auc: the chance that a token that shows a line readably is rated above one that does not, of
    those with text anywhere; loss: cross-entropy."""

    auc: float
    loss: float


def learn(
    model: AutoGaze,
    out: Path,
    recipe: Recipe,
    grounds: NDArray[np.uint8] | None = None,
    processes: int = 2,
    device: str = "cpu",
) -> Found:
    """Train by `recipe`, from the trunk of `model`, and measure on tiles that were not trained on.

    grounds: see `text_tiles.square`. Writes into `out` model.safetensors and config.json as `selectors.reads` takes
    them, metrics, and the newest state. Raises TrainingError where the folder holds a run with other settings.
    """
    reader = _beginning(model, recipe).to(device)
    learning = [weight for weight in reader.parameters() if weight.requires_grad]
    optimizer = torch.optim.AdamW(learning, lr=recipe.peak, betas=(0.9, 0.98), weight_decay=0.01)
    newest, key = out / "state.pt", {**asdict(recipe), "grounds": _mark(grounds)}
    begin = state.resume(newest, key, reader, optimizer, device)
    first = recipe.seed * recipe.count
    known = make(range(first, first + recipe.count), grounds, processes)
    tested = make(range(HELD_OUT, HELD_OUT + min(max(8, recipe.count // 4), TESTED)), None, processes)
    trail, start = Trail(out, begin), time.perf_counter()
    for step in range(begin, recipe.steps):
        for group in optimizer.param_groups:
            group["lr"] = rate(step, recipe.steps, recipe.peak, recipe.steps // 20, "cosine")
        draw = np.random.default_rng([recipe.seed, 12, step])
        loss = _loss(reader, *(part.to(device) for part in batch(known, draw, recipe.batch)))
        optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(learning, 1.0)
        optimizer.step()
        trail.step(step, {"loss": loss.item(), "minutes": (time.perf_counter() - start) / 60})
        if (step + 1) % LOOK == 0 and step + 1 < recipe.steps:
            trail.validation(step + 1, asdict(_measure(reader, tested, recipe.batch, device)))
            state.write(newest, key, reader, optimizer, step + 1)
    reader.save(out)
    model.gazing_model.vision_model.load_state_dict(reader.trunk.state_dict())
    model.save_pretrained(out / "trunk")  # for those who teach a decoder on it
    reached = _measure(TextReader.load(out).to(device), tested, recipe.batch, device)
    trail.validation(recipe.steps, asdict(reached))
    trail.close()
    return reached


def _beginning(model: AutoGaze, recipe: Recipe) -> TextReader:
    """The trunk of `model`, and a head with the seed's weights."""
    torch.manual_seed(recipe.seed)
    reader = TextReader(model.config)
    reader.trunk.load_state_dict(model.gazing_model.vision_model.state_dict())
    reader.trunk.requires_grad_(not recipe.frozen)
    reader.head.to(memory_format=torch.channels_last)
    return reader


def _mark(grounds: NDArray[np.uint8] | None) -> str | None:
    """What tells these grounds from others."""
    return None if grounds is None else hashlib.sha256(np.ascontiguousarray(grounds).data).hexdigest()[:16]


def make(seeds: range, grounds: NDArray[np.uint8] | None, processes: int) -> Squares:
    """`text_tiles.squares`, by several processes, with progress on stderr."""
    return gather(partial(squares, grounds=grounds), seeds, TOGETHER, processes)


def textless(folder: Path, without: tuple[str, ...] = (), seed: int = 0) -> NDArray[np.uint8]:
    """Windows of a folder's recordings in which the OCR package's detector sees no text, uint8 (N, 288, 288, 3).

    without: names of files, less suffix, that are left out. Raises ValueError where nothing is left.
    """
    kept = []
    for path in videos_in(folder):
        for n in range(0 if path.stem in without else WINDOWS):
            window = Window.read(path, seed=seed + n // 4, length=1, short_side=SQUARE * 4)
            shown = window.clip(seed + n, 1, SQUARE)[0].permute(1, 2, 0).contiguous().numpy()
            if text_map(shown).max() < TEXTLESS:
                kept.append(shown)
    if not kept:
        raise ValueError(f"--videos {folder}: no window without text in it; give other recordings, or none")
    return np.stack(kept)


def batch(known: Squares, draw: np.random.Generator, count: int) -> tuple[Tensor, Tensor, Tensor]:
    """Pixels float (count, 3, 224, 224) in AutoGaze's range, and of their tokens which show a line and which are spare,
    (count, 265) each. Tiles are cut anywhere, in other colours and contrasts, half of the batches mirrored."""
    picked = draw.integers(0, len(known.pictures), count)
    corners = draw.integers(0, SQUARE - SIZE + 1, (count, 2))
    told, mirror = wanted(known.lines[picked], corners), draw.random() < 0.5
    low, high = (float(PROCESSOR.from_unit(torch.full((1, 1, 3, 1, 1), end))[0, 0, 0]) for end in (0.0, 1.0))
    tables = (low + (high - low) * shades(draw, count)).astype(np.float32)
    pixels = np.empty((count, SIZE, SIZE, 3), np.float32)
    for n, (left, top) in enumerate(corners):
        tile = known.pictures[picked[n], top : top + SIZE, left : left + SIZE]
        tile = tile[:, ::-1] if mirror else tile
        pixels[n] = tables[n][tile[..., draw.permutation(3)] if draw.random() < 0.5 else tile]
    show, spare = (torch.from_numpy(part[:, MIRROR] if mirror else part) for part in (told.show, told.spare))
    return torch.from_numpy(pixels).permute(0, 3, 1, 2), show, spare


def _loss(reader: TextReader, pixels: Tensor, show: Tensor, spare: Tensor) -> Tensor:
    with torch.autocast(pixels.device.type, torch.bfloat16):
        said = reader(pixels)
    each = F.binary_cross_entropy_with_logits(_tokens(said.float()), show.float(), reduction="none")
    return 20 * (each * ~spare).mean()


def _tokens(logits: Tensor) -> Tensor:
    """(N, 4, 14, 14) -> (N, 265), each token the best of its patches."""
    return tokens([F.adaptive_max_pool2d(logits[:, s], side) for s, side in enumerate(grid_sides())])


@torch.no_grad()
def _measure(reader: TextReader, tested: Squares, count: int, device: str) -> Found:
    draw, losses, said, known = np.random.default_rng(0), [], [], []
    for _ in range(max(1, len(tested.pictures) // count)):
        pixels, show, spare = (part.to(device) for part in batch(tested, draw, count))
        losses.append(float(_loss(reader, pixels, show, spare)))
        said.append(_tokens(reader(pixels).float())[~spare].cpu())
        known.append(show[~spare].cpu())
    return Found(auc(torch.cat(said), torch.cat(known)), float(np.mean(losses)))


def auc(scores: Tensor, positive: Tensor) -> float:
    """Area under the ROC curve; ties count half."""
    from scipy.stats import rankdata

    known = positive.flatten().numpy()
    hits, misses = int(known.sum()), int((~known).sum())
    above = rankdata(scores.flatten().numpy())[known].sum() - hits * (hits + 1) / 2
    return float(above / (hits * misses))
