"""Cutting gazed patches, against cutting all of them."""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from autogaze.encoders.patches import Grid, check_fit, gather_patches, pack, position_table
from autogaze.gaze import Gaze

GRID = Grid((32, 64, 112, 224), 16)


def test_gathered_patches_are_those_of_cutting_everything(video: Tensor, gaze: Gaze) -> None:
    packed = pack(gaze)
    every = []
    for scale in GRID.scales:
        frames = video.flatten(0, 1)
        if scale != 224:
            frames = F.interpolate(frames, size=(scale, scale), mode="bicubic", align_corners=False)
        every.append(F.unfold(frames, 16, stride=16).transpose(1, 2))
    table = torch.cat(every, 1).view(3, 4, 265, -1)
    want = table[packed.clip, packed.frame, packed.token]
    torch.testing.assert_close(gather_patches(video, packed, GRID), want)


def test_pack_keeps_order_and_unpack_inverts_it(gaze: Gaze) -> None:
    packed = pack(gaze)
    assert len(packed) == int((~gaze.padded).sum())
    assert torch.equal(packed.frame * 265 + packed.token, gaze.positions[~gaze.padded])
    rows = torch.arange(1.0, len(packed) + 1)[:, None]
    back = packed.unpack(rows, gaze.positions.shape[1])
    assert torch.equal(back[~gaze.padded], rows)
    assert not back[gaze.padded].any()


def test_select_renumbers_clips(gaze: Gaze) -> None:
    packed, one = pack(gaze), pack(gaze).select(1, 2)
    assert set(one.clip.tolist()) == {0}
    assert torch.equal(one.token, packed.token[packed.clip == 1])
    assert one.counts == packed.counts[1:2]


def test_positions_of_the_checkpoints_own_grid_are_untouched() -> None:
    table = torch.randn(196, 8)
    out = position_table(table, GRID.sides)
    assert out.shape == (265, 8)
    assert torch.equal(out[69:], table)


@pytest.mark.parametrize(
    ("shape", "message"),
    [((3, 5, 3, 224, 224), r"video: shape \(3, 5, 3.*expected \(3, 4, 3"), ((3, 4, 1, 8, 8), "video: shape")],
)
def test_video_that_does_not_fit_the_gaze(gaze: Gaze, shape: tuple[int, ...], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        check_fit(torch.zeros(shape), gaze, GRID)


def test_other_grid_integer_video_and_stray_position(video: Tensor, gaze: Gaze) -> None:
    with pytest.raises(ValueError, match=r"gaze: scales .* this encoder has \(4, 8, 14, 28\)"):
        check_fit(video, gaze, Grid((56, 112, 196, 392), 14))
    with pytest.raises(ValueError, match=r"video: dtype torch.uint8"):
        check_fit(video.to(torch.uint8), gaze, GRID)
    stray = Gaze(torch.tensor([[4 * 265]]).expand(3, 1), (1, 0, 0, 0), torch.zeros(3, 1, dtype=torch.bool))
    with pytest.raises(ValueError, match=r"gaze.positions: 1060 to 1060, allowed 0 to 1059"):
        check_fit(video, stray, GRID)
    with pytest.raises(ValueError, match=r"scales=\(8,\), patch_size=16"):
        Grid((8,), 16)
