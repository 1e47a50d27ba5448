"""Run with: pytest tests/evaluators/nvila/test_models.py. Both ways through a model, on a real video file."""

import json
import os
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any, ClassVar

import pytest
import torch

from autogaze.selectors.base import Layout, ScoredSelector
from autogaze.selectors.context import Context
from autogaze.weights import bundled, bundled_nvila, bundled_reads
from evaluators.core.identity import differences
from evaluators.core.memory import is_out_of_memory
from evaluators.models.nvila.model import NvilaHD, NvilaVideo
from evaluators.models.nvila.remote import audited
from hlvid.dataset.question import Question
from hlvid.errors import RunError
from hlvid.video import Video

SMALL = {
    "num_video_frames": 16,
    "num_video_frames_thumbnail": 2,
    "max_tiles_video": 2,
    "gazing_ratio_tile": "0.05+0.02x15",
    "task_loss_requirement_tile": "none",
}
STAGES = {"decode", "selector", "encoder", "prefill"}


@pytest.fixture
def make(tmp_path: Path) -> Callable[..., Any]:
    """make(checkpoint, **arguments): a model with its journals in a folder of the test's own."""

    def build(checkpoint: Path, kind: type[NvilaHD] = NvilaHD, **arguments: Any) -> NvilaHD:
        given = {**({} if kind is NvilaVideo else SMALL), **arguments}
        given = {name: value for name, value in given.items() if value is not None}
        return kind(pretrained=str(checkpoint), device="cpu", runs=str(tmp_path), **given)

    return build


def test_a_checkpoint_of_ours_answers_and_says_what_it_took(
    make: Any, checkpoint: Path, questions: list[Question], video_file: Path
) -> None:
    model = make(checkpoint)
    first, second = (model.answer(question) for question in questions)
    details = first.details
    json.dumps(details)
    assert first.text in "ABCD" and details["outcome"] == "ok" and details["path"] == "native"
    assert "random weights" in details["warning"]
    assert details["frame_indices"] == [0, 1, 3, 4, 5, 6, 8, 9, 10, 11, 13, 14, 15, 16, 18, 19]
    assert details["thumbnail_indices"] == [0, 10]
    assert (details["tiles"], details["tile_grid"], details["pixels"]) == (2, [1, 2], [392, 784])
    assert details["tokens_before"] == (2 * 16 + 2) * 1060
    video = details["tokens_video"]
    assert 0 < details["tokens_selected"] - 2 * 1060 <= 2 * (4 * 13 + 15 * 4 * 5)
    assert video < details["tokens_llm"] < video + 300
    assert set(details["seconds"]) == STAGES
    assert all(seconds > 0 for seconds in details["seconds"].values())
    assert details["peak_memory"]["gb"] > 0.1
    with Video.open(video_file) as opened:
        assert details["decoder"] == opened.decoder
    assert not details["video_seen_for_an_earlier_question"]
    assert second.details["video_seen_for_an_earlier_question"]


def test_options_whose_package_is_missing_are_refused_before_anything_is_loaded(
    make: Any, checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "bitsandbytes", None)
    with pytest.raises(
        RunError, match="nvila_hd: quantization is 'nf4', which needs bitsandbytes; install it"
    ):
        make(checkpoint, quantization="nf4")


def test_gazing_off_and_other_selectors(make: Any, checkpoint: Path, questions: list[Question]) -> None:
    off = make(checkpoint, gazing="off", gazing_ratio_tile=None, task_loss_requirement_tile=None)
    details = off.answer(questions[0]).details
    assert details["tokens_selected"] == details["tokens_before"] and off.settings()["selector"] is None
    short = make(checkpoint, selector="random", num_video_frames=64, gazing_ratio_tile=0.02)
    details = short.answer(questions[0]).details
    assert (details["frames"], len(details["frame_indices"]), details["frames_distinct"]) == (32, 32, 20)
    other = make(checkpoint, selector="random", gazing_ratio_tile=0.1, seed=3)
    details = other.answer(questions[0]).details
    assert details["tokens_selected"] == 2 * 16 * 106 + 2 * 1060
    assert other.settings()["video"]["task_loss_requirement_tile"] is None


def test_weights_of_the_selector_are_of_the_run(
    make: Any, checkpoint: Path, questions: list[Question]
) -> None:
    model = make(checkpoint, selector="reads", gazing_ratio_tile=0.1)
    assert model.checkpoints()["selector"] == (str(bundled_reads()), None)
    assert model.answer(questions[0]).details["tokens_selected"] == 2 * 16 * 106 + 2 * 1060
    assert "selector" not in make(checkpoint, selector="detail", gazing_ratio_tile=0.1).checkpoints()


def test_where_a_checkpoint_names_no_autogaze_the_bundled_one_looks(make: Any) -> None:
    model = make(bundled_nvila(), selector="autogaze", gazing_ratio_tile=0.02, num_video_frames_thumbnail=0)
    assert model.checkpoints()["autogaze_model_id"] == (str(bundled()), None), "its weights are of the run"
    looks = model.backend.answerer.selector
    assert (looks.source, looks.budget) == (bundled(), "picture")


@dataclass(frozen=True)
class Asking(ScoredSelector):
    """Notes what it is told."""

    name = "asking"
    history = 0
    needs = ("times", "codec", "question")
    told: ClassVar[list[tuple[tuple[int, ...], Context]]] = []

    def scores_in(self, clips: torch.Tensor, layout: Layout | None, context: Context) -> torch.Tensor:
        self.told.append((tuple(clips.shape), context))
        return torch.zeros(*clips.shape[:2], 265)


@pytest.mark.parametrize("grid", ["aligned", "released"])
def test_a_selector_is_told_times_motion_and_the_question(
    grid: str, make: Any, checkpoint: Path, questions: list[Question]
) -> None:
    Asking.told.clear()
    model = make(
        checkpoint,
        selector=f"{__name__}:Asking",
        gaze_grid=grid,
        gazing_ratio_thumbnail=0.5,
        task_loss_requirement_tile=None,
    )
    answers = [model.answer(question) for question in (*questions, questions[1])]
    seen = [answer.details["video_seen_for_an_earlier_question"] for answer in answers]
    assert seen == [False, False, True], "a gaze holds for one question"
    assert all(answer.details["query_aware"] for answer in answers)
    asked = list(dict.fromkeys(context.question for _, context in Asking.told))
    assert asked == [question.prompt() for question in questions]
    (shape, tiles), *_, (small, thumbnail) = Asking.told
    assert tiles.times is not None and tiles.codec is not None and thumbnail.times is not None
    assert tiles.times.tolist() == pytest.approx(
        [index / 30 for index in answers[0].details["frame_indices"]]
    )
    assert tuple(tiles.codec.shape) == shape and shape[-1] == 224
    assert 0 < float(tiles.codec[:, 1:, 0].mean()) < 1, "the white bar moves"
    assert thumbnail.times.tolist() == pytest.approx([10 / 30]) and small[1] == 1


def test_the_gaze_grid_is_named_and_changes_what_is_seen(
    make: Any, checkpoint: Path, questions: list[Question]
) -> None:
    released = make(checkpoint, gaze_grid="released", gazing_ratio_thumbnail=1.0)
    details = released.answer(questions[0]).details
    assert details["gaze_grid"] == "released" and released.settings()["video"]["gaze_grid"] == "released"
    assert 0 < details["tokens_selected"] - 2 * 1038 <= 2 * (4 * 13 + 15 * 4 * 5)
    with pytest.raises(RunError, match="gaze_grid is 'both'; allowed: aligned, released"):
        make(checkpoint, gaze_grid="both")


def test_free_text_where_it_is_asked_for(make: Any, checkpoint: Path, questions: list[Question]) -> None:
    model = make(checkpoint, choices="free", max_new_tokens=3)
    answer = model.answer(questions[0])
    assert set(answer.details["seconds"]) == STAGES | {"generation"}
    assert model.settings()["choices"] == "free"
    assert (answer.details["outcome"], answer.details["tokens_out"]) == ("length", 3)
    network = model.backend.answerer.model
    network.config = replace(network.config, stop=tuple(range(network.config.llm["vocab_size"])))
    ended = model.answer(questions[0])
    assert (ended.text, ended.details["outcome"], ended.details["tokens_out"]) == ("", "ok", 0)


def test_whole_frames_without_gaze(make: Any, checkpoint: Path, questions: list[Question]) -> None:
    model = make(checkpoint, NvilaVideo, num_video_frames=16)
    details = model.answer(questions[0]).details
    assert details["pixels"] == [448, 448] and details["tiles"] == 1
    assert details["tokens_selected"] == details["tokens_before"] == 16 * 32 * 32
    assert details["tokens_video"] == 16 * 114 and "not the paper's NVILA-8B-Video" in details["warning"]
    with pytest.raises(RunError, match="max_tiles_video has no meaning"):
        make(checkpoint, NvilaVideo, max_tiles_video=4)


def test_a_context_too_small_is_an_answer_not_a_crash(
    make: Any, checkpoint: Path, questions: list[Question], tmp_path: Path
) -> None:
    asked = {"num_video_frames": 32, "gazing_ratio_tile": 0.02, "num_video_frames_thumbnail": 2}
    model = make(checkpoint, **asked, on_overflow="refuse")
    model.backend.config = replace(model.backend.config, context=800)
    answer = model.answer(questions[0])
    assert answer.text == "" and answer.details["outcome"] == "context_overflow"
    fits = answer.details["fits"]
    assert fits == {"num_video_frames": 16, "num_video_frames_thumbnail": 1, "max_tiles_video": 2}
    json.dumps(answer.details)
    assert model.answer(questions[1]).details["outcome"] == "context_overflow"
    smaller = make(checkpoint, gazing_ratio_tile=0.02, **fits)
    smaller.backend.config = replace(smaller.backend.config, context=800)
    assert smaller.answer(questions[0]).details["outcome"] == "ok"
    as_published = make(checkpoint, **asked)
    as_published.backend.config = replace(as_published.backend.config, context=400)
    answer = as_published.answer(questions[0])
    assert answer.text in "ABCD" and answer.details["outcome"] == "ok"
    assert answer.details["tokens_over"] == answer.details["tokens_llm"] + 64 - 400 > 0


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB"),
        MemoryError(),
        RuntimeError("[enforce fail] DefaultCPUAllocator: not enough memory: you tried to allocate 9 bytes"),
    ],
)
def test_out_of_memory_is_an_answer_not_a_crash(
    error: Exception, make: Any, checkpoint: Path, questions: list[Question], monkeypatch: pytest.MonkeyPatch
) -> None:
    model = make(checkpoint)
    network = model.backend.answerer.model

    def fail(*_: Any) -> None:
        raise error

    monkeypatch.setattr(network, "features", fail)
    monkeypatch.setattr("evaluators.models.nvila.native.device_bytes", lambda _: 4_000_000_000)
    details = model.answer(questions[0]).details
    assert details["outcome"] == "out_of_memory" and details["device_gb"] == 4.0
    assert is_out_of_memory(error)
    # The count says that 4 GB were enough for two tiles; since they were not, less is advised.
    assert details["fits"] == {"num_video_frames": 16, "num_video_frames_thumbnail": 2, "max_tiles_video": 1}


def test_other_errors_stay_errors(
    make: Any, checkpoint: Path, questions: list[Question], monkeypatch: pytest.MonkeyPatch
) -> None:
    model = make(checkpoint)
    monkeypatch.setattr(model.backend.answerer.model, "features", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        model.answer(questions[0])
    with pytest.raises(RunError, match="not found; run 'hlvid verify'"):
        model.answer(replace(questions[0], video_path=Path("/nowhere.mp4")))


def test_what_cannot_work_fails_before_anything_is_loaded(
    make: Any, checkpoint: Path, tmp_path: Path
) -> None:
    with pytest.raises(RunError, match="num_video_frames=20: expected a positive multiple of 16"):
        make(checkpoint, num_video_frames=20)
    with pytest.raises(RunError, match=r"no file config\.json"):
        make(tmp_path)


def test_a_retrained_selector_under_its_old_path_is_noticed(
    make: Any, checkpoint: Path, gazer: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By an absolute path, by one from here, and inside the checkpoint."""
    mine, whole = tmp_path / "mine", tmp_path / "whole"
    shutil.copytree(gazer, mine)
    shutil.copytree(checkpoint, whole)
    monkeypatch.chdir(tmp_path)
    for arguments, folder, told in (
        ({"autogaze_model_id": str(mine)}, mine, "autogaze_model_id"),
        ({"autogaze_model_id": "mine"}, mine, "autogaze_model_id"),
        ({}, whole / "autogaze", "pretrained"),
    ):
        before = make(whole, **arguments).identity()
        weights = folder / "model.safetensors"
        weights.write_bytes(weights.read_bytes()[:-4] + os.urandom(4))
        assert differences(before, make(whole, **arguments).identity()) == [f"weights of {told} changed"]


def test_a_published_checkpoint_is_converted_once_and_runs_natively(
    make: Any,
    remote_checkpoint: Path,
    questions: list[Question],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.setenv("HLVID_STATE", str(tmp_path / "state"))
    small = {"gazing_ratio_thumbnail": 0.02, "max_new_tokens": 3}
    model = make(remote_checkpoint, **small)
    assert not (tmp_path / "state").exists(), "nothing is converted before the first question"
    details = model.answer(questions[0]).details
    assert details["path"] == "native" and details["gaze_grid"] == "released" and "warning" not in details
    (folder,) = (path for path in (tmp_path / "state" / "converted").iterdir() if path.is_dir())
    before = (folder / "model.safetensors").stat().st_mtime_ns
    again = make(remote_checkpoint, **small)
    assert again.answer(questions[0]).text == model.answer(questions[0]).text
    assert again.settings() == model.settings() and again.settings()["chat"][1].endswith("assistant\n")
    assert (folder / "model.safetensors").stat().st_mtime_ns == before
    (folder / "config.json").unlink()  # a kill in the middle: it is written last
    assert make(remote_checkpoint, **small).answer(questions[0]).details["outcome"] == "length"
    assert (folder / "model.safetensors").stat().st_mtime_ns > before


def test_remote_code_runs_and_its_tensors_say_what_was_seen(
    make: Any, remote_checkpoint: Path, questions: list[Question]
) -> None:
    model = make(remote_checkpoint, path="remote", gazing_ratio_thumbnail=0.02, max_new_tokens=3)
    gaze, _ = model.checkpoints()["autogaze_model_id"]
    assert Path(gaze).is_dir(), "the one that its processor names, not the published default"
    answer = model.answer(questions[0])
    details = answer.details
    json.dumps(details)
    assert model.settings()["path"] == details["path"] == "remote"
    assert (details["outcome"], details["tokens_out"]) == ("length", 3)
    assert details["gaze_grid"] == "released"
    assert model.settings()["processor"]["gazing_ratio_tile"] == [0.05, *[0.02] * 15]
    assert model.backend.network.max_batch_size_siglip == 32
    assert details["audit"] == {
        "asked": {"frames": 16, "thumbnails": 2},
        "seen": {"frames": 16, "thumbnails": 2, "tiles": 2, "side": 392},
        "verdict": "exact",
    }
    assert 0 < details["tokens_selected"] <= 2 * (4 * 13 + 15 * 4 * 5) + 2 * 20
    other = {**model.backend.inputs("?", str(questions[0].video_path))}
    other["pixel_values_videos_tiles"] = [other["pixel_values_videos_tiles"][0][:1]]
    verdict = audited(other, replace(model.backend.video, max_tiles_video=1))["audit"]["verdict"]
    assert verdict == "16 frames became 8; 2 tiles, at most 1 asked"
    with pytest.raises(RunError, match="selector is 'detail', which the checkpoint's own code does not take"):
        make(remote_checkpoint, path="remote", selector="detail", task_loss_requirement_tile=None)


@pytest.mark.skipif(version("transformers").startswith("4."), reason="transformers 4 keeps them")
def test_a_processor_that_drops_what_was_asked_is_noticed(
    make: Any, standin: Any, gazer: Path, tmp_path: Path, questions: list[Question]
) -> None:
    """transformers 5 drops arguments that a processor's constructor takes by keyword alone."""
    folder = standin.write(tmp_path / "published", gazer)
    code = folder / "processing_nvila.py"
    code.write_text(
        code.read_text().replace("        num_video_frames=16,", "        *,\n        num_video_frames=8,")
    )
    model = make(folder, path="remote", num_video_frames=32)
    with pytest.raises(RunError, match="asked the processor for num_video_frames=32, it has 8"):
        model.answer(questions[0])
