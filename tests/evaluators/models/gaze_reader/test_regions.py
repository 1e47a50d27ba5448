"""What is worth reading, and packing it without loss."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from evaluators.models.gaze_reader.packing import GAP, pack
from evaluators.models.gaze_reader.regions import ReadMemory, lettering, patch_boxes, patch_difference


@given(arrays(np.bool_, st.tuples(st.integers(1, 30), st.integers(1, 40)), elements=st.booleans()))
@settings(max_examples=60, deadline=None)
def test_boxes_cover_every_group_that_could_hold_a_word(mask: np.ndarray) -> None:
    covered = np.zeros_like(mask)
    for left, top, right, bottom in patch_boxes(mask):
        assert 0 <= left < right <= mask.shape[1] and 0 <= top < bottom <= mask.shape[0]
        covered[top:bottom, left:right] = True
    row_of_three = mask[:, :-2] & mask[:, 1:-1] & mask[:, 2:] if mask.shape[1] > 2 else mask[:, :0]
    for row, col in np.argwhere(row_of_three):
        assert covered[row, col : col + 3].all()


def test_a_sparse_diagonal_is_not_read_as_its_bounding_box() -> None:
    mask = np.eye(60, dtype=np.bool_) | np.eye(60, k=1, dtype=np.bool_)
    boxes = patch_boxes(mask)
    area = sum((right - left) * (bottom - top) for left, top, right, bottom in boxes)
    assert area < 60 * 60 / 4


def test_letters_are_lettering_and_grain_is_not(signs: np.ndarray) -> None:
    picture = signs[:528]
    kept = lettering(picture, np.ones((33, 60), np.bool_))
    assert kept[5:7, 7:16].all(), "NORTH 53"
    assert kept[26, 39:44].all(), "EXIT 86"
    assert kept.mean() < 0.1


def test_lettering_stays_inside_the_gaze(signs: np.ndarray) -> None:
    seen = np.random.default_rng(0).random((33, 60)) < 0.3
    assert not (lettering(signs[:528], seen) & ~seen).any()
    assert not lettering(signs[:528], np.zeros((33, 60), np.bool_)).any()


def test_read_once_and_again_when_it_changes(signs: np.ndarray) -> None:
    picture = signs[:528].copy()
    seen = np.ones((33, 60), np.bool_)
    memory = ReadMemory(528, 960)
    assert memory.fresh(picture, seen).all()
    memory.remember(picture, seen)
    noisy = np.clip(picture.astype(int) + np.random.default_rng(0).integers(-2, 3, picture.shape), 0, 255)
    assert not memory.fresh(noisy.astype(np.uint8), seen).any(), "coding noise is no news"
    picture[400:430, 600:700] //= 2
    fresh = memory.fresh(picture, seen)
    assert fresh[25:27, 38:43].all() and not fresh[:20].any()


def test_patch_difference_is_the_mean() -> None:
    one = np.zeros((32, 48, 3), np.uint8)
    other = one.copy()
    other[16:32, 32:48] = 10
    assert patch_difference(one, other).tolist() == [[0, 0, 0], [0, 0, 10]]


@given(st.lists(st.tuples(st.integers(1, 400), st.integers(1, 2500)), max_size=40))
@settings(max_examples=60, deadline=None)
def test_packing_places_everything_once_and_apart(sizes: list[tuple[int, int]]) -> None:
    placed = []
    for sheet in pack(sizes):
        assert sheet.width % 32 == 0 and sheet.height % 32 == 0
        taken = np.zeros((sheet.height + GAP, sheet.width + GAP), np.bool_)
        for place in sheet.placements:
            assert (place.height, place.width) == sizes[place.item]
            assert place.left + place.width <= sheet.width and place.top + place.height <= sheet.height
            area = taken[
                place.top : place.top + place.height + GAP, place.left : place.left + place.width + GAP
            ]
            assert not area[: place.height, : place.width].any()
            area[:] = True
            placed.append(place.item)
    assert sorted(placed) == list(range(len(sizes)))


def test_canvas_keeps_pixels_and_finds_its_regions() -> None:
    crops = [np.full((20, 30, 3), value, np.uint8) for value in (10, 200)]
    (sheet,) = pack([crop.shape[:2] for crop in crops])
    canvas = sheet.draw(crops)
    for place in sheet.placements:
        assert (canvas[place.top : place.top + 20, place.left : place.left + 30] == crops[place.item]).all()
        assert sheet.find(place.left + 5, place.top + 5) == place
    assert sheet.find(0, 0) is None and canvas[0, 0].tolist() == [127] * 3


def test_nothing_to_pack() -> None:
    assert pack([]) == []


@pytest.mark.parametrize("shape", [(33, 60), (1, 1)])
def test_no_boxes_of_nothing(shape: tuple[int, int]) -> None:
    assert patch_boxes(np.zeros(shape, np.bool_)) == []
