"""Run with: pytest tests/evaluators/profiling/test_plan.py

Bytes are held to those of tensors counted while the real code runs on small shapes, within 25 %.
"""

from dataclasses import replace
from typing import Any

import pytest
import torch

from autogaze.encoders.config import SiglipConfig
from autogaze.gaze import Gaze
from autogaze.model.autogaze import AutoGaze
from autogaze.model.config import AutoGazeConfig
from autogaze.nvila.config import NVILAConfig
from autogaze.nvila.gazing import gaze_at
from autogaze.nvila.grid import Grid
from autogaze.nvila.model import NVILAHD, Seen
from autogaze.nvila.presets import README, SCALES, TINY_AUTOGAZE, shape
from autogaze.nvila.processing import ClipBatch, clips_at_once
from autogaze.nvila.settings import VideoSettings
from autogaze.parallel import threads
from autogaze.selectors import get
from autogaze.selectors.autogaze import AutoGazeSelector
from evaluators.profiling import plan_table
from evaluators.profiling.plan import Plan, count_tokens, largest_fit, make_plan
from hlvid.errors import RunError

TOLERANCE = 0.25
LIST = (0.2, *[0.06] * 15)
DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16}


def show_plan(**options: Any) -> bool:
    return plan_table.show_plan(plan_table.PlanRequest.read(options))


def setting(ratio: Any, tiles: int = 1) -> VideoSettings:
    return VideoSettings(
        num_video_frames=16,
        num_video_frames_thumbnail=0,
        max_tiles_video=tiles,
        gazing_ratio_tile=ratio,
        task_loss_requirement_tile=None,
    )


def working(plan: Plan, name: str) -> int:
    return next(stage.working for stage in plan.stages if stage.name == name)


def small(llm: dict[str, int], vision: SiglipConfig | None = None) -> NVILAConfig:
    return replace(shape("tiny"), llm={**llm, "vocab_size": 272}, vision=vision or shape("tiny").vision)


NARROW = {
    "hidden_size": 128,
    "intermediate_size": 768,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
}
WIDE = {
    "hidden_size": 256,
    "intermediate_size": 512,
    "num_hidden_layers": 6,
    "num_attention_heads": 4,
    "num_key_value_heads": 4,
}


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("llm", [NARROW, WIDE], ids=["narrow", "wide"])
def test_prefill_and_generation_take_what_is_planned(
    llm: dict[str, int], dtype: str, live_bytes: Any
) -> None:
    config = small(llm)
    model = NVILAHD.from_config(config, dtype=DTYPES[dtype])
    plan = make_plan(config, setting(1.0), 392, 392, dtype, prompt=16)
    tokens = plan.load.language
    seen = Seen(torch.randn(tokens, llm["hidden_size"], dtype=DTYPES[dtype]), 0, 0)
    with live_bytes() as live:
        answer = model.embed([1, 5, *[2] * 15], 5, seen)
        model.generate(answer, 1)
    prefill = next(stage for stage in plan.stages if stage.name == "prefill")
    planned = prefill.working + prefill.kept - tokens * llm["hidden_size"] * seen.embeddings.element_size()
    assert live.peak == pytest.approx(planned, rel=TOLERANCE)
    with torch.no_grad():
        _, cache = model._step(None, inputs_embeds=answer)
    held = sum(x.nbytes for layer in cache.layers for x in (layer.keys, layer.values))
    layers = llm["num_hidden_layers"]
    assert working(plan, "generation") == pytest.approx(held * (1 + 1 / layers), rel=0.01)


@pytest.mark.parametrize("keep", [LIST, 0.3, 1.0], ids=["gazed", "third", "all"])
@pytest.mark.parametrize("width", [96, 384])
def test_the_encoder_takes_what_is_planned(keep: Any, width: int, live_bytes: Any) -> None:
    vision = replace(
        shape("tiny").vision, hidden_size=width, intermediate_size=4 * width, num_attention_heads=4
    )
    config = small(NARROW, vision)
    plan = make_plan(config, setting(keep), 392, 392, "float32")
    model = NVILAHD.from_config(config)
    counts = _counts(keep)
    masks = torch.zeros(1, 16, 1060, dtype=torch.bool)
    for frame, count in enumerate(counts):
        masks[0, frame, torch.randperm(1060, generator=torch.Generator().manual_seed(frame))[:count]] = True
    with live_bytes() as live:
        clips = torch.rand(1, 16, 3, 392, 392)
        model.encode(ClipBatch("tile", 0, 0, clips, Gaze.from_masks(masks, SCALES, 14)))
    assert live.peak == pytest.approx(working(plan, "encoder"), rel=TOLERANCE)


def _counts(ratio: Any) -> list[int]:
    ratios = ratio if isinstance(ratio, tuple) else [ratio] * 16
    return [min(1060, 4 * int(value * 265)) if value < 1 else 1060 for value in ratios]


@pytest.mark.parametrize("sizes", [TINY_AUTOGAZE, replace(AutoGazeConfig(), layers=2)], ids=["tiny", "half"])
def test_the_selector_takes_what_is_planned(sizes: AutoGazeConfig, live_bytes: Any, tmp_path: Any) -> None:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        AutoGaze(sizes).save_pretrained(tmp_path)
    selector = AutoGazeSelector(tmp_path)
    plan = make_plan(shape("tiny"), setting(0.02), 392, 392, "float32", selector=sizes)
    # All clips in this thread: the count does not see what other threads hold.
    with threads(1), live_bytes() as live, torch.no_grad():
        clips = torch.rand(1, 16, 3, 392, 392)
        gaze = gaze_at(clips, selector, SCALES, 14, 0.02)
    assert live.peak == pytest.approx(working(plan, "selector"), rel=TOLERANCE)
    # and the planned tokens are a bound: the cuts' padding only takes some away
    assert 0.6 * plan.load.gazed <= int(gaze.counts().sum()) <= plan.load.gazed


def test_tokens_of_the_readme_setting_by_hand() -> None:
    load = count_tokens(shape("8b"), README, Grid(5, 9, 392))
    first, later = 4 * 53, 4 * 15
    clips = 8 * 45
    assert load.patches == (128 * 45 + 64) * 1060
    assert load.gazed == clips * (first + 15 * later) + 64 * 1060
    assert load.language == 8 * (1060 + 15 * 300) + 64 * 118 == 52_032
    released = count_tokens(shape("8b"), replace(README, gaze_grid="released"), Grid(5, 9, 392))
    assert released.language == 8 * (1060 + 15 * 300) + 64 * 116 == 51_904
    by_tile = count_tokens(replace(shape("8b"), grouping="tile"), README, Grid(5, 9, 392))
    assert by_tile.language == clips * (24 + 15 * 7) + 64 * 118


@pytest.mark.parametrize(("grid", "tiles", "small"), [("released", 27_680, 928), ("aligned", 28_272, 944)])
def test_tokens_of_a_recorded_dense_run(grid: str, tiles: int, small: int) -> None:
    """16 frames of 15 tiles with 8 thumbnails and all patches: what users of the published code recorded."""
    dense = replace(setting(None), num_video_frames_thumbnail=8, gazing_ratio_thumbnail=None, gaze_grid=grid)
    load = count_tokens(shape("8b"), dense, Grid(3, 5, 392))
    assert load.language == tiles + small


def test_tiles_that_share_tokens_are_planned_together() -> None:
    """As `stream` has them in memory: all 144 of a frame, where 16 go together else."""
    mini, size = shape("mini"), (3840, 2160)
    shared, each = (
        make_plan(mini, replace(mini.video, gazing_budget=budget), *size, "float32")
        for budget in ("picture", "tile")
    )
    assert clips_at_once(mini.video, mini, get("detail"), "cpu", 144) == 144
    assert clips_at_once(mini.video, mini, None, "cpu", 144) == 16
    assert 8.9 < working(shared, "selector") / working(each, "selector") < 9.1


def test_what_would_fit_fits_and_one_step_more_does_not() -> None:
    config, size, there = shape("8b"), (3840, 2160), 80e9
    less = largest_fit(config, README, *size, "bfloat16", there)
    assert less is not None and less.max_tiles_video == README.max_tiles_video
    assert make_plan(config, less, *size).fits(there)
    more = replace(less, num_video_frames=less.num_video_frames + 16)
    assert not make_plan(config, more, *size).fits(there)
    assert largest_fit(config, README, *size, "bfloat16", 10e9) is None
    # Where not even 16 frames fit, tiles go.
    tight = replace(config, context=3_000)
    fewer = largest_fit(tight, README, *size, "bfloat16", there)
    assert fewer is not None and fewer.max_tiles_video < 48 and fewer.num_video_frames == 16


def test_the_command_says_what_does_not_fit(capsys: pytest.CaptureFixture[str]) -> None:
    assert not show_plan(frames=1024, resolution=3584, ratio="0.2+0.06x15", thumbnails=128)
    text = capsys.readouterr().out
    assert "9 x 5 tiles of 392 px (3528 x 1960 px)" in text
    assert "in a context of 40,960" in text and "prefill takes" in text and "Would fit:" in text
    assert show_plan(frames=64, resolution=896, ratio="0.06")
    assert "All of it fits." in capsys.readouterr().out


def test_the_bisection_finds_what_trying_all_frames_finds() -> None:
    size, there = (3840, 2160), 30e9
    asked = replace(README, num_video_frames=512)
    less = largest_fit(shape("8b"), asked, *size, "bfloat16", there)
    each = [
        replace(asked, num_video_frames=n, num_video_frames_thumbnail=64 * n // 512)
        for n in range(512, 0, -16)
    ]
    assert less == next(one for one in each if make_plan(shape("8b"), one, *size).fits(there))


def test_a_huge_number_of_frames_is_planned_at_once() -> None:
    """16 million frames took a plan each; a bisection takes two dozen."""
    calls = []

    def counted(*args: Any, **settings: Any) -> Plan:
        calls.append(1)
        return make_plan(*args, **settings)

    asked = replace(README, num_video_frames=16_000_000)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("evaluators.profiling.plan.make_plan", counted)
        less = largest_fit(shape("8b"), asked, 3840, 2160, "bfloat16", 80e9)
    assert less is not None and less.num_video_frames > 16 and len(calls) < 40


def test_the_default_fits_and_says_what_it_sees(capsys: pytest.CaptureFixture[str]) -> None:
    """What a newcomer types first: `hlvid plan`, and a few frames of the smallest shape."""
    assert show_plan(frames=80, resolution=3584, ratio="0.2+0.06x15")
    assert show_plan(frames=16, resolution=896, ratio="0.1", shape="tiny")
    assert "16 thumbnails" in capsys.readouterr().out
    show_plan(frames=80, resolution=999_999, ratio="0.1")
    text = capsys.readouterr().out
    assert (
        "Asked for 999,999 x 562,499 px; frames are seen at 3,528 x 1,960 px, since --max-tiles is 48" in text
    )
    assert not show_plan(frames=128, resolution=3584, ratio="0.2+0.06x15")
    assert "gazing that never stops early" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"frames": 100}, "plan: frames is 100; allowed: a multiple of 16"),
        ({"frames": 0}, "frames is 0; allowed: greater than or equal to 16"),
        ({"frames": 10**20}, "frames is 1.*0; allowed: less than or equal to 1000000000"),
        ({"frames": 16, "thumbnails": 64}, "thumbnails is 64; .*0 to 16 are allowed"),
        ({"max_tiles": 0}, "max_tiles is 0; allowed: greater"),
        ({"batch": 0}, "batch is 0; allowed: greater"),
        ({"ratio": "1.5"}, "plan: --ratio=1.5: expected a number above 0"),
        ({"thumbnail_ratio": "0"}, "plan: --thumbnail-ratio=0.0: expected"),
        ({"ratio": "a lot"}, "--ratio is 'a lot'"),
        ({"shape": "70b"}, "shape is '70b'; allowed: tiny, mini, mini-video, base, 8b"),
        ({"dtype": "int4"}, "dtype is 'int4'"),
        ({"aspect": "wide"}, "aspect is 'wide'"),
        ({"aspect": "16:0"}, "aspect is '16:0'; allowed: width:height"),
        ({"resolution": 0}, "resolution is 0"),
        ({"gpu_gb": 0}, "gpu_gb is 0"),
    ],
)
def test_bad_requests_are_named(change: dict[str, Any], text: str) -> None:
    with pytest.raises(RunError, match=text):
        show_plan(**{"frames": 128, "resolution": 3584, "ratio": "0.1", **change})
