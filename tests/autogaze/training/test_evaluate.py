"""Loss against gazing ratio: equal budgets, intervals over recordings, ratios needed."""

from pathlib import Path

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from autogaze.model.config import AutoGazeConfig
from autogaze.training import contenders, generator
from autogaze.training.cli import app
from autogaze.training.evaluate import Runs, measure, ratio_for, resampled, summarise
from autogaze.training.initial import fresh

SMALL = AutoGazeConfig(vision_dim=48, hidden_size=48, intermediate_size=64, layers=1, heads=2)


def test_everybody_spends_the_same_and_greedy_loses_least() -> None:
    clips = [generator.clip(seed, frames=2) for seed in range(2)]
    everybody = {**contenders.heuristics(), "greedy": contenders.selector("greedy")}
    assert {"random", "rgb_diff", "centre", "detail"} <= set(everybody)
    for choose in everybody.values():
        assert choose(clips[0], 0.1).sum((0, 2)).tolist() == [26, 26]
    runs = measure(everybody, clips, ratios=(0.05, 0.1))
    best = runs.losses[list(everybody).index("greedy")]
    assert (best <= runs.losses + 1e-9).all() and runs.seconds.min() > 0


def test_fewer_heads_are_the_same_network_with_shorter_groups() -> None:
    model = fresh(SMALL, 0).eval()
    three = contenders.fewer_heads(model, 3)
    video = torch.randn(1, 1, 3, 224, 224, generator=torch.Generator().manual_seed(0))
    # A group of three has its features elsewhere for the rotary places, so only the first group is the same.
    first, second = (net.gaze(video, ratio=0.03).positions[0, :3].tolist() for net in (model, three))
    assert first == second
    assert three.gaze(video, ratio=0.03).positions.shape == (1, 7)
    with pytest.raises(ValueError, match="1 to 10"):
        contenders.fewer_heads(model, 11)


def test_resamples_move_whole_recordings() -> None:
    losses = np.array([[1.0, 1, 1, 5]])
    alone = resampled(losses, None, draws=4000)
    grouped = resampled(losses, ["a", "a", "a", "b"], draws=4000)
    assert alone.mean() == pytest.approx(2, abs=0.1)
    # Two recordings: both drawn (mean 2), or one of them twice (1 or 5), with chances 1/2, 1/4, 1/4.
    values, counts = np.unique(grouped.round(6), return_counts=True)
    assert values.tolist() == [1, 2, 5] and counts / 4000 == pytest.approx([0.25, 0.5, 0.25], abs=0.03)
    with pytest.raises(ValueError, match="2 of them for 4 clips"):
        resampled(losses, ["a", "b"])


def test_summary_pairs_the_differences() -> None:
    """A contender that is worse by the same amount on every clip differs without any doubt."""
    losses = np.random.default_rng(0).uniform(0.1, 0.9, (1, 2, 30))
    runs = Runs(("ours", "other"), (0.05, 0.1), np.concatenate([losses, losses + 0.01]), np.ones((2, 2)))
    report = summarise(runs, "ours", at=0.1)
    assert report["loss_minus_ours_at_0.1"]["other"] == {"difference": 0.01, "low": 0.01, "high": 0.01}
    point = report["curves"]["ours"]["0.05"]
    assert point["low"] < point["loss"] < point["high"]
    with pytest.raises(ValueError, match="reference"):
        summarise(runs, "nobody")


def test_ratio_needed_is_read_off_the_curve() -> None:
    assert ratio_for(0.3, (0.1, 0.2, 0.4), (0.5, 0.4, 0.2)) == pytest.approx(0.3)
    assert ratio_for(0.6, (0.1, 0.2), (0.5, 0.4)) == 0.1
    assert ratio_for(0.1, (0.1, 0.2), (0.5, 0.4)) is None


def test_command_line(tmp_path: Path) -> None:
    run = CliRunner()
    made = run.invoke(app, ["labels", "--out", f"{tmp_path}/val", "--generated", "1", "--frames", "2", "2"])
    assert made.exit_code == 0, made.output
    fresh(SMALL, 0).save_pretrained(tmp_path / "small")
    clips = ["--clips", str(tmp_path / "val")]
    out = tmp_path / "report.json"
    said = run.invoke(app, ["evaluate", *clips, "--checkpoint", f"mine={tmp_path}/small", "--out", str(out)])
    assert said.exit_code == 0, said.output
    assert all(name in said.output for name in ("mine", "greedy", "untrained", "rgb_diff"))
    assert '"generated": 1' in out.read_text()
    said = run.invoke(app, ["calibrate", str(tmp_path / "small"), *clips])
    assert said.exit_code == 0 and (tmp_path / "small" / "calibration.json").is_file()
    said = run.invoke(app, ["ntp", "--config", "grpo-cpu"])
    assert said.exit_code == 1 and "hlvid train grpo" in said.output
    said = run.invoke(app, ["evaluate", "--clips", str(tmp_path / "none")])
    assert said.exit_code == 1 and "hlvid train labels" in said.output and said.output.count("\n") == 1


def test_greedy_with_one_scale_takes_the_worst_cells() -> None:
    """One bright cell on grey: it goes first; and no single scale beats all four."""
    frames = torch.full((2, 3, 224, 224), 128, dtype=torch.uint8)
    frames[:, :, 32:48, 64:80] = 250
    masks = contenders.greedy_finest(frames, 1 / 265)
    assert masks[0, 0].nonzero().flatten().tolist() == [69 + 2 * 14 + 4]
    assert masks.sum((0, 2)).tolist() == [1, 1] and not masks[0, :, :69].any()
    clip = generator.clip(3, frames=2)
    both = measure(
        {"one": contenders.greedy_finest, "all": contenders.selector("greedy")}, [clip], ratios=(0.1,)
    ).losses
    assert both[1] < both[0]
