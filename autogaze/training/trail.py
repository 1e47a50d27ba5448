"""What a run leaves to look at: metrics.jsonl, validation.jsonl, pictures, and TensorBoard's files where installed."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from hlvid.files import Lines, write_text


class Trail:
    """Writes one line a step and one a validation into `folder`; begin: the step that the run goes on with."""

    def __init__(self, folder: Path, begin: int) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._metrics = folder / "metrics.jsonl"
        self._looks = folder / "validation.jsonl"
        self._pictures = folder / "pictures"
        _forget(self._metrics, begin)
        _forget(self._looks, begin + 1)
        self._board = _board(folder, begin)

    def step(self, step: int, figures: Mapping[str, float]) -> None:
        self._write(self._metrics, "train", step, figures)

    def validation(self, step: int, figures: Mapping[str, float]) -> None:
        """What a validation after `step` steps found."""
        self._write(self._looks, "validation", step, figures)

    def picture(self, step: int, picture: NDArray[np.uint8]) -> None:
        """What the model gazes at after `step` steps: uint8 (H, W, 3)."""
        path = self._pictures / f"{step:07d}.png"
        path.parent.mkdir(exist_ok=True)
        Image.fromarray(picture).save(path)
        if self._board is not None:
            self._board.add_image("gaze", picture, step, dataformats="HWC")

    def close(self) -> None:
        """Flush TensorBoard's files."""
        if self._board is not None:
            self._board.close()

    def _write(self, path: Path, kind: str, step: int, figures: Mapping[str, float]) -> None:
        with path.open("a") as file:
            file.write(json.dumps({"step": step, **{k: round(v, 6) for k, v in figures.items()}}) + "\n")
        if self._board is not None:
            for name, value in figures.items():
                self._board.add_scalar(f"{kind}/{name}", value, step)


def lines(path: Path) -> list[dict[str, float]]:
    """The entries of a metrics file; a torn last line, left by a kill, is passed over."""
    return [entry for _, entry in Lines(path).read(final=True) if entry is not None]


def _forget(path: Path, begin: int) -> None:
    """Keep the lines of steps before `begin`: the later ones will be written again."""
    if path.is_file():
        kept = [json.dumps(entry) + "\n" for entry in lines(path) if entry["step"] < begin]
        write_text(path, "".join(kept))


def _board(folder: Path, begin: int) -> Any:
    """TensorBoard's writer, or None where the package is not installed."""
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        return None
    return SummaryWriter(str(folder / "tensorboard"), purge_step=begin)
