"""`hlvid second-reader` against a real server: what is asked, what is counted apart, what is kept.

pytest tests/evaluators/models/openai/test_second_reader.py
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from evaluators.runs import second_reader
from evaluators.runs.second_reader import PROMPT, read_again, reader_settings
from hlvid.errors import RunError

OPTIONS = {"A": "DL3", "B": "DL5", "C": "DL8"}


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """Five answers: one with a letter, three unclear ones, and one that only thought."""
    texts = ["C", "the one that ends in a five", "cannot say", "the 8", "<think>The answer is C"]
    rows = [
        {"question_id": str(n), "task": "hlvid", "raw_output": text, "parsed": "C" if text == "C" else None,
         "correct": text == "C", "how": "", "options": OPTIONS, "answer": "C", "source": f"r{n}", "category": "av"}
        for n, text in enumerate(texts)
    ]  # fmt: skip
    (tmp_path / "samples.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return tmp_path


def _arguments(endpoint: Any) -> str:
    return f"model=toy,base_url={endpoint.url},api_key_env=none,concurrency=1,retries=0"


def test_only_answers_without_a_letter_are_read_and_counted_apart(
    run: Path, endpoint: Any, answering: Callable[..., Any]
) -> None:
    before = (run / "samples.jsonl").read_bytes()
    endpoint.script = [answering("B"), answering("NONE"), answering("**C**")]
    found = read_again(run, reader_settings(_arguments(endpoint)))
    assert (found.asked, found.read, found.right) == (3, 2, 1)
    assert (found.alone.correct, found.apart.correct, found.apart.unparsed, found.apart.n) == (1, 2, 2, 5)
    assert (run / "samples.jsonl").read_bytes() == before
    shown = [one["messages"][0]["content"] for one in endpoint.seen]
    assert [len(parts) for parts in shown] == [1, 1, 1]  # a text, no picture
    assert shown[2][0]["text"] == PROMPT.format(options="A. DL3\nB. DL5\nC. DL8", reply="the 8")
    kept = json.loads((run / "second_reader.json").read_text())
    assert kept["reader"]["model"] == "toy" and "frames" not in kept["reader"]
    assert [(one["question_id"], one["letter"]) for one in kept["answers"]] == [
        ("1", "B"), ("2", None), ("3", "C"),
    ]  # fmt: skip
    again = read_again(run, reader_settings(_arguments(endpoint)))
    assert again == found and len(endpoint.seen) == 3
    other = read_again(run, reader_settings(_arguments(endpoint) + ",max_new_tokens=9"))  # another reader
    assert (other.read, len(endpoint.seen), endpoint.seen[-1]["max_tokens"]) == (3, 6, 9)


def test_what_was_read_is_kept_where_the_endpoint_fails(
    run: Path, endpoint: Any, answering: Callable[..., Any]
) -> None:
    endpoint.script = [answering("B"), (503, {}, {"error": {"message": "busy"}}), answering("C")]
    with pytest.raises(
        RunError, match=r"1 of 3 answers could not be asked about.*question 2: HTTP 503: busy"
    ):
        read_again(run, reader_settings(_arguments(endpoint)))
    assert read_again(run, reader_settings(_arguments(endpoint))).asked == 3 and len(endpoint.seen) == 4
    endpoint.script = [(401, {}, {"error": {"message": "wrong key"}})]
    with pytest.raises(RunError, match="toy: HTTP 401: wrong key"):
        read_again(run, reader_settings(_arguments(endpoint) + ",max_new_tokens=9"))


def test_an_answer_is_on_disk_before_the_next_is_asked(
    run: Path, endpoint: Any, answering: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A kill -9 leaves no time to write: what the file holds whenever a request goes out is what it costs."""
    found, file = [], run / "second_reader.json"
    one = second_reader._one

    def noting(*given: Any) -> Any:
        found.append(len(json.loads(file.read_text())["answers"]))
        return one(*given)

    monkeypatch.setattr(second_reader, "_one", noting)
    endpoint.delay = 0.2  # the next one is asked while the last is being written
    read_again(run, reader_settings(_arguments(endpoint)))
    assert found[0] == 0 and found[2] >= 1, found


@pytest.mark.parametrize(
    ("arguments", "told"),
    [("model=toy,frames=8", "frames is of frames"), ("base_url=http://x/v1", "model"),
     ("model=toy,api_key=sk-1", "api_key is not taken"), ("toy", "is not key=value")],
)  # fmt: skip
def test_wrong_arguments_are_told(arguments: str, told: str) -> None:
    with pytest.raises(RunError, match=told):
        reader_settings(arguments)
