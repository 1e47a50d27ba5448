"""Bare tables: separators, quoting, line numbers, and every fault of a row."""

from pathlib import Path

import pytest

from leaderboard.submit.tables import read_table


def read(
    tmp_path: Path, content: str | bytes, limit: int = 100
) -> tuple[list[tuple[int, str, object]], list[str]]:
    path = tmp_path / "p.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    lines, faults = read_table(path, limit)
    return [(number, one.question_id, one.answer) for number, one in lines], [str(fault) for fault in faults]


@pytest.mark.parametrize(
    "content",
    [
        "question_id,answer\n0,A\n1,\n",
        "question_id;answer\n0;A\n1;\n",
        "question_id\tanswer\r\n0\tA\r\n1\t\r\n",
        "\ufeffQuestion_ID , Answer\n0 , A\n1, \n\n",
        'question_id,answer\n"0","A"\n"1",""',
        "question_id,answer\r0,A\r1,\r",
    ],
)
def test_forms_of_a_table(content: str, tmp_path: Path) -> None:
    assert read(tmp_path, content) == ([(2, "0", "A"), (3, "1", None)], [])


def test_numbers_and_texts_over_several_lines(tmp_path: Path) -> None:
    path = tmp_path / "p.csv"
    path.write_text('question_id,raw_output,frames,seconds\n0,"It is\n\nB, I think",64,1.5\n1,,8,1e1\n')
    lines, faults = read_table(path, 100)
    assert not faults
    assert [(number, one.raw_output, one.frames, one.seconds) for number, one in lines] == [
        (2, "It is\n\nB, I think", 64, 1.5),
        (5, "", 8, 10.0),
    ]


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        ("", "p.csv: (file): is empty"),
        ("\ufeff \n\n", "p.csv: (file): is empty"),
        ("question_id,answer,letter\n0,A,B\n", "p.csv: line 1: 'letter': is not a column"),
        ("question_id,frames\n0,1\n", "p.csv: line 1: answer: is no column"),
        ("question_id,answer,answer\n0,A,B\n", "p.csv: line 1: 'answer': is the name of two columns"),
        ("question_id,answer\n0,A,B\n", "p.csv: line 2: (line): has 3 fields, the header 2"),
        ("question_id,answer\n\n0\n", "p.csv: line 3: (line): has 1 fields"),
        ('question_id,answer\n0,"A\n', "p.csv: line 2: (line): is not valid CSV"),
        ('question_id,answer\n0,"A"x\n', "p.csv: line 2: (line): is not valid CSV"),
        ("question_id,answer\n,A\n", "p.csv: line 2: question_id: is missing"),
        ("question_id,answer,frames\n0,A,many\n", "p.csv: line 2: frames: input should be a valid integer"),
        ("question_id,answer,frames\n0,A,NaN\n", "p.csv: line 2: frames:"),
        ("question_id,answer,seconds\n0,A,NaN\n", "p.csv: line 2: seconds:"),
        ("question_id,answer,frames\n0,A,true\n", "p.csv: line 2: frames:"),
        ("question_id,answer,frames\n0,A," + "9" * 5000 + "\n", "p.csv: line 2: frames:"),
        ("question_id,answer\n0," + "A" * 50 + "\n", "p.csv: line 2: answer:"),
        ("question_id,raw_output\n0," + "A" * 200_001 + "\n", "p.csv: line 2: (line): is not valid CSV: field larger"),
        ("question_id,answer\n0,é\n".encode("latin-1"), "p.csv: line 2: (file): is not UTF-8"),
        ("question_id,answer\n0,A\n".encode("utf-16"), "p.csv: line 1: (file): is UTF-16"),
    ],
)  # fmt: skip
def test_faults(content: str | bytes, fault: str, tmp_path: Path) -> None:
    _, faults = read(tmp_path, content)
    assert len(faults) == 1
    assert faults[0].startswith(fault)


@pytest.mark.parametrize(
    ("header", "fields"),
    [
        ("qid,ans", ["question_id", "answer"]),
        ("0,A", ["question_id", "answer"]),
        ("qid,answer", ["question_id", "'qid'"]),
        ("question_id,ans", ["'ans'", "answer"]),
    ],
)
def test_every_wrong_column_is_told_at_once(header: str, fields: list[str], tmp_path: Path) -> None:
    _, faults = read(tmp_path, f"{header}\n0,A\n")
    assert [fault.split(": ")[2] for fault in faults] == fields


def test_every_fault_is_listed(tmp_path: Path) -> None:
    _, faults = read(tmp_path, "question_id,answer,frames\n0,A,x\n1,B\n2,C,-1\n3,D,1\n")
    assert [fault.split(": ")[1] for fault in faults] == ["line 2", "line 3", "line 4"]


def test_a_table_is_not_read_on_without_end(tmp_path: Path) -> None:
    _, faults = read(tmp_path, "question_id,answer\n" + "0,A\n" * 200, limit=120)
    assert faults == ["p.csv: line 122: (line): more than 120 lines; give one line a question"]
    _, faults = read(tmp_path, "question_id,answer\n" + "0\n" * 3000, limit=3000)
    assert len(faults) == 1001
