"""The schema for people, `docs/submission.md`, and for programs (`hlvid submit --schema`), from the pydantic models."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic.json_schema import models_json_schema

from leaderboard.format.reading import JSONL_BYTES, TOML_BYTES
from leaderboard.format.schema import Prediction, Submission
from leaderboard.format.validate import ALLOWED, FOLDER_RULE, JSONL_NAME, MOST_LINES, README, TOML_NAME

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs" / "submission.md"

INTRODUCTION = f"""# A submission, field by field

Made from `leaderboard/format/schema.py` by `python -m leaderboard.format.schema_docs`; do not edit.
The same as JSON Schema: `hlvid submit --schema`.
How to submit: [leaderboard.md](leaderboard.md).

A submission is the folder `leaderboard/submissions/BENCHMARK/NAME/` with `{TOML_NAME}` and
`{JSONL_NAME}`. For NAME {FOLDER_RULE}.
Other files are refused, except {README}, and so are links and folders.

- `{TOML_NAME}`: at most {TOML_BYTES // 1024} KiB of [TOML](https://toml.io). What is not stated is left out.
- `{JSONL_NAME}`: at most {JSONL_BYTES // 2**20} MB and {MOST_LINES} times the questions; one JSON object a line, one
  line a question, every question once. UTF-8, with or without byte-order mark; LF or CRLF.
- The letter that counts is read from `raw_output` where it is given, by the parser that reads every model's, else
  it is `answer`. No letter counts as wrong.
- Texts hold no control, zero-width or direction characters, and one line where they name something.
- A number taken from a paper has `reported` in place of `{JSONL_NAME}`.
"""
EXAMPLE = """## Smallest example

```toml
benchmark = "hlvid"
dataset_revision = "sha256:…"    # the hash of the questions; hlvid submit writes it

[model]
name = "my-model"
openness = "open_weights"
```

```json
{"question_id": "0", "answer": "B"}
{"question_id": "1", "answer": null, "raw_output": "I cannot tell."}
```
"""


def schema_text() -> str:
    """The JSON Schema (2020-12) of both files: `$defs/Submission` and `$defs/Prediction`."""
    _, content = models_json_schema([(Submission, "validation"), (Prediction, "validation")])
    references = [{"$ref": f"#/$defs/{model.__name__}"} for model in (Submission, Prediction)]
    head = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "HLVid leaderboard submission: submission.toml, or a line of predictions.jsonl",
        "anyOf": references,
    }
    return json.dumps({**head, **content}, indent=1, ensure_ascii=False) + "\n"


def docs_text() -> str:
    """`docs/submission.md`: every field with its type, limits and meaning."""
    definitions = json.loads(schema_text())["$defs"]
    sections = [
        _section(TOML_NAME, _fields(definitions["Submission"], definitions)).replace(" or null", ""),
        _section(f"One line of {JSONL_NAME}", _fields(definitions["Prediction"], definitions)),
    ]
    assert {TOML_NAME, JSONL_NAME, README} == ALLOWED
    return "\n".join([INTRODUCTION, *sections, EXAMPLE])


def main() -> None:
    """Write the page."""
    DOCS.write_text(docs_text(), encoding="utf-8")


Field = tuple[str, Mapping[str, Any], bool]


def _fields(model: Mapping[str, Any], definitions: Mapping[str, Any], prefix: str = "") -> Iterator[Field]:
    """(dotted name, its schema, whether it has to be given) for each plain field, depth first."""
    for name, schema in model["properties"].items():
        inner, required = _reference(schema), name in model.get("required", ())
        if inner is not None:
            yield f"{prefix}{name}", {**schema, "description": definitions[inner]["description"]}, required
            yield from _fields(definitions[inner], definitions, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", schema, required


def _reference(schema: Mapping[str, Any]) -> str | None:
    found = [one["$ref"] for one in (schema, *schema.get("anyOf", ())) if "$ref" in one]
    return found[0].rpartition("/")[2] if found else None


def _section(title: str, fields: Iterator[Field]) -> str:
    lines = [f"## {title}", "", "| field | value | meaning |", "|---|---|---|"]
    for name, schema, required in fields:
        bold = f"**`{name}`** (needed)" if required else f"`{name}`"
        lines.append(f"| {bold} | {_kind(schema)} | {schema.get('description', '')} |")
    return "\n".join([*lines, ""])


def _kind(schema: Mapping[str, Any]) -> str:
    if _reference(schema) is not None:
        return "the fields below"
    options = schema.get("anyOf", [schema])
    return " or ".join(_one_kind(option) for option in options)


def _one_kind(schema: Mapping[str, Any]) -> str:
    if "enum" in schema:
        return ", ".join(f"`{value}`" for value in schema["enum"])
    if "const" in schema:
        return f"`{schema['const']}`"
    if schema["type"] == "object":
        values = _one_kind(schema["additionalProperties"])
        return f"question ids, each with {values}"
    kind = {"string": "text", "integer": "whole number", "number": "number", "null": "null"}[schema["type"]]
    kind = "http(s) link" if schema.get("format") == "uri" else kind
    if "pattern" in schema:
        return f"{kind} like `{schema['pattern']}`"
    limits = [
        f"{word} {schema[name]:,.12g}"
        for name, word in (
            ("exclusiveMinimum", "above"),
            ("minimum", "from"),
            ("maximum", "up to"),
            ("maxLength", "up to"),
        )
        if name in schema
    ]
    return f"{kind}, {' '.join(limits)}{' characters' if 'maxLength' in schema else ''}" if limits else kind


if __name__ == "__main__":
    main()
