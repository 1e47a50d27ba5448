"""Run with: pytest tests/autogaze/nvila/test_grid_and_settings.py"""

from typing import Any

import pytest

from autogaze.nvila.config import NVILAConfig
from autogaze.nvila.grid import thumbnails, tile_grid, uniform
from autogaze.nvila.presets import README, SHAPES, parameter_count, shape
from autogaze.nvila.settings import VideoSettings
from hlvid.video import sampling


def test_published_grid_of_16_by_9_at_48_tiles() -> None:
    grid = tile_grid(3840, 2160, 48)
    assert (grid.columns, grid.rows, grid.size) == (9, 5, (1960, 3528))
    assert grid.corner(9) == (392, 0) and grid.corner(44) == (1568, 3136)


def test_a_small_square_picture_is_one_tile() -> None:
    grid = tile_grid(500, 500, 48)
    assert (grid.columns, grid.rows, grid.tiles) == (1, 1, 1)


@pytest.mark.parametrize(("n", "count"), [(900, 4), (7, 16), (1, 16), (8992, 128), (17, 16)])
def test_frames_are_those_of_the_other_models(n: int, count: int) -> None:
    assert uniform(n, count) == sampling.uniform_linspace(n, count)


def test_thumbnails_are_evenly_spaced_frames_of_the_sample() -> None:
    assert thumbnails(128, 64) == list(range(0, 128, 2))
    assert thumbnails(16, 5) == [0, 3, 6, 9, 12]
    assert thumbnails(16, 16) == list(range(16)) and thumbnails(16, 0) == []


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"num_video_frames": 8}, "num_video_frames=8: expected a positive multiple of 16"),
        ({"num_video_frames": 0}, "num_video_frames=0"),
        ({"max_tiles_video": 0}, "max_tiles_video=0"),
        ({"num_video_frames_thumbnail": 17}, "num_video_frames_thumbnail=17"),
        ({"gazing_ratio_tile": 1.5}, "gazing_ratio_tile=1.5"),
        (
            {"gazing_ratio_tile": (0.1, 0.2)},
            "gazing_ratio_tile: 2 numbers, expected one for all frames or 16",
        ),
        ({"gazing_ratio_tile": (0.0, *[0.1] * 15)}, "gazing_ratio_tile=0.0"),
        ({"gazing_ratio_tile": True}, "gazing_ratio_tile=True"),
        ({"gazing_ratio_thumbnail": "0.5"}, "gazing_ratio_thumbnail='0.5'"),
        ({"task_loss_requirement_tile": float("nan")}, "task_loss_requirement_tile=nan"),
        ({"gaze_grid": "both"}, "gaze_grid='both': allowed are aligned, released, quartered"),
        ({"gazing_budget": "frame"}, "gazing_budget='frame': allowed are tile, picture"),
        ({"resize": "cv2"}, "resize='cv2': allowed are decoder, pil"),
    ],
)
def test_bad_settings_are_named(change: dict[str, Any], text: str) -> None:
    with pytest.raises(ValueError, match=text.replace("(", r"\(")):
        VideoSettings(**change)


@pytest.mark.parametrize("name", SHAPES)
def test_a_config_survives_its_file(name: str) -> None:
    config = shape(name)
    assert NVILAConfig.from_dict(config.to_dict()) == config


def test_another_kind_of_checkpoint_is_refused() -> None:
    with pytest.raises(ValueError, match=r"model_type='llava' in config\.json"):
        NVILAConfig.from_dict({"model_type": "llava"})


def test_the_8b_shape_has_the_published_size() -> None:
    # The published checkpoint is 16.2 GB in bf16.
    count = parameter_count(shape("8b"))
    assert sum(count.values()) * 2 / 1e9 == pytest.approx(16.2, abs=0.05)
    assert shape("8b").video == README
    assert shape("8b").vision.grid.sides == (4, 8, 14, 28) and shape("8b").vision.image_size == 448
    assert shape("8b").vision.select_layer == -2 and shape("8b").grouping == "time"
