"""What a model looked at in a video, frame by frame, kept beside its answers for pictures and figures.

A file holds bits, packed and compressed: 1,024 frames of 4K some hundred kilobytes to few megabytes. A journal
holds only its name.
"""

import hashlib
import os
from dataclasses import dataclass, field
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt

from hlvid.errors import RunError
from hlvid.files import whole

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class GazeFile:
    """The gazes at a video.

    masks: frame index -> bool (tiles, tokens), tiles row by row, tokens coarse scale first.
    rows, columns: of tiles. size: height and width in pixels of the pictures, padding not counted.
    tile: side of a tile in pixels. sides: patches along one side of a tile at every scale.
    """

    masks: dict[int, Mask]
    rows: int
    columns: int
    size: tuple[int, int]
    tile: int
    sides: tuple[int, ...]

    def cells(self, index: int) -> list[Mask]:
        """The patches seen in a frame at every scale, coarse first: bool (rows * g, columns * g)."""
        found, begin = [], 0
        for side in self.sides:
            part = self.masks[index][:, begin : begin + side * side]
            grid = part.reshape(self.rows, self.columns, side, side).swapaxes(1, 2)
            found.append(grid.reshape(self.rows * side, self.columns * side))
            begin += side * side
        return found


@dataclass
class Recorder:
    """Collects the masks of one video."""

    path: Path
    masks: dict[int, Mask] = field(default_factory=dict)

    @classmethod
    def for_video(cls, video: Path) -> "Recorder | None":
        """A recorder for this video, where gazes are to be kept: `$HLVID_GAZE` names their folder."""
        folder = os.environ.get("HLVID_GAZE")
        if not folder:
            return None
        digits = hashlib.sha256(str(video.absolute()).encode()).hexdigest()[:12]
        return cls(Path(folder) / f"{video.stem[:80]}-{digits}.npz")

    def add(self, index: int, mask: Mask) -> None:
        """Bool (tiles, tokens) of the frame with this index in the video."""
        self.masks[index] = mask

    def save(
        self, *, rows: int, columns: int, size: tuple[int, int], scales: tuple[int, ...], patch: int
    ) -> str:
        """Write the file, whole or not at all; its name within the folder."""
        indices = sorted(self.masks)
        stacked = np.stack([self.masks[index] for index in indices])
        with whole(self.path) as fresh:
            np.savez_compressed(
                fresh,
                indices=np.array(indices),
                bits=np.packbits(stacked, axis=-1),
                tokens=stacked.shape[-1],
                shape=np.array([rows, columns, *size, scales[-1]]),
                sides=np.array([scale // patch for scale in scales]),
            )
        return self.path.name


def load(path: Path) -> GazeFile:
    """Read what `Recorder.save` wrote. Raises RunError where it cannot be read."""
    try:
        with np.load(path, allow_pickle=False) as file:
            bits = np.unpackbits(file["bits"], axis=-1, count=int(file["tokens"])).astype(bool)
            rows, columns, height, width, tile = (int(value) for value in file["shape"])
            masks = {int(index): mask for index, mask in zip(file["indices"], bits, strict=True)}
            sides = tuple(int(side) for side in file["sides"])
    except (OSError, ValueError, KeyError, BadZipFile) as error:
        raise RunError(f"{path}: gazes cannot be read ({error})") from error
    return GazeFile(masks, rows, columns, (height, width), tile, sides)
