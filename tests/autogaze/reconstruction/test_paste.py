"""The pasted picture shows what the gaze saw and nothing else.

Run: pytest tests/autogaze/reconstruction/test_paste.py
"""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from autogaze.gaze import SCALES, Gaze
from autogaze.reconstruction.paste import rebuild

FIRST = (0, 4, 20, 69)  # first token of each scale


@pytest.fixture(scope="module")
def clips() -> Tensor:
    return torch.rand(2, 3, 3, 224, 224, generator=torch.Generator().manual_seed(1))


def gaze_of(*tokens: tuple[int, int, int], batch: int = 2, frames: int = 3) -> Gaze:
    """The gaze of (clip, frame, token) triples."""
    masks = torch.zeros(batch, frames, 265, dtype=torch.bool)
    for clip, frame, token in tokens:
        masks[clip, frame, token] = True
    return Gaze.from_masks(masks)


def by_hand(clips: Tensor, gaze: Gaze) -> Tensor:
    """The slow way: patch after patch, coarse scales first."""
    picture = torch.full_like(clips, 0.5)
    for scale, mask in zip(SCALES, gaze.scale_masks(), strict=True):
        cell = 224 * 16 // scale
        for b, t, r, c in mask.nonzero().tolist():
            area = (b, t, slice(None), slice(r * cell, (r + 1) * cell), slice(c * cell, (c + 1) * cell))
            small = F.adaptive_avg_pool2d(clips[area], 16)[None]
            picture[area] = F.interpolate(small, size=(cell, cell), mode="bilinear", align_corners=False)[0]
    return picture


def test_equals_the_slow_way(clips: Tensor) -> None:
    masks = torch.rand(2, 3, 265, generator=torch.Generator().manual_seed(2)) < 0.3
    gaze = Gaze.from_masks(masks)
    torch.testing.assert_close(rebuild(clips, gaze), by_hand(clips, gaze), rtol=0, atol=1e-6)


def test_finest_patches_are_the_pixels_themselves(clips: Tensor) -> None:
    gaze = gaze_of(*((b, t, 69 + k) for b in range(2) for t in range(3) for k in range(196)))
    assert torch.equal(rebuild(clips, gaze), clips)


def test_unseen_is_grey(clips: Tensor) -> None:
    picture = rebuild(clips, gaze_of((0, 0, 69)), grey=0.25)
    assert (picture[0, 0, :, 16:] == 0.25).all() and (picture[1] == 0.25).all()
    assert torch.equal(picture[0, 0, :, :16, :16], clips[0, 0, :, :16, :16])


@pytest.mark.parametrize("memory", [False, True])
def test_pixels_nobody_looked_at_have_no_influence(clips: Tensor, memory: bool) -> None:
    masks = torch.rand(2, 3, 265, generator=torch.Generator().manual_seed(3)) < 0.1
    gaze = Gaze.from_masks(masks)
    unseen = torch.ones(2, 3, 1, 224, 224, dtype=torch.bool)
    for mask in gaze.scale_masks():
        cell = 224 // mask.shape[-1]
        unseen[:, :, 0] &= ~mask.repeat_interleave(cell, 2).repeat_interleave(cell, 3)
    changed = torch.where(unseen, 1 - clips, clips)
    assert unseen.any() and not torch.equal(changed, clips)
    assert torch.equal(rebuild(clips, gaze, memory), rebuild(changed, gaze, memory))


def test_memory_prefers_sharp_past_to_coarse_present(clips: Tensor) -> None:
    """Sharp now, else sharp in the newest earlier frame, else coarse now, else coarse before, else grey."""
    gaze = gaze_of((0, 0, 69), (0, 1, 69), (0, 0, 0), (0, 2, 0))
    picture = rebuild(clips, gaze, memory=True)[0]
    coarse = by_hand(clips, gaze_of((0, 0, 0), (0, 2, 0)))[0]
    corner = (slice(None), slice(0, 16), slice(0, 16))
    rest = (slice(None), slice(16, 112), slice(16, 112))
    assert torch.equal(picture[2][corner], clips[0, 1][corner]), "the newest sharp view"
    torch.testing.assert_close(picture[2][rest], coarse[2][rest])
    torch.testing.assert_close(picture[1][rest], coarse[0][rest])
    assert (picture[:, :, 112:] == 0.5).all()


def test_memory_changes_nothing_in_a_single_frame(clips: Tensor) -> None:
    gaze = Gaze.from_masks(torch.rand(2, 1, 265, generator=torch.Generator().manual_seed(4)) < 0.3)
    assert torch.equal(rebuild(clips[:, :1], gaze, memory=True), rebuild(clips[:, :1], gaze))


def test_input_is_left_alone(clips: Tensor) -> None:
    before = clips.clone()
    rebuild(clips, Gaze.from_masks(torch.ones(2, 3, 265, dtype=torch.bool)), memory=True)
    assert torch.equal(clips, before)


def test_other_vocabularies() -> None:
    """56 to 392 px at 14 px a patch: 4, 8, 14, 28 patches a side."""
    scales, tokens = (56, 112, 196, 392), 16 + 64 + 196 + 784
    clips = torch.rand(1, 1, 3, 392, 392)
    whole = Gaze.from_masks(torch.ones(1, 1, tokens, dtype=torch.bool), scales, 14)
    assert torch.equal(rebuild(clips, whole), clips)


@pytest.mark.parametrize(
    ("bad", "message"),
    [(lambda x: x[:, :2], "clips: shape"), (lambda x: x[..., :112], "clips: shape"), (Tensor.int, "dtype")],
)
def test_bad_shapes_are_refused(bad, message: str, clips: Tensor) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ValueError, match=message):
        rebuild(bad(clips), gaze_of((0, 0, 0)))
