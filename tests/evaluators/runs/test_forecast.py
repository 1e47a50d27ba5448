"""Run: pytest tests/evaluators/runs/test_forecast.py"""

import io
from pathlib import Path

import pytest
from rich.console import Console

from evaluators.runs.command import dry_run
from evaluators.runs.data import data_of
from evaluators.runs.forecast import Load, forecast
from evaluators.runs.spec import RunSpec
from hlvid.tasks.plugin import task_names


def told(spec: RunSpec) -> tuple[bool, str]:
    console = Console(file=io.StringIO(), width=100)
    ready = dry_run(spec, console)
    assert isinstance(console.file, io.StringIO)
    return ready, console.file.getvalue()


def test_questions_and_videos_that_are_here(dataset: Path) -> None:
    (one,) = data_of("hlvid")
    assert (one.questions, len(one.videos), one.missing, one.ready) == (4, 2, (), True)
    assert one.bytes == sum(path.stat().st_size for path in (dataset / "videos").iterdir())
    ready, text = told(RunSpec("hlvid", "blind", limit=3))
    assert ready and "0 frames" in text and " 3 " in text


def test_a_missing_video_is_named_and_nothing_could_start(
    dataset: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (dataset / "videos" / "clip_av_video_1_000.mp4").unlink()
    ready, text = told(RunSpec("hlvid", "blind"))
    assert not ready and "missing: clip_av_video_1_000.mp4" in text and "hlvid download" in text
    monkeypatch.setenv("HLVID_PARTIAL", "1")
    assert told(RunSpec("hlvid", "blind"))[0]


def test_every_task_of_ours_says_what_it_needs(dataset: Path) -> None:
    for task in task_names():
        for one in data_of(task):
            assert one.questions or one.note, task
    assert len(data_of("hlvid_paper")) == 8
    assert data_of("mme")[0].note and data_of("mme")[0].ready


def test_the_reader_takes_what_its_tiling_says(dataset: Path) -> None:
    found = forecast(RunSpec("hlvid", "gaze_reader", {"resolution": 224, "ratio": 0.5, "frames": 4}))
    # 224 x 126 px in one tile: 2 x 2, 3 of 4 x 4, 4 of 7 x 7 and 8 of 14 x 14 rows of patches show picture.
    valid = 2 * 2 + 3 * 4 + 4 * 7 + 8 * 14
    assert found.load.pixels == (126, 224) and found.load.frames == 4
    assert found.load.tokens == round(4 * valid * 0.5)


def test_refused_arguments_are_told_beforehand(dataset: Path) -> None:
    ready, text = told(RunSpec("hlvid", "gaze_reader", {"selector": "detial"}))
    assert not ready and "detial" in text and "allowed" in text
    assert not told(RunSpec("hlvid", "gaze_reader", {"ratoi": 0.1}))[0]
    assert not told(RunSpec("hlvid", "nvila_hd", {}))[0]


def test_models_not_ours_are_read_by_their_arguments(dataset: Path) -> None:
    found = forecast(RunSpec("hlvid", "hlvid_frames", {"inner": "vila", "frames": 10, "resolution": 640}))
    assert found.load.pixels == (360, 640) and found.load.host_bytes == 10 * 360 * 640 * 3
    assert forecast(RunSpec("hlvid", "qwen2_5_vl")).load == Load()
    assert "known only to the model" in told(RunSpec("hlvid", "qwen2_5_vl"))[1]


def test_an_unknown_task_or_model_could_not_start(dataset: Path) -> None:
    for spec, close in ((RunSpec("hlvid_mni", "blind"), "hlvid_mini"), (RunSpec("hlvid", "blnd"), "blind")):
        ready, text = told(spec)
        assert not ready and f"did you mean {close}" in text


def test_nvila_is_planned_without_its_weights(dataset: Path, tmp_path: Path) -> None:
    from autogaze.nvila.answering import make_checkpoint

    checkpoint = make_checkpoint(tmp_path / "ckpt", "tiny")
    (checkpoint / "model.safetensors").unlink()
    spec = RunSpec("hlvid", "nvila_hd", {"pretrained": str(checkpoint), "num_video_frames": 16})
    ready, text = told(spec)
    assert ready and "16 frames" in text and "tokens for the language model" in text
    many = {"num_video_frames": 160_000, "num_video_frames_thumbnail": 0}
    ready, text = told(RunSpec("hlvid", "nvila_hd", {**spec.model_args, **many}))
    assert not ready and "does not fit" in text
