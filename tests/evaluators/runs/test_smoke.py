"""One question before all of them. Run: pytest -m slow tests/evaluators/runs/test_smoke.py"""

from pathlib import Path

import pytest
from rich.console import Console

from evaluators.runs.smoke import _whole, smoke
from evaluators.runs.spec import RunSpec


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


@pytest.mark.slow
def test_one_question_with_the_real_settings(dataset: Path, tmp_path: Path) -> None:
    from autogaze.nvila.answering import make_checkpoint

    arguments = {"num_video_frames": 16, "num_video_frames_thumbnail": 1, "max_tiles_video": 1}
    checkpoint = str(make_checkpoint(tmp_path / "checkpoint"))
    spec = RunSpec("hlvid", "nvila_hd", {"pretrained": checkpoint, **arguments, "gazing_ratio_tile": 0.02})
    console = Console(record=True, width=200, force_terminal=False)
    assert smoke(spec, tmp_path / "run", console)
    text = console.export_text()
    for part in (
        "versions: ",
        "transformers ",
        "gaze_grid aligned",
        "memory: ",
        "seconds: decode",
        "answered ",
    ):
        assert part in text, text
    assert "for 4 questions on 2 videos, one after another" in text
    wrong = RunSpec("hlvid", "nvila_hd", {"pretrained": str(tmp_path / "nowhere")})
    assert not smoke(wrong, tmp_path / "wrong", console) and "nowhere" in console.export_text()
