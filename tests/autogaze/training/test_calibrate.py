"""Calibration: thresholds against what they lead to, and the model that uses them."""

from pathlib import Path

import pytest
import torch

from autogaze.model.calibration import Calibration
from autogaze.model.config import AutoGazeConfig
from autogaze.training import generator
from autogaze.training.calibrate import calibrate
from autogaze.training.initial import fresh

SMALL = AutoGazeConfig(vision_dim=48, hidden_size=48, intermediate_size=64, layers=1, heads=2)


def calibration(reached: list[float]) -> Calibration:
    return Calibration([0.1, 0.2, 0.3], reached, [0.2, 0.1, 0.05], "loss", clips=3, cap=0.3)


def test_threshold_lies_between_the_measured_ones() -> None:
    measured = calibration([0.15, 0.25, 0.45])
    assert measured.threshold(0.25) == pytest.approx(0.2)
    assert measured.threshold(0.35) == pytest.approx(0.25)
    assert measured.threshold(0.01) == 0.1 and measured.threshold(9.0) == 0.3


def test_noise_does_not_reverse_the_order() -> None:
    dipped = calibration([0.2, 0.19, 0.4])
    assert dipped.threshold(0.2) == 0.1
    assert dipped.threshold(0.3) == pytest.approx(0.25)


def test_file_comes_back_and_damage_is_named(tmp_path: Path) -> None:
    measured = calibration([0.15, 0.25, 0.45])
    measured.save(tmp_path)
    assert Calibration.load(tmp_path) == measured
    (tmp_path / "calibration.json").write_text('{"thresholds": [1]}')
    with pytest.raises(ValueError, match=r"calibration\.json: not a calibration"):
        Calibration.load(tmp_path)
    with pytest.raises(ValueError, match="hlvid train calibrate"):
        Calibration.load(tmp_path / "nowhere")
    with pytest.raises(ValueError, match="ascending"):
        Calibration([0.2, 0.1], [1, 2], [1, 2], "loss", 1, 0.3)


def test_higher_thresholds_stop_earlier_and_lose_more() -> None:
    model = fresh(SMALL, 0).eval()
    clips = [generator.clip(seed, frames=2) for seed in range(2)]
    with torch.no_grad():  # a predicted loss that falls along the group: heads after one another
        head = model.gazing_model.gaze_decoder.task_loss_prediction_head.weight
        head.copy_(torch.linspace(1, 0.1, 10)[:, None] * head[:1].sign())
    found = calibrate(model, clips, thresholds=(1e3, -1e3, 0.0), cap=0.05)
    assert found.thresholds == [-1e3, 0.0, 1e3]
    assert found.ratios == sorted(found.ratios, reverse=True)
    assert found.ratios[0] == pytest.approx(13 / 265) and found.ratios[-1] == pytest.approx(1 / 265)
    assert found.reached[0] < found.reached[-1]
    with pytest.raises(ValueError, match="none given"):
        calibrate(model, [])


def test_model_stops_where_its_calibration_says() -> None:
    model = fresh(SMALL, 0).eval()
    video = torch.randn(1, 1, 3, 224, 224, generator=torch.Generator().manual_seed(0))
    plain = model.gaze(video, ratio=0.1, loss=0.25)
    model.calibration = calibration([0.15, 0.25, 0.45])
    moved = model.gaze(video, ratio=0.1, loss=0.25)
    model.calibration = None
    at = model.gaze(video, ratio=0.1, loss=0.2)
    assert torch.equal(moved.padded, at.padded) and torch.equal(moved.positions, at.positions)
    assert torch.equal(plain.padded, model.gaze(video, ratio=0.1, loss=0.25).padded)
    published = model({"video": video}, gazing_ratio=0.1, task_loss_requirement=0.2, generate_only=True)
    model.calibration = calibration([0.15, 0.25, 0.45])
    again = model({"video": video}, gazing_ratio=0.1, task_loss_requirement=0.25, generate_only=True)
    assert torch.equal(published["if_padded_gazing"], again["if_padded_gazing"])
