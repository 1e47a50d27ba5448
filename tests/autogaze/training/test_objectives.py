"""What is searched, replayed and rewarded by name: text reads lines, paste lowers L1, and both agree with themselves.

Run: pytest tests/autogaze/training/test_objectives.py
"""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from autogaze.gaze import Gaze
from autogaze.training.judge import judge_of
from autogaze.training.label_making import Settings, make_labels
from autogaze.training.labels import LabelSet
from autogaze.training.objectives import LINE, TextSearch, search_of, searched
from autogaze.training.text_tiles import tile

pytest.importorskip("rapidocr", reason="the text detector is not installed")
COUNT = 24


@pytest.fixture(scope="module")
def written() -> Tensor:
    """A frame with text that the detector finds, uint8 (1, 3, 224, 224)."""
    for seed in range(200):
        picture, place = tile(seed)
        if float(place[3].sum()) > 3 and searched("text", picture[None], (1,)).losses[0][0] > LINE / 2:
            return picture[None]
    raise AssertionError("no tile with small text among 200")


def _as_gaze(order: tuple[int, ...]) -> Gaze:
    masks = torch.zeros(1, 1, 265, dtype=torch.bool)
    masks[0, 0, list(order)] = True
    return Gaze.from_masks(masks)


def test_text_reads_what_paste_leaves_unread(written: Tensor) -> None:
    judge = judge_of("text")
    assert judge is not None
    lost = {
        name: float(judge(written[None].float() / 255, _as_gaze(searched(name, written, (COUNT,)).order[0])))
        for name in ("text", "paste")
    }
    assert lost["text"] < LINE / 2 and lost["paste"] > 2 * lost["text"]


def test_losses_gains_and_reward_are_one(written: Tensor) -> None:
    found = searched("text", written, (COUNT,))
    pixels = written[0].numpy().astype(np.float32) / np.float32(255)
    told = TextSearch().replay(pixels, found.order[0])
    assert told.losses == pytest.approx(found.losses[0]) and min(told.losses) >= 0
    assert list(told.losses) == sorted(told.losses, reverse=True)
    assert [int(row.argmax()) for row in told.gains] == list(found.order[0])
    judge = judge_of("text")
    assert judge is not None
    reward = judge(written[None].float() / 255, _as_gaze(found.order[0]))
    assert float(reward) == pytest.approx(found.losses[0][-1], abs=1e-6)


def test_labels_of_text(tmp_path: Path) -> None:
    settings = Settings(frames=(1, 1), objective="text")
    folder = make_labels(tmp_path / "labels", generated=2, settings=settings, progress=False)
    for clip in LabelSet(folder):
        again = searched("text", clip.frames, [len(part) for part in clip.order])
        assert clip.order == again.order
    with pytest.raises(ValueError, match="objective"):
        make_labels(folder, generated=2, settings=Settings(frames=(1, 1)), progress=False)


def test_other_names_are_refused(written: Tensor) -> None:
    with pytest.raises(ValueError, match="expected paste or text"):
        search_of("videomae:somewhere")
    with pytest.raises(ValueError, match="expected paste or text"):
        searched("words", written, (3,))
