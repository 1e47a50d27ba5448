"""The reader looking with AutoGaze itself: weights from a folder, long videos gazed clip by clip.

Run: pytest tests/evaluators/reader/test_learned.py
"""

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from autogaze.model.autogaze import AutoGaze
from autogaze.model.config import AutoGazeConfig
from autogaze.selectors.reads import TextReader
from autogaze.tiling import Tiling
from autogaze.weights import bundled_reads
from evaluators.core.weights import weigh
from evaluators.models.gaze_reader.gazing import Looker, selector_of
from evaluators.models.gaze_reader.model import GazeReader
from evaluators.models.gaze_reader.settings import ReaderSettings
from hlvid.errors import RunError


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The published architecture with random weights."""
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("autogaze")
    AutoGaze(AutoGazeConfig()).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def film() -> list[tuple[int, np.ndarray]]:
    """18 frames of 224 px, one clip of 16 and two more."""
    noise = np.random.default_rng(0).integers(0, 256, (18, 224, 224, 3), dtype=np.uint8)
    return [(10 * t, frame) for t, frame in enumerate(noise)]


def test_a_long_video_is_gazed_in_clips(checkpoint: Path, film: list[tuple[int, np.ndarray]]) -> None:
    settings = ReaderSettings(selector="autogaze", checkpoint=str(checkpoint), ratio=0.02)
    tiling = Tiling.of(224, 224)
    looks = list(Looker(settings, tiling).looks(film))
    assert [look.index for look in looks] == [10 * t for t in range(18)]
    selector = selector_of(settings)
    for start, end in ((0, 16), (16, 18)):
        clips = tiling.split(np.stack([frame for _, frame in film[start:end]]))
        alone = selector.select(clips, ratio=0.02).masks()
        seen = torch.cat([look.gaze.masks() for look in looks[start:end]], dim=1)
        assert torch.equal(seen, alone)


def test_a_predicted_loss_ends_a_frame(checkpoint: Path, film: list[tuple[int, np.ndarray]]) -> None:
    """A requirement that everything meets leaves one group of tokens a frame."""
    settings = ReaderSettings(selector="autogaze", checkpoint=str(checkpoint), loss=1e6, ratio=0.5)
    (look,) = Looker(settings, Tiling.of(224, 224)).looks(film[:1])
    assert int(look.gaze.masks().sum()) < 20


def test_other_weights_are_another_run(checkpoint: Path, tmp_path: Path) -> None:
    """The journal's key has the weights' hash: an answer of one checkpoint is not taken for another's."""
    ours = weigh(GazeReader(selector="autogaze", checkpoint=str(checkpoint)).checkpoints())
    torch.manual_seed(1)
    AutoGaze(AutoGazeConfig()).save_pretrained(tmp_path)
    other = weigh(GazeReader(selector="autogaze", checkpoint=str(tmp_path)).checkpoints())
    assert ours["selector"] != other["selector"]


def test_a_missing_checkpoint_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"^gaze_reader: checkpoint .*: no file config\.json"):
        selector_of(ReaderSettings(selector="autogaze", checkpoint=str(tmp_path)))


def test_reads_has_weights_too_and_predicts_no_loss(tmp_path: Path) -> None:
    shutil.copytree(bundled_reads(), tmp_path / "mine")
    reader = TextReader.load(tmp_path / "mine")
    torch.nn.init.zeros_(reader.head[0].weight)  # type: ignore[arg-type]
    reader.save(tmp_path / "mine")
    ours = weigh(GazeReader(selector="reads").checkpoints())
    mine = weigh(GazeReader(selector="reads", checkpoint=str(tmp_path / "mine")).checkpoints())
    assert ours != mine and set(ours) == set(mine) == {"selector"}
    with pytest.raises(RunError, match="loss is of selector 'autogaze'; leave it out with 'reads'"):
        ReaderSettings(selector="reads", loss=0.1)
    with pytest.raises(
        RunError, match="checkpoint is of selector 'autogaze' or 'reads'; leave it out with 'detail'"
    ):
        ReaderSettings(selector="detail", checkpoint="x")
