"""Teaching the encoder characters: what the tiles say, and that a run goes on to the same weights."""

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from autogaze.training.config import TrainingError, read
from autogaze.training.reading.config import ReadingConfig
from autogaze.training.reading.letters import train
from autogaze.training.reading.lines import ALPHABET, IGNORE, Lines, batch
from autogaze.training.trail import lines as entries


def settings(out: Path, **changes: object) -> ReadingConfig:
    few = {"steps": 3, "batch": 4, "checkpoint_every": 1, "held_out": 4, "optimizer__warmup": 1}
    return read(ReadingConfig, "letters-cpu", out=out, **{**few, **changes})


def spoken(tiles: Lines, n: int) -> str:
    return "".join(ALPHABET[c] for c in tiles.letters[n].flatten().tolist() if c > 0)


def test_patches_hold_the_line_in_order() -> None:
    tiles = batch(np.random.default_rng(4), 200)
    again = batch(np.random.default_rng(4), 200)
    assert torch.equal(tiles.pixels, again.pixels)
    assert tiles.texts == again.texts
    seen = tiles.letters[tiles.gaze]
    assert (tiles.letters[~tiles.gaze] == IGNORE).all(), "asked about a patch that was not gazed at"
    assert (seen > 0).any(1).float().mean() > 0.3
    whole = [n for n in range(200) if not (tiles.letters[n][tiles.gaze[n]] == IGNORE).any()]
    same = [spoken(tiles, n) == tiles.texts[n].replace(" ", "") for n in whole]
    assert len(whole) > 50
    assert np.mean(same) > 0.97  # a fifth narrow character of one patch is left out


def test_ink_is_where_the_patches_are() -> None:
    tiles = batch(np.random.default_rng(5), 60)
    fine = tiles.letters[:, -196:].amax(-1).view(60, 14, 14) > 0
    patches = tiles.pixels.float().mean(1).unfold(1, 16, 16).unfold(2, 16, 16).flatten(3)
    assert patches.std(-1)[fine].median() > 2 * patches.std(-1)[~fine].median()


def test_stopped_run_ends_with_the_same_weights(tmp_path: Path) -> None:
    torch.set_num_threads(1)
    train(settings(tmp_path / "whole"))
    train(settings(tmp_path / "parts"), stop_after=2)
    train(settings(tmp_path / "parts"))
    first, second = (
        load_file(str(tmp_path / run / "model" / "model.safetensors")) for run in ("whole", "parts")
    )
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert [entry["step"] for entry in entries(tmp_path / "parts" / "metrics.jsonl")] == [0, 1, 2]
    with pytest.raises(TrainingError, match="holds a run with other settings"):
        train(settings(tmp_path / "parts", seed=1))


def test_loss_falls(tmp_path: Path) -> None:
    train(settings(tmp_path, steps=12, batch=8))
    losses = [entry["loss"] for entry in entries(tmp_path / "metrics.jsonl")]
    assert np.mean(losses[-3:]) < 0.7 * losses[0]
