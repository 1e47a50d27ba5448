"""Generated clips: the same for a seed, of every promised kind, cheap.

Run: pytest tests/autogaze/training/test_generator.py
"""

import pytest
import torch

from autogaze.training import generator

SEEDS = range(30)


def test_a_seed_gives_the_same_pixels_again() -> None:
    assert torch.equal(generator.clip(5, 6), generator.clip(5, 6))
    assert not torch.equal(generator.clip(5, 6), generator.clip(6, 6))


@pytest.mark.parametrize("frames", [1, 2, 16])
def test_shape(frames: int) -> None:
    clip = generator.clip(0, frames)
    assert clip.shape == (frames, 3, 224, 224) and clip.dtype == torch.uint8 and clip.is_contiguous()


def test_every_kind_of_scene_comes_up() -> None:
    scripts = [generator.script(seed, 8) for seed in SEEDS]
    scenes = [scene for script in scripts for scene in script.scenes]
    assert {scene.kind for scene in scenes} == {"static", "pan", "zoom", "hand"}
    assert any(len(script.scenes) == 2 for script in scripts), "cuts"
    assert any(scene.still for scene in scenes), "static scenes"
    assert any(scene.overlays for scene in scenes), "captions"
    assert any(script.grain for script in scripts) and any(not script.grain for script in scripts)
    assert all(sum(scene.frames for scene in script.scenes) == 8 for script in scripts)


def test_still_scenes_stand_still_and_cameras_move() -> None:
    for seed in SEEDS:
        script = generator.script(seed, 4)
        if len(script.scenes) > 1 or script.grain:
            continue
        clip, scene = generator.clip(seed, 4).float(), script.scenes[0]
        change = (clip[1:] - clip[:-1]).abs().mean()
        swings = any(path.swing != (0.0, 0.0) for _, path in scene.things)
        if scene.still and not swings:
            assert change == 0, seed
        elif scene.kind in ("pan", "hand"):
            assert change > 0.1, seed


def test_a_cut_changes_the_picture() -> None:
    seed = next(s for s in SEEDS if len(generator.script(s, 8).scenes) == 2)
    cut = generator.script(seed, 8).scenes[0].frames
    change = (generator.clip(seed, 8).float().diff(dim=0)).abs().mean((1, 2, 3))
    assert change.argmax() == cut - 1 and change[cut - 1] > 20


def test_detail_is_in_some_places_only() -> None:
    """What makes choosing worthwhile: the most detailed tenth of patches holds far more than a tenth."""
    shares = []
    for seed in range(20):
        frame = generator.clip(seed, 1)[0].float().mean(0)
        patches = frame.view(14, 16, 14, 16).transpose(1, 2).reshape(196, 256)
        energy = patches.var(1).sort(descending=True).values
        shares.append(float(energy[:20].sum() / energy.sum()))
    assert sum(shares) / len(shares) > 0.35


@pytest.mark.parametrize(("seed", "frames"), [(-1, 4), (0, 0)])
def test_bad_arguments_are_named(seed: int, frames: int) -> None:
    with pytest.raises(ValueError, match=f"frames={frames}, seed={seed}"):
        generator.clip(seed, frames)
