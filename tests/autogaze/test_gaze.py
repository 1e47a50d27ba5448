"""The Gaze type: masks, counts, boxes and the published dict say the same thing.

pytest tests/autogaze/test_gaze.py
"""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from autogaze.gaze import Gaze


def random_masks(seed: int, clips: int, frames: int, share: float) -> torch.Tensor:
    return torch.rand(clips, frames, 265, generator=torch.Generator().manual_seed(seed)) < share


@given(st.integers(0, 99), st.integers(1, 3), st.integers(1, 4), st.sampled_from([0.0, 0.01, 0.3, 1.0]))
@settings(max_examples=40, deadline=None)
def test_masks_survive_the_round_trip(seed: int, clips: int, frames: int, share: float) -> None:
    masks = random_masks(seed, clips, frames, share)
    gaze = Gaze.from_masks(masks)
    assert torch.equal(gaze.masks(), masks)
    assert torch.equal(gaze.counts(), masks.sum(-1))
    assert gaze.per_frame == tuple(masks.sum(-1).amax(0).tolist())
    assert gaze.ratio() == pytest.approx(masks.float().mean().item())
    assert gaze.ratio("finest") == pytest.approx(masks.sum().item() / (clips * frames * 196))
    again = Gaze.from_published(gaze.to_published())
    assert torch.equal(again.masks(), masks)


def test_positions_ascend_inside_a_frame_and_padding_is_in_range() -> None:
    gaze = Gaze.from_masks(random_masks(1, 3, 2, 0.2))
    for clip in range(3):
        real = gaze.positions[clip][~gaze.padded[clip]]
        assert torch.equal(real, real.sort().values)
    assert gaze.positions.min() >= 0 and gaze.positions.max() < 2 * 265


def test_boxes_lie_where_the_tokens_are() -> None:
    masks = torch.zeros(1, 2, 265, dtype=torch.bool)
    masks[0, 0, 1] = True  # 32 px, upper right quarter
    masks[0, 1, 4 + 16 + 49 + 14] = True  # 224 px, second row, first patch
    boxes = Gaze.from_masks(masks).boxes()
    assert boxes.xyxy.tolist() == [[112, 0, 224, 112], [0, 16, 16, 32]]
    assert boxes.frame.tolist() == [0, 1]
    assert boxes.scale.tolist() == [0, 3]


def test_boxes_in_the_pixels_of_the_original_frame() -> None:
    masks = torch.zeros(2, 1, 265, dtype=torch.bool)
    masks[1, 0, 0] = True
    tiles = torch.tensor([[0.0, 0.0, 448.0, 448.0], [448.0, 0.0, 896.0, 448.0]])
    assert Gaze.from_masks(masks).boxes(tiles).xyxy.tolist() == [[448, 0, 672, 224]]


def test_boxes_where_the_scale_is_no_multiple_of_the_patch() -> None:
    masks = torch.ones(1, 1, 24 * 24, dtype=torch.bool)
    boxes = Gaze.from_masks(masks, scales=(392,), patch_size=16).boxes()
    assert boxes.xyxy.max() == pytest.approx(384)  # the convolution never sees the last 8 px


def test_every_scale_tiles_the_frame() -> None:
    boxes = Gaze.from_masks(torch.ones(1, 1, 265, dtype=torch.bool)).boxes()
    areas = (boxes.xyxy[:, 2:] - boxes.xyxy[:, :2]).prod(1)
    for scale in range(4):
        assert areas[boxes.scale == scale].sum().item() == pytest.approx(224 * 224)


def test_cat_keeps_order_and_pads() -> None:
    few = Gaze(torch.tensor([[7, 3, 270]]), (2, 1), torch.tensor([[False, False, False]]))
    many = Gaze(torch.tensor([[9, 265, 266]]), (1, 2), torch.tensor([[False, False, False]]))
    both = Gaze.cat([few, many])
    assert both.per_frame == (2, 2)
    assert both.positions[0][~both.padded[0]].tolist() == [7, 3, 270]
    assert both.positions[1][~both.padded[1]].tolist() == [9, 265, 266]


def test_within_drops_what_is_not_shown() -> None:
    gaze = Gaze(torch.tensor([[7, 3, 270]]), (2, 1), torch.tensor([[False, False, False]]))
    shown = torch.ones(1, 265, dtype=torch.bool)
    shown[0, 3] = False
    assert gaze.within(shown).counts().tolist() == [[1, 1]]


@pytest.mark.parametrize(
    ("positions", "per_frame", "padded", "named"),
    [
        (torch.zeros(3), (3,), torch.zeros(3, dtype=torch.bool), "positions"),
        (torch.zeros(1, 3), (3,), torch.zeros(1, 2, dtype=torch.bool), "padded"),
        (torch.zeros(1, 3), (1, 1), torch.zeros(1, 3, dtype=torch.bool), "per_frame"),
        (torch.zeros(1, 0), (), torch.zeros(1, 0, dtype=torch.bool), "per_frame"),
    ],
)
def test_shapes_that_do_not_fit(
    positions: torch.Tensor, per_frame: tuple[int, ...], padded: torch.Tensor, named: str
) -> None:
    with pytest.raises(ValueError, match=named):
        Gaze(positions, per_frame, padded)


def test_bad_arguments_are_named() -> None:
    gaze = Gaze.from_masks(torch.ones(1, 1, 265, dtype=torch.bool))
    with pytest.raises(ValueError, match="masks"):
        Gaze.from_masks(torch.ones(1, 1, 264))
    with pytest.raises(ValueError, match="of='area'"):
        gaze.ratio("area")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="tiles"):
        gaze.boxes(torch.zeros(2, 4))
    with pytest.raises(ValueError, match="if_padded_gazing"):
        Gaze.from_published({"gazing_pos": gaze.positions, "num_gazing_each_frame": [265]})
    with pytest.raises(ValueError, match="gazes"):
        Gaze.cat([])


@pytest.mark.parametrize("position", [-1, 530])
def test_published_positions_that_no_frame_has_are_refused(position: int) -> None:
    output = {
        "gazing_pos": torch.tensor([[0, position]]),
        "num_gazing_each_frame": torch.tensor([1, 1]),
        "if_padded_gazing": torch.zeros(1, 2),
    }
    with pytest.raises(ValueError, match=f"gazing_pos: .*{position}.*, allowed 0 to 529"):
        Gaze.from_published(output)
    padded = {**output, "if_padded_gazing": torch.tensor([[0, 1]])}
    assert Gaze.from_published(padded).masks().sum() == 1
