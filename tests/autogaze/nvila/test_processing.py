"""Run with: pytest tests/autogaze/nvila/test_processing.py"""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from autogaze.encoders.patches import pack
from autogaze.gaze import Gaze
from autogaze.nvila.config import NVILAConfig
from autogaze.nvila.gazing import everything, gaze_at, gaze_for_encoder
from autogaze.nvila.processing import ClipBatch, expand, plan_video, stream
from autogaze.nvila.settings import VideoSettings
from autogaze.nvila.stages import Stages
from autogaze.selectors.autogaze import AutoGazeSelector
from autogaze.selectors.registry import get

SCALES = (56, 112, 196, 392)


def clips_of(
    source: Any, config: NVILAConfig, settings: VideoSettings, selector: Any = None
) -> list[ClipBatch]:
    plan = plan_video(source.width, source.height, source.frame_count, settings, config.tile)
    return list(stream(source, plan, config, settings, selector))


def test_tiles_hold_the_pixels_of_their_place_and_time(
    drawn: Any, config: NVILAConfig, whole: VideoSettings
) -> None:
    plan = plan_video(drawn.width, drawn.height, drawn.frame_count, whole, config.tile)
    assert (plan.grid.rows, plan.grid.columns, plan.chunks) == (2, 4, 2)
    frames = dict(drawn.stream(plan.indices, plan.grid.size))
    seen = set()
    for batch in clips_of(drawn, config, whole):
        if batch.kind == "thumbnail":
            continue
        for offset, clip in enumerate(batch.pixels):
            top, left = plan.grid.corner(batch.first + offset)
            seen.add((batch.chunk, batch.first + offset))
            for t in range(16):
                frame = frames[plan.indices[16 * batch.chunk + t]]
                expected = torch.from_numpy(frame[top : top + 56, left : left + 56]).permute(2, 0, 1) / 255
                assert torch.equal(clip[t], expected)
    assert seen == {(chunk, tile) for chunk in range(2) for tile in range(8)}


def test_thumbnails_are_whole_frames_of_their_chunk(
    drawn: Any, config: NVILAConfig, whole: VideoSettings
) -> None:
    plan = plan_video(drawn.width, drawn.height, drawn.frame_count, whole, config.tile)
    small = [batch for batch in clips_of(drawn, config, whole) if batch.kind == "thumbnail"]
    reds = [round(float(clip[0, 0].mean()) * 255) for batch in small for clip in batch.pixels]
    assert reds == [plan.indices[place] for place in plan.thumbnails]
    assert all(batch.pixels.shape[1:] == (1, 3, 56, 56) for batch in small)
    corners = small[0].pixels[0, 0, 1:, [0, 0, -1], [0, -1, -1]]
    assert torch.allclose(corners, torch.tensor([[0, 0, 1.0], [0, 1.0, 1.0]]), atol=0.02)


def test_batches_never_hold_more_than_asked(drawn: Any, config: NVILAConfig, whole: VideoSettings) -> None:
    batches = clips_of(drawn, config, whole)
    assert max(len(batch.pixels) for batch in batches) == 3
    assert drawn.given == sorted(set(drawn.given)), "a frame was decoded twice"


def test_a_short_video_fills_its_last_clip_and_decodes_each_once(
    drawn: Any, config: NVILAConfig, whole: VideoSettings
) -> None:
    drawn.frame_count = 5
    tiles = [batch for batch in clips_of(drawn, config, whole) if batch.kind == "tile" and batch.first == 0]
    reds = [round(float(frame[0].mean()) * 255) for batch in tiles for frame in batch.pixels[0]]
    assert drawn.given == [0, 1, 2, 3, 4]
    assert reds == sorted(reds) and len(reds) == 16 and set(reds) == {0, 1, 2, 3, 4}


def test_how_tiles_are_batched_changes_no_gaze(
    drawn: Any, config: NVILAConfig, small_selector_folder: str
) -> None:
    selector = AutoGazeSelector(small_selector_folder)
    settings = replace(config.video, num_video_frames=16, gazing_ratio_tile=(0.1, *[0.02] * 15))
    masks = []
    for size in (1, 2):
        batches = clips_of(drawn, config, replace(settings, max_batch_size_autogaze=size), selector)
        masks.append(torch.cat([batch.gaze.masks() for batch in batches if batch.kind == "tile"]))
    assert torch.equal(masks[0], masks[1])
    assert masks[0].sum(-1).tolist() == [[26] + [5] * 15] * 2


def test_seconds_are_told_by_stage(drawn: Any, config: NVILAConfig, whole: VideoSettings) -> None:
    stages = Stages()
    plan = plan_video(drawn.width, drawn.height, drawn.frame_count, whole, config.tile)
    list(stream(drawn, plan, config, whole, get("random"), stages=stages))
    assert set(stages.seconds) == {"decode", "selector"}
    assert all(seconds > 0 for seconds in stages.seconds.values())


def test_autogaze_is_asked_as_the_published_processor_asks_it(small_selector_folder: str) -> None:
    selector = AutoGazeSelector(small_selector_folder)
    clips = torch.rand(1, 2, 3, 392, 392, generator=torch.Generator().manual_seed(0))
    ours = gaze_at(clips, selector, SCALES, 16, ratio=0.03)
    video = selector.processor.from_unit(clips)
    published = selector.model(
        {"video": video},
        gazing_ratio=0.03,
        target_scales=list(SCALES),
        target_patch_size=16,
        generate_only=True,
    )
    assert torch.equal(ours.masks(), Gaze.from_published(published, SCALES, 16).masks())


@pytest.mark.parametrize("name", ["random", "detail"])
@pytest.mark.parametrize("patch", [14, 16])
def test_other_selectors_stay_in_budget_and_inside_the_picture(name: str, patch: int) -> None:
    clips = torch.rand(2, 2, 3, 392, 392, generator=torch.Generator().manual_seed(0))
    gaze = gaze_at(clips, get(name), SCALES, patch, ratio=0.1)
    tokens = sum((scale // patch) ** 2 for scale in SCALES)
    assert gaze.tokens == tokens
    # The budget is of the tokens that show picture; none may be lost in the padding of the cuts.
    assert gaze.counts().tolist() == [[int(0.1 * tokens)] * 2] * 2


@pytest.mark.parametrize("ratio", [None, 1, (1.0, 1.0)])
def test_all_means_all_without_asking_a_selector(ratio: Any, small_selector_folder: str) -> None:
    clips = torch.rand(1, 2, 3, 392, 392)
    gaze = gaze_at(clips, AutoGazeSelector(small_selector_folder), SCALES, 16, ratio=ratio)
    assert torch.equal(gaze.positions, everything(1, 2, SCALES, 16, "cpu").positions)
    assert gaze.counts().tolist() == [[778, 778]]


def test_pil_resizing_is_pillows_own_from_the_whole_frame(
    drawn: Any, config: NVILAConfig, whole: VideoSettings
) -> None:
    """Tiles and thumbnails both, grey level by grey level."""
    settings = replace(whole, resize="pil", num_video_frames=16, num_video_frames_thumbnail=2)
    drawn.noise = True
    plan = plan_video(drawn.width, drawn.height, drawn.frame_count, settings, config.tile)
    frames = dict(drawn.stream(plan.indices))
    for batch in clips_of(drawn, config, settings):
        for clip in range(len(batch.pixels)):
            tile = batch.kind == "tile"
            place = 0 if tile else plan.thumbnails[batch.first + clip]
            image = Image.fromarray(frames[plan.indices[place]])
            top, left = plan.grid.corner(batch.first + clip) if tile else (0, 0)
            size = plan.grid.size[::-1] if tile else (56, 56)
            expected = np.asarray(image.resize(size, Image.Resampling.BICUBIC))[
                top : top + 56, left : left + 56
            ]
            assert np.array_equal((batch.pixels[clip, 0] * 255).round().permute(1, 2, 0).numpy(), expected)


def test_the_released_grid_is_read_as_the_encoders_number_for_number(
    drawn: Any, config: NVILAConfig, small_selector_folder: str
) -> None:
    """A position among 255 a frame is taken for one among 265, so that it may name the frame before."""
    selector = AutoGazeSelector(small_selector_folder)
    clips = clips_of(drawn, config, config.video, selector)[0].pixels
    settings = replace(config.video, gaze_grid="released")
    gaze = gaze_for_encoder(clips, selector, config, settings, "tile")
    levels = (clips.flatten(0, 1) * 255).round().to(torch.uint8)
    shown = selector.processor.preprocess(levels.numpy(), "pt", size=(70, 70)).pixel_values
    asked = selector.model.gaze_for(shown.view(len(clips), 16, 3, 70, 70), (9, 19, 35, 70), 5, ratio=0.1)
    assert asked.tokens == 255 and gaze.per_frame == asked.per_frame
    assert torch.equal(gaze.positions[~gaze.padded], asked.positions[~asked.padded])
    assert gaze.scales == config.vision.scales and torch.equal(gaze.counts(), asked.counts())
    whole = gaze_for_encoder(clips[:1, :1], None, config, settings, "thumbnail")
    assert whole.counts().tolist() == [[255]]
    packed = pack(gaze)
    frames = torch.arange(16).repeat_interleave(torch.tensor(gaze.per_frame))
    frame_of_slot = frames.expand(len(clips), -1)[packed.clip, packed.slot]
    early = packed.frame < frame_of_slot
    # Token 255 t + i is 265 (t - 1) + i + 265 - 10 t: of the frame before where i is below 10 t.
    assert torch.equal(early, asked.positions[packed.clip, packed.slot] % 255 < 10 * frame_of_slot)
    assert torch.equal(packed.frame, frame_of_slot - early.long()) and bool(early.any())


class _Told:
    """Detail, which remembers how the tiles lay."""

    name, history, clip_frames = "told", 0, None

    def __init__(self) -> None:
        self.layouts: list[Any] = []

    def settings(self) -> dict[str, Any]:
        return {"name": self.name}

    def select(self, clips: torch.Tensor, *, layout: Any = None, **asked: Any) -> Gaze:
        self.layouts.append((layout, len(clips)))
        return get("detail").select(clips, layout=layout, **asked)


def large(config: NVILAConfig) -> NVILAConfig:
    """With tiles of 14 x 14 gazed patches, each of them four of the encoder's."""
    return replace(
        config, vision=replace(config.vision, image_size=224, patch_size=8, scales=(32, 64, 112, 224))
    )


def test_a_gazed_patch_of_twice_the_side_is_four_of_the_encoders(drawn: Any, config: NVILAConfig) -> None:
    config = large(config)
    settings = replace(
        config.video, gaze_grid="quartered", task_loss_requirement_tile=None, gazing_ratio_tile=0.05
    )
    clips = torch.rand(2, 16, 3, 224, 224)
    gaze = gaze_for_encoder(clips, get("detail"), config, settings, "tile")
    asked = gaze_at(clips, get("detail"), (32, 64, 112, 224), 16, 0.05)
    assert (gaze.scales, gaze.patch_size, gaze.tokens) == ((32, 64, 112, 224), 8, 1060)
    assert torch.equal(gaze.counts(), 4 * asked.counts())
    for halves, whole in zip(gaze.scale_masks(), asked.scale_masks(), strict=True):
        for row, column in ((0, 0), (0, 1), (1, 0), (1, 1)):
            assert torch.equal(halves[..., row::2, column::2], whole)


def test_the_tiles_of_a_frame_share_tokens_where_the_budget_is_the_pictures(
    drawn: Any, config: NVILAConfig
) -> None:
    config, selector = large(config), _Told()
    settings = replace(
        config.video,
        gaze_grid="quartered",
        gazing_budget="picture",
        max_tiles_video=8,
        num_video_frames_thumbnail=2,
        gazing_ratio_tile=0.01,
        task_loss_requirement_tile=None,
        max_batch_size_autogaze=1,
    )
    grid = plan_video(drawn.width, drawn.height, drawn.frame_count, settings, config.tile).grid
    tiles = [batch for batch in clips_of(drawn, config, settings, selector) if batch.kind == "tile"]
    assert grid.tiles > 1 and all(len(batch.pixels) == grid.tiles for batch in tiles), "shared, so together"
    assert ((grid.rows, grid.columns), grid.tiles) in selector.layouts
    for batch in tiles:
        assert batch.gaze.counts().sum(0).tolist() == [4 * int(0.01 * grid.tiles * 265)] * 16
    clips = torch.rand(2, 2, 3, 224, 224)
    with pytest.raises(ValueError, match="this AutoGaze has budget='tile'; make it with budget='picture'"):
        gaze_at(clips, AutoGazeSelector(), (32, 64, 112, 224), 16, 0.1, tiles=(1, 2))
    gaze = gaze_at(clips, AutoGazeSelector(budget="picture"), (32, 64, 112, 224), 16, 0.01, tiles=(1, 2))
    assert gaze.counts().sum(0).tolist() == [5, 5], "AutoGaze shares them, too"
    with pytest.raises(ValueError, match="needs tiles of 14 x 14 gazed patches"):
        gaze_at(torch.rand(2, 1, 3, 224, 224), get("random"), (32, 64, 112, 224), 8, 0.1, tiles=(1, 2))


def test_placeholders_are_expanded_in_place() -> None:
    assert expand([5, 9, 6], 9, 3) == [5, 9, 9, 9, 6]
    for ids in ([5, 6], [9, 9]):
        with pytest.raises(ValueError, match="expected exactly one"):
            expand(ids, 9, 3)
