"""What cannot run is refused before anything is loaded, in a line that names what is allowed.

Run: pytest tests/evaluators/runs/test_checks.py
"""

from typing import Any

import pytest

from evaluators.runs.checks import faults_of
from evaluators.runs.spec import RunSpec

FRAMES = {"frames": 4, "resolution": 448}


@pytest.mark.parametrize(
    ("task", "model", "arguments", "said"),
    [
        ("hlvid_mni", "blind", {}, "did you mean hlvid_mini"),
        ("hlvid_mini,nope", "blind", {}, "task 'nope' not found"),
        ("hlvid_mini", "blnd", {}, "did you mean blind"),
        ("hlvid_mini", "blind", {"nosuch": 1}, "unknown argument 'nosuch'; allowed: strategy, letter, seed"),
        ("hlvid_mini", "blind", {"strategy": "best"}, "strategy is 'best'; allowed"),
        ("hlvid_mini", "gaze_reader", {"nosuch": 1}, "unknown argument 'nosuch'; allowed: selector, ratio"),
        ("hlvid_mini", "nvila_hd", {"pretrained": "x", "nosuch": 1}, "unknown argument 'nosuch'; allowed"),
        ("hlvid_mini", "hlvid_frames", {"inner": "nope", **FRAMES}, "inner: model 'nope' is unknown"),
        (
            "mvbench_moving_count",
            "gaze_reader",
            {},
            "model gaze_reader asks tasks of ours; ask hlvid_mvbench",
        ),
        (
            "mme",
            "gaze_reader",
            {},
            "'mme' is lmms-eval's own, and model gaze_reader asks tasks of ours; ask one of",
        ),
        ("hlvid_mini", "openai_frames", {"model": "m", **FRAMES}, "no OPENAI_API_KEY"),
    ],
)
def test_it_is_refused(
    task: str, model: str, arguments: dict[str, Any], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    (fault,) = faults_of(RunSpec(task, model, arguments))
    assert said in fault and "\n" not in fault


@pytest.mark.parametrize(
    ("task", "model", "arguments"),
    [
        ("hlvid_mini", "blind", {"strategy": "longest", "runs": "here"}),
        ("hlvid_videomme", "gaze_reader", {"ratio": 0.1, "cache": False}),
        ("mme", "qwen2_5_vl", {}),
        ("hlvid_*", "hlvid_frames", {"inner": "qwen2_5_vl", **FRAMES}),
        ("hlvid_mini", "openai_frames", {"model": "m", "api_key_env": "none", **FRAMES}),
        ("hlvid_mini", "qwen2_5_vl", {"anything": 1}),
    ],
)
def test_what_could_run_is_not(task: str, model: str, arguments: dict[str, Any]) -> None:
    assert faults_of(RunSpec(task, model, arguments)) == []


def test_task_and_model_are_both_told() -> None:
    assert len(faults_of(RunSpec("hlvid_mni", "blnd"))) == 2
