"""Labelled clips: what the greedy search took in each frame, and the loss after each token; files and sets.

A shard is one safetensors file. `hlvid train labels` makes a set of them (see `autogaze.training.label_making`), or
from the published ones (`autogaze.training.published_labels`).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import Dataset

from autogaze.model.checkpoint import save_tensors
from hlvid.files import whole

SUFFIX = ".safetensors"


class LabelError(ValueError):
    """Labels that are missing, damaged or made otherwise than asked; the message names file and remedy."""


@dataclass(frozen=True, eq=False)
class LabelledClip:
    """A clip with the greedy search's choice.

    frames: uint8 (T, 3, 224, 224). order: per frame, token ids 0 to 264 in the order taken. losses: per
    frame, its reconstruction loss after each of them (L1 on normalised pixels with the paste reconstructor).
    """

    frames: Tensor
    order: tuple[tuple[int, ...], ...]
    losses: tuple[tuple[float, ...], ...]

    def __post_init__(self) -> None:
        counts = [len(part) for part in self.order]
        if len(self.frames) != len(counts) or counts != [len(part) for part in self.losses]:
            raise ValueError(
                f"frames {tuple(self.frames.shape)}, order {counts}, losses {[len(x) for x in self.losses]}: "
                "expected one list of tokens and one of as many losses for each frame"
            )


def save(path: str | Path, clips: Sequence[LabelledClip]) -> None:
    """Write a shard; it appears whole or not at all, whenever the process dies."""
    tensors = {
        "frames": torch.cat([clip.frames for clip in clips]),
        "lengths": torch.tensor([len(clip.frames) for clip in clips]),
        "counts": torch.tensor([len(part) for clip in clips for part in clip.order]),
        "order": torch.tensor([x for clip in clips for part in clip.order for x in part], dtype=torch.int16),
        "losses": torch.tensor([x for clip in clips for part in clip.losses for x in part]),
    }
    with whole(Path(path)) as fresh:
        save_tensors(tensors, fresh, None)


def load(path: str | Path) -> list[LabelledClip]:
    """Read a shard. Raises LabelError where it is damaged or no shard."""
    shard = Shard(Path(path))
    return [shard.clip(index) for index in range(len(shard))]


class Shard:
    """One file: its lists in memory, its frames on disk."""

    def __init__(self, path: Path) -> None:
        self.path = path
        with self._opened() as file:
            try:
                small = {name: file.get_tensor(name) for name in ("lengths", "counts", "order", "losses")}
                stored = file.get_slice("frames").get_shape()
            except Exception as error:
                raise self._damaged(f"entry missing ({error})") from error
        self.lengths = [int(x) for x in small["lengths"]]
        counts = [int(x) for x in small["counts"]]
        whole = (sum(self.lengths), sum(self.lengths), sum(counts), sum(counts))
        if whole != (stored[0], len(counts), len(small["order"]), len(small["losses"])):
            raise self._damaged("its lists do not fit each other")
        self._order = [tuple(part.tolist()) for part in small["order"].split(counts)]
        self._losses = [tuple(part.tolist()) for part in small["losses"].split(counts)]
        self._first = [sum(self.lengths[:i]) for i in range(len(self.lengths))]

    def __len__(self) -> int:
        return len(self.lengths)

    def clip(self, index: int) -> LabelledClip:
        """Clip `index`; reads its frames alone."""
        rows = slice(self._first[index], self._first[index] + self.lengths[index])
        with self._opened() as file:
            frames = file.get_slice("frames")[rows.start : rows.stop]
        return LabelledClip(frames, tuple(self._order[rows]), tuple(self._losses[rows]))

    def _opened(self) -> Any:
        from safetensors import safe_open

        try:
            return safe_open(str(self.path), "pt")
        except FileNotFoundError as error:
            raise LabelError(f"labels {self.path}: no such file") from error
        except Exception as error:
            raise self._damaged(str(error).splitlines()[0]) from error

    def _damaged(self, why: str) -> LabelError:
        return LabelError(
            f"labels {self.path}: damaged ({why}); delete the file and make the labels again with the same "
            "settings, which makes what is missing"
        )


class LabelSet(Dataset[LabelledClip]):
    """All clips of a folder's shards, shard after shard in the order of their names.

    Raises LabelError for a folder without shards, or with a damaged one.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        self.shards = [Shard(path) for path in sorted(self.folder.glob(f"[!.]*{SUFFIX}"))]
        if not self.shards:
            raise LabelError(
                f"labels {self.folder}: no *{SUFFIX} file in it; make some with 'hlvid train labels'"
            )
        self._places = [(shard, i) for shard in self.shards for i in range(len(shard))]

    def __len__(self) -> int:
        return len(self._places)

    def __getitem__(self, index: int) -> LabelledClip:
        shard, place = self._places[index]
        return shard.clip(place)

    def __iter__(self) -> Iterator[LabelledClip]:
        return (self[index] for index in range(len(self)))
