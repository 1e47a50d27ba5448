"""The whole path on a small video: what is read depends on resolution and on the gaze.

Run: pytest tests/evaluators/reader/test_reader.py (about 10 s)
"""

import json
from pathlib import Path

import numpy as np
import pytest

from autogaze.overlay import gazed
from evaluators.demo.report import look_at
from evaluators.models.gaze_reader.ocr import Engine
from evaluators.models.gaze_reader.options import plain
from evaluators.models.gaze_reader.reader import engine, read_video
from evaluators.models.gaze_reader.settings import ReaderSettings


@pytest.fixture(scope="module")
def ocr() -> Engine:
    return engine()


def words(path: Path, **settings: object) -> set[str]:
    arguments = {"frames": 2, "resolution": 960, "ratio": 0.3, **settings}
    return {plain(line.text) for line in read_video(path, ReaderSettings(**arguments)).lines}  # type: ignore[arg-type]


def test_engine_reads_small_text_without_resizing(ocr: Engine, signs: np.ndarray) -> None:
    texts = {plain(text.text): text for text in ocr.read(signs[:512])}
    assert {"NORTH53", "EXIT86"} <= set(texts)
    left, top, right, bottom = texts["EXIT86"].box
    assert 590 < left < 625 and 395 < top < 412 and right - left < 120 and bottom - top < 30


def test_engine_never_resizes(ocr: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """The detector's network is given exactly the canvas, large or small."""
    shapes = []
    infer = ocr.engine.text_det.session
    monkeypatch.setattr(ocr.engine.text_det, "session", lambda x: (shapes.append(x.shape), infer(x))[1])
    for shape in ((64, 96), (32, 2048)):
        ocr.read(np.full((*shape, 3), 127, np.uint8))
    assert [tuple(shape[2:]) for shape in shapes] == [(64, 96), (32, 2048)]
    with pytest.raises(ValueError, match="multiples of 32"):
        ocr.read(np.zeros((40, 64, 3), np.uint8))


def test_small_text_needs_resolution(clip: Path) -> None:
    assert {"NORTH53", "EXIT86"} <= words(clip)
    low = words(clip, resolution=320)
    assert "NORTH53" in low and "EXIT86" not in low


def test_what_is_not_gazed_is_not_read(clip: Path) -> None:
    """A few tokens in the middle of the picture show neither sign."""
    assert words(clip, selector="centre", ratio=0.02) & {"NORTH53", "EXIT86"} == set()
    assert {"NORTH53", "EXIT86"} <= words(clip, selector="everything", ratio=None)


def test_details_say_what_was_seen(clip: Path) -> None:
    details = read_video(clip, ReaderSettings(frames=3, resolution=448, ratio=0.1)).details
    assert json.loads(json.dumps(details)) == details
    assert details["frames"] == 3 and details["frame_indices"] == [0, 4, 7]
    assert details["pixels"] == [252, 448] and details["pixels_native"] == [540, 960]
    assert details["tiles"] == 4 and details["tokens_with_padding"] == 3 * 4 * 265
    assert details["tokens_selected"] == 3 * int(0.1 * (details["tokens_valid"] // 3))
    assert details["ratio_with_padding"] < details["ratio_of_valid"] <= 0.1
    assert set(details["seconds"]) == {"decode", "select", "rebuild", "ocr"}
    assert "rapidocr" in details["ocr"] and "pyav" in details["decoder"].lower()


def test_a_static_scene_is_read_once(clip: Path) -> None:
    few = read_video(clip, ReaderSettings(frames=1, resolution=960, ratio=0.3)).details
    many = read_video(clip, ReaderSettings(frames=8, resolution=960, ratio=0.3)).details
    assert many["ocr_megapixels"] < 3 * few["ocr_megapixels"]


def test_a_look_for_the_report(clip: Path) -> None:
    settings = ReaderSettings(resolution=960, ratio=0.1)
    look, looker = look_at(clip, 2, settings)
    drawn = gazed(look.original, look.gaze.boxes(look.tiling.boxes()), 1)
    assert look.original.shape == look.rebuilt.shape == drawn.shape == (540, 960, 3)
    lit = look.tiling.join_patches(look.gaze.scale_masks()[-1])[0].repeat(16, 0).repeat(16, 1)[:540, :960]
    share = drawn.astype(float) / np.maximum(look.original, 1)
    assert (
        np.median(share[lit]) > 0.9 > 0.7 > np.median(share[~lit])
        and 0 < looker.tokens_selected < looker.tokens_valid
    )
