"""Each method against a loop over its definition, or a property that its definition implies.

Run: pytest tests/autogaze/nvila/reduction/test_methods.py
"""

import itertools
import math

import pytest
import torch
from torch import Tensor

from autogaze.nvila.reduction import METHODS, SCORED, Reduced, names, reduce, target
from autogaze.nvila.reduction.fastvid import density_peaks, segments
from autogaze.nvila.reduction.pooling import _box
from autogaze.nvila.reduction.tome import match
from autogaze.nvila.reduction.visionzip import merge_into

T, H, W, C = 6, 5, 7, 12


@pytest.fixture
def features() -> Tensor:
    return torch.randn(T, H, W, C, generator=torch.Generator().manual_seed(0))


@pytest.fixture
def scores() -> Tensor:
    return torch.rand(T, H, W, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("name", names())
@pytest.mark.parametrize("keep", [0.02, 0.1, 0.37, 0.5, 0.9, 1.0])
def test_counts_order_and_places(name: str, keep: float, features: Tensor, scores: Tensor) -> None:
    reduced = reduce(name, features, keep, scores)
    N, most = len(reduced.tokens), target(T * H * W, keep)
    per_frame = T * target(H * W, keep)
    bounds = {
        "tome": (max(most, T), max(most, T)),
        "fastv": (most, most),
        "fastvid": (most, most + T),
        "visionzip": (per_frame, per_frame),
        "spatial": (T, per_frame),
        "temporal": (H * W, max(most, H * W)),
        "spatiotemporal": (1, most),
    }
    assert bounds[name][0] <= N <= bounds[name][1]
    assert reduced.positions.shape == (N, 3) and reduced.sizes.shape == (N,)
    assert int(reduced.counts().sum()) == N
    places = [tuple(place) for place in reduced.positions.tolist()]
    assert places == sorted(places), "ordered by frame, row, column"
    assert (reduced.positions >= 0).all()
    assert (reduced.positions <= torch.tensor([T - 1, H - 1, W - 1])).all()


@pytest.mark.parametrize("name", names())
def test_keeping_all_changes_nothing(name: str, features: Tensor, scores: Tensor) -> None:
    reduced = reduce(name, features, 1.0, scores)
    torch.testing.assert_close(reduced.tokens, features.flatten(0, 2))
    assert torch.equal(reduced.sizes, torch.ones(T * H * W))


@pytest.mark.parametrize(
    ("name", "keep"), [("tome", 0.23), ("spatial", 0.25), ("temporal", 0.25), ("spatiotemporal", 1 / 8)]
)
def test_what_is_merged_keeps_its_mean(name: str, keep: float) -> None:
    """Weighted by how many tokens each stands for, merged tokens have the mean of all; bins divide evenly here."""
    clip = torch.randn(8, 4, 4, C, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    reduced = reduce(name, clip, keep)
    weights = reduced.sizes / reduced.sizes.sum()
    mean = (weights[:, None] * reduced.tokens).sum(0)
    torch.testing.assert_close(mean.double(), clip.mean((0, 1, 2)), rtol=1e-5, atol=1e-6)
    assert float(reduced.sizes.sum()) == 8 * 4 * 4


def test_pooling_is_the_mean_of_blocks(features: Tensor) -> None:
    clip = features[:4, :4, :4]
    assert len(reduce("temporal", clip, 0.5).tokens) == 2 * 16
    torch.testing.assert_close(reduce("temporal", clip, 0.5).tokens[0], clip[:2, 0, 0].mean(0))
    torch.testing.assert_close(reduce("spatial", clip, 0.25).tokens[1], clip[0, :2, 2:].mean((0, 1)))
    torch.testing.assert_close(
        reduce("spatiotemporal", clip, 1 / 8).tokens[0], clip[:2, :2, :2].mean((0, 1, 2))
    )
    assert len(reduce("temporal", clip, 0.01).tokens) == 16, "one frame stays"


@pytest.mark.parametrize("sizes", [(28, 28), (16, 28, 28), (5, 7)])
def test_the_box_is_the_largest_on_its_way(sizes: tuple[int, ...]) -> None:
    for most in (1, 5, 78, 200, math.prod(sizes)):
        box = _box(sizes, most)
        assert math.prod(box) <= most or box == (1,) * len(sizes)
        shares = [count / size for size in sizes for count in range(1, size + 1)]
        bigger = [tuple(max(1, int(size * share + 1e-9)) for size in sizes) for share in shares]
        assert all(math.prod(one) > most or math.prod(one) <= math.prod(box) for one in bigger)


def test_one_round_of_tome_against_a_loop() -> None:
    rows = torch.randn(9, C + 3, generator=torch.Generator().manual_seed(3))
    sizes = torch.tensor([1.0, 2, 1, 3, 1, 1, 2, 1, 1])
    found, weights = match(rows, sizes, 3)
    even, odd = list(range(0, 9, 2)), list(range(1, 9, 2))

    def alike(a: int, b: int) -> float:
        return float(torch.cosine_similarity(rows[a, :-3], rows[b, :-3], dim=0))

    partner = {a: max(odd, key=lambda b, a=a: alike(a, b)) for a in even}
    gone = sorted(even, key=lambda a: -alike(a, partner[a]))[:3]
    expected = [(rows[a], float(sizes[a])) for a in even if a not in gone]
    for b in odd:
        members = [b, *(a for a in gone if partner[a] == b)]
        total = sum(float(sizes[m]) for m in members)
        expected.append((sum(rows[m] * sizes[m] for m in members) / total, total))  # type: ignore[arg-type]
    torch.testing.assert_close(found, torch.stack([row for row, _ in expected]))
    assert weights.tolist() == [size for _, size in expected]


def test_tome_merges_equal_tokens_first() -> None:
    """Two kinds of tokens: merged to two, each kind is one, whatever its number."""
    kinds = torch.eye(2, C)[torch.tensor([0, 0, 1, 1, 0, 0, 0, 0])]
    reduced = reduce("tome", kinds.view(1, 2, 4, C), 2 / 8)
    assert sorted(reduced.sizes.tolist()) == [2.0, 6.0]
    assert sorted(reduced.tokens.tolist()) == sorted(torch.eye(2, C).tolist())


def test_fastv_keeps_the_highest(features: Tensor, scores: Tensor) -> None:
    reduced = reduce("fastv", features, 0.1, scores)
    ranked = sorted(itertools.product(range(T), range(H), range(W)), key=lambda place: -float(scores[place]))
    best = sorted(ranked[: target(T * H * W, 0.1)])
    assert [tuple(map(int, place)) for place in reduced.positions.tolist()] == best
    assert torch.equal(reduced.tokens, torch.stack([features[place] for place in best]))


def test_visionzip_against_a_loop(features: Tensor, scores: Tensor) -> None:
    keep = 16 / (H * W)  # of 16 tokens a frame, 54 to 10: 14 dominant and 2 contextual ones
    reduced = reduce("visionzip", features, keep, scores)
    frame, weight = features[2].flatten(0, 1), scores[2].flatten()
    order = sorted(range(H * W), key=lambda i: -float(weight[i]))
    dominant, rest = sorted(order[:14]), sorted(order[14:])
    anchors = [rest[i * len(rest) // 2] for i in range(2)]
    groups: dict[int, list[int]] = {a: [a] for a in anchors}
    for i in rest:
        if i not in anchors:
            best = max(anchors, key=lambda a, i=i: float(torch.cosine_similarity(frame[i], frame[a], dim=0)))
            groups[best].append(i)
    expected = [frame[i] for i in dominant] + [frame[members].mean(0) for members in groups.values()]
    mine = reduced.tokens[reduced.positions[:, 0] == 2]
    assert len(mine) == 16 and float(reduced.sizes.sum()) == T * H * W
    assert all(torch.isclose(mine, row, atol=1e-6).all(-1).any() for row in expected)


def test_merging_into_anchors_keeps_every_row_once() -> None:
    rows = torch.randn(20, C, generator=torch.Generator().manual_seed(4))
    where = torch.arange(60).view(20, 3).float()
    merged, centres, sizes = merge_into(rows, where, torch.tensor([3, 11]))
    assert float(sizes.sum()) == 20
    torch.testing.assert_close((merged * sizes[:, None]).sum(0), rows.sum(0))
    torch.testing.assert_close((centres * sizes[:, None]).sum(0), where.sum(0))


def test_fastvid_cuts_where_the_scene_changes(scores: Tensor) -> None:
    scenes = torch.randn(2, 1, 1, C, generator=torch.Generator().manual_seed(5))
    clip = scenes[torch.tensor([0] * 9 + [1] * 7)].expand(16, H, W, C)
    bounds = segments(clip)
    assert 9 in bounds and bounds[0] == 0 and bounds[-1] == 16 and len(bounds) - 1 == 8
    assert segments(clip[:1]) == [0, 1]


def test_density_peaks_finds_the_middle_of_each_cluster() -> None:
    generator = torch.Generator().manual_seed(6)
    centres = torch.eye(3, C) * 10
    rows = torch.cat([centre + 0.3 * torch.randn(15, C, generator=generator) for centre in centres])
    peaks = density_peaks(rows, 3)
    assert sorted(int(peak) // 15 for peak in peaks) == [0, 1, 2]


def test_order_does_not_come_from_the_batch(features: Tensor, scores: Tensor) -> None:
    """Poolings and tome commute with a scaling of the features; choices do not move."""
    for name in METHODS:
        one, other = (reduce(name, factor * features, 0.2, scores) for factor in (1.0, 4.0))
        assert torch.allclose(one.positions, other.positions) and torch.allclose(
            4 * one.tokens, other.tokens, atol=1e-4
        )


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("tomee", 0.1), "tomee"),
        (("tome", 0.0), "keep=0.0"),
        (("tome", 1.5), "keep=1.5"),
        (("visionzip", 0.1), "scores: None"),
    ],
)
def test_bad_requests_are_named(arguments: tuple[str, float], named: str, features: Tensor) -> None:
    with pytest.raises(ValueError, match=named):
        reduce(arguments[0], features, arguments[1])


def test_bad_shapes_are_named(features: Tensor, scores: Tensor) -> None:
    with pytest.raises(ValueError, match=r"\(T, H, W, C\)"):
        reduce("tome", features[0], 0.1)
    for name in SCORED:
        with pytest.raises(ValueError, match="scores"):
            reduce(name, features, 0.1, scores[:2])


def test_groups_are_the_frames_that_are_left() -> None:
    positions = torch.tensor([[0.0, 0, 0], [0.5, 1, 1], [2.0, 0, 0]])
    assert Reduced(torch.zeros(3, 1), positions, torch.ones(3)).counts().tolist() == [2, 1]
