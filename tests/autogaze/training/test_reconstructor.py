"""The learned reconstructor: paste until it has learned, never touches what was seen sharp, resumes exactly.

Run: pytest tests/autogaze/training/test_reconstructor.py
"""

import json
import time
from pathlib import Path

import pytest
import torch
from torch import Tensor
from typer.testing import CliRunner

from autogaze.gaze import Gaze
from autogaze.reconstruction.mae_config import VideoMAEConfig
from autogaze.reconstruction.paste import seen_scale
from autogaze.training import generator
from autogaze.training.cli import app
from autogaze.training.greedy import paste, search_paste
from autogaze.training.judge import paste_judge
from autogaze.training.label_making import Settings, make_labels
from autogaze.training.labels import LabelError, LabelledClip, LabelSet, save
from autogaze.training.reconstructor import SMALL, Reconstructor, judge
from autogaze.training.reconstructor_training import Plan, compare, draw_batch, train

TINY = VideoMAEConfig(32, 64, 1, 2, 16, 32, 1, 2, layer_norm_eps=1e-6, max_num_frames=4)


@pytest.fixture(scope="module")
def labels(tmp_path_factory: pytest.TempPathFactory) -> LabelSet:
    """Four generated clips of two frames."""
    folder = tmp_path_factory.mktemp("labels")
    return LabelSet(make_labels(folder, generated=4, settings=Settings(frames=(2, 2)), progress=False))


@pytest.fixture(scope="module")
def learned() -> Reconstructor:
    """Weights that say something."""
    model = Reconstructor.fresh(TINY, seed=1)
    torch.nn.init.normal_(model.mae.decoder.decoder_pred.weight, std=0.2)
    return model.eval()


@pytest.fixture(scope="module")
def seen() -> tuple[Tensor, Gaze]:
    """Two clips of three frames, normalised, and a gaze at random."""
    video = torch.stack([generator.clip(seed, 3) for seed in (1, 2)]).float() / 127.5 - 1
    return video, Gaze.from_masks(torch.rand(2, 3, 265, generator=torch.Generator().manual_seed(0)) < 0.2)


def test_untrained_is_paste(seen: tuple[Tensor, Gaze]) -> None:
    video, gaze = seen
    with torch.no_grad():
        assert torch.equal(Reconstructor.fresh(TINY)(video, gaze, [0, 2]), paste()(video, gaze, [0, 2]))


@torch.no_grad()
def test_adds_only_where_nothing_sharp_is_seen_now(learned: Reconstructor, seen: tuple[Tensor, Gaze]) -> None:
    video, gaze = seen
    change = (learned(video, gaze) - paste()(video, gaze)).abs().amax(2)
    sharp = seen_scale(gaze) == 224
    assert change[sharp].max() == 0 and change[~sharp].mean() > 0.01


@torch.no_grad()
def test_later_frames_do_not_matter(learned: Reconstructor, seen: tuple[Tensor, Gaze]) -> None:
    video, gaze = seen
    changed = video.clone()
    changed[:, 2] = 0
    assert torch.allclose(learned(video, gaze, [1]), learned(changed, gaze, [1]), atol=1e-5)


@torch.no_grad()
def test_judge_is_the_loss_of_each_frame_alone(learned: Reconstructor, seen: tuple[Tensor, Gaze]) -> None:
    video, gaze = seen
    clips = (video + 1) / 2
    ours = judge(learned)(clips, gaze)
    assert ours.shape == (2, 3)
    assert ours[:, 1].tolist() == pytest.approx(
        (learned(video, gaze, [1]) - video[:, 1:2]).abs().mean((1, 2, 3, 4)).tolist(), abs=1e-5
    )
    untrained = judge(Reconstructor.fresh(TINY))(clips, gaze)
    assert torch.allclose(untrained, paste_judge()(clips, gaze), atol=1e-5)


def test_saved_in_half_precision(learned: Reconstructor, seen: tuple[Tensor, Gaze], tmp_path: Path) -> None:
    learned.save_pretrained(tmp_path)
    again = Reconstructor.from_pretrained(tmp_path)
    with torch.no_grad():
        assert torch.allclose(again(*seen, [0]), learned(*seen, [0]), atol=5e-3)
    Reconstructor.fresh(SMALL).save_pretrained(tmp_path / "small")
    assert (tmp_path / "small" / "model.safetensors").stat().st_size < 10e6


def test_learns(tmp_path: Path) -> None:
    """Shown one clip of one colour again and again, it fills in what nobody looked at better than grey."""
    red = torch.zeros(2, 3, 224, 224, dtype=torch.uint8)
    red[:, 0] = 200
    clip = LabelledClip(red, *search_paste(red, (6, 6)))
    save(tmp_path / "red.safetensors", [clip])
    labels = LabelSet(tmp_path)
    model = train(
        labels, tmp_path / "run", Plan(steps=40, batch=1, warmup=2, rate=1e-2), Reconstructor.fresh(TINY)
    )
    found = compare(model, labels)
    assert set(found) == {"greedy labels", "random 0.02", "random 0.05", "random 0.1", "random 0.2"}
    assert found["random 0.02"]["model"] < 0.8 * found["random 0.02"]["paste"]


def test_resumes_to_the_same_weights(
    labels: LabelSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stopped by the clock after two of four steps, and started again."""
    plan = Plan(steps=4, batch=2)
    whole = train(labels, tmp_path / "whole", plan, Reconstructor.fresh(TINY))
    clock = iter([0.0, 0.0, 0.0, 1e9])
    monkeypatch.setattr(time, "monotonic", lambda: next(clock))
    train(labels, tmp_path / "cut", plan, Reconstructor.fresh(TINY), minutes=1)
    monkeypatch.undo()
    assert len((tmp_path / "cut/metrics.jsonl").read_text().splitlines()) == 2
    cut = train(labels, tmp_path / "cut", plan, Reconstructor.fresh(TINY))
    for ours, theirs in zip(cut.state_dict().values(), whole.state_dict().values(), strict=True):
        assert torch.equal(ours, theirs)
    assert len((tmp_path / "cut/metrics.jsonl").read_text().splitlines()) == 4


def test_command_trains_compares_and_goes_on(labels: LabelSet, tmp_path: Path) -> None:
    run, folder, out = CliRunner(), str(labels.folder), str(tmp_path / "run")
    asked = ["reconstructor", "--labels", folder, "--validation", folder, "--out", out, "--batch", "1"]
    done = run.invoke(app, [*asked, "--steps", "2"])
    assert done.exit_code == 0, done.output
    found = json.loads((tmp_path / "run" / "comparison.json").read_text())
    assert found["greedy labels"]["clips"] == 4
    assert Reconstructor.from_pretrained(tmp_path / "run" / "model").mae.config == SMALL
    other = run.invoke(app, [*asked, "--steps", "3"])
    assert other.exit_code == 1 and "a run of another plan" in other.output
    missing = run.invoke(app, ["reconstructor", "--labels", str(tmp_path / "no"), "--out", out])
    assert missing.exit_code == 1 and str(tmp_path / "no") in missing.output


def test_batches_depend_on_seed_and_step_alone(labels: LabelSet) -> None:
    video, gaze = draw_batch(labels, Plan(batch=2), step=3)
    again, same = draw_batch(labels, Plan(batch=2), step=3)
    assert torch.equal(video, again) and torch.equal(gaze.masks(), same.masks())
    assert video.shape[:2] == gaze.masks().shape[:2] and gaze.counts().min() >= 1


def test_another_plan_is_refused(labels: LabelSet, tmp_path: Path) -> None:
    train(labels, tmp_path, Plan(steps=1, batch=1), Reconstructor.fresh(TINY))
    with pytest.raises(LabelError, match="another plan"):
        train(labels, tmp_path, Plan(steps=2, batch=1), Reconstructor.fresh(TINY))
