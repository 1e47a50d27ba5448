"""The checkpoint in the package: it loads, it is small, it looks better than chance, and says what it is."""

import json
import logging
from pathlib import Path

import pytest
import torch

from autogaze.model.autogaze import AutoGaze
from autogaze.model.calibration import Calibration
from autogaze.model.processing import AutoGazeImageProcessor
from autogaze.selectors import get
from autogaze.training import contenders, generator
from autogaze.training.evaluate import measure
from autogaze.weights import bundled


def test_it_has_the_published_shape_and_fits_the_repository() -> None:
    folder = bundled()
    assert (folder / "model.safetensors").stat().st_size <= 7_000_000
    model = AutoGaze.from_pretrained(folder)
    assert sum(p.numel() for p in model.parameters()) == 3_258_240
    assert model.device.type == "cpu" and next(model.parameters()).dtype == torch.float32
    assert AutoGazeImageProcessor.from_pretrained(folder) == AutoGazeImageProcessor(
        image_mean=[0.5] * 3, image_std=[0.5] * 3
    )
    assert "Limits" in (folder / "README.md").read_text()


def test_it_beats_the_heuristics_on_scenes_it_never_saw() -> None:
    """Generated clips of seeds far from those trained on."""
    clips = [generator.clip(seed, frames=4) for seed in range(900_000, 900_004)]
    everybody = {**contenders.heuristics(), "bundled": contenders.checkpoint(bundled())}
    losses = measure(everybody, clips, ratios=(0.1,)).losses.mean((1, 2))
    assert losses.argmin() == list(everybody).index("bundled"), dict(zip(everybody, losses, strict=True))


def test_the_selector_takes_it_and_says_so(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        selector = get("autogaze")
    assert "bundled" in caplog.text and selector.settings()["checkpoint"] == "bundled"
    clips = generator.clip(1, frames=2)[None].float() / 255
    assert selector.select(clips, ratio=0.05).per_frame == (13, 13)


@pytest.mark.parametrize(("budget", "spent"), [("picture", [5, 5]), ("frame", None)])
def test_a_shared_budget_is_a_mean_and_takes_the_beginnings_of_lists(
    budget: str, spent: list[int] | None
) -> None:
    """Two tiles, one of them flat: the textured one gets more, and of both what `tile` would take first."""
    clips = generator.clip(3, frames=2)[None].float().div(255).repeat(2, 1, 1, 1, 1)
    clips[1] = 0.5
    shared = get("autogaze", budget=budget).select(clips, ratio=0.01, layout=(2, 1)).masks()
    assert int(shared.sum()) == 10 and spent in (None, shared.sum((0, 2)).tolist())
    assert shared[0].sum() > shared[1].sum() > 0
    whole = get("autogaze").select(clips, ratio=0.04)
    for tile, frame in ((0, 0), (0, 1), (1, 0), (1, 1)):
        chosen = shared[tile, frame].nonzero().flatten().tolist()
        listed = whole.positions[tile].split(whole.per_frame)[frame].remainder(265).tolist()
        assert sorted(listed[: len(chosen)]) == chosen
    with pytest.raises(ValueError, match="'tile', 'picture', 'frame'"):
        get("autogaze", budget="clip")


def test_calibrated_loss_is_what_is_reached_on_average() -> None:
    """Measured again on generated clips: other pictures, so only roughly, but nearer than the prediction."""
    measured = Calibration.load(bundled())
    assert measured.clips >= 16 and list(measured.ratios) == sorted(measured.ratios, reverse=True)
    selector = get("autogaze", calibrated=True)
    clips = generator.clip(2, frames=2)[None].float() / 255
    strict, loose = (selector.select(clips, ratio=0.3, loss=loss).counts().sum() for loss in (0.03, 0.15))
    assert strict > loose


def test_calibration_names_what_it_measured(tmp_path: Path) -> None:
    data = json.loads((bundled() / "calibration.json").read_text())
    assert "normalised" in data["metric"]
    with pytest.raises(ValueError, match=r"no calibration\.json"):
        Calibration.load(tmp_path)
