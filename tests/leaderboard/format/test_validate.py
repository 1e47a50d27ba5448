"""Checking a folder: every fault at once with line, field and remedy; harmless variety changes no score."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hlvid.scoring.accuracy import summarize
from leaderboard.benchmarks import Keys
from leaderboard.format.faults import SubmissionError
from leaderboard.format.reading import JSONL_BYTES, MOST_FAULTS, TOML_BYTES
from leaderboard.format.validate import check_folder

Make = Callable[..., Path]
Answers = list[dict[str, Any]]
TOML = 'benchmark = "hlvid"\nmodel.name = "some-model"\nmodel.openness = "open_weights"\n'


def jsonl(records: Answers) -> str:
    return "".join(json.dumps(record) + "\n" for record in records)


def test_sound_submission(make_folder: Make, answers: Answers, keys: Keys) -> None:
    report = check_folder(make_folder(answers), keys, placed=True)
    assert report.faults == ()
    accuracy = summarize(report.rows).overall
    assert (accuracy.correct, accuracy.n, accuracy.unparsed) == (9, 12, 0)
    assert [row["question_id"] for row in report.rows] == [str(number) for number in range(12)]


VARIANTS: dict[str, Callable[[Answers], bytes]] = {
    "byte-order mark": lambda a: b"\xef\xbb\xbf" + jsonl(a).encode(),
    "CRLF": lambda a: jsonl(a).replace("\n", "\r\n").encode(),
    "no last newline": lambda a: jsonl(a).rstrip().encode(),
    "blank lines": lambda a: jsonl(a).replace("\n", "\n \n\n").encode(),
    "another order": lambda a: jsonl(a[::-1]).encode(),
    "ids as numbers": lambda a: jsonl(
        [{**one, "question_id": int(one["question_id"])} for one in a]
    ).encode(),
    "small letters": lambda a: jsonl([{**one, "answer": f" {one['answer'].lower()} "} for one in a]).encode(),
    "texts": lambda a: jsonl(
        [{"question_id": o["question_id"], "raw_output": f"({o['answer']})"} for o in a]
    ).encode(),
    "line separator in a text": lambda a: "".join(
        json.dumps({**one, "raw_output": f"The answer\u2028\x85is {one['answer']}."}, ensure_ascii=False)
        + "\n"
        for one in a
    ).encode(),
}


@pytest.mark.parametrize("variant", VARIANTS)
def test_harmless_variety_scores_the_same(
    variant: str, make_folder: Make, answers: Answers, keys: Keys
) -> None:
    report = check_folder(make_folder(VARIANTS[variant](answers)), keys)
    assert report.faults == ()
    assert summarize(report.rows).overall.correct == 9


def test_no_answer_is_wrong_and_counted(make_folder: Make, answers: Answers, keys: Keys) -> None:
    answers[0]["answer"], answers[1]["answer"] = None, "  "
    answers[2] = {"question_id": "2", "answer": None, "raw_output": "I cannot tell."}
    overall = summarize(check_folder(make_folder(answers), keys).rows).overall
    assert (overall.correct, overall.n, overall.unparsed) == (6, 12, 3)


def test_text_wins_over_letter_with_a_warning(make_folder: Make, answers: Answers, keys: Keys) -> None:
    answers[0] = {"question_id": "0", "answer": "B", "raw_output": "The answer is A."}
    report = check_folder(make_folder(answers), keys)
    assert summarize(report.rows).overall.correct == 9
    assert report.warnings == ("line 1: question 0: answer B but raw_output reads A; raw_output counts",)


def test_claims_change_nothing(make_folder: Make, answers: Answers, keys: Keys) -> None:
    report = check_folder(make_folder(answers, TOML + "claimed_accuracy_percent = 99.9\n"), keys)
    assert summarize(report.rows).overall.correct == 9


def test_all_faults_at_once(make_folder: Make, answers: Answers, keys: Keys) -> None:
    answers[1]["answer"] = "F"
    answers[3]["question_id"] = "0"
    answers[4]["question_id"] = "99"
    answers[5]["frames"] = -1
    toml = 'benchmark = "hlvid"\n[model]\nname = "m"\nopenness = "open"\n"colour" = "red"\n'
    report = check_folder(
        make_folder(answers, f'dataset_revision = "{keys.get("hlvid").revision}"\n{toml}'), keys
    )
    assert {(fault.file, fault.line, fault.field) for fault in report.faults} == {
        ("submission.toml", 5, "model.openness"),
        ("submission.toml", 6, "model.colour"),
        ("predictions.jsonl", 2, "answer"),
        ("predictions.jsonl", 4, "question_id"),
        ("predictions.jsonl", 5, "question_id"),
        ("predictions.jsonl", 6, "frames"),
    }
    assert all(fault.problem and fault.remedy for fault in report.faults)
    assert report.rows == ()
    with pytest.raises(SubmissionError, match="6 fault"):
        report.raise_for_faults()


def test_each_missing_question_is_named(make_folder: Make, answers: Answers, keys: Keys) -> None:
    report = check_folder(make_folder(answers[:-2]), keys)
    assert [fault.problem for fault in report.faults] == ["2 question(s) have no line: '10', '11'"]


LINES = {
    "NaN": ('{"question_id": "0", "answer": "A", "seconds": NaN}', "(line)", "NaN is not a JSON number"),
    "huge float": ('{"question_id": "0", "answer": "A", "seconds": 1e999}', "seconds", "finite"),
    "huge integer": ('{"question_id": "0", "frames": ' + "9" * 5000 + "}", "(line)", "not JSON"),
    "large integer": ('{"question_id": "0", "frames": ' + "9" * 4000 + "}", "frames", ""),
    "huge id": ('{"question_id": ' + "9" * 4000 + "}", "question_id", "string"),
    "true for 1": ('{"question_id": "0", "frames": true}', "frames", "integer"),
    "a field twice": (
        '{"question_id": "0", "answer": "B", "answer": "A"}',
        "(line)",
        "'answer' is given twice",
    ),
    "a list": ('["0", "A"]', "(line)", "not an object"),
    "deep": ("[" * 100_000, "(line)", "nested too deep"),
    "deep inside": ('{"question_id": ' + "[" * 500 + "]" * 500 + "}", "question_id", "string"),
    "no JSON": ("question_id: 0", "(line)", "not JSON"),
    "many fields": (json.dumps({str(n): n for n in range(60)}), "(line)", "60 fields"),
    "nested answer": ('{"question_id": "0", "answer": {"letter": "A"}}', "answer", "string"),
    "full-width letter": ('{"question_id": "0", "answer": "\uff21"}', "answer", "not an option"),
    "long output": (json.dumps({"question_id": "0", "raw_output": "x" * 200_001}), "raw_output", "200000"),
    "long line": ('{"question_id": "' + "0" * 2_100_000 + '"}', "(line)", "longer"),
    "surrogate": ('{"question_id": "0", "raw_output": "\\ud800"}', "raw_output", ""),
}


@pytest.mark.parametrize("case", LINES)
def test_broken_line(case: str, make_folder: Make, answers: Answers, keys: Keys) -> None:
    line, field, problem = LINES[case]
    folder = make_folder(jsonl(answers[1:7]) + line + "\n" + jsonl(answers[7:]))
    faults = check_folder(folder, keys).faults
    assert [(fault.line, fault.field) for fault in faults if fault.line] == [(7, field)]
    assert problem in faults[0].problem
    assert len(str(faults[0])) < 500


FILES = {
    "UTF-16": (lambda a: jsonl(a).encode("utf-16"), 1, "UTF-16"),
    "Latin-1": (lambda a: (jsonl(a) + '{"question_id": "é"}').encode("latin-1"), 13, "not UTF-8"),
    "mixed": (lambda a: jsonl(a).encode() + "é".encode() + "é".encode("latin-1"), 13, "not UTF-8"),
    "empty": (lambda a: b"", None, "12 question(s) have no line"),
    "zeros": (lambda a: b"\0" * 100, 1, "not JSON"),
    "old Mac": (lambda a: jsonl(a).replace("\n", "\r").encode(), 1, "not JSON"),
    "too large": (lambda a: b" " * (JSONL_BYTES + 1), None, "more than"),
}


@pytest.mark.parametrize("case", FILES)
def test_broken_file(case: str, make_folder: Make, answers: Answers, keys: Keys) -> None:
    content, line, problem = FILES[case]
    faults = check_folder(make_folder(content(answers)), keys).faults
    assert faults[0].line == line
    assert problem in faults[0].problem


def test_ten_times_the_questions_are_not_read_on(make_folder: Make, answers: Answers, keys: Keys) -> None:
    faults = check_folder(make_folder(answers * 11), keys).faults
    assert faults[-1].line == 121
    assert "more than 120 lines" in faults[-1].problem


def test_faults_are_bounded(make_folder: Make, keys: Keys) -> None:
    wide = json.dumps({f"x{number}": number for number in range(40)})
    faults = check_folder(make_folder((wide + "\n") * 119), keys).faults
    assert len(faults) <= MOST_FAULTS + 100
    assert len(str(SubmissionError(faults))) < 100_000


@pytest.mark.parametrize(
    ("toml", "line", "field"),
    [
        (TOML + "x: 1\n", 4, "(toml)"),
        (TOML + "contact = @\n", 4, "(toml)"),
        (TOML + "contact = 5\n", 4, "contact"),
        (TOML + "contact = 2026-01-01\n", 4, "contact"),
        (TOML + "claimed_accuracy_percent = nan\n", 4, "claimed_accuracy_percent"),
        (TOML + "claimed_accuracy_percent = 101\n", 4, "claimed_accuracy_percent"),
        (TOML + "[settings]\nframes = 1.5\n", 5, "settings.frames"),
        (TOML + "settings = {frames = 1.5}\n", 4, "settings.frames"),
        (TOML + "settings.frames = " + "9" * 3000 + "\n", 4, "settings.frames"),
        (TOML + "settings.frames = " + "9" * 5000 + "\n", 4, "(toml)"),
        (TOML + "z = " + "[" * 3000 + "\n", None, "(toml)"),
        (TOML + ".".join("z" * 30_000) + " = 1\n", 4, "(toml)"),
        (TOML + 'reproduces = "../other"\n', 4, "reproduces"),
        (TOML + f'dataset_revision = "sha256:{"0" * 64}"\n', 4, "dataset_revision"),
        ("- a\n- b\n", 1, "(toml)"),
        ("", 1, "benchmark"),
        ('model = {name = "m"}\n', 1, "benchmark"),
        (TOML.replace("hlvid", "mvbench"), 1, "benchmark"),
        (TOML + '"\xe9" = 1\n', 4, "'é'"),
        ("#" * (TOML_BYTES + 1), None, "(file)"),
        ('reported.accuracy_percent = 50\nreported.source = "paper"\n' + TOML, 1, "reported"),
    ],
)
def test_broken_toml(
    toml: str, line: int | None, field: str, make_folder: Make, answers: Answers, keys: Keys
) -> None:
    faults = check_folder(make_folder(answers, toml), keys, placed=True).faults
    assert (line, field) in [(fault.line, fault.field) for fault in faults]


def test_reported_number_needs_no_predictions_and_no_key(make_folder: Make) -> None:
    toml = TOML + 'reported = {accuracy_percent = 52.6, source = "paper, Table 1"}\n'
    assert check_folder(make_folder(None, toml), Keys(), placed=True).faults == ()


def test_folder_under_another_benchmark(
    make_folder: Make, answers: Answers, keys: Keys, tmp_path: Path
) -> None:
    folder = make_folder(answers)
    moved = tmp_path / "submissions" / "mvbench"
    folder.parent.rename(moved)
    faults = check_folder(moved / folder.name, keys, placed=True).faults
    assert [fault.field for fault in faults] == ["benchmark"]


def test_links_pipes_and_strange_files(
    make_folder: Make, answers: Answers, keys: Keys, tmp_path: Path
) -> None:
    folder = make_folder(answers)
    secret = tmp_path / "secret.jsonl"
    secret.write_text(jsonl(answers))
    (folder / "predictions.jsonl").unlink()
    (folder / "predictions.jsonl").symlink_to(secret)
    (folder / "inner").mkdir()
    (folder / "run.sh").write_text("rm -rf /")
    (folder / ".hidden").touch()
    os.mkfifo(folder / "README.md")
    (folder / "submission.yaml").write_text("benchmark: hlvid")
    report = check_folder(folder, keys)
    assert {fault.file for fault in report.faults} == {
        "predictions.jsonl", "'predictions.jsonl'", "'inner'", "'run.sh'", "'.hidden'", "'README.md'",
        "'submission.yaml'",
    }  # fmt: skip
    (former,) = (fault for fault in report.faults if fault.file == "'submission.yaml'")
    assert "write it as submission.toml" in former.remedy
    assert report.rows == ()


def test_a_pipe_for_predictions_does_not_hang(make_folder: Make, keys: Keys) -> None:
    folder = make_folder(None)
    os.mkfifo(folder / "predictions.jsonl")
    assert any("not a plain file" in fault.problem for fault in check_folder(folder, keys).faults)


def test_a_link_to_a_folder(make_folder: Make, answers: Answers, keys: Keys, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(make_folder(answers))
    assert "not a folder" in check_folder(link, keys).faults[0].problem
    assert "not a folder" in check_folder(tmp_path / "absent", keys).faults[0].problem


@pytest.mark.parametrize("name", ["Upper", ".hidden", "a b", "x" * 81, "ünï", "-a", "a\nb"])
def test_folder_names(name: str, make_folder: Make, answers: Answers, keys: Keys) -> None:
    faults = check_folder(make_folder(answers, name=name), keys).faults
    assert [fault.field for fault in faults] == ["(folder)"]
