"""Run: pytest tests/evaluators/runs/test_scoring.py"""

import io
import math
from typing import Any

import pytest
from rich.console import Console

from evaluators.core.outcomes import classify
from evaluators.runs.scoring import failed, metrics_of, results_of, samples_of
from evaluators.runs.spec import RunSpec
from evaluators.runs.table import build_table, cost
from hlvid.scoring.accuracy import summarize

SPEC = RunSpec("hlvid", "blind", {"strategy": "hash"})
Rows = list[dict[str, Any]]


def test_numbers_are_those_of_the_scoring(rows: Rows) -> None:
    found, expected = results_of(SPEC, rows), summarize(rows)
    assert (found["n"], found["correct"], found["unparsed"], found["accuracy"]) == (6, 3, 1, 0.5)
    assert found["wilson"] == [expected.overall.wilson.low, expected.overall.wilson.high]
    assert found["clustered"] == [expected.overall.clustered.low, expected.overall.clustered.high]
    assert {name: part["n"] for name, part in found["by_tier"].items()} == {"07px": 3, "54px": 3}
    assert found["by_category"]["av"]["correct"] == expected.by_category["av"].correct
    assert found["status"] == "ok" and found["message"] == "" and found["model_args"] == {"strategy": "hash"}


def test_costs_are_means_over_the_questions_that_tell(rows: Rows) -> None:
    rows[0]["details"] = {"tokens_selected": 100, "tokens_llm": 40, "seconds": {"decode": 1.0, "ocr": 3.0}}
    rows[1]["details"] = {"tokens_selected": 300, "seconds": {"decode": 2.0}, "peak_memory": {"gb": 1.5}}
    found = results_of(SPEC, rows)
    assert found["tokens_per_question"] == 200 and found["llm_tokens_per_question"] == 40
    assert found["seconds_per_question"] == {"decode": 1.5, "ocr": 3.0}
    assert found["peak_memory_bytes"] == 1_500_000_000
    assert cost(found) == "4.50 s a question, 200 visual tokens, 40 LLM tokens, 1.5 GB at most"


def test_answers_that_could_not_be_given_make_the_status(rows: Rows) -> None:
    fits = {"num_video_frames": 64}
    rows[2]["details"] = {"outcome": "context_overflow", "message": "41 tokens too many", "fits": fits}
    rows[5]["details"] = {"outcome": "context_overflow", "message": "later"}
    rows[4]["details"] = {"outcome": "out_of_memory", "message": "no room"}
    found = results_of(SPEC, rows)
    assert found["status"] == "context_overflow"
    assert found["message"].startswith("3 of 6 questions without an answer (context_overflow); question 2:")
    rows[0]["details"] = {"outcome": "refusal"}
    assert results_of(SPEC, rows)["message"] == found["message"], "what a model declines to say is an answer"
    assert "41 tokens too many" in found["message"] and "num_video_frames=64" in found["message"]


@pytest.mark.parametrize("told", [{}, {"finish_reason": "length"}])  # by our own models, by an endpoint
@pytest.mark.parametrize(("cut", "status"), [(0, "ok"), (1, "ok"), (2, "length")])
def test_more_than_a_twentieth_of_answers_cut_is_a_status_with_its_remedy(
    cut: int, status: str, told: dict[str, str], rows: Rows
) -> None:
    twenty = [{**rows[0], "question_id": str(number), "details": {}} for number in range(20)]
    for row in twenty[:cut]:
        row["details"] = {"outcome": "length", "tokens_out": 16, **told}
    found = results_of(SPEC, twenty)
    assert found["status"] == status and found["n"] == 20
    if cut == 2:
        assert found["message"].startswith(
            "2 of 20 answers were cut by their limit, first question 0 after 16"
        )
        assert "raise max_new_tokens" in found["message"]
        assert ("reasoning_effort" in found["message"]) == bool(told)


def test_a_hidden_key_and_several_tasks_have_no_accuracy_of_their_own(rows: Rows) -> None:
    hidden = results_of(SPEC, [{**row, "correct": None, "answer": None} for row in rows])
    assert hidden["accuracy"] is None and hidden["questions"] == 6 and hidden["status"] == "ok"
    both = results_of(SPEC, [*rows, *({**row, "task": "hlvid_mini"} for row in rows)])
    assert both["accuracy"] is None and both["tasks"]["hlvid_mini"]["accuracy"] == 0.5
    build_table(hidden)
    assert build_table(both).row_count == 2 * (1 + 2 + 2)


def test_the_mean_of_the_categories_is_shown_where_it_is_the_benchmarks_number(rows: Rows) -> None:
    found = {
        **results_of(SPEC, rows),
        "metrics": {"hlvid": {"average": 0.45, "average_low": 0.2, "average_high": 0.7}},
    }
    console = Console(file=io.StringIO(), width=100)
    console.print(build_table(found))
    lines = [line.split() for line in console.file.getvalue().splitlines()]  # type: ignore[attr-defined]
    assert ["mean", "of", "categories", "45.0", "%", "20.0", "to", "70.0"] in lines


def test_failed_runs_have_the_same_fields(rows: Rows) -> None:
    assert set(failed(SPEC, "error", "why")) == set(results_of(SPEC, rows))


@pytest.mark.parametrize(
    ("message", "status"),
    [
        ("OutOfMemoryError: CUDA out of memory. Tried to allocate 2 GiB", "out_of_memory"),
        ("RuntimeError: [enforce fail] DefaultCPUAllocator: not enough memory", "out_of_memory"),
        ("MemoryError: Unable to allocate 3 GiB", "out_of_memory"),
        ("BadRequestError: context_length_exceeded", "context_overflow"),
        ("model 'x' is unknown", "error"),
    ],
)
def test_errors_tell_their_status(message: str, status: str) -> None:
    assert classify(message) == status


def test_lmms_evals_own_tasks_say_less() -> None:
    logged = {"doc_id": 7, "filtered_resps": ["a cat"], "exact_match": 1.0}
    returned = {
        "samples": {"gqa": [logged]},
        "configs": {"gqa": {"dataset_path": "lmms-lab/GQA"}},
        "results": {
            "gqa": {
                "alias": "gqa",
                "exact_match,none": 1.0,
                "exact_match_stderr,none": "N/A",
                "x,none": math.nan,
            }
        },
    }
    (row,) = samples_of(returned)
    assert (row["question_id"], row["raw_output"], row["correct"]) == ("7", "a cat", None)
    assert results_of(RunSpec("gqa", "blind"), [row])["accuracy"] is None
    assert metrics_of(returned) == {"gqa": {"exact_match": 1.0}}
