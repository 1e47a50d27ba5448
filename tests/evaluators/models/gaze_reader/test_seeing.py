"""Tiles, looks and views: what reaches the OCR is what was gazed at, at the resolution it was gazed at."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from autogaze import selectors
from autogaze.gaze import SCALES
from autogaze.selectors.context import Context
from autogaze.selectors.detail import Detail
from autogaze.selectors.told import Told
from autogaze.tiling import Tiling
from evaluators.models.gaze_reader.gazing import Looker
from evaluators.models.gaze_reader.reader import read_video
from evaluators.models.gaze_reader.settings import ReaderSettings


@pytest.mark.parametrize(("height", "width"), [(252, 448), (540, 960), (224, 224), (100, 30)])
def test_tiles_and_back(height: int, width: int) -> None:
    tiling = Tiling.of(height, width)
    frames = np.random.default_rng(0).integers(0, 256, (2, height, width, 3), dtype=np.uint8)
    clips = tiling.split(frames)
    assert clips.shape == (tiling.count, 2, 3, 224, 224) and 0 <= clips.min() <= clips.max() <= 1
    assert np.array_equal(tiling.join(clips), frames)


def test_padding_repeats_the_edge() -> None:
    frame = np.full((1, 100, 224, 3), 40, np.uint8)
    frame[0, -1] = 200
    clips = Tiling.of(100, 224).split(frame)
    assert (clips[0, 0, :, 99:] == 200 / 255).all()


def test_valid_tokens_hold_picture() -> None:
    """252 x 448 px: the lower tiles show 28 px, which is two rows of 16 px patches and one of each coarser."""
    valid = Tiling.of(252, 448).valid
    assert valid[:2].all()
    by_scale = [part.sum().item() for part in torch.split(valid[2], [side * side for side in (2, 4, 7, 14)])]
    assert by_scale == [2, 4, 7, 28]


@pytest.fixture
def picture() -> np.ndarray:
    return np.random.default_rng(1).integers(0, 256, (252, 448, 3), dtype=np.uint8)


def test_everything_sees_the_frame_itself(picture: np.ndarray) -> None:
    looker = Looker(ReaderSettings(selector="everything"), Tiling.of(252, 448))
    look = next(looker.looks([(7, picture)]))
    assert look.index == 7 and np.array_equal(look.rebuilt, picture)
    assert looker.tokens_selected == looker.tokens_valid == int(Tiling.of(252, 448).valid.sum())
    assert looker.tokens_all == 4 * 265


def test_budget_counts_picture_not_padding(picture: np.ndarray) -> None:
    looker = Looker(ReaderSettings(selector="random", ratio=0.2), Tiling.of(252, 448))
    list(looker.looks([(0, picture), (1, picture[::-1].copy())]))
    assert looker.tokens_selected == 2 * int(0.2 * (looker.tokens_valid // 2))


def test_views_show_each_scale_as_gazed(picture: np.ndarray) -> None:
    look = next(Looker(ReaderSettings(selector="everything"), Tiling.of(252, 448)).looks([(0, picture)]))
    views = {view.scale: view for view in look.views()}
    assert sorted(views) == sorted(SCALES)
    padded = look.tiling.pad(picture[None])[0]
    assert np.array_equal(views[224].picture, padded)
    halved = padded.reshape(224, 2, 224, 2, 3).mean((1, 3))
    assert np.abs(views[112].picture - halved).max() <= 0.5 + 1e-6


@pytest.mark.parametrize("selector", ["detail", "random"])
def test_no_unseen_pixel_reaches_a_view(picture: np.ndarray, selector: str) -> None:
    """Change all that nobody looked at; with the same gaze every view stays the same."""
    from dataclasses import replace

    from autogaze.reconstruction.paste import rebuild

    looker = Looker(ReaderSettings(selector=selector, ratio=0.1), Tiling.of(252, 448))
    look = next(looker.looks([(0, picture)]))
    seen = np.zeros((252, 448), bool)
    for mask in look.gaze.scale_masks():
        cells, cell = looker.tiling.join_patches(mask)[0], 224 // mask.shape[-1]
        seen |= cells.repeat(cell, 0).repeat(cell, 1)[:252, :448]
    changed = np.where(seen[..., None], picture, 255 - picture)
    rebuilt = looker.tiling.join(rebuild(looker.tiling.split(changed[None]), look.gaze))[0]
    other = replace(look, original=changed, rebuilt=rebuilt)
    assert not seen.all()
    for one, two in zip(look.views(), other.views(), strict=True):
        assert np.array_equal(one.picture, two.picture)


def test_rgb_diff_is_shown_the_frame_before(picture: np.ndarray) -> None:
    """Frame after frame or in one call: the same gaze."""
    rng = np.random.default_rng(2)
    frames = [(i, rng.integers(0, 256, picture.shape, dtype=np.uint8)) for i in range(6)]
    settings, tiling = ReaderSettings(selector="rgb_diff", ratio=0.1), Tiling.of(252, 448)
    looks = list(Looker(settings, tiling).looks(frames))
    clips = tiling.split(np.stack([frame for _, frame in frames]))
    whole = Looker(settings, tiling).selector.select(
        clips, ratio=0.1, valid=tiling.valid, layout=tiling.layout
    )
    assert torch.equal(torch.cat([look.gaze.masks() for look in looks], 1), whole.masks())


def test_a_selector_is_told_what_it_needs_of_the_frames_it_sees(picture: np.ndarray) -> None:
    maps = [(index, np.full((252, 448, 3), index, np.uint8)) for index in (2, 5, 9)]
    told = Told(np.arange(10) / 2, iter(maps), "Which?\nA. this")
    tiling = Tiling.of(252, 448)
    assert told.context((), [2], tiling.split) is None
    first = told.context(("times", "codec"), [2, 5], tiling.split)
    assert first is not None and first.question is None and first.times.tolist() == [1.0, 2.5]
    assert (first.codec[:, 1] * 255).round().unique().tolist() == [5]
    later = told.context(("codec", "question"), [5, 9], tiling.split)
    assert later is not None and later.times is None and later.question == "Which?\nA. this"
    assert (later.codec[:, 0] * 255).round().unique().tolist() == [5]  # kept from before


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory, signs: np.ndarray, encode: Callable[..., Path]) -> Path:
    """Four frames in which the signs move."""
    return encode(tmp_path_factory.mktemp("film") / "film.mp4", [np.roll(signs, 4 * n, 1) for n in range(4)])


@pytest.mark.parametrize("name", [*selectors.names(), "autogaze.selectors.detail:Detail"])
def test_every_selector_there_is_reads_a_film(name: str, film: Path) -> None:
    ratio = 1.0 if name == "everything" else 0.1
    settings = ReaderSettings(selector=name, ratio=ratio, frames=2, resolution=448)
    reading = read_video(
        film, settings, cache=False, question="What does the white text on the blue sign say?"
    )
    told, valid = reading.details, reading.details["tokens_valid"] // 2
    assert told["selector"]["name"] == name.split(":")[0].rpartition(".")[2]
    assert 0 < told["tokens_selected"] <= 2 * int(ratio * valid)
    assert told.get("query_aware", False) == (name == "question")


def test_a_clip_is_told_of_its_own_frames_alone(picture: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    """Gazed clip by clip, a selector with needs has one time for each frame of the clip, none of the clip before."""
    seen = []

    class Timed(Detail):
        history = None
        clip_frames = 2
        needs = ("times",)

        def scores_in(self, clips: torch.Tensor, layout: object, context: Context) -> torch.Tensor:
            assert context.times is not None
            seen.append((clips.shape[1], context.times.tolist()))
            return self.scores(clips, layout)

    monkeypatch.setattr("evaluators.models.gaze_reader.gazing.selector_of", lambda settings: Timed())
    looker = Looker(ReaderSettings(ratio=0.02), Tiling.of(252, 448), Told(np.arange(10) / 2))
    assert len(list(looker.looks([(index, picture) for index in (0, 2, 4)]))) == 3
    assert seen == [(2, [0.0, 1.0]), (1, [2.0])]
