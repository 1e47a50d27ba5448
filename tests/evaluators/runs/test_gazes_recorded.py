"""What our models say they gazed at is what they gazed at: tokens counted in the file and in the details agree.

Run: pytest tests/evaluators/runs/test_gazes_recorded.py
"""

from pathlib import Path

import numpy as np
import pytest

from evaluators.core.gaze_file import load
from evaluators.models.nvila.arguments import NvilaArguments
from evaluators.models.nvila.checkpoint import describe
from evaluators.models.nvila.native import Native
from hlvid.dataset import load as questions


@pytest.fixture
def gazes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HLVID_GAZE", str(tmp_path / "gaze"))
    return tmp_path / "gaze"


def test_nvila(dataset: Path, gazes: Path, tmp_path: Path) -> None:
    from autogaze.nvila.answering import make_checkpoint

    checkpoint = str(make_checkpoint(tmp_path / "ckpt", "tiny"))
    given = {"pretrained": checkpoint, "num_video_frames": 16, "num_video_frames_thumbnail": 0}
    arguments = NvilaArguments.read(
        {**given, "max_tiles_video": 2, "selector": "detail", "gazing_ratio_tile": 0.1}
    )
    native = Native(arguments, describe(checkpoint, None, "nvila_hd")[1], "cpu", "nvila_hd")
    details = native.answer(questions("hlvid")[0]).details
    found = load(gazes / details["gaze_file"])
    assert [found.rows, found.columns] == details["tile_grid"] and list(found.size) == details["pixels"]
    assert sorted(found.masks) == sorted(set(details["frame_indices"])) == list(range(10))
    # Ten frames sampled sixteen times: a frame may be gazed at differently when it comes again.
    assert 0 < sum(int(mask.sum()) for mask in found.masks.values()) <= details["tokens_selected"]
    assert all(np.concatenate([grid.ravel() for grid in found.cells(index)]).any() for index in found.masks)


def test_gaze_reader(dataset: Path, gazes: Path) -> None:
    pytest.importorskip("rapidocr")
    from evaluators.models.gaze_reader.reader import read_video
    from evaluators.models.gaze_reader.settings import ReaderSettings

    path = questions("hlvid")[0].video_path
    assert path is not None
    details = read_video(path, ReaderSettings(ratio=0.1, resolution=448, frames=3), cache=False).details
    found = load(gazes / details["gaze_file"])
    assert sorted(found.masks) == details["frame_indices"] and list(found.size) == details["pixels"]
    assert sum(int(mask.sum()) for mask in found.masks.values()) == details["tokens_selected"]
