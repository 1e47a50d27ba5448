"""The table of block errors gives the loss of the plainly pasted picture."""

import pytest
import torch

from autogaze.gaze import Gaze
from autogaze.reconstruction.loss import L1
from autogaze.reconstruction.paste import rebuild
from autogaze.training.judge import MEAN, STD, PasteTable


@pytest.mark.parametrize("memory", [True, False])
@pytest.mark.parametrize("share", [0.01, 0.1, 0.6])
def test_table_equals_rebuilding(memory: bool, share: float) -> None:
    draw = torch.Generator().manual_seed(4)
    clips = torch.rand(2, 3, 3, 224, 224, generator=draw)
    masks = torch.rand(2, 3, 265, generator=draw) < share
    shown = rebuild(clips, Gaze.from_masks(masks), memory=memory)
    plain = L1()((shown - MEAN) / STD, (clips - MEAN) / STD)
    assert torch.allclose(PasteTable.of(clips, memory).losses(masks), plain, atol=1e-6)


def test_looking_at_nothing_costs_the_distance_from_grey() -> None:
    clips = torch.full((1, 1, 3, 224, 224), 0.75)
    assert PasteTable.of(clips).losses(torch.zeros(1, 1, 265, dtype=torch.bool)).item() == pytest.approx(0.5)


def test_groups_repeat_clip_by_clip() -> None:
    clips = torch.rand(2, 2, 3, 224, 224, generator=torch.Generator().manual_seed(1))
    masks = torch.rand(2, 2, 265, generator=torch.Generator().manual_seed(2)) < 0.1
    table = PasteTable.of(clips)
    many = table.repeat(3).losses(masks.repeat_interleave(3, 0)).view(2, 3, 2)
    assert torch.allclose(many, table.losses(masks)[:, None].expand(-1, 3, -1))
