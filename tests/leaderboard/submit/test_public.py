"""Nothing private leaves: command lines, names and texts of runs on somebody's machine."""

import json
import random
import string
from pathlib import Path
from typing import Any

import pytest

from leaderboard.benchmarks import answer_key
from leaderboard.format.faults import SubmissionError
from leaderboard.submit import public
from leaderboard.submit.packing import prepare
from leaderboard.submit.run_fields import run_fields
from leaderboard.submit.runs import find_run

HARMLESS = ("--limit=8", "--batch_size=1", "--num_fewshot=0", "--log_samples")
NAMES = (
    *(
        "api_key",
        "token",
        "base_url",
        "pretrained",
        "checkpoint",
        "model",
        "cache",
        "user",
        "password",
        "port",
    ),
    *("selector", "strategy", "dtype", "frames", "seed", "ratio", "prompt", "host", "attn_implementation"),
)
FLAGS = (
    *(
        "--include_path",
        "--hf_hub_log_args",
        "--wandb_args",
        "--output_path",
        "--use_cache",
        "--cache_requests",
    ),
    *(
        "--model",
        "--tasks",
        "--model_args",
        "--model_arg",
        "--gen_kwargs",
        "--limit",
        "--seed",
        "--device",
        "-x",
    ),
)


def secret(chance: random.Random) -> str:
    """A key, token, host, user or home folder as people have them; each holds a part that nothing harmless has."""
    mark = "zq" + "".join(
        chance.choices(string.ascii_lowercase + string.digits, k=chance.choice((8, 20, 40)))
    )
    shapes = (
        *(
            "sk-{}",
            "hf_{}",
            "ghp_{}",
            "{}",
            "https://{}.intern/v1",
            "http://me:{}@10.0.0.1:8000",
            "{}.example.com",
        ),
        *(
            "/home/{}/x",
            "~/{}",
            "C:\\Users\\{}",
            "../{}",
            "{}@example.org",
            "Bearer {}",
            "a b {}",
            "{}=1",
            "org/{}",
        ),
    )
    return chance.choice(shapes).format(mark)


def command_line(chance: random.Random) -> list[str]:
    parts = ["/home/zq/bin/lmms_eval", *chance.sample(HARMLESS, 2)]
    for _ in range(chance.randint(1, 6)):
        flag, kind = chance.choice(FLAGS), chance.randrange(3)
        pairs = ",".join(f"{chance.choice(NAMES)}={secret(chance)}" for _ in range(chance.randint(1, 4)))
        value = pairs if flag in ("--model_args", "--gen_kwargs", "--wandb_args") else secret(chance)
        parts += [f"{flag}={value}"] if kind == 0 else [flag, value] if kind == 1 else [flag, "--x", value]
    return [*parts, *odd(chance)]


def odd(chance: random.Random) -> list[str]:
    """A secret where a harmless value is expected, beside one, or inside nested text."""
    one = secret(chance)
    return chance.choice(
        [
            ["--model_args", json.dumps({"api_key": one, "frames": 8, "extra_body": {"k": one}})],
            ["--model_args", f'extra_body={{"a":"{one}","frames":3}},frames=8'],
            ["--model_args", f"base_url=http://me:{one}@10.0.0.1:8000/v1,frames=8,seed={one}"],
            ["--model_args", f"selector={one},{one}=8,frames"],
            ["--model_args", f"selector=detail;{one}"],
            [f"--gen_kwargs=temperature=0,stop='{one}'"],
            ["--model", f"gaze_reader,{one}"],
            ["--tasks", f"hlvid,{one}"],
            [f"--{one}", "8"],
            [f"--frames={one}=8"],
            ["--limit", "8", one],
            ["--dtype", f"bfloat16\n{one}"],
            ["--fps", f"1e5{one}"],
            [f"OPENAI_API_KEY={one}"],
        ]
    )


@pytest.mark.parametrize("seed", range(4))
def test_no_secret_of_a_command_line_gets_through(seed: int) -> None:
    chance = random.Random(seed)
    for _ in range(100):
        line = command_line(chance)
        variables = {
            "HLVID_PROMPT": secret(chance),
            "HLVID_PARSER": "lmms_eval",
            "OPENAI_API_KEY": secret(chance),
            f"HLVID_{secret(chance).upper()}": "1",
        }
        shown = public.command(line, variables)
        assert "zq" not in shown.lower() and "OPENAI" not in shown, (line, shown)
        assert "HLVID_PARSER=lmms_eval" in shown


def test_a_command_keeps_what_shapes_the_answers() -> None:
    line = "x --model gaze_reader --model_args selector=detail,ratio=0.1,cache=/d/j,frames=12 --tasks hlvid_mini,mine"
    assert public.command([*line.split(), "--gen_kwargs", "temperature=0", "--output_path", "/o"]) == (
        "lmms_eval --model gaze_reader --model_args selector=detail,ratio=0.1,…,frames=12 "
        "--tasks hlvid_mini,… --gen_kwargs temperature=0"
    )
    assert public.command([]) == ""


def test_our_models_are_known() -> None:
    from evaluators.models.registry import MODELS

    assert set(MODELS) == set(public.OURS)
    assert {"llava_onevision", *MODELS} <= public.models()


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Qwen/Qwen2.5-VL-7B-Instruct", "Qwen/Qwen2.5-VL-7B-Instruct"), ("gpt-4o", "gpt-4o"),
        ("/home/ann/model", None), ("~/model", None), ("./model", None), ("a/b/c", None), ("C:\\m", None),
        ("http://llm.intern/m", None), ("llm.intern", None), ("10.0.0.1", None), ("localhost/m", None),
        ("sk-proj-AAAAAAAA", None), (7, None), (None, None),
    ],
)  # fmt: skip
def test_names_of_models(name: object, shown: str | None) -> None:
    assert public.model_name(name) == shown


def run(folder: Path, config: dict[str, Any], record: dict[str, Any], raw: str = "A") -> Path:
    folder.mkdir()
    rows = [{"question_id": "0", "raw_output": raw, "doc_id": 0}]
    (folder / "1_samples_hlvid_mini.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (folder / "1_results.json").write_text(json.dumps({"config": config}))
    (folder / "record.json").write_text(json.dumps({"1_results.json": record}))
    return folder


def test_a_dirty_tree_and_variables_are_told(tmp_path: Path) -> None:
    environment = {
        "hlvid": "0.1.0",
        "git": {"commit": "c" * 40, "dirty": True},
        "cpu": "A CPU @ 2 GHz",
        "cores": 2,
    }
    record = {
        "command": ["x", "--limit", "3"],
        "environment": environment,
        "variables": {"HLVID_PROMPT": "lmms_eval"},
    }
    fields = run_fields(find_run(run(tmp_path / "run", {"model": "blind"}, record)))
    assert fields["model"]["revision"] == f"hlvid 0.1.0 {'c' * 12} with uncommitted changes"
    assert fields["notes"] == "Run again: HLVID_PROMPT=lmms_eval lmms_eval --limit 3"
    assert fields["cost"]["hardware"] == "2 cores of A CPU"


def test_a_key_in_an_answer_or_note_is_refused(tmp_path: Path) -> None:
    raw = "Error: connection with Bearer abcdefghijklmnop failed"
    folder = run(tmp_path / "run", {"model": "blind"}, {}, raw)
    given = {"model": {"name": "m", "openness": "closed"}, "notes": "see /home/ann/notes"}
    with pytest.raises(SubmissionError) as caught:
        prepare(folder, tmp_path / "out", given, submissions=tmp_path)
    assert {(one.file, one.line) for one in caught.value.faults if "looks like" in one.problem} == {
        ("submission.toml", None), ("1_samples_hlvid_mini.jsonl", 1),
    }  # fmt: skip
    assert not (tmp_path / "out").exists()


PRIVATE = (
    *("sk-ant-api03-{}", "nvapi-{}", "gsk_{}", "r8_{}", "ghu_{}", "hf_{}", "ya29.{}", "ASIA{}", "xoxb-{}"),
    *("my password: {}", '"api_key": "{}"', "Authorization: {}", "Basic {}", "http://me:{}@h.org/v1"),
    *("/home/{}/runs", "C:\\Users\\{}\\x", "/scratch/{}/hlvid", "/gpfs/{}/a", "~/{}", "file:///d/{}"),
    "\\\\{}\\share",
    *("http://localhost:8000/{}", "http://10.1.2.3/{}", "https://{}.intern/v1", "Pool(host='{}.corp', port=80)"),
    "{}",  # the value of a variable of this machine
)  # fmt: skip
PLACES = ("notes", "training_data", "contact", "model.name", "model.revision", "settings.decoder", "cost.hardware",
          "raw_output", "README.md")  # fmt: skip


@pytest.mark.parametrize("place", PLACES)
def test_nothing_private_passes_at_any_place(
    place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each kind of secret at each place: 225 submissions, all refused before anything is public."""
    mark = "Zq7" + "xK4" * 7
    monkeypatch.setenv("SOME_SERVICE_TOKEN", mark)
    key = answer_key("hlvid_mini", "mini-tiny-0")
    for number, shape in enumerate(PRIVATE):
        text = shape.format(mark if shape == "{}" else mark[::-1].upper() if "A{" in shape else mark[::-1])
        rows = [{"question_id": one.id, "answer": "A"} for one in key.questions]
        given: dict[str, Any] = {
            "benchmark": "hlvid_mini", "dataset_revision": "mini-tiny-0", "model": {"name": "m", "openness": "closed"},
        }  # fmt: skip
        out = tmp_path / str(number)
        if place == "raw_output":
            rows[3]["raw_output"] = f"Error: {text} failed. A"
        elif place == "README.md":
            (out / "hlvid_mini" / "m").mkdir(parents=True)
            (out / "hlvid_mini" / "m" / place).write_text(f"# My run\n\nsee {text}\n")
        else:
            group, _, name = place.rpartition(".")
            (given.setdefault(group, {}) if group else given)[name] = f"see {text}"
        source = tmp_path / f"{number}.jsonl"
        source.write_text("".join(json.dumps(row) + "\n" for row in rows))
        with pytest.raises(SubmissionError, match="looks like"):
            prepare(source, out, given, submissions=tmp_path)


def test_harmless_texts_are_no_secrets() -> None:
    for text in (
        "The answer is B.",
        "A basic understanding of localhost: the answer is \\boxed{B} \\\\ \\frac{1}{2}",
        "Signs say 10.0.0.1 and home/ann; the secretary's keys: none.",
        "risk-averse: 12",
        "https://example.org/a",
        "ann@example.org",
        "tokens: 5 of 9",
    ):
        assert public.secrets(text) == []
