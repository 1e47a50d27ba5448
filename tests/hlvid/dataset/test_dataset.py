"""hlvid.dataset: every file format, every layout of a folder, every fault named with file, row and field."""

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest

from hlvid.dataset import Question, dataset_revision, load, locate
from hlvid.dataset.question import INSTRUCTION, source_of
from hlvid.errors import DatasetError

TEXT = (
    "What does the sign say?\n A. Hampden St\nB. Hampden Ave\nC. HampdenBlvd\nD. Ünter\nAnswer by the letter."
)
Rows = list[dict[str, Any]]


def rows(count: int = 3, **changed: Any) -> Rows:
    return [
        {
            "question_id": i,
            "category": "av",
            "question": TEXT,
            "answer": "ABCD"[i % 4],
            "video_path": f"clip_av_video_3_{i:03d}.mp4",
        }
        | changed
        for i in range(count)
    ]


def write(path: Path, content: Rows) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".parquet":
        pyarrow.parquet.write_table(pyarrow.Table.from_pylist(content), path)
    elif path.suffix == ".jsonl":
        path.write_text(
            "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in content), encoding="utf-8"
        )
    elif path.suffix == ".json":
        path.write_text(json.dumps(content), encoding="utf-8")
    else:
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, content[0])
            writer.writeheader()
            writer.writerows(content)
    return path


@pytest.fixture(params=[".parquet", ".jsonl", ".json", ".csv"])
def file(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[Rows], Path]:
    return lambda content: write(tmp_path / f"questions{request.param}", content)


def test_same_questions_from_every_format(file, tmp_path):
    questions = load(file(rows()))
    assert questions[2] == Question(
        id="2",
        video="clip_av_video_3_002.mp4",
        source="av_video_3",
        category="av",
        text=TEXT,
        stem="What does the sign say?",
        options={"A": "Hampden St", "B": "Hampden Ave", "C": "HampdenBlvd", "D": "Ünter"},
        answer="C",
        tier=None,
        video_path=tmp_path / "videos" / "clip_av_video_3_002.mp4",
    )
    assert [q.id for q in questions] == ["0", "1", "2"]
    assert len(set(questions)) == 3


NORMAL = "Question: What?\nA. DL3\nB. DL5\nPlease answer directly with the letter of the correct answer."


def test_a_model_is_asked_the_text_and_on_request_one_wording_for_all():
    question = Question(
        "0", "v.mp4", "v", "av", "What?", {"A": "DL3", "B": "DL5"}, "A", text=" What? \n A. …"
    )
    assert question.prompt() == " What? \n A. …"
    assert question.normalised().prompt() == NORMAL
    assert question.normalised("Said: x\n").prompt() == f"Said: x\n{NORMAL}"
    assert Question("0", "v.mp4", "v", "av", "What?", {"A": "DL3", "B": "DL5"}, "A").prompt() == NORMAL


SPACED = (
    " What does it  say?\n A. DL 3 \n B.\tDL5\r\n C. DL8\n D. Please select an option\n"
    " Please answer with the letter. "
)


def test_what_is_asked_is_the_file_character_by_character(file):
    question = load(file(rows(question=SPACED, answer="DL 3")))[0]
    assert question.prompt() == SPACED
    assert question.options == {"A": "DL 3", "B": "DL5", "C": "DL8", "D": "Please select an option"}


@pytest.mark.parametrize("apart", [{"options": '["DL3 ", "DL5"]'}, {"A": "DL3 ", "B": "DL5"}])
def test_options_that_stand_apart_are_asked_as_they_are(file, apart):
    question = load(file(rows(question="What? ", answer="A", **apart)))[0]
    assert question.prompt() == f"What? \nA. DL3 \nB. DL5\n{INSTRUCTION}"
    assert question.options == {"A": "DL3", "B": "DL5"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "Q?\nA. 3\nB. 5\nC. 8\nD .6\nAnswer.",
            "row 2: question: its options are A, B, C; they must be exactly A",
        ),
        (
            "Q?\nA. 3\nB. 5\nC. 8\nD. 6\nE. 7\nAnswer.",
            "row 2: question: its options are A, B, C, D, E; they must",
        ),
    ],
)
def test_the_real_benchmark_has_options_a_to_d(private_data_home, text, message):
    content = rows()
    content[1]["question"] = text
    path = write(private_data_home / "hlvid" / "data" / "test-00000-of-00001.parquet", content)
    with pytest.raises(DatasetError, match=message):
        load("hlvid")
    path.unlink()


def test_a_text_taken_apart_into_another_is_a_fault(file, monkeypatch):
    from hlvid.dataset import rows as module

    split = module.split_question
    monkeypatch.setattr(module, "split_question", lambda text: split(text.replace("Ünter", "Unter")))
    assert "row 1" in (found := fault(file(rows(1)))) and "question: taken apart it reads 'What" in found


def test_real_structure(shared, tmp_path):
    with (shared / "hlvid/questions.csv").open() as handle:
        real = list(csv.DictReader(handle))
    content = [row | {"question": TEXT, "answer": "D"} for row in real]
    questions = load(write(tmp_path / "data/test-00000-of-00001.parquet", content).parent.parent)
    assert len(questions) == 268
    assert [q.source for q in questions] == [row["source_video"] for row in real]
    assert (len({q.video for q in questions}), len({q.source for q in questions})) == (77, 30)


@pytest.mark.parametrize(
    ("video", "source"),
    [
        ("clip_household_video_14_003.mp4", "household_video_14"),
        ("videos/clip_av_video_3_000.mp4", "av_video_3"),
        ("clip_av_video_3.mp4", "clip_av_video_3"),
        ("kitchen_tour.mov", "kitchen_tour"),
    ],
)
def test_source_of(video, source):
    assert source_of(video) == source


@pytest.mark.parametrize(
    "given",
    [
        ["DL3", "DL5", "DL8"],
        ["A. DL3", "B. DL5", "C. DL8"],
        {"A": "DL3", "B": "DL5", "C": "DL8"},
        '["DL3", "DL5", "DL8"]',
        '{"A": "DL3", "B": "DL5", "C": "DL8"}',
    ],
)
def test_options_apart(file, given):
    path = file(
        rows(options=given if isinstance(given, str) else json.dumps(given), question="Says A. what?")
    )
    assert load(path)[0].options == {"A": "DL3", "B": "DL5", "C": "DL8"}
    assert load(path)[0].stem == "Says A. what?"


def test_options_apart_as_parquet_lists_and_structs(tmp_path):
    listed = load(write(tmp_path / "l.parquet", rows(options=["x", "y"], question="Q?", answer="B")))
    assert listed[0].options == {"A": "x", "B": "y"}
    mixed = rows(2, question="Q?", answer="B")
    mixed[0]["options"], mixed[1]["options"] = {"A": "x", "B": "y", "C": None}, {"A": "x", "B": "y", "C": "z"}
    assert [len(q.options) for q in load(write(tmp_path / "s.parquet", mixed))] == [2, 3]


def test_options_in_columns_of_letters(file):
    questions = load(file(rows(question="Q?", A="x", B=" y  z ", C=7, D="", answer="B")))
    assert questions[0].options == {"A": "x", "B": "y z", "C": "7"}


@pytest.mark.parametrize("answer", ["B", "b", "(B)", "B.", " B) ", "B. Hampden Ave", "Hampden Ave"])
def test_spellings_of_an_answer(file, answer):
    assert load(file(rows(answer=answer)))[0].answer == "B"


def test_withheld_answers(file):
    assert {q.answer for q in load(file(rows(answer="")))} == {None}


def test_tier_and_own_source(file):
    question = load(file(rows(tier=2, source="tour")))[0]
    assert (question.tier, question.source) == ("2", "tour")


def fault(path: Path) -> str:
    with pytest.raises(DatasetError) as caught:
        load(path)
    message = str(caught.value)
    assert message.startswith(str(path))
    return message


@pytest.mark.parametrize("column", ["question_id", "category", "question", "answer", "video_path"])
def test_missing_column(file, column):
    path = file([{key: value for key, value in row.items() if key != column} for row in rows()])
    assert f"header: {column}: no such column" in fault(path)


def test_renamed_column_is_guessed(file):
    path = file(
        [{("video" if key == "video_path" else key): value for key, value in r.items()} for r in rows()]
    )
    assert "rename 'video'?" in fault(path)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"question_id": 0}, r"row 2*: question_id: '0' again; first in row 1"),
        ({"answer": "E"}, r"row 2*: answer: 'E' is none of the options A, B, C, D"),
        ({"answer": "Hampden"}, r"row 2*: answer: 'Hampden' is none of the options"),
        ({"answer": ""}, r"row 2*: answer: empty, though other rows have one"),
        ({"question": "What? A. x"}, r"row 2*: question: no options found; at least two are needed"),
        ({"question": "A. x\nB. y", "answer": "A"}, r"row 2*: question: no text before the options"),
        ({"question": " "}, r"row 2*: question: empty"),
        (
            {"question": "Q?\nA. x\nB. y\nC .z\n", "answer": "A"},
            r"row 2*: question: option B holds the line 'C .z', which looks like another option; write it as 'C. …'",
        ),
        ({"category": ""}, r"row 2*: category: empty"),
        ({"video_path": ""}, r"row 2*: video_path: empty"),
        ({"video_path": "../../etc/passwd"}, r"row 2*: video_path: '../../etc/passwd' must name a file"),
        ({"video_path": "..\\x.mp4"}, r"row 2*: video_path: "),
        ({"options": "{"}, r"row 2*: options: '{' is not a JSON list or object"),
        ({"options": '["x"]', "answer": "A"}, r"row 2*: options: only 1 option found"),
        ({"options": '{"A": "x", "C": "y"}'}, r"row 2*: options: {'A': 'x', 'C': 'y'} is not a list"),
        ({"options": '["x", ""]'}, r"row 2*: options: "),
    ],
)
def test_fault_names_row_and_field(file, changed, message):
    content = [row | dict.fromkeys(set(changed) - set(row), "") for row in rows()]
    content[1] |= changed
    found = fault(file(content))
    for piece in message.split("*"):  # between them: the line, where the format has lines
        assert piece in found
    assert found.count("\n") == 0, "one fault, one line"


def test_all_faults_are_listed_up_to_a_bound(tmp_path):
    message = fault(write(tmp_path / "q.csv", rows(50, answer="Z")))
    assert "50 faults" in message and message.count("answer: 'Z'") == 20 and message.endswith("… and 30 more")
    content = rows()
    content[0]["answer"], content[2]["question"] = "Z", "What?"
    message = fault(write(tmp_path / "r.jsonl", content))
    assert (
        "2 faults" in message
        and "row 1 (line 1): answer" in message
        and "row 3 (line 3): question" in message
    )


def test_csv_lines_are_counted_through_multi_line_fields(tmp_path):
    content = rows()
    content[2]["answer"] = "Z"
    path = write(tmp_path / "q.csv", content)
    line = path.read_text().splitlines().index('Answer by the letter.",Z,clip_av_video_3_002.mp4') + 1
    assert f"row 3 (line {line}): answer" in fault(path)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".json"])
@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_byte_order_marks_and_line_ends(tmp_path, encoding, suffix, ends):
    path = write(tmp_path / f"q{suffix}", rows())
    text = path.read_bytes().decode().replace("\r\n", "\n").replace("\n", ends)
    path.write_bytes(text.encode(encoding))
    assert load(path)[1].options["D"] == "Ünter"


def test_semicolons_of_a_spreadsheet(tmp_path):
    path = tmp_path / "q.csv"
    path.write_text('question_id;category;question;answer;video_path\n1;av;"Q?\nA. x, y\nB. z";B;v.mp4\n')
    assert load(path)[0].options == {"A": "x, y", "B": "z"}


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("q.csv", "question_id,category\nü".encode("latin-1"), "line 2: not valid UTF-8"),
        ("q.csv", b"", "holds no rows"),
        (
            "q.csv",
            b"question_id,category,question,answer,video_path\n1,av,Q\n",
            "row 1 (line 2): does not have",
        ),
        (
            "q.csv",
            b"question_id,category,question,answer,video_path\n1,av,Q? A. x, B. y,A,v.mp4\n",
            "row 1 (line 2)",
        ),
        ("q.csv", b'question_id,category\n1,"av\n', "not valid CSV"),
        ("q.jsonl", b'{"a": 1}\n{"a": \n[1]\n', "row 2 (line 2): not valid JSON"),
        ("q.jsonl", b"\n\n", "holds no rows"),
        ("q.json", b"[1, 2", "line 1: not valid JSON"),
        ("q.json", b"[1, 2]", "row 1: must be an object"),
        ("q.json", b'"x"', "must hold a list"),
        ("q.json", b"{}", "must hold a list"),
        ("q.parquet", b"PAR1 no", "not a readable parquet"),
        ("q.xlsx", b"x", "cannot read '.xlsx' files"),
    ],
)
def test_unreadable_files(tmp_path, name, content, message):
    (tmp_path / name).write_bytes(content)
    assert message in fault(tmp_path / name)


def test_json_object_around_the_list(tmp_path):
    (tmp_path / "q.json").write_text(json.dumps({"version": 1, "questions": rows()}))
    assert len(load(tmp_path / "q.json")) == 3


def test_line_separators_inside_json_text(tmp_path):
    content = rows(question="What\u2028now\x85?\nA. x\nB. y", answer="A")
    assert len(load(write(tmp_path / "q.jsonl", content))) == 3


def test_folder_layouts(tmp_path):
    write(tmp_path / "a" / "data" / "test-00000-of-00001.parquet", rows())
    write(tmp_path / "a" / "data" / "train-00000-of-00001.parquet", rows(9))
    (tmp_path / "a" / "evidence.jsonl").write_text('{"other": 1}\n')
    assert len(load(tmp_path / "a")) == 3
    assert len(load(str(tmp_path / "a"))) == 3
    write(tmp_path / "b" / "mine.csv", rows())
    (tmp_path / "b" / "evidence.jsonl").write_text('{"other": 1}\n')
    (tmp_path / "b" / "mini.json").write_text("{}")
    assert load(tmp_path / "b")[0].video_path == tmp_path / "b" / "videos" / "clip_av_video_3_000.mp4"
    assert locate(tmp_path / "a" / "data" / "test-00000-of-00001.parquet").root == tmp_path / "a"


def test_shards(tmp_path):
    write(tmp_path / "data" / "test-00000-of-00002.jsonl", rows(2))
    with pytest.raises(DatasetError, match="1 of 2 shards"):
        load(tmp_path)
    second = [row | {"question_id": 10 + i} for i, row in enumerate(rows(2))]
    write(tmp_path / "data" / "test-00001-of-00002.jsonl", second)
    assert [q.id for q in load(tmp_path)] == ["0", "1", "10", "11"]
    write(tmp_path / "data" / "test-00001-of-00002.jsonl", rows(1))
    with pytest.raises(
        DatasetError, match=r"'0' again; first in row 1 \(line 1\) of test-00000-of-00002.jsonl"
    ):
        load(tmp_path)


def test_several_sets_in_one_folder(tmp_path):
    write(tmp_path / "a.csv", rows())
    write(tmp_path / "b.csv", rows())
    with pytest.raises(DatasetError, match=r"several question files \(a\.csv, b\.csv\); name the one"):
        load(tmp_path)


def test_videos_that_lie_elsewhere(tmp_path):
    path = write(tmp_path / "q.csv", rows(2, video_path="clips/x.mp4", answer="A"))
    assert load(path)[0].video_path == tmp_path / "videos" / "x.mp4"
    (tmp_path / "clips").mkdir()
    (tmp_path / "clips" / "x.mp4").touch()
    assert load(path)[0].video_path == tmp_path / "clips" / "x.mp4"
    assert load(path)[0].video == "x.mp4"


@pytest.mark.parametrize(
    ("source", "remedy"),
    [
        ("hlvid", "run 'hlvid download'"),
        ("mini", "run 'hlvid mini'"),
        ("mini-full-3", "run 'hlvid mini'"),
        ("no/such", 'give "hlvid", "mini"'),
    ],
)
def test_absent_sources_say_how_to_get_them(source, remedy):
    with pytest.raises(DatasetError, match=remedy):
        load(source)


def test_named_sources(private_data_home):
    for name in ("hlvid", "mini-default-0", "mini-full-3"):
        path = write(private_data_home / name / "data" / "test-00000-of-00001.parquet", rows())
        assert len(load({"mini-default-0": "mini"}.get(name, name))) == 3
        path.unlink()


def test_revision_is_the_hash_of_the_bytes(tmp_path):
    import hashlib

    path = write(tmp_path / "data" / "test-00000-of-00001.parquet", rows())
    first = dataset_revision(tmp_path)
    assert first == dataset_revision(path) == f"sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}"
    write(path, rows(answer="D"))
    assert dataset_revision(tmp_path) != first
