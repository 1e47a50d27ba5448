"""`reads` sees lines on the borders of tiles, spends a picture's tokens on them, and obeys the selectors' contract."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw, ImageFont

from autogaze.model.autogaze import AutoGaze
from autogaze.model.checkpoint import CheckpointError
from autogaze.selectors import get
from autogaze.selectors.conformance import check
from autogaze.selectors.reads import Reads, TextReader
from autogaze.tiling import Tiling
from autogaze.training.text_signs import fonts
from autogaze.weights import bundled


def picture(text: str, cap: int, at: tuple[int, int], size: tuple[int, int] = (448, 672)) -> np.ndarray:
    """uint8 (1, H, W, 3): one line on a grey wall."""
    shown = Image.new("RGB", size[::-1], (120, 124, 130))
    font = ImageFont.truetype(
        str(next(path for path in fonts() if path.stem == "DejaVuSans-Bold")), round(cap / 0.73)
    )
    ImageDraw.Draw(shown).text(at, text, (245, 245, 240), font, anchor="ls")
    return np.asarray(shown)[None]


def test_the_contract() -> None:
    assert all(finding.ok for finding in check(Reads()))


@pytest.mark.parametrize("at", [(60, 120), (180, 120), (190, 230)])  # in a tile, on a border of two, of four
@pytest.mark.parametrize("cap", [8, 20])
def test_a_line_is_seen_wherever_it_stands(cap: int, at: tuple[int, int]) -> None:
    frames = picture("EXIT 38B", cap, at)
    tiling = Tiling.of(448, 672)
    gaze = Reads().select(tiling.split(frames), ratio=0.02, valid=tiling.valid, layout=tiling.layout)
    assert sum(gaze.masks()[:, 0].sum(1).tolist()) == int(0.02 * 6 * 265)
    seen = np.zeros((448, 672), bool)
    for mask in gaze.scale_masks()[2:]:  # finely enough for these heights
        grid = tiling.join_patches(mask)[0]
        seen |= np.kron(grid, np.ones((448 // grid.shape[0], 672 // grid.shape[1]))).astype(bool)
    ink = frames[0].min(2) > 200
    assert seen[ink].mean() > 0.9


def test_tiles_do_not_share_what_is_each_ones_own() -> None:
    tiling = Tiling.of(448, 672)
    clips = tiling.split(picture("EXIT 38B", 20, (60, 120)))
    gaze = Reads(budget="tile").select(clips, ratio=0.05, valid=tiling.valid, layout=tiling.layout)
    assert set(gaze.masks()[:, 0].sum(1).tolist()) == {13}


def test_it_is_the_trunk_of_an_autogaze_on_still_pictures() -> None:
    """The fast way through the trunk gives what the network itself gives for one frame."""
    model = AutoGaze.from_pretrained(bundled())
    reader = TextReader(model.config).eval()
    trunk = model.gazing_model.vision_model
    reader.trunk.load_state_dict(trunk.state_dict())
    pixels = torch.rand(2, 3, 224, 224, generator=torch.Generator().manual_seed(0)) * 4 - 3
    with torch.no_grad():
        features, _ = trunk(pixels[:, None])
        wanted = reader.head(features[:, 0].transpose(1, 2).reshape(2, -1, 14, 14))
        torch.testing.assert_close(reader(pixels), wanted, atol=1e-4, rtol=1e-4)


def test_a_folder_without_weights_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="no file config"):
        get("reads", checkpoint=str(tmp_path))
    assert get("reads").settings()["checkpoint"] == "bundled"
