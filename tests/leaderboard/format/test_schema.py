"""The schema: what is refused, and that its published forms are current."""

import json
from typing import Any

import pytest
from pydantic import ValidationError

from leaderboard.benchmarks import TITLES
from leaderboard.format.schema import Benchmark, Prediction, Submission
from leaderboard.format.schema_docs import DOCS, docs_text, schema_text

GOOD: dict[str, Any] = {"benchmark": "hlvid", "model": {"name": "m", "openness": "closed"}}


def fault_in(model: dict[str, Any]) -> str:
    with pytest.raises(ValidationError) as caught:
        Submission.model_validate({**GOOD, "model": {**GOOD["model"], **model}})
    return str(caught.value)


def test_docs_are_current() -> None:
    assert DOCS.read_text("utf-8") == docs_text(), "run python -m leaderboard.format.schema_docs"
    assert {"Submission", "Prediction"} <= json.loads(schema_text())["$defs"].keys()


def test_every_field_is_documented() -> None:
    text = docs_text()
    for model in (Submission, Prediction):
        for name in model.model_fields:
            assert f"`{name}`" in text
    definitions = json.loads(schema_text())["$defs"]
    plain = [
        field
        for model in definitions.values()
        for field in model["properties"].values()
        if "$ref" not in field
    ]
    assert all("$ref" in str(field) or field.get("description") for field in plain)


def test_every_benchmark_has_a_title() -> None:
    assert set(Benchmark.__args__) == set(TITLES)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "name",
    [
        "",
        "   ",
        "a\nb",
        "a\x00b",
        "\u202eevil",
        "zero\u200bwidth",
        "a\x1b[31m",
        "\u2028",
        "x" * 121,
        5,
        None,
        True,
    ],
)
def test_names_are_one_visible_line(name: object) -> None:
    assert "name" in fault_in({"name": name})


@pytest.mark.parametrize(
    "name", ["<script>alert(1)</script>", "模型-7B", "Ünïcode 🎥", "{{ 7*7 }}", "../../etc"]
)
def test_other_texts_are_accepted_and_left_to_be_escaped(name: str) -> None:
    assert (
        Submission.model_validate({**GOOD, "model": {"name": name, "openness": "closed"}}).model.name == name
    )


@pytest.mark.parametrize(
    "link", ["javascript:alert(1)", "data:text/html,x", "file:///etc/passwd", "//evil", "x"]
)
def test_links_are_http(link: str) -> None:
    assert "link" in fault_in({"link": link})


@pytest.mark.parametrize("value", ["8", True, float("nan"), float("inf"), 0, -1, 1e300])
def test_numbers_are_numbers_in_range(value: object) -> None:
    assert "parameters_b" in fault_in({"parameters_b": value})


def test_unknown_fields_are_faults() -> None:
    with pytest.raises(ValidationError, match="resolutoin"):
        Submission.model_validate({**GOOD, "settings": {"resolutoin": 448}})


def test_lone_surrogates_are_refused() -> None:
    with pytest.raises(ValidationError):
        Prediction.model_validate({"question_id": json.loads('"\\ud800"')})
