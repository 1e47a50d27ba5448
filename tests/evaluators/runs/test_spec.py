"""Run: pytest tests/evaluators/runs/test_spec.py"""

from pathlib import Path

import pytest

from evaluators.runs.spec import RunSpec, parse_model_args
from hlvid.errors import RunError

TEXT = (
    "selector=detail,ratio=0.10,frames=8,cache=True,off=false,gaze=0.2+0.06x15,loss=none,path=a/b=c,e=1e-3,"
    'body={"a": {"b": 1, "c": [2, 3]}}'
)


def test_arguments_mean_what_lmms_eval_makes_of_them() -> None:
    from lmms_eval.utils import simple_parse_args_string

    ours = parse_model_args(TEXT)
    assert ours == simple_parse_args_string(TEXT)
    again = RunSpec("hlvid", "blind", ours).model_args_text()
    assert simple_parse_args_string(again) == ours, "what is handed on is read as the same values"


def test_argv_runs_the_same() -> None:
    argv = RunSpec("hlvid", "gaze_reader", {"ratio": 0.1, "frames": 4}, limit=3, seed=7).argv(Path("out"))
    pairs = dict(zip(argv[::2], argv[1::2], strict=False))
    assert pairs["--tasks"] == "hlvid" and pairs["--model_args"] == "ratio=0.1,frames=4"
    assert pairs["--limit"] == "3" and pairs["--seed"] == "7" and "--log_samples" in argv
    assert "--model_args" not in RunSpec("hlvid", "blind").argv(Path("out"))
    assert "--limit" not in RunSpec("hlvid", "blind").argv(Path("out"))


def test_arguments_of_the_task_are_part_of_the_run() -> None:
    plain, shuffled = RunSpec("hlvid", "blind"), RunSpec("hlvid", "blind", task_args="shuffle=3")
    assert shuffled.argv(Path("out"))[4:6] == ["--task_args", "shuffle=3"]
    assert "--task_args" not in plain.argv(Path("out")) and "task_args" not in plain.to_json()
    assert shuffled.name != plain.name and RunSpec.from_json(shuffled.to_json()) == shuffled


def test_names_and_json_tell_runs_apart() -> None:
    one, other = RunSpec("hlvid", "blind", {"a": 1}), RunSpec("hlvid", "blind", {"a": 2})
    assert one.name != other.name and one.name.startswith("hlvid-blind-")
    assert RunSpec.from_json(one.to_json()) == one
    with pytest.raises(RunError, match="modell"):
        RunSpec.from_json({**one.to_json(), "modell": "x"})


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"task": ""}, "task"),
        ({"model": ""}, "--model"),
        ({"limit": 0}, "limit is 0"),
        ({"model_args": {"a b": 1}}, "a b"),
        ({"model_args": {"a": [1]}}, "a is"),
        ({"model_args": {"a": "1,2"}}, "commas"),
    ],
)
def test_what_the_command_line_cannot_carry_is_refused(fields: dict[str, object], named: str) -> None:
    with pytest.raises(RunError, match=named):
        RunSpec(**{"task": "hlvid", "model": "blind", **fields})  # type: ignore[arg-type]


@pytest.mark.parametrize("text", ["a", "=1", "a=1,a=2"])
def test_arguments_that_are_none(text: str) -> None:
    with pytest.raises(RunError, match="model-args"):
        parse_model_args(text)
