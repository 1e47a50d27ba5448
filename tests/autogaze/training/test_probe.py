"""Text tiles know where their text is; a head learns it from frozen features, and gazes by it.

Run: pytest tests/autogaze/training/test_probe.py
"""

import shutil
from pathlib import Path

import pytest
import torch
from typer.testing import CliRunner

from autogaze.model.autogaze import AutoGaze
from autogaze.selectors import get
from autogaze.selectors.conformance import check
from autogaze.training.cli import app
from autogaze.training.config import TrainingError
from autogaze.training.probe import Headed, auc, probe
from autogaze.training.text_tiles import read_share, tile, tiles
from autogaze.weights import bundled


def test_tiles_are_the_same_for_the_same_seed_and_most_have_no_text() -> None:
    assert all(torch.equal(a, b) for a, b in zip(tile(5), tile(5), strict=True))
    pictures, places = tiles(range(40))
    assert (
        pictures.shape == (40, 3, 224, 224)
        and pictures.dtype == torch.uint8
        and places.shape == (40, 4, 14, 14)
    )
    bare = (places.flatten(1).amax(1) == 0).float().mean()
    assert 0.4 < bare < 0.8 and float(places.max()) == 1


def test_text_has_more_edges_than_the_rest() -> None:
    """The place is where the letters are: there the picture changes most, over many tiles."""
    pictures, scales = tiles(range(40))
    places = scales.amax(1)
    grey = pictures.float().mean(1)
    steps = (grey[:, :, 1:] - grey[:, :, :-1]).abs()
    cells = torch.nn.functional.avg_pool2d(torch.nn.functional.pad(steps, (0, 1)), 16)
    assert cells[places > 0.5].mean() > 2 * cells[places == 0].mean()


def test_auc_of_known_orders() -> None:
    positive = torch.tensor([False, False, True, True])
    assert auc(torch.tensor([0.1, 0.2, 0.3, 0.4]), positive) == 1
    assert auc(torch.tensor([0.1, 0.4, 0.3, 0.2]), positive) == pytest.approx(0.5)
    assert auc(torch.zeros(4), positive) == 0.5


@pytest.mark.slow
def test_a_head_is_taught_and_gazes(tmp_path: Path) -> None:
    out = tmp_path / "head"
    settings = ["--steps", "120", "--tiles", "64", "--batch", "8", "--trunk"]
    said = CliRunner().invoke(app, ["probe", "--out", str(out), *settings])
    assert said.exit_code == 0, said.output
    assert float(said.output.split()[1]) > 0.75 and "Headed,head=" in said.output
    selector = Headed(head=str(out))
    assert all(finding.ok for finding in check(selector))
    picture, place = tile(next(seed for seed in range(99) if float(tile(seed)[1].sum()) > 8))
    gaze = selector.select(picture[None, None].float() / 255, ratio=0.04)
    there = place.amax(0) > 0
    parts = [mask[0, 0] for mask in gaze.scale_masks()]
    wide = [part.repeat_interleave(14 // len(part), 0) for part in parts if 14 % len(part) == 0]
    seen = torch.stack([part.repeat_interleave(14 // part.shape[1], 1) for part in wide])
    assert float(there[seen.any(0)].float().mean()) > 1.2 * float(there.float().mean())
    with pytest.raises(ValueError, match="neither an existing folder"):
        get("autogaze.training.probe:Headed", head=str(tmp_path / "none"))


def test_what_is_read_is_what_is_seen_finely_enough() -> None:
    _, places = tiles(range(20))
    everything, nothing = torch.ones(20, 265, dtype=torch.bool), torch.zeros(20, 265, dtype=torch.bool)
    coarse = nothing.clone()
    coarse[:, :69] = True  # 32, 64 and 112 px
    assert read_share(everything, places) == 1 and read_share(nothing, places) == 0
    assert read_share(coarse, places) == pytest.approx(float(places[:, :3].sum() / places.sum()))


def test_a_trunk_learns_with_its_head_and_a_killed_run_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("autogaze.training.probe.LOOK", 2)

    def run(out: Path, steps: int = 4) -> dict[str, torch.Tensor]:
        model = AutoGaze.from_pretrained(bundled())
        probe(model, out, steps=steps, batch=2, count=8, trunk=True)
        return dict(AutoGaze.from_pretrained(out / "trunk").gazing_model.state_dict())

    whole = run(tmp_path / "whole")
    assert all(finding.ok for finding in check(Headed(head=str(tmp_path / "whole"))))
    start = AutoGaze.from_pretrained(bundled()).gazing_model.state_dict()
    moved = {name.split(".")[0] for name, value in whole.items() if not torch.equal(value, start[name])}
    assert moved == {"vision_model"}
    shutil.copytree(tmp_path / "whole", tmp_path / "killed")
    (tmp_path / "killed" / "model.safetensors").unlink()
    again = run(tmp_path / "killed")
    assert all(torch.equal(value, again[name]) for name, value in whole.items())
    with pytest.raises(TrainingError, match="other settings"):
        run(tmp_path / "killed", steps=5)
