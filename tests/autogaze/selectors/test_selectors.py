"""What every selector promises: an exact budget, no padding, the same choice again, errors that name the argument.

Run: pytest tests/autogaze/selectors
"""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from autogaze import selectors
from autogaze.selectors.budget import allowance, top

RANKING = ("centre", "coarse_first", "detail", "random", "rgb_diff")


def test_names_are_those_of_the_issue() -> None:
    assert set(selectors.names()) >= {"everything", "random", "centre", "rgb_diff", "detail"}


@pytest.mark.parametrize("name", RANKING)
@pytest.mark.parametrize("ratio", [0.001, 0.1, 0.37, 1.0])
def test_picture_budget_is_exact_and_shared(name: str, ratio: float, noise: Tensor) -> None:
    gaze = selectors.get(name).select(noise, ratio=ratio, layout=(2, 3))
    assert gaze.counts().sum(0).tolist() == [max(1, int(ratio * 6 * 265))] * 2


@pytest.mark.parametrize("name", RANKING)
def test_tile_budget_is_exact_in_every_tile(name: str, noise: Tensor) -> None:
    gaze = selectors.get(name, budget="tile").select(noise, ratio=0.1, layout=(2, 3))
    assert (gaze.counts() == 26).all()


@pytest.mark.parametrize("name", RANKING)
def test_frames_share_a_budget_where_that_is_asked(name: str, noise: Tensor) -> None:
    selector = selectors.get(name, budget="frame")
    assert (selector.history, selector.clip_frames) == (None, 16)
    dull = noise.clone()
    dull[:, 1] = dull[:, :1, :, :1, :1].squeeze(1)  # one colour a tile, all through the second frame
    counts = selector.select(dull, ratio=0.1, layout=(2, 3)).counts()
    assert int(counts.sum()) == 2 * int(0.1 * 6 * 265)
    if name == "detail":
        assert counts[:, 0].sum() > 1.5 * counts[:, 1].sum()


@pytest.mark.parametrize("name", RANKING)
def test_without_layout_every_clip_is_its_own_picture(name: str, noise: Tensor) -> None:
    together = selectors.get(name).select(noise, ratio=0.1)
    alone = torch.cat([selectors.get(name).select(clip[None], ratio=0.1).masks() for clip in noise])
    assert torch.equal(together.masks(), alone)


@pytest.mark.parametrize("name", RANKING)
def test_ratio_may_differ_by_frame(name: str, noise: Tensor) -> None:
    assert selectors.get(name).select(noise[:1], ratio=[0.5, 0.01]).counts().tolist() == [[132, 2]]


def test_coarse_first_begins_a_scale_when_the_one_before_is_whole(noise: Tensor) -> None:
    gaze = selectors.get("coarse_first").select(noise[:2], ratio=0.1)
    assert [int(part[0, 0].sum()) for part in gaze.scale_masks()] == [4, 16, 6, 0]
    tiles = selectors.get("coarse_first").select(noise, ratio=0.01, layout=(2, 3)).scale_masks()
    assert int(tiles[0][:, 0].sum()) == 15 and not tiles[1].any(), "a picture's tiles begin together"


@pytest.mark.parametrize("name", [*RANKING, "everything"])
def test_padding_is_neither_chosen_nor_counted(name: str, noise: Tensor) -> None:
    valid = torch.ones(6, 265, dtype=torch.bool)
    valid[3:] = False
    valid[0, 69:] = False
    ratio = None if name == "everything" else 0.5
    gaze = selectors.get(name).select(noise, ratio=ratio, valid=valid, layout=(2, 3))
    assert not (gaze.masks() & ~valid[:, None]).any()
    there = 69 + 2 * 265
    assert gaze.counts().sum(0).tolist() == [there if ratio is None else int(ratio * there)] * 2


@pytest.mark.parametrize("name", [*RANKING, "everything"])
def test_choice_is_repeatable(name: str, noise: Tensor) -> None:
    ratio = None if name == "everything" else 0.2
    once, again = (selectors.get(name).select(noise, ratio=ratio, layout=(2, 3)) for _ in range(2))
    assert torch.equal(once.masks(), again.masks())


@pytest.mark.parametrize("name", [*RANKING, "everything"])
def test_history_is_all_that_matters(name: str, noise: Tensor) -> None:
    """A frame is gazed alike with all earlier frames and with the `history` it asks for."""
    clips = torch.cat([noise[:1], noise[1:2]], dim=1)  # four frames
    selector = selectors.get(name)
    ratio = None if name == "everything" else 0.1
    whole = selector.select(clips, ratio=ratio).masks()[:, 3]
    assert selector.history is not None
    part = selector.select(clips[:, 3 - selector.history :], ratio=ratio).masks()[:, -1]
    assert torch.equal(whole, part)


def test_random_depends_on_seed_and_pixels_only(noise: Tensor) -> None:
    first = selectors.get("random", seed=1).select(noise, ratio=0.2).masks()
    other = selectors.get("random", seed=2).select(noise, ratio=0.2).masks()
    moved = selectors.get("random", seed=1).select(noise.flip(0).flip(1), ratio=0.2).masks()
    assert not torch.equal(first, other)
    assert torch.equal(first, moved.flip(0).flip(1))


def test_random_is_uniform_over_tokens() -> None:
    """Over 400 different frames each token's frequency is that of the ratio (5 standard deviations)."""
    shades = torch.linspace(0, 1, 400)[None, :, None, None, None].expand(1, 400, 3, 224, 224)
    chosen = selectors.get("random").select(shades, ratio=0.25).masks().float()[0]
    distinct = torch.unique(chosen, dim=0)  # 8-bit shades repeat
    share = distinct.mean(0)
    deviation = (0.25 * 0.75 / len(distinct)) ** 0.5
    assert len(distinct) > 200
    assert (share - 66 / 265).abs().max() < 5 * deviation


def test_centre_grows_from_the_middle_of_the_picture(noise: Tensor) -> None:
    """Of 1 x 3 tiles the middle one is looked at first; a single clip from its own middle."""
    counts = selectors.get("centre").select(noise[:3], ratio=0.2, layout=(1, 3)).counts()[:, 0].tolist()
    assert counts[1] > 4 * max(counts[0], counts[2]) and counts[0] == counts[2]
    finest = selectors.get("centre").select(noise[:1], ratio=0.02).scale_masks()[-1][0, 0]
    assert finest[6:8, 6:8].all() and finest.sum() == 4


def test_rgb_diff_finds_the_change() -> None:
    clips = torch.full((1, 2, 3, 224, 224), 0.3)
    clips[0, 1, 0, 32:48, 64:80] = 0.9  # exactly the finest patch of row 2, column 4
    finest = selectors.get("rgb_diff").select(clips, ratio=0.005).scale_masks()[-1][0, 1]
    assert finest.nonzero().tolist() == [[2, 4]]


def test_rgb_diff_compares_the_first_frame_with_black() -> None:
    clips = torch.zeros(1, 1, 3, 224, 224)
    clips[..., 208:, :16] = 1.0
    finest = selectors.get("rgb_diff").select(clips, ratio=0.005).scale_masks()[-1][0, 0]
    assert finest.nonzero().tolist() == [[13, 0]]


def test_detail_finds_the_checkerboard_and_its_surroundings(checkered_tile: Tensor) -> None:
    gaze = selectors.get("detail").select(checkered_tile, ratio=0.05, layout=(1, 2))
    finest = gaze.scale_masks()[-1]
    assert finest[1, 0, 3, 10:12].all()
    assert finest[1, 0, 2:5, 9:13].all(), "a word's ends lie in the neighbouring patches"
    assert gaze.counts().sum() == 26


def test_detail_sees_across_tile_borders() -> None:
    """An edge that runs along a tile border is detail only for somebody who sees both tiles."""
    clips = torch.zeros(2, 1, 3, 224, 224)
    clips[1] = 1.0
    detail = selectors.get("detail", spread=0.0)
    scores = detail.scores(clips, (1, 2))[:, 0, 69:].view(2, 14, 14)  # type: ignore[attr-defined]
    assert (scores[0, :, 13] > 0).all() and (scores[1, :, 0] > 0).all() and (scores[0, :, :13] == 0).all()
    assert (detail.scores(clips, None) == 0).all()  # type: ignore[attr-defined]


def test_detail_divides_its_budget_among_scales(noise: Tensor) -> None:
    masks = selectors.get("detail").select(noise, ratio=0.1, layout=(2, 3)).scale_masks()
    assert [int(mask[:, 0].sum()) for mask in masks] == [
        24,
        19,
        39,
        77,
    ]  # of 159: all of 24, 12 %, 25 %, the rest


@given(ratio=st.floats(1e-6, 1), valid=st.lists(st.booleans(), min_size=1, max_size=300))
@settings(max_examples=100, deadline=None)
def test_allowance_is_the_published_rounding(ratio: float, valid: list[bool]) -> None:
    count = int(allowance(ratio, 1, torch.tensor([valid])))
    assert count == (max(1, int(ratio * sum(valid))) if any(valid) else 0)


@given(scores=st.lists(st.integers(0, 3), min_size=1, max_size=60), wanted=st.integers(0, 70))
@settings(max_examples=100, deadline=None)
def test_top_is_python_sorted(scores: list[int], wanted: int) -> None:
    """Ties go to the earlier token."""
    n = len(scores)
    taken = top(
        torch.tensor([[scores]]).float(), torch.tensor([[wanted]]), torch.ones(1, n, dtype=torch.bool)
    )
    expected = sorted(range(n), key=lambda i: (-scores[i], i))[:wanted]
    assert taken[0, 0].nonzero().flatten().tolist() == sorted(expected)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda x: selectors.get("detial"), "selector: 'detial' is unknown; allowed: .*detail"),
        (lambda x: selectors.get("detail", size=3), "no argument 'size'; allowed: budget, spread"),
        (lambda x: selectors.get("detail", budget="clip"), "budget: 'clip'; allowed"),
        (lambda x: selectors.get("detail", spread=2), "spread: 2, allowed"),
        (lambda x: selectors.get("random", seed=-1), "seed: -1, allowed"),
        (lambda x: selectors.get("detail").select(x, ratio=0), "ratio: 0, allowed"),
        (lambda x: selectors.get("detail").select(x, ratio=float("nan")), "ratio: nan, allowed"),
        (lambda x: selectors.get("detail").select(x, ratio=None), "ratio: None"),
        (lambda x: selectors.get("detail").select(x, ratio=[0.1]), "ratio: 1 numbers, expected 2"),
        (lambda x: selectors.get("detail").select(x, ratio=0.1, loss=0.2), "loss: 0.2; .*predicts no loss"),
        (lambda x: selectors.get("everything").select(x, ratio=0.5), "ratio: 0.5; .*allowed: None or 1"),
        (lambda x: selectors.get("detail").select(x[:, :0], ratio=0.1), "clips: shape"),
        (lambda x: selectors.get("detail").select(x[..., :100], ratio=0.1), "clips: shape"),
        (lambda x: selectors.get("detail").select(x.int(), ratio=0.1), "clips: dtype"),
        (lambda x: selectors.get("detail").select(x / 0, ratio=0.1), "NaN or infinite"),
        (lambda x: selectors.get("detail").select(x, ratio=0.1, layout=(2, 2)), "layout: 2 x 2"),
        (lambda x: selectors.get("detail").select(x, ratio=0.1, valid=torch.ones(6, 265)), "valid: "),
    ],
)
def test_bad_input_names_the_argument(call, message: str, noise: Tensor) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ValueError, match=message):
        call(noise)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_clips_of_any_precision_are_taken(dtype: torch.dtype) -> None:
    """The sum of a clip's pixels is more than float16 holds."""
    clips = torch.rand(1, 2, 3, 224, 224, generator=torch.Generator().manual_seed(0))
    assert selectors.get("detail").select(clips.to(dtype), ratio=0.1).per_frame == (26, 26)
