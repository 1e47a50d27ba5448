"""A head learns where text is, with the trunk or on it as it is; a killed run ends as one that was let be."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from autogaze.model.autogaze import AutoGaze
from autogaze.selectors import get
from autogaze.selectors.reads import TextReader
from autogaze.training import reads
from autogaze.training.cli import app
from autogaze.training.clips import Window
from autogaze.training.config import TrainingError
from autogaze.training.reads import Recipe, auc, batch, learn, make, textless
from autogaze.training.text_tiles import Squares
from autogaze.weights import bundled


@pytest.fixture(scope="module")
def known() -> Squares:
    return make(range(24), None, 1)


def test_auc_of_known_orders() -> None:
    positive = torch.tensor([False, False, True, True])
    assert auc(torch.tensor([0.1, 0.2, 0.3, 0.4]), positive) == 1
    assert auc(torch.tensor([0.1, 0.4, 0.3, 0.2]), positive) == pytest.approx(0.5)
    assert auc(torch.zeros(4), positive) == 0.5


def test_batches_are_tiles_in_the_models_range_whose_marks_follow_them(known: Squares) -> None:
    pixels, show, spare = batch(known, np.random.default_rng(0), 64)
    again = batch(known, np.random.default_rng(0), 64)
    assert torch.equal(pixels, again[0]) and torch.equal(show, again[1])
    assert pixels.shape == (64, 3, 224, 224) and show.shape == spare.shape == (64, 265)
    assert float(pixels.min()) >= -3 and float(pixels.max()) <= 1
    assert show.any() and not (show & spare).any()
    finest = show[:, -196:].view(-1, 14, 14)
    patches = pixels.mean(1).unfold(1, 16, 16).unfold(2, 16, 16).flatten(3).std(-1)
    assert patches[finest].mean() > 1.5 * patches[~show.any(1)].mean()


def test_several_processes_make_the_same_squares(known: Squares, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reads, "TOGETHER", 5)
    again = make(range(24), None, 1)
    assert np.array_equal(again.pictures, known.pictures) and np.array_equal(again.lines, known.lines)


def test_a_trunk_learns_with_its_head_and_a_killed_run_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reads, "LOOK", 2)
    recipe = Recipe(steps=4, batch=2, count=8)

    def run(out: Path, recipe: Recipe = recipe) -> dict[str, torch.Tensor]:
        learn(AutoGaze.from_pretrained(bundled()), out, recipe, processes=1)
        return dict(TextReader.load(out).state_dict())

    whole = run(tmp_path / "whole")
    shutil.copytree(tmp_path / "whole", tmp_path / "killed")
    (tmp_path / "killed" / "model.safetensors").unlink()
    again = run(tmp_path / "killed")
    assert all(torch.equal(value, again[name]) for name, value in whole.items())
    with pytest.raises(TrainingError, match="other settings"):
        run(tmp_path / "killed", Recipe(steps=5, batch=2, count=8))
    with pytest.raises(
        TrainingError, match="other settings"
    ):  # other pictures behind the signs are another run
        grey = np.full((1, 288, 288, 3), 90, np.uint8)
        learn(AutoGaze.from_pretrained(bundled()), tmp_path / "killed", recipe, grey, processes=1)
    start = AutoGaze.from_pretrained(bundled()).gazing_model.vision_model.state_dict()
    moved = {name for name, value in start.items() if not torch.equal(value, whole[f"trunk.{name}"])}
    assert moved
    alone = run(tmp_path / "frozen", Recipe(steps=2, batch=2, count=8, frozen=True))
    assert all(torch.allclose(value, alone[f"trunk.{name}"], atol=1e-3) for name, value in start.items())


def test_windows_with_text_are_no_grounds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("written", "bare", "left_out"):
        (tmp_path / f"{name}.mp4").touch()

    def read(path: Path, **_: object) -> Window:
        return Window(np.full((1, 400, 500, 3), 250 if path.stem == "written" else 90, np.uint8))

    monkeypatch.setattr(Window, "read", read)
    monkeypatch.setattr(reads, "text_map", lambda picture: (picture[..., 0] > 200).astype(np.float32))
    kept = textless(tmp_path, without=("left_out",))
    assert kept.shape == (reads.WINDOWS, 288, 288, 3) and kept.dtype == np.uint8 and (kept == 90).all()
    with pytest.raises(ValueError, match="no window without text"):
        textless(tmp_path, without=("left_out", "bare"))


@pytest.mark.slow
def test_the_command_makes_a_gaze_that_sees_text(tmp_path: Path) -> None:
    out = tmp_path / "reads"
    settings = ["--steps", "150", "--squares", "256", "--batch", "16", "--processes", "1"]
    said = CliRunner().invoke(app, ["reads", "--out", str(out), *settings])
    assert said.exit_code == 0, said.output
    assert (
        float(said.output.split("AUC")[1].split()[0]) > 0.85 and "selector reads,checkpoint=" in said.output
    )
    assert (out / "metrics.jsonl").is_file() and (out / "validation.jsonl").is_file()
    gaze = get("reads", checkpoint=str(out)).select(torch.rand(1, 1, 3, 224, 224), ratio=0.05)
    assert gaze.positions.shape == (1, 13)
