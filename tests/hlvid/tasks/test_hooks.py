"""Run with: pytest tests/hlvid/tasks/test_hooks.py. Prompt snapshot, samples, metrics; without lmms-eval."""

import json
from pathlib import Path
from typing import Any

import pytest

from hlvid.benchmarks.adapters import ADAPTERS
from hlvid.tasks import costs, hooks, plugin

PROMPT = """\
What does the white text on the green road sign say?
 A. Hampden St
 B. Hampden Ave
 C. HampdenBlvd
 D. Hamden Ave
 Please answer directly with the letter of the correct answer."""

DOC = {
    "question_id": "7",
    "video": "clip_av_video_3_000.mp4",
    "source": "av_video_3",
    "category": "av",
    "tier": "22",
    "text": PROMPT,
    "stem": "What does the white text on the green road sign say?",
    "options": json.dumps({"A": "Hampden St", "B": "Hampden Ave", "C": "HampdenBlvd", "D": "Hamden Ave"}),
    "answer": "B",
    "video_path": "/data/videos/clip_av_video_3_000.mp4",
    "dataset": "sha256:toy",
}


def test_the_prompt_is_the_benchmarks_own_text() -> None:
    assert hooks.doc_to_text(DOC) == PROMPT
    assert hooks.doc_to_text(DOC, {"pre_prompt": "Look. ", "post_prompt": " Now."}) == f"Look. {PROMPT} Now."


def test_chat_models_get_the_video_then_the_prompt() -> None:
    assert hooks.doc_to_messages(DOC) == [
        {
            "role": "user",
            "content": [{"type": "video", "url": DOC["video_path"]}, {"type": "text", "text": PROMPT}],
        }
    ]
    assert costs.last_asked() == "7"


def test_a_sample_says_everything_about_itself() -> None:
    costs.record("7", {"frames": 12, "seconds": {"ocr": 0.5}})
    sample = hooks.process_results(DOC, ["The answer is (B)."])
    assert {name: sample[name] for name in ("question_id", "video", "source", "category", "tier")} == {
        name: DOC[name] for name in ("question_id", "video", "source", "category", "tier")
    }
    assert sample["raw_output"] == "The answer is (B)."
    assert (sample["parsed"], sample["correct"]) == ("B", True)
    assert sample["how"]
    assert sample["details"] == {"frames": 12, "seconds": {"ocr": 0.5}}
    json.dumps(sample)
    costs.clear()


@pytest.mark.parametrize("results", [[""], [], [None], ["\x00🛣"], ["A" * 100_000], ["A and B and C and D"]])
def test_no_output_makes_it_raise(results: list[Any]) -> None:
    sample = hooks.process_results(DOC, results)
    assert sample["correct"] is (sample["parsed"] == "B")


def test_metrics_count_unparsed_answers_as_wrong() -> None:
    outputs = ["B", "B", "A", "I cannot tell."]
    docs = [{**DOC, "question_id": str(n), "source": f"s{n % 2}"} for n in range(4)]
    samples = [hooks.process_results(doc, [text]) for doc, text in zip(docs, outputs, strict=True)]
    values = {
        name: getattr(hooks, name)([sample[name] for sample in samples])
        for name in ("accuracy", "accuracy_low", "accuracy_high", "unparsed")
    }
    assert values["accuracy"] == 0.5
    assert values["unparsed"] == 1
    assert 0 <= values["accuracy_low"] <= 0.5 <= values["accuracy_high"] <= 1


def test_every_repetition_is_scored_with_what_it_took() -> None:
    costs.clear()
    for repeat in range(3):
        costs.record(DOC["question_id"], {"frames": repeat}, "", repeat)
    (texts,) = hooks.EveryAnswer().apply([("B", "I cannot tell.", "B")], None)
    sample = hooks.process_results(DOC, [texts])
    assert sample["correct"] == pytest.approx(2 / 3) and sample["parsed"] == "B"
    assert [one["correct"] for one in sample["repeats"]] == [True, False, True]
    assert [one["details"] for one in sample["repeats"]] == [{"frames": repeat} for repeat in range(3)]
    other = hooks.process_results({**DOC, "question_id": "other", "source": "t"}, [["B", "A", "A"]])
    assert hooks.accuracy([sample["accuracy"], other["accuracy"]]) == pytest.approx(0.5)
    assert hooks.unparsed([sample["unparsed"], other["unparsed"]]) == pytest.approx(1 / 3)
    assert hooks.accuracy_sd([sample["accuracy_sd"], other["accuracy_sd"]]) == pytest.approx(0.5)
    assert "accuracy_sd" not in hooks.process_results(DOC, [["B"]])
    json.dumps(sample)
    costs.clear()


def test_every_function_that_the_yaml_names_exists() -> None:
    lines = [line for path in Path(plugin.FOLDER).rglob("*.yaml") for line in path.read_text().splitlines()]
    named = {
        line.split("!function hlvid.tasks.hooks.")[1] for line in lines if "function hlvid.tasks" in line
    }
    data = {f"{name.upper()}{end}" for name in ADAPTERS for end in ("", "_GENERATION")}
    data |= {"HLVID", "HLVID_MINI"}
    assert named >= {"process_results", "submission", *data}
    for name in named - data:
        assert callable(getattr(hooks, name))
    with pytest.raises(AttributeError):
        _ = hooks.NO_SUCH_NAME
