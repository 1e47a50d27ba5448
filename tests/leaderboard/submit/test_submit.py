"""`hlvid submit` from each kind of source: the folder, the standing, the texts; faults with the source's lines."""

import json
import re
import subprocess
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from hlvid.dataset.identity import set_hash
from hlvid.errors import AnswerError
from hlvid.tasks.folder import prompt_hash
from hlvid.tasks.record import write as write_record
from leaderboard.benchmarks import AnswerKey, Keys, answer_key
from leaderboard.board import SUBMISSIONS
from leaderboard.cli import mount
from leaderboard.format.faults import SubmissionError
from leaderboard.format.toml_text import dump
from leaderboard.format.validate import check_folder
from leaderboard.site.identity import settings_text
from leaderboard.submit.answers import submitted
from leaderboard.submit.packing import describe, prepare

Make = Callable[..., Path]
Answers = list[dict[str, Any]]
GIVEN = {"benchmark": "hlvid", "model": {"name": "My Model/7B", "openness": "open_weights"}}


def csv(answers: Answers) -> str:
    return "question_id,answer\n" + "".join(f"{one['question_id']},{one['answer']}\n" for one in answers)


@pytest.fixture
def table(tmp_path: Path, answers: Answers) -> Path:
    path = tmp_path / "predictions.csv"
    path.write_text(csv(answers))
    return path


@pytest.fixture
def run_folder(tmp_path: Path) -> Path:
    """An output folder of our `lmms_eval` on HLVid-Mini (tiny), as `hlvid demo` leaves it; every answer right."""
    folder = tmp_path / "runs" / "detail"
    folder.mkdir(parents=True)
    key = answer_key("hlvid_mini", "mini-tiny-0")
    details = {
        "frames": 12, "pixels": [504, 896], "tokens_selected": 100, "decoder": "pyav 15.1.0",
        "selector": {"name": "detail"}, "ratio_of_valid": 0.0998, "seconds": {"decode": 1.0, "ocr": 2.5},
    }  # fmt: skip
    rows = [
        {"doc_id": n, "target": q.answer, "question_id": q.id, "raw_output": q.answer, "details": details}
        for n, q in enumerate(key.questions)
    ]
    (folder / "2026_samples_hlvid_mini.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    config = {"model": "gaze_reader", "model_args": "selector=detail,ratio=0.1,resolution=896,frames=12"}
    (folder / "2026_results.json").write_text(json.dumps({"config": config}))
    record = {
        "command": ["lmms_eval", "--tasks", "hlvid_mini", "--output_path", "/home/me/x", "--log_samples"],
        "environment": {
            "hlvid": "0.1.0",
            "git": {"commit": "c" * 40},
            "cpu": "Some CPU",
            "cores": 2,
            "gpus": [],
        },
        "datasets": {"hlvid_mini": {"set": set_hash(key.questions), "prompts": prompt_hash(key.questions)}},
    }
    write_record(folder / "2026_results.json", record)
    return folder


def test_the_samples_of_hlvid_eval_alone_or_in_their_folder(run_folder: Path, tmp_path: Path) -> None:
    """Once 114 faults: every field of its own was unknown. Options shown in another order are told by the prompt."""
    (run_folder / "lmms_eval").mkdir()
    for path in list(run_folder.glob("*2026_*")):
        path.rename(run_folder / "lmms_eval" / path.name)
    key = answer_key("hlvid_mini", "mini-tiny-0")
    rows = [
        {"question_id": q.id, "raw_output": q.answer, "correct": True, "parsed": q.answer, "how": "bare letter",
         "task": "hlvid_mini", "prompt": q.prompt(), "details": {"frames": 12}}
        for q in key.questions
    ]  # fmt: skip
    own = run_folder / "samples.jsonl"
    own.write_text("".join(json.dumps(row) + "\n" for row in rows))
    ready = prepare(own, tmp_path / "out", {}, submissions=tmp_path)
    assert ready.entry.accuracy == 1 and ready.entry.submission.settings.selector == "detail"

    given = {
        "benchmark": "hlvid_mini", "dataset_revision": "mini-tiny-0", "model": {"name": "m", "openness": "closed"},
    }  # fmt: skip
    alone = tmp_path / "alone.jsonl"
    own.rename(alone)
    assert prepare(alone, tmp_path / "other", given, submissions=tmp_path).entry.accuracy == 1
    question = key.questions[3]
    first, *_, last = question.options.values()
    turned = question.prompt().replace(first, "~").replace(last, first).replace("~", last)
    rows[3]["prompt"] = turned
    alone.write_text("".join(json.dumps(row) + "\n" for row in rows))
    with pytest.raises(
        SubmissionError, match="line 4: input: does not ask question 3 with its options in order"
    ):
        prepare(alone, tmp_path / "third", given, submissions=tmp_path)


def test_no_printed_verdict_contradicts_the_place(tmp_path: Path) -> None:
    """Alone, blind is clearly worse than 896 px; over ten pairs on eight recordings nothing can be, as places say."""
    ready = prepare(SUBMISSIONS / "hlvid_mini" / "blind", tmp_path)
    assert ready.standing.rank.text == "1 to 5"
    assert {one.conclusion for one in ready.standing.comparisons} == {"no_evidence"}
    assert "after Holm over 10 pairs" in describe(ready)


def test_a_draft_in_yaml_is_told_how_to_go_on(tmp_path: Path) -> None:
    (tmp_path / "submission.yaml").write_text("benchmark: hlvid\n")
    with pytest.raises(SubmissionError, match=r"submission.yaml: .* write it as submission.toml"):
        prepare(tmp_path, tmp_path / "out")


def test_table_to_folder(table: Path, tmp_path: Path, keys: Keys) -> None:
    ready = prepare(table, tmp_path / "out", GIVEN, submissions=tmp_path, keys=keys)
    assert ready.folder == tmp_path / "out" / "hlvid" / "7b"
    assert tomllib.loads((ready.folder / "submission.toml").read_text())["model"]["name"] == "My Model/7B"
    assert ready.entry.accuracy == 0.75
    assert "9 of 12 right, 75.0 %" in describe(ready)
    assert "first with predictions" in describe(ready)
    again = prepare(ready.folder, tmp_path / "again", name="seven", submissions=tmp_path, keys=keys)
    assert again.entry.predictions == ready.entry.predictions
    assert again.entry.submission == ready.entry.submission


def test_run_folder_states_how_it_was_made(run_folder: Path, tmp_path: Path) -> None:
    ready = prepare(run_folder, tmp_path / "out", submissions=tmp_path)
    submission = ready.entry.submission
    assert ready.folder.name == "gaze_reader-896px-r0.10"
    assert submission.dataset_revision == answer_key("hlvid_mini", "mini-tiny-0").revision
    assert submission.model.model_dump(exclude_none=True) == {
        "name": "gaze_reader", "openness": "open_source", "revision": "hlvid 0.1.0 " + "c" * 12,
    }  # fmt: skip
    assert submission.settings.model_dump(exclude={"prompt_sha256"}) == {
        "frames": 12, "resolution": 896, "selector": "detail", "gazing_ratio": 0.0998, "decoder": "pyav 15.1.0",
    }  # fmt: skip
    assert submission.cost.hardware == "2 cores of Some CPU"
    assert (submission.cost.seconds_per_question, submission.cost.tokens_per_question) == (3.5, 100)
    assert submission.notes == "Run again: lmms_eval --tasks hlvid_mini"
    assert ready.entry.accuracy == 1.0
    first = ready.entry.predictions["0"]
    assert (first.frames, first.width, first.height, first.tokens, first.seconds) == (12, 896, 504, 100, 3.5)


def test_a_run_on_other_questions_is_refused(run_folder: Path, tmp_path: Path) -> None:
    path = run_folder / "record_2026_results.json"
    record = json.loads(path.read_text())
    record["datasets"]["hlvid_mini"]["prompts"] = "sha256:" + "0" * 64
    path.write_text(json.dumps(record))
    with pytest.raises(SubmissionError, match=r"record\.json: prompts: the run asked other questions"):
        prepare(run_folder, tmp_path / "out", submissions=tmp_path)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(("limit", "shown"), [(5, "5"), (5.0, "5"), (0.5, "0.5")])
def test_a_limited_run_is_told_to_run_without_limit(
    limit: float, shown: str, run_folder: Path, tmp_path: Path
) -> None:
    samples = run_folder / "2026_samples_hlvid_mini.jsonl"
    samples.write_text("".join(samples.read_text().splitlines(keepends=True)[:5]))
    results = json.loads((run_folder / "2026_results.json").read_text())
    results["config"]["limit"] = limit
    (run_folder / "2026_results.json").write_text(json.dumps(results))
    with pytest.raises(SubmissionError) as caught:
        prepare(run_folder, tmp_path / "out", submissions=tmp_path)
    (fault,) = caught.value.faults
    assert f"3 question(s) have no answer: the run was made with --limit {shown};" in str(fault)
    assert "run it without --limit" in fault.remedy and "add a line" not in str(fault)


def test_a_limit_that_left_nothing_out_is_none(run_folder: Path, tmp_path: Path) -> None:
    results = json.loads((run_folder / "2026_results.json").read_text())
    results["config"]["limit"] = 100.0
    (run_folder / "2026_results.json").write_text(json.dumps(results))
    assert prepare(run_folder, tmp_path / "out", submissions=tmp_path).entry.accuracy == 1.0


@pytest.fixture
def partial_run(run_folder: Path) -> Path:
    """The same run with HLVID_PARTIAL=1, where one video is broken: its question was not asked."""
    key = answer_key("hlvid_mini", "mini-tiny-0")
    samples = run_folder / "2026_samples_hlvid_mini.jsonl"
    samples.write_text("".join(samples.read_text().splitlines(keepends=True)[1:]))
    record = run_folder / "record_2026_results.json"
    told = json.loads(record.read_text())
    told["datasets"]["hlvid_mini"] |= {
        "left_out": {key.questions[0].id: f"{key.questions[0].video} is broken"},
        "prompts": prompt_hash(key.questions[1:]),
    }
    record.write_text(json.dumps(told))
    return run_folder


def test_what_a_partial_run_left_out_is_said_and_counts_as_wrong(partial_run: Path, tmp_path: Path) -> None:
    ready = prepare(partial_run, tmp_path / "out", submissions=tmp_path)
    key, first = ready.key, ready.key.questions[0]
    assert tomllib.loads((ready.folder / "submission.toml").read_text())["left_out"] == {
        first.id: f"{first.video} is broken"
    }
    assert ready.entry.accuracy == (len(key.questions) - 1) / len(key.questions)
    assert "1 of these not asked and counted as wrong" in describe(ready)
    assert "1 not asked" in settings_text(ready.entry)
    again = submitted(ready.folder)
    assert [one.correct for one in again] == [False] + [True] * (len(key.questions) - 1)


def test_why_a_question_was_left_out_is_no_place_for_folders_either(
    partial_run: Path, tmp_path: Path
) -> None:
    record = partial_run / "record_2026_results.json"
    record.write_text(record.read_text().replace(" is broken", " is not in /home/ann/videos"))
    with pytest.raises(SubmissionError, match=r"left_out\.\w+: holds what looks like a home folder"):
        prepare(partial_run, tmp_path / "out", submissions=tmp_path)


def test_silence_about_what_was_left_out_is_refused(partial_run: Path, tmp_path: Path) -> None:
    samples, record = partial_run / "2026_samples_hlvid_mini.jsonl", partial_run / "record_2026_results.json"
    told = json.loads(record.read_text())
    kept = samples.read_text()
    samples.write_text("".join(kept.splitlines(keepends=True)[1:]))
    with pytest.raises(
        SubmissionError, match=r"2 question\(s\) have no line"
    ):  # one of them for no reason given
        prepare(partial_run, tmp_path / "out", submissions=tmp_path)
    samples.write_text(kept)
    del told["datasets"]["hlvid_mini"]["left_out"]
    record.write_text(json.dumps(told))
    with pytest.raises(SubmissionError, match=r"1 question\(s\) have no line.* named in left_out"):
        prepare(partial_run, tmp_path / "out", submissions=tmp_path)


@pytest.mark.parametrize(
    ("place", "problem"), [(1, "has a line, too"), (None, "is not a question of this benchmark")]
)
def test_what_is_left_out_has_no_line(
    place: int | None, problem: str, partial_run: Path, tmp_path: Path
) -> None:
    ready = prepare(partial_run, tmp_path / "out", submissions=tmp_path)
    stated = tomllib.loads((ready.folder / "submission.toml").read_text())
    stated["left_out"]["nobody's" if place is None else ready.key.questions[place].id] = "why not"
    (ready.folder / "submission.toml").write_text(dump(stated))
    with pytest.raises(SubmissionError, match=problem):
        prepare(ready.folder, tmp_path / "other", submissions=tmp_path)
    assert problem in str(check_folder(ready.folder).faults)


def test_a_plain_samples_file(tmp_path: Path, key: AnswerKey, keys: Keys) -> None:
    rows = [
        {
            "doc_id": n,
            "input": question.prompt(),
            "resps": [[f"Answer: {question.answer}"]],
            "filtered_resps": ["A"],
        }
        for n, question in enumerate(key.questions)
    ]
    path = tmp_path / "anything.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows[::-1]))
    ready = prepare(path, tmp_path / "out", GIVEN, submissions=tmp_path, keys=keys)
    assert ready.entry.accuracy == 1.0
    assert ready.entry.predictions["3"].raw_output == "Answer: D"
    rows[1]["input"] = key.questions[1].prompt().replace("A. A1x\nB. B1x", "A. B1x\nB. A1x")
    rows[2]["input"], rows[4]["doc_id"], rows[5]["resps"] = "What else?", 12, [["A", "B"]]
    rows[5].pop("filtered_resps")
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    with pytest.raises(SubmissionError) as caught:
        prepare(path, tmp_path / "out", GIVEN, submissions=tmp_path, keys=keys)
    assert [(f.file, f.line, f.field) for f in caught.value.faults] == [
        ("anything.jsonl", 2, "input"), ("anything.jsonl", 3, "input"), ("anything.jsonl", 5, "doc_id"),
        ("anything.jsonl", 6, "resps"),
    ]  # fmt: skip


def test_lines_as_in_predictions(tmp_path: Path, answers: Answers, keys: Keys) -> None:
    path = tmp_path / "mine.jsonl"
    path.write_text("".join(json.dumps(one) + "\n" for one in answers))
    assert prepare(path, tmp_path / "out", GIVEN, submissions=tmp_path, keys=keys).entry.accuracy == 0.75


def test_faults_of_fields_and_lines_together(table: Path, tmp_path: Path, keys: Keys) -> None:
    table.write_text(table.read_text().replace("3,D", "3,X").replace("5,B", "55,B"))
    given = {"benchmark": "hlvid", "model": {"name": "m", "link": "javascript:1"}}
    with pytest.raises(SubmissionError) as caught:
        prepare(table, tmp_path / "out", given, submissions=tmp_path, keys=keys)
    assert {(f.file, f.line, f.field) for f in caught.value.faults} == {
        ("submission.toml", None, "model.openness"),
        ("submission.toml", None, "model.link"),
        ("predictions.csv", 5, "answer"),
        ("predictions.csv", 7, "question_id"),
        ("predictions.csv", None, "question_id"),
    }
    assert "--openness" in str(caught.value)
    assert not (tmp_path / "out").exists()


def test_lines_are_checked_without_a_key(
    table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run_folder: Path
) -> None:
    monkeypatch.setenv("HLVID_DATA", str(tmp_path / "empty"))
    table.write_text("question_id,answer,frames\n0,A,-1\n1\n")
    with pytest.raises(SubmissionError) as caught:
        prepare(table, tmp_path / "out", GIVEN, submissions=tmp_path)
    assert [(f.file, f.line) for f in caught.value.faults] == [
        ("submission.toml", None), ("predictions.csv", 2), ("predictions.csv", 3),
    ]  # fmt: skip
    with pytest.raises(AnswerError, match="no samples of hlvid in it, only of hlvid_mini"):
        prepare(run_folder, tmp_path / "out", GIVEN, submissions=tmp_path)
    samples = run_folder / "2026_samples_hlvid_mini.jsonl"
    samples.rename(samples.with_name("2026_samples_hlvid.jsonl"))
    with pytest.raises(SubmissionError, match="hlvid download"):
        prepare(run_folder, tmp_path / "out", GIVEN, submissions=tmp_path)


def test_standing_against_neighbours(
    make_folder: Make, answers: Answers, key: AnswerKey, keys: Keys, table: Path, tmp_path: Path
) -> None:
    right = [{"question_id": one.id, "answer": one.answer} for one in key.questions]
    make_folder(right, name="all-right")
    root = make_folder([{**one, "answer": None} for one in answers], name="none-right").parents[1]
    ready = prepare(table, tmp_path / "out", GIVEN, submissions=root, keys=keys)
    assert (ready.standing.rank.place, ready.standing.of) == (2, 3)
    assert [(pair.a, pair.b, pair.only_a, pair.only_b) for pair in ready.standing.comparisons] == [
        ("7b", "all-right", 0, 3), ("7b", "none-right", 9, 0),
    ]  # fmt: skip
    text = ready.body.read_text()
    assert "place 2 of 3" in text
    assert "no evidence of a difference" in text


def test_hostile_texts_in_the_pull_request(table: Path, tmp_path: Path, keys: Keys) -> None:
    name = "<img src=x onerror=alert(1)> | [x](http://e.org) @all `$(id)`"
    given = {
        "benchmark": "hlvid",
        "model": {"name": name, "openness": "closed"},
        "training_data": "# a\n- b\n```",
    }
    ready = prepare(table, tmp_path / "out", given, submissions=tmp_path, keys=keys)
    text = ready.body.read_text()
    assert "<img" not in text and "@all" not in text and "\n# a" not in text
    assert re.search(r"(?<!\\)[\]`|$]", text.split("| model |")[1].split(" |\n")[0]) is None
    assert "](" not in ready.title and "<" not in ready.title  # made of the folder's name
    assert [path.name for path in ready.folder.parent.iterdir()] != []
    assert ready.folder.resolve().is_relative_to((tmp_path / "out" / "hlvid").resolve())


@pytest.mark.parametrize("name", ["../x", "a/b", "", "Upper", "."])
def test_folder_names_given_by_hand(name: str, table: Path, tmp_path: Path, keys: Keys) -> None:
    with pytest.raises(SubmissionError, match="is not allowed"):
        prepare(table, tmp_path / "out", GIVEN, name, submissions=tmp_path, keys=keys)


def test_a_bad_name_is_told_with_all_other_faults(table: Path, tmp_path: Path, keys: Keys) -> None:
    table.write_text(table.read_text().replace("3,D", "3,X"))
    given = {"model": {"name": "m", "openness": "closed", "link": "foo"}}
    with pytest.raises(SubmissionError) as caught:
        prepare(table, tmp_path / "out", given | {"benchmark": "hlvid"}, "Bad Name/..", tmp_path, keys)
    fields = {(fault.file, fault.field) for fault in caught.value.faults}
    assert fields == {
        ("--name", "(folder)"),
        ("submission.toml", "model.link"),
        ("predictions.csv", "answer"),
    }
    with pytest.raises(SubmissionError, match="give --benchmark, one of hlvid, ") as caught:
        prepare(table, tmp_path / "out", given, "Bad Name/..", tmp_path, keys)
    fields = {(fault.file, fault.field) for fault in caught.value.faults}
    assert fields == {
        ("--name", "(folder)"),
        ("submission.toml", "benchmark"),
        ("submission.toml", "model.link"),
    }
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("model", ["模型", "...", "../../../etc/passwd", "-", "a" * 119])
def test_folder_names_made_from_models(model: str, table: Path, tmp_path: Path, keys: Keys) -> None:
    given = {"benchmark": "hlvid", "model": {"name": model, "openness": "closed"}}
    ready = prepare(table, tmp_path / "out", given, submissions=tmp_path, keys=keys)
    assert ready.folder.parent == tmp_path / "out" / "hlvid"


@pytest.mark.parametrize(
    ("source", "given", "message"),
    [
        ("absent", GIVEN, "no such file or folder"),
        ("empty", GIVEN, "no samples of hlvid in it; run lmms_eval with --log_samples"),
        ("file.png", GIVEN, "not a run folder"),
        ("predictions.csv", {"model": {"name": "m", "openness": "closed"}}, "give --benchmark"),
    ],
)
def test_no_source(source: str, given: dict[str, Any], message: str, table: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "file.png").touch()
    with pytest.raises(AnswerError, match=message):
        prepare(tmp_path / source, tmp_path / "out", given, submissions=tmp_path)


def test_several_runs_have_to_be_told_apart(run_folder: Path, tmp_path: Path) -> None:
    other = run_folder.parent / "other"
    other.mkdir()
    (other / "2025_samples_hlvid.jsonl").write_text("{}")
    with pytest.raises(AnswerError, match="holds several runs"):
        prepare(run_folder.parent, tmp_path / "out", submissions=tmp_path)
    given = {"benchmark": "hlvid_mini"}
    assert prepare(run_folder.parent, tmp_path / "out", given, submissions=tmp_path).entry.accuracy == 1.0


def invoke(*arguments: str) -> Any:
    app = typer.Typer()
    app.callback()(lambda: None)
    mount(app)
    return CliRunner().invoke(app, ["submit", *arguments], catch_exceptions=True)


def test_command_prepares_a_branch_and_pushes_nothing(
    run_folder: Path, tmp_path: Path, git_repo: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path / "repo")
    result = invoke(str(run_folder), "--contact", "ann", "--name", "mine", "--out", str(tmp_path / "out"))
    assert result.exit_code == 0, result.output
    assert "8 of 8 right" in result.output and "Nothing was pushed" in result.output
    place = "leaderboard/submissions/hlvid_mini/mine"
    listing = git_repo("diff", "--name-status", "main", "submission/hlvid_mini/mine").splitlines()
    assert listing == [f"A\t{place}/predictions.jsonl", f"A\t{place}/submission.toml"]
    assert git_repo("status", "--porcelain") == ""
    assert git_repo("branch", "--show-current") == "main"
    assert 'contact = "ann"' in git_repo("show", f"submission/hlvid_mini/mine:{place}/submission.toml")


def test_command_without_a_clone(run_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    result = invoke(str(run_folder))
    assert result.exit_code == 0, result.output
    assert (
        tmp_path / "hlvid-submission" / "hlvid_mini" / "gaze_reader-896px-r0.10" / "predictions.jsonl"
    ).is_file()
    assert "copy the folder to leaderboard/submissions/hlvid_mini" in result.output
    refused = invoke(str(run_folder), "--push")
    assert refused.exit_code == 1 and "no git clone" in str(refused.exception)


@pytest.mark.parametrize(("made", "problem"), [(True, "is no git clone with"), (False, "no such folder")])
def test_a_repo_that_is_none_is_named(run_folder: Path, tmp_path: Path, made: bool, problem: str) -> None:
    repo = tmp_path / "x"
    if made:
        repo.mkdir()
    refused = invoke(str(run_folder), "--repo", str(repo), "--out", str(tmp_path / "out"))
    message = str(refused.exception)
    assert refused.exit_code == 1 and message.startswith(f"--repo {repo}: {problem}")
    assert "give --repo" not in message and not (tmp_path / "out").exists()


def test_command_prints_the_schema() -> None:
    result = invoke("--schema")
    assert "Submission" in json.loads(result.output)["$defs"]
    assert invoke().exit_code == 2


def test_what_is_published_is_shown_and_asked_for(
    run_folder: Path, tmp_path: Path, git_repo: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    subprocess.run(["git", "init", "-q", "--bare", str(tmp_path / "origin")], check=True)
    git_repo("remote", "add", "origin", str(tmp_path / "origin"))
    monkeypatch.chdir(tmp_path)
    arguments = [str(run_folder), "--name", "mine", "--repo", "repo", "--push"]  # a relative path
    asked = invoke(*arguments)
    text = (tmp_path / "hlvid-submission" / "hlvid_mini" / "mine" / "submission.toml").read_text()
    assert asked.exit_code == 1 and "Publish what is shown above?" in asked.output
    assert all(f"    {line}" in asked.output for line in text.splitlines())
    assert "8 lines (question_id in 8, answer in 8, raw_output in 8" in asked.output
    assert git_repo("ls-remote", "origin") == ""
    pushed = invoke(*arguments, "--yes")
    assert pushed.exit_code == 0, pushed.output
    assert "refs/heads/submission/hlvid_mini/mine" in git_repo("ls-remote", "origin")
