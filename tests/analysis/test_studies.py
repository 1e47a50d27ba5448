"""Measurements against cases whose answer is known."""

from dataclasses import replace
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
import torch

from analysis.figures import hlvid_stats, ood
from analysis.studies import evidence, flow, losses, scenes
from analysis.studies.clips import Clip, clips_of, gaze_at
from analysis.studies.patches import laplacian_variance, measure
from analysis.studies.selectors import iou_of, likeness
from autogaze import selectors
from autogaze.gaze import SCALES
from hlvid.errors import DatasetError, RunError
from hlvid.mini.evidence import Seen


def test_scene_is_decided_by_its_seed() -> None:
    first, again = scenes.make_scene(3, frames=2), scenes.make_scene(3, frames=2)
    assert (first.frames == again.frames).all() and (first.flow == again.flow).all()
    assert (first.frames != scenes.make_scene(4, frames=2).frames).any()


def test_exact_flow_agrees_with_an_estimate() -> None:
    """Seed 0 has a moving ground: DIS must find what the generator says, to a fraction of a pixel."""
    scene = scenes.make_scene(0, frames=4)
    assert np.median(scene.flow) > 2
    assert np.median(np.abs(flow.estimate(scene.frames) - scene.flow)[1:-1]) < 0.4


@pytest.mark.parametrize("speed", [0.0, 3.0, 40.0])
def test_pan_moves_at_its_speed(speed: float) -> None:
    texture = scenes.make_texture(np.random.default_rng(0))
    frames = scenes.pan(texture, speed, frames=2)
    shift = int(speed)
    assert np.abs(frames[1, :, : 224 - shift].astype(int) - frames[0, :, shift:]).mean() < 1


def test_flow_of_a_patch_is_its_fastest_pixel(clip: Clip) -> None:
    grids = flow.per_patch(flow.speed_of(clip))
    assert [grid.shape[1:] for grid in grids] == [(2, 2), (4, 4), (7, 7), (14, 14)]
    assert grids[0][0].tolist() == [[0, 0], [0, 5]]
    assert grids[2][0, 3, 3] == 5  # the middle patch of 7 x 7 reaches into the moving quarter


def test_backward_flow_is_carried_to_where_vectors_point() -> None:
    vectors = np.zeros((4, 6, 2), np.float32)
    vectors[1, 1] = (3, 1)
    speed = flow.backward(vectors)
    assert speed[2, 4] == pytest.approx(np.hypot(3, 1)) and speed.sum() == speed[2, 4]


def test_flying_chairs_are_read(tmp_path: Path) -> None:
    vectors = np.full((384, 512, 2), 2.0, "<f4")
    head = np.array([202021.25], "<f4").tobytes() + np.array([512, 384], "<i4").tobytes()
    (tmp_path / "00001_flow.flo").write_bytes(head + vectors.tobytes())
    for k in (1, 2):
        cv2.imwrite(str(tmp_path / f"00001_img{k}.ppm"), np.full((384, 512, 3), 90 * k, np.uint8))
    (pair,) = flow.flying_chairs(tmp_path, limit=5)
    assert pair.frames.shape == (2, 224, 224, 3)
    assert pair.flow is not None and pair.flow[0, 100, 100] == pytest.approx(
        np.hypot(2, 2) * 224 / 384, rel=0.01
    )
    (tmp_path / "00001_flow.flo").write_bytes(b"nothing")
    with pytest.raises(DatasetError, match="flo"):
        list(flow.flying_chairs(tmp_path, limit=5))


def test_laplacian_variance_of_flat_and_checkered() -> None:
    flat = torch.full((1, 1, 3, 224, 224), 0.5)
    assert all(float(grid.max()) < 1e-10 for grid in laplacian_variance(flat))
    y, x = torch.meshgrid(torch.arange(224), torch.arange(224), indexing="ij")
    board = ((x + y) % 2).float().expand(1, 1, 3, 224, 224)
    # Each pixel differs from its four neighbours by 1: the Laplacian is 4 or -4, its variance 16.
    assert all(
        grid.numpy() == pytest.approx(np.full(grid.shape, 16.0), rel=1e-4)
        for grid in laplacian_variance(board)
    )


def test_patches_table(clip: Clip) -> None:
    table = measure(selectors.get("rgb_diff"), [clip], ratio=0.1)
    assert len(table) == 3 * 265
    assert table.gazed.sum() == 3 * 26
    assert set(table.scale) == set(SCALES)


def test_loss_falls_with_the_ratio_and_vanishes_at_one(clip: Clip) -> None:
    gaze = partial(gaze_at, selectors.get("random"), [clip])
    (rows,) = losses.curve("random", clip.tensor(), gaze, (0.05, 0.3, 1.0))
    values = [row["loss"] for row in rows]
    assert values[0] > values[1] > values[2]
    assert values[2] == pytest.approx(0, abs=1e-6)
    assert rows[2]["ratio"] == 1 and rows[2]["ratio_finest"] == pytest.approx(265 / 196)


def test_clips_measured_together_are_those_measured_alone(clip: Clip) -> None:
    short = replace(clip, name="short", frames=clip.frames[:4])
    clips = [clip, replace(clip, name="mirrored", frames=clip.frames[:, :, ::-1].copy()), short]
    detail = selectors.get("detail")
    together = losses.curves([detail], clips, (0.05, 0.3)).set_index(["clip", "asked"])
    alone = pd.concat([losses.curves([detail], [one], (0.05, 0.3)) for one in clips])
    for row in alone.to_dict("records"):
        found = together.loc[(row["clip"], row["asked"])]
        assert found["loss"] == pytest.approx(row["loss"], abs=1e-6) and found["ratio"] == row["ratio"]


def test_crossing() -> None:
    assert losses.crossing([0.1, 0.4], [2.0, 1.0], 1.5) == pytest.approx(0.2)  # half way, logarithmically
    assert losses.crossing([0.1, 0.4], [2.0, 1.0], 3.0) == pytest.approx(0.1)
    assert np.isnan(losses.crossing([0.1, 0.4], [2.0, 1.0], 0.5))


def test_iou() -> None:
    a = torch.tensor([[True, True, False], [False, False, False]])
    b = torch.tensor([[False, True, True], [False, False, False]])
    found = iou_of(a, b)
    assert float(found[0]) == pytest.approx(1 / 3) and torch.isnan(found[1])


def test_a_selector_agrees_with_itself_and_not_with_another(clip: Clip) -> None:
    table = likeness([selectors.get("centre"), selectors.get("centre"), selectors.get("random")], [clip], 0.1)
    same = table[(table["first"] == "centre") & (table["second"] == "centre") & (table.scale == 0)]
    other = table[(table["second"] == "random") & (table.scale == 0)]
    assert (same.iou == 1).all() and other.iou.mean() < 0.3


@pytest.mark.parametrize("name", sorted(ood.SHIFTS))
def test_shifts_change_the_look_and_nothing_else(name: str) -> None:
    frames = scenes.make_scene(0, frames=2).frames
    before = frames.copy()
    changed = ood.SHIFTS[name](frames)
    assert changed.shape == frames.shape and changed.dtype == np.uint8
    assert (changed != frames).any() and (frames == before).all()
    assert (ood.SHIFTS[name](frames) == changed).all()


def test_clips_of_a_video(film: Path) -> None:
    clips = list(clips_of(film, count=3, frames=6))
    assert [clip.name for clip in clips] == ["square#0", "square#1"]  # 16 frames at 8 FPS: no third one
    assert all(clip.frames.shape == (6, 224, 224, 3) for clip in clips)


def test_clips_are_told_of_their_own_frames(film: Path) -> None:
    first, second = clips_of(film, count=2, frames=6, needs=("codec", "times"), question="Which?")
    assert first.told.times is not None and second.told.times is not None and first.told.codec is not None
    assert first.told.times.tolist()[:2] == [0, 0.1] and len(second.told.times) == 6
    assert first.told.codec.shape == (1, 6, 3, 224, 224)
    gaze = gaze_at(selectors.get("codec"), [first, second], 0.05)
    assert gaze.masks().shape[:2] == (2, 6) and (gaze.counts() == 13).all()
    alone = gaze_at(selectors.get("codec"), [second], 0.05)
    assert torch.equal(gaze.masks()[1], alone.masks()[0])
    with pytest.raises(RunError, match=r"selector codec: codec of square#0 is not known"):
        gaze_at(selectors.get("codec"), list(clips_of(film, count=1)), 0.05)


def test_coverage_counts_readable_scales_only() -> None:
    sighting = Seen(frame=0, box=(0, 0, 384, 216), visible=1.0, cap=13)
    size = (1008, 1792)  # capitals are 6.07 px high at the finest scale, and too small at the others
    grids = [np.zeros((5 * g, 8 * g), bool) for g in (2, 4, 7, 14)]
    for grid in grids[:3]:
        grid[:] = True
    assert evidence.coverage(sighting, grids, 224, size) == 0
    grids[3][:7, :6] = True  # 112 x 96 px of the box's 101 x 179 px: 54 % of its width
    assert evidence.coverage(sighting, grids, 224, size) == pytest.approx(96 / 179.2, abs=0.02)
    grids[3][:] = True
    assert evidence.coverage(sighting, grids, 224, size) == 1


def test_a_box_visible_by_nine_tenths_need_not_be_covered_wholly() -> None:
    """Coverage is of the box alone; how much of a text a frame shows has its own threshold."""
    grids = [np.zeros((5 * g, 8 * g), bool) for g in (2, 4, 7, 14)]
    grids[3][:7, :11] = True  # 176 of the box's 179 px
    for visible in (1.0, 0.9):
        sighting = Seen(frame=0, box=(0, 0, 384, 216), visible=visible, cap=13)
        assert evidence.coverage(sighting, grids, 224, (1008, 1792)) >= evidence.COVERED


@pytest.mark.parametrize(
    ("target", "value", "bound"), [(1.5, 0.2, ""), (3.0, 0.1, "floor"), (0.5, 0.4, "ceiling")]
)
def test_needed_says_where_it_is_a_bound(target: float, value: float, bound: str) -> None:
    table = pd.DataFrame({"clip": "a", "ratio": [0.4, 0.1], "loss": [1.0, 2.0]})
    (found,) = losses.needed(table, target, by=("clip",)).to_dict("records")
    assert found["needed"] == pytest.approx(value) and found["bound"] == bound


def test_speed_of_a_text() -> None:
    boxes = [Seen(t, (10 * t, 0, 10 * t + 5, 5), 1.0, 13) for t in (0, 1, 2, 7)]
    assert evidence.speed(boxes) == 10
    assert evidence.speed(boxes[:1]) == 0


def test_question_facts() -> None:
    assert hlvid_stats.kind_of("What does the white text on the green road sign say?") == "text"
    assert hlvid_stats.kind_of("How many boats are there?") == "count"
    assert hlvid_stats.object_of("What does the white text on the green road sign say?") == "road sign"
    assert hlvid_stats.distance("kitten", "sitting") == 3
    assert hlvid_stats.distance("", "abc") == 3
