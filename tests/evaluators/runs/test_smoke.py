"""One question before all of them. Run: pytest -m slow tests/evaluators/runs/test_smoke.py"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from evaluators.runs.smoke import _whole, smoke
from evaluators.runs.spec import RunSpec
from tests.evaluators.models.frames.conftest import qwen2_5  # noqa: F401
from tests.evaluators.models.openai.conftest import endpoint  # noqa: F401


def test_the_whole_run_is_told_by_videos_and_questions(dataset: Path) -> None:
    spec = RunSpec("hlvid", "nvila_hd")
    told = _whole(spec, {"decode": 100.0, "encoder": 50.0, "generation": 10.0}, None)
    assert told == "the whole run: about 6 min for 4 questions on 2 videos, one after another", (
        "2 x 150 + 4 x 10 s"
    )
    assert _whole(spec, {}, None) == "the whole run: cannot be told"
    for stage in ("call", "model"):  # an endpoint's and an inner model's answers come a question
        told = _whole(spec, {"decode": 100.0, stage: 10.0}, 0.5)
        assert told.startswith("the whole run: about 4 min") and told.endswith(", and 2.00 of money")


@pytest.fixture
def arguments(tmp_path: Path, request: pytest.FixtureRequest) -> Callable[[str], dict[str, Any]]:
    """arguments(model): what a user of it would write, as small as it goes."""

    def build(model: str) -> dict[str, Any]:
        if model == "nvila_hd":
            from autogaze.nvila.answering import make_checkpoint

            small = {"num_video_frames": 16, "num_video_frames_thumbnail": 1, "max_tiles_video": 1}
            checkpoint = str(make_checkpoint(tmp_path / "checkpoint"))
            return {"pretrained": checkpoint, **small, "gazing_ratio_tile": 0.02}
        if model == "hlvid_frames":
            checkpoint = str(request.getfixturevalue("qwen2_5"))
            return {"inner": "qwen2_5_vl", "pretrained": checkpoint, "frames": 2, "resolution": 112}
        if model == "openai_frames":
            url = request.getfixturevalue("endpoint").url
            asked = {"model": "toy", "base_url": url, "api_key_env": "none", "price_in": 1, "price_out": 1}
            return {**asked, "frames": 2, "resolution": 112}
        return {"resolution": 224, "frames": 2}

    return build


SEEN = {
    "nvila_hd": ("transformers ", "gaze_grid aligned", "tokens_llm ", "seconds: decode"),
    "gaze_reader": ("rapidocr ", "selector: detail", "pixels [", "seconds: decode"),
    "hlvid_frames": ("transformers ", "inner: qwen2_5_vl", "audit: exact", "seconds: decode"),
    "openai_frames": ("openai ", "served_by toy", "audit: sent", "and 0.004 of money"),
}


@pytest.mark.slow
@pytest.mark.parametrize("model", SEEN)
def test_one_question_with_the_real_settings(
    model: str, arguments: Any, dataset: Path, tmp_path: Path
) -> None:
    console = Console(record=True, width=200, force_terminal=False)
    assert smoke(RunSpec("hlvid", model, arguments(model)), tmp_path / "run", console)
    text = console.export_text()
    print(text)
    for part in (
        "versions: ",
        "memory: ",
        "frames ",
        *SEEN[model],
        "answered ",
        "for 4 questions on 2 videos",
    ):
        assert part in text, f"{part!r} is not in\n{text}"


@pytest.mark.slow
def test_what_cannot_start_is_told_in_one_line(dataset: Path, tmp_path: Path) -> None:
    console = Console(record=True, width=200, force_terminal=False)
    wrong = RunSpec("hlvid", "nvila_hd", {"pretrained": str(tmp_path / "nowhere")})
    assert not smoke(wrong, tmp_path / "wrong", console) and "nowhere" in console.export_text()
