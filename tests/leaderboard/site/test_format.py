"""The static page's check of a dropped file: it finds what `hlvid submit` finds, on the same lines."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from leaderboard.benchmarks import AnswerKey
from leaderboard.format.matching import match
from leaderboard.format.reading import read_predictions
from leaderboard.submit.tables import read_table

CSV = "question_id,answer\n0,A\n1,B\n"
CASES = {
    "good.csv": CSV,
    "semicolons.csv": 'Question_ID;answer;raw_output\n0;A;\n1;;"B; or\nso"\n2;C;C\n',
    "tabs.tsv": "question_id\tanswer\tframes\n0\tA\t8\n\n1\tB\t8.5\n2\tC\tmany\n3\tD\t-1\n",
    "quotes.csv": 'question_id,raw_output\r\n0,"say ""A"", please"\r\n1,B\r\n',
    "twice.csv": CSV + "1,C\n0,D\n",
    "letters.csv": CSV + "2,maybe\n3, c \n4,\n5,\n",
    "short.csv": CSV + "2\n3,A,B\n",
    "header.csv": "id,answer\n0,A\n",
    "answerless.csv": "question_id,frames\n0,8\n",
    "extra.csv": "question_id,answer,colour\n0,A,red\n",
    "marked.csv": "\ufeff" + CSV,
    "good.jsonl": '{"question_id": "0", "answer": "A"}\n\n{"question_id": 1, "raw_output": "B", "seconds": 1.5}\n',
    "broken.jsonl": '{"question_id": "0"\n[1]\nnull\n{"answer": "A"}\n{"question_id": "2", "answer": 5}\n',
    "fields.jsonl": '{"question_id": "0", "answer": null, "colour": 1}\n{"question_id": "1", "frames": true}\n',
    "twice.jsonl": '{"question_id": "0"}\n{"question_id": 0}\n',
}


@pytest.mark.parametrize("name", CASES)
def test_the_same_lines_as_python(name: str, node: Any, tmp_path: Path, key: AnswerKey) -> None:
    path = tmp_path / name
    path.write_text(CASES[name], encoding="utf-8", newline="")
    numbered, faults = (read_predictions if path.suffix == ".jsonl" else read_table)(path, 1000)
    told = [*faults, *(one for one in match(numbered, key.questions, name).faults if one.line is not None)]
    found = node.evaluate("([name, text]) => HlvidFormat.check(name, text)", [name, CASES[name]])
    assert {one["line"] for one in found["faults"]} == {one.line for one in told}, (found, told)
    assert ("good" in name) <= (found["faults"] == [])


def test_a_visitor_drops_a_file(open_page: Callable[..., Any], tmp_path: Path) -> None:
    page = open_page("submit.html")
    path = tmp_path / "mine.csv"
    path.write_text(CASES["letters.csv"] + "6,<img src=x onerror=alert(1)>\n")
    page.set_input_files("#format-file", str(path))
    page.wait_for_selector("#format-verdict .bad")
    text = page.inner_text("#format-verdict")
    assert "2 things to mend" in text and "line 4, answer" in text
    assert page.locator("#format-verdict img").count() == 0
    mended = tmp_path / "mended.csv"
    mended.write_text(CSV)
    page.set_input_files("#format-file", str(mended))
    page.wait_for_selector("#format-verdict .good")
    assert "2 answers" in page.inner_text("#format-verdict")
