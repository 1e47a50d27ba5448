"""Run with: pytest tests/hlvid/tasks/test_arguments.py. An argument reaches what is asked, or is refused."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hlvid.benchmarks.adapters import ADAPTERS
from hlvid.dataset import load
from hlvid.errors import RunError
from hlvid.tasks import arguments, folder, hooks
from hlvid.tasks.arguments import (
    TaskArguments,
    arguments_of,
    in_environment,
    model_looks_at,
    switched_on,
    taken,
)
from hlvid.tasks.command import _without_task_args
from hlvid.tasks.failures import check_arguments

Env = pytest.MonkeyPatch


@pytest.fixture(autouse=True)
def no_model(monkeypatch: Env) -> Iterator[None]:
    for name in arguments.VARIABLES.values():
        monkeypatch.delenv(name, raising=False)
    arguments.a_run_begins(None)
    yield
    arguments.a_run_begins(None)


def docs(home: Path) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    from datasets import load_from_disk

    made = folder.prepare("hlvid", home / "hlvid")
    return list(load_from_disk(str(made))["test"]), json.loads((made / folder.INFO).read_text())


def test_the_published_text_is_asked_by_default(home: Path) -> None:
    asked, info = docs(home)
    rows = [json.loads(line) for line in (home / "hlvid" / "data" / "test.jsonl").read_text().splitlines()]
    assert [hooks.doc_to_text(doc) for doc in asked] == [row["question"] for row in rows]
    assert (info["prompt"], info["shuffle"], info["circular"]) == ("published", None, False)


def test_the_normalised_prompt_reaches_the_model_and_the_identity(home: Path, monkeypatch: Env) -> None:
    _, published = docs(home)
    monkeypatch.setenv("HLVID_PROMPT", "normalised")
    asked, info = docs(home)
    assert [hooks.doc_to_text(doc) for doc in asked] == [one.normalised().prompt() for one in load("hlvid")]
    assert info["prompt"] == "normalised"
    assert info["set"] == published["set"] and info["fingerprint"] != published["fingerprint"]


def test_a_shuffle_moves_text_options_and_answer_together(home: Path, monkeypatch: Env) -> None:
    plain, _ = docs(home)
    monkeypatch.setenv("HLVID_SHUFFLE", "5")
    moved, info = docs(home)
    assert info["shuffle"] == 5
    assert [doc["order"] for doc in moved] != [doc["order"] for doc in plain] == ["ABCD"] * 6
    for before, after in zip(plain, moved, strict=True):
        old, new = json.loads(before["options"]), json.loads(after["options"])
        assert [old[letter] for letter in after["order"]] == list(new.values())
        assert old[before["answer"]] == new[after["answer"]]
        assert f"\n{after['answer']}. {new[after['answer']]}\n" in hooks.doc_to_text(after)
        sample = hooks.process_results(after, [f"{after['answer']}."])
        assert sample["correct"] and sample["order"] == after["order"]


def test_circular_counts_a_question_that_is_right_in_every_rotation(home: Path, monkeypatch: Env) -> None:
    monkeypatch.setenv("HLVID_CIRCULAR", "true")
    asked, info = docs(home)
    assert (len(asked), info["questions"], info["set_questions"]) == (24, 24, 6)
    assert [doc["question_id"] for doc in asked[:4]] == ["0~ABCD", "0~BCDA", "0~CDAB", "0~DABC"]
    always_a = [hooks.process_results(doc, ["A"]) for doc in asked]
    assert sum(sample["correct"] for sample in always_a) == 6  # one rotation of each
    assert hooks.accuracy([sample["accuracy"] for sample in always_a]) == 0
    right = [hooks.process_results(doc, [doc["answer"] if doc["circle"] != "3" else "D"]) for doc in asked]
    assert hooks.accuracy([sample["accuracy"] for sample in right]) == pytest.approx(5 / 6)
    assert hooks.unparsed([sample["unparsed"] for sample in right]) == 0


@pytest.mark.parametrize(
    ("task", "variable", "value", "message"),
    [
        (
            "hlvid",
            "HLVID_PARSER",
            "lmms_eval",
            r"task hlvid: takes no parser \(HLVID_PARSER\); it takes prompt, shuffle, circ",
        ),
        ("hlvid_mini", "HLVID_SUBTITLE_FRAMES", "8", "task hlvid_mini: takes no subtitle_frames"),
        (
            "hlvid",
            "HLVID_PROMPT",
            "lmms_eval",
            "task hlvid: lmms-eval has no such task; prompt is one of published, norm",
        ),
        ("hlvid_videomme", "HLVID_SUBTITLE_FRAMES", "8", "task hlvid_videomme: takes no subtitle_frames"),
        ("hlvid_egoschema", "HLVID_SHUFFLE", "1", "task hlvid_egoschema: takes no shuffle"),
        ("hlvid", "HLVID_PROMT", "normalised", "HLVID_PROMT: no such variable.* HLVID_PROMPT is meant"),
        ("hlvid", "HLVID_PARTIALS", "1", "HLVID_PARTIALS: no such variable.* HLVID_PARTIAL is meant"),
        ("hlvid", "HLVID_SHUFFLE", "x", "HLVID_SHUFFLE is 'x'; allowed: a whole number"),
        ("hlvid", "HLVID_CIRCULAR", "maybe", "HLVID_CIRCULAR is 'maybe'; allowed: true, false"),
        (
            "hlvid",
            "HLVID_PROMPT",
            "theirs",
            "HLVID_PROMPT is 'theirs'; allowed: published, normalised, lmms_eval",
        ),
    ],
)
def test_a_switch_that_would_do_nothing_is_refused(
    task: str, variable: str, value: str, message: str, monkeypatch: Env
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(RunError, match=message):
        arguments_of(task)


@pytest.mark.parametrize(
    "pair", ["circular=true,shuffle=1", "parser=lmms_eval,shuffle=1", "parser=lmms_eval,circular=true"]
)
def test_switches_that_exclude_each_other_are_refused(pair: str) -> None:
    with in_environment(pair), pytest.raises(RunError, match=r"task hlvid_mvbench: .*leave out shuffle"):
        arguments_of("hlvid_mvbench")


def test_every_task_takes_the_prompt() -> None:
    assert all("prompt" in taken(task) for task in (*arguments.OURS, *ADAPTERS))
    with in_environment("prompt=normalised"):
        assert {arguments_of(task).prompt for task in (*arguments.OURS, *ADAPTERS)} == {"normalised"}


def test_task_args_hold_for_the_run_alone(monkeypatch: Env) -> None:
    assert _without_task_args(["--tasks", "hlvid", "--task_args", "shuffle=3", "--limit", "2"]) == (
        ["--tasks", "hlvid", "--limit", "2"],
        "shuffle=3",
    )
    assert _without_task_args(["--task_args=prompt=normalised"]) == ([], "prompt=normalised")
    with in_environment("prompt=normalised, shuffle=3"):
        assert arguments_of("hlvid") == TaskArguments(prompt="normalised", shuffle=3)
    assert arguments_of("hlvid") == TaskArguments()
    monkeypatch.setenv("HLVID_SHUFFLE", "4")
    with (
        pytest.raises(RunError, match="HLVID_SHUFFLE is '4' in the environment"),
        in_environment("shuffle=3"),
    ):
        pass
    with (
        pytest.raises(RunError, match="--task_args: 'wording=x' is none of prompt=…, parser=…"),
        in_environment("wording=x"),
    ):
        pass


def test_other_tasks_take_none_of_ours(monkeypatch: Env) -> None:
    monkeypatch.setenv("HLVID_SHUFFLE", "4")
    with pytest.raises(RunError, match="tasks mvbench,mmlu: take no HLVID_SHUFFLE=4"):
        check_arguments("mvbench,mmlu")
    check_arguments("mvbench,hlvid_mv*")


def test_subtitles_stand_at_the_frames_that_the_model_is_shown(monkeypatch: Env) -> None:
    task = "hlvid_videomme_w_subtitle"
    assert arguments_of(task).subtitle_frames == 32
    model_looks_at(512)
    assert arguments_of(task).subtitle_frames == 512
    monkeypatch.setenv("HLVID_SUBTITLE_FRAMES", "32")
    with pytest.raises(
        RunError, match="HLVID_SUBTITLE_FRAMES is 32, but the model is shown 512 frames; unset it"
    ):
        arguments_of(task)
    monkeypatch.setenv("HLVID_SUBTITLE_FRAMES", "all")
    assert arguments_of(task).subtitle_frames is None
    monkeypatch.setenv("HLVID_PROMPT", "lmms_eval")
    with pytest.raises(RunError, match="its own number of frames"):
        arguments_of(task)


@pytest.mark.parametrize(("value", "on"), [("1", True), ("true", True), ("0", False), ("", False)])
def test_a_switch_is_on_or_off(value: str, on: bool, monkeypatch: Env) -> None:
    monkeypatch.setenv("HLVID_PARTIAL", value)
    assert switched_on("HLVID_PARTIAL") is on
    monkeypatch.setenv("HLVID_PARTIAL", "yes please")
    with pytest.raises(RunError, match="HLVID_PARTIAL is 'yes please'; allowed: true, false"):
        switched_on("HLVID_PARTIAL")
