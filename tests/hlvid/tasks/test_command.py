"""Run with: pytest tests/hlvid/tasks/test_command.py. `lmms_eval` in this process: one import for all.

The dataset is the small one of conftest.py as task `hlvid`; models that do not exist are written to a file.
"""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from hlvid.errors import RunError
from hlvid.tasks import command

TOYS = '''
from lmms_eval.api.model import lmms

class Simple(lmms):
    """Looks at every video, then answers C with a reason; breaks at question `fail`."""

    def __init__(self, fail="", batch_size=1, device=None, max_batch_size=None):
        super().__init__()
        self.fail = str(fail)

    def generate_until(self, requests):
        answers = []
        for ctx, gen_kwargs, doc_to_visual, doc_id, task, split in [request.args for request in requests]:
            doc = self.task_dict[task][split][doc_id]
            (path,) = doc_to_visual(doc)
            assert open(path, "rb").read(1)
            if doc["question_id"] == self.fail:
                raise MemoryError("CUDA out of memory")
            answers.append("The answer is C because the sign says so.")
        return answers

    def loglikelihood(self, requests): ...
    def generate_until_multi_round(self, requests): ...

class Chat(Simple):
    is_simple = False

    def generate_until(self, requests):
        answers = []
        for ctx, doc_to_messages, gen_kwargs, doc_id, task, split in [request.args for request in requests]:
            doc = self.task_dict[task][split][doc_id]
            (turn,) = doc_to_messages(doc)
            video, text = turn["content"]
            assert video == {"type": "video", "url": doc["video_path"]} and text["text"] == ctx
            answers.append("**A**")
        return answers
'''


@pytest.fixture
def toys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Registers the models toy_simple and toy_chat."""
    from lmms_eval.models import MODEL_REGISTRY_V2
    from lmms_eval.models.registry_v2 import ModelManifest

    (tmp_path / "hlvid_toy_models.py").write_text(TOYS)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "hlvid_toy_models", raising=False)
    for manifest in (
        ModelManifest("toy_simple", simple_class_path="hlvid_toy_models.Simple"),
        ModelManifest("toy_chat", chat_class_path="hlvid_toy_models.Chat"),
    ):
        MODEL_REGISTRY_V2.register_manifest(manifest, overwrite=True)


@pytest.fixture(autouse=True)
def elsewhere(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run in an empty folder, on one device."""
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")


def evaluate(*arguments: str, model: str = "blind", task: str = "hlvid") -> dict[str, Any]:
    return command.run(["--tasks", task, "--model", model, *arguments])


def test_results_samples_and_record_lie_together(tmp_path: Path) -> None:
    out = tmp_path / "out"
    results = evaluate("--model_args", "strategy=longest", "--output_path", str(out), "--log_samples")
    numbers = results["results"]["hlvid"]
    assert numbers["accuracy,none"] == pytest.approx(2 / 6)  # B is longest, and right twice
    assert numbers["accuracy_low,none"] <= 2 / 6 <= numbers["accuracy_high,none"]
    assert numbers["unparsed,none"] == 0
    assert isinstance(numbers["accuracy_stderr_clustered,none"], float)

    (path,) = out.rglob("*_samples_hlvid.jsonl")
    samples = [json.loads(line) for line in path.read_text().splitlines()]
    assert [sample["question_id"] for sample in samples] == list("012345")
    assert samples[3]["source"] == "household_video_1"
    assert samples[3]["details"] == {"frames": 0, "tokens_selected": 0, "strategy": "longest"}
    assert samples[0]["input"].startswith("What does sign 0 say?\nA. DL3\n")

    entry = json.loads(Path(results["files"]["record"]).read_text())
    assert Path(results["files"]["record"]).name == f"record_{Path(results['files']['results']).name}"
    assert entry["command"][:3] == ["lmms_eval", "--tasks", "hlvid"]
    assert entry["environment"]["packages"]["torch"]
    assert entry["environment"]["decoder"].startswith("pyav ")
    assert entry["datasets"]["hlvid"]["questions"] == 6
    assert entry["summaries"]["hlvid"]["overall"]["correct"] == 2


def test_a_record_that_fails_takes_no_result_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("hlvid.tasks.record.write_json", full)
    results = evaluate("--output_path", str(tmp_path / "out"))
    assert results["results"]["hlvid"]["accuracy,none"] is not None
    assert Path(results["files"]["results"]).is_file()
    assert "no record could be written (OSError" in capsys.readouterr().err


def test_simple_and_chat_models_get_what_they_expect(toys: None) -> None:
    assert evaluate(model="toy_simple")["results"]["hlvid"]["accuracy,none"] == pytest.approx(1 / 6)
    assert evaluate(model="toy_chat")["results"]["hlvid"]["accuracy,none"] == pytest.approx(2 / 6)
    assert evaluate("--force_simple")["results"] == evaluate()["results"]


def test_a_task_is_found_beside_a_folder_of_its_name() -> None:
    Path("hlvid").mkdir()
    assert "hlvid" in evaluate("--limit", "1")["results"]


def test_a_limit_and_an_offset_choose_questions() -> None:
    results = evaluate("--limit", "2", "--offset", "3", "--log_samples", "--output_path", "out")
    assert [sample["question_id"] for sample in results["samples"]["hlvid"]] == ["3", "4"]


@pytest.mark.parametrize(
    ("task", "text"),
    [
        ("hlvid_mni", "task 'hlvid_mni' not found; did you mean hlvid_mini"),
        ("hlvid,nonsense_xyz", "task 'nonsense_xyz' not found; 'lmms_eval tasks list'"),
        ("nonsense_*", "nothing of that name or pattern"),
    ],
)
def test_missing_tasks_are_named_with_close_ones(task: str, text: str) -> None:
    with pytest.raises(RunError, match=text):
        evaluate(task=task)


def test_an_unknown_model_is_named_with_close_ones() -> None:
    with pytest.raises(RunError, match=r"model 'blnd' is unknown; did you mean blind"):
        evaluate(model="blnd")


def test_a_wrong_model_argument_is_named() -> None:
    with pytest.raises(RunError, match=r"strategy is 'best'; allowed"):
        evaluate("--model_args", "strategy=best")


def test_an_unknown_model_argument_is_one_line_with_the_allowed(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(RunError, match=r"^model blind: unknown argument 'nosuch'; allowed: strategy, letter"):
        evaluate("--model_args", "nosuch=1")
    assert "Traceback" not in capsys.readouterr().err


def test_a_crash_names_model_task_and_question(toys: None, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(
        RunError, match=r"model toy_simple, tasks hlvid, question 3 .*MemoryError: CUDA out of"
    ):
        evaluate("--model_args", "fail=3", model="toy_simple")
    assert "Traceback" in capsys.readouterr().err  # a defect: the developer needs to see where


def test_a_bad_dataset_is_told_before_the_model_runs(home: Path) -> None:
    (home / "hlvid" / "videos" / "clip_av_video_3_000.mp4").unlink()
    with pytest.raises(RunError, match=r"question 0: video clip_av_video_3_000.mp4 not found"):
        evaluate()
    (home / "hlvid" / "data" / "test.jsonl").write_text('{"question_id": 1}\n')
    with pytest.raises(RunError, match=r"test.jsonl: 4 faults\n  header: category"):
        evaluate()


def test_examples_that_there_are_none_of_are_refused_in_one_line() -> None:
    with pytest.raises(RunError, match=r"^--num_fewshot 2: tasks hlvid: .*; leave it out$"):
        command.run(["--tasks", "hlvid", "--model", "blind", "--num_fewshot", "2"])


def test_a_run_without_samples_fails() -> None:
    with pytest.raises(RunError, match=r"task hlvid: no sample ran \(--limit None, --offset 99\)"):
        evaluate("--offset", "99")


def test_results_that_cannot_be_saved_fail() -> None:
    Path("out").write_text("a file where a folder should be")
    with pytest.raises(RunError, match=r"--output_path out: .*give another path"):
        evaluate("--output_path", "out")


def test_a_config_file_with_two_runs_reports_the_one_that_failed() -> None:
    runs = [{"tasks": "hlvid", "model": "blnd"}, {"tasks": "hlvid", "model": "blind"}]
    Path("runs.yaml").write_text(json.dumps(runs))
    with pytest.raises(RunError, match=r"^model 'blnd' is unknown"):
        command.run(["--config", "runs.yaml"])
    with pytest.raises(RunError, match=r"Config file does not exist: none.yaml"):
        command.run(["--config", "none.yaml"])


def test_a_second_run_in_the_process_sees_no_costs_of_the_first(toys: None) -> None:
    evaluate()
    results = evaluate("--log_samples", "--output_path", "out", model="toy_simple")
    assert [sample["details"] for sample in results["samples"]["hlvid"]] == [{}] * 6


@pytest.mark.parametrize(
    ("argv", "code", "text"),
    [
        (["--model", "blind"], 1, "lmms_eval: --tasks is missing; ours are hlvid, hlvid_egoschema"),
        (["--tasks", "hlvid", "--model", "blnd"], 1, "lmms_eval: model 'blnd' is unknown"),
    ],
)
def test_the_script_turns_failures_into_exit_codes(
    argv: list[str],
    code: int,
    text: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(sys, "argv", ["lmms_eval", *argv])
    with pytest.raises(SystemExit) as stopped:
        command.main()
    assert stopped.value.code == code
    assert capsys.readouterr().err.splitlines()[-1].startswith(text)


def test_lists_show_our_tasks(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "argv", ["lmms_eval", "tasks", "list"])
    command.main()
    assert {"hlvid", "hlvid_mini"} <= set(capsys.readouterr().out.split())
    monkeypatch.setattr(sys, "argv", ["lmms_eval", "--tasks", "list"])
    with pytest.raises(SystemExit) as stopped:
        command.main()
    assert not stopped.value.code
    assert " - hlvid_mini" in capsys.readouterr().out


def test_an_output_path_that_is_a_file_is_one_line_before_the_model_runs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "film.mp4").write_text("not a folder")
    with pytest.raises(RunError, match=r"--output_path .*film\.mp4.*give another path"):
        evaluate("--model_args", "strategy=nope", "--output_path", f"{tmp_path}/film.mp4/x")
    assert "Traceback" not in capsys.readouterr().err
