"""Any length and resolution: tiles, chunks, and independence of how they are batched.

pytest tests/autogaze/test_anyres.py
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from autogaze.anyres import Frame, gaze_video
from autogaze.gaze import Gaze
from autogaze.model.autogaze import AutoGaze
from autogaze.selectors import get
from autogaze.selectors.autogaze import AutoGazeSelector
from autogaze.tiling import Tiling


def noise(count: int, height: int, width: int) -> list[Frame]:
    return list(np.random.default_rng(0).integers(0, 256, (count, height, width, 3), dtype=np.uint8))


def test_tiles_lay_back_to_the_picture() -> None:
    frames = noise(2, 230, 460)
    (chunk,) = gaze_video(iter(frames), get("everything"))
    assert (*chunk.tiling.layout, chunk.gaze.batch) == (2, 3, 6)
    picture = (chunk.tiling.lay(chunk.pixels) * 255).round().byte().permute(0, 2, 3, 1).numpy()
    assert np.array_equal(picture, np.stack(frames))


def test_nothing_is_gazed_that_lies_outside_the_picture() -> None:
    (chunk,) = gaze_video(iter(noise(1, 230, 460)), get("everything"))
    boxes = chunk.boxes()
    assert (boxes.xyxy[:, 0] < 460).all() and (boxes.xyxy[:, 1] < 230).all()
    finest = boxes.xyxy[boxes.scale == 3]
    assert len(finest) == 15 * 29, "every 16 px patch that shows some of 230 x 460 px"


def test_padding_draws_no_edge() -> None:
    white = torch.full((1, 100, 100, 3), 255, dtype=torch.uint8)
    tiles = Tiling.of(100, 100).split(white)
    assert tiles.min() == 1


def test_chunks_are_consumed_as_they_come() -> None:
    taken = 0

    def endless() -> Iterator[Frame]:
        nonlocal taken
        while True:
            taken += 1
            yield np.zeros((64, 64, 3), np.uint8)

    chunks = gaze_video(endless(), get("centre"), ratio=0.1)
    assert [next(chunks).start for _ in range(3)] == [0, 16, 32]
    assert taken == 48


def test_a_short_last_chunk() -> None:
    chunks = list(gaze_video(iter(noise(18, 64, 64)), get("centre"), ratio=[0.1] * 16))
    assert [(chunk.start, chunk.gaze.frames) for chunk in chunks] == [(0, 16), (16, 2)]


def test_how_many_tiles_go_together_changes_no_token(
    random_model: AutoGaze, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    random_model.save_pretrained(tmp_path)
    gazes: list[Gaze] = []
    seen: list[int] = []
    gaze = AutoGaze.gaze

    def counted(self: AutoGaze, video: torch.Tensor, **how: Any) -> Gaze:
        seen.append(len(video))
        return gaze(self, video, **how)

    monkeypatch.setattr(AutoGaze, "gaze", counted)
    for most, shares in ((1, [1, 1, 1, 1]), (3, [2, 2]), (4, [4])):
        seen.clear()
        monkeypatch.setattr("autogaze.model.autogaze.at_once", lambda *_, most=most: most)
        (chunk,) = gaze_video(iter(noise(2, 300, 400)), AutoGazeSelector(checkpoint=tmp_path), ratio=0.1)
        assert seen == shares
        gazes.append(chunk.gaze)
    assert all(torch.equal(gaze.positions, gazes[0].positions) for gaze in gazes)
    assert all(torch.equal(gaze.padded, gazes[0].padded) for gaze in gazes)


def test_frames_that_are_not_alike_and_none_at_all() -> None:
    with pytest.raises(ValueError, match=r"number 1 is uint8 \(32, 64, 3\), .* \(64, 64, 3\) like"):
        list(
            gaze_video(
                [np.zeros((64, 64, 3), np.uint8), np.zeros((32, 64, 3), np.uint8)], get("centre"), ratio=1.0
            )
        )
    with pytest.raises(ValueError, match="none"):
        list(gaze_video([], get("centre"), ratio=1.0))
