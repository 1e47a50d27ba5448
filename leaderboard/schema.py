"""The pydantic models of `submission.yaml` and of one line of `predictions.jsonl`.

Example::

    Submission.model_validate({"benchmark": "hlvid_mini", "model": {"name": "blind"}, ...})

Every text is untrusted: it is bounded in length here and escaped wherever it is shown. Unknown fields are
faults, because a misspelt `resolution` would otherwise pass as "not stated".
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, HttpUrl, StringConstraints

Benchmark = Literal[
    "hlvid", "hlvid_mini", "videomme", "videomme_w_subtitle", "mvbench",
    "nextqa_mc", "longvideobench_val", "egoschema_subset", "mlvu_dev", "mlvu_test",
]  # fmt: skip
Trust = Literal["reported", "rescored", "reproduced"]
Openness = Literal["open_source", "open_weights", "closed"]

Short = Annotated[
    str,
    StringConstraints(min_length=1, max_length=120, strip_whitespace=True, pattern=r"^[^\x00-\x1f\x7f]*$"),
]
Text = Annotated[str, StringConstraints(max_length=2000)]
Sha256 = Annotated[str, StringConstraints(pattern=r"^(sha256:)?[0-9a-f]{64}$")]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Model(_Strict):
    """What was evaluated."""

    name: Short = Field(description="The name shown in the table.")
    revision: Short | None = Field(
        None, description="Commit, tag or API version; a name alone changes its weights."
    )
    parameters_b: float | None = Field(None, gt=0, le=100_000, description="Parameters in billions (1e9).")
    openness: Openness = Field(description="open_source (weights, code, data), open_weights or closed.")
    link: HttpUrl | None = Field(None, description="Paper, model page or repository.")


class Settings(_Strict):
    """What the model was given to see."""

    frames: int | None = Field(
        None, ge=0, le=1_000_000, description="Frames a question; 0 for a model without pixels."
    )
    resolution: int | None = Field(
        None, ge=0, le=16_384, description="Long side in px of the frames really seen."
    )
    selector: Short | None = Field(
        None, description="Patch selector, e.g. autogaze; none where every patch is used."
    )
    gazing_ratio: float | None = Field(
        None, gt=0, le=1, description="Share of the multi-scale patches that was used."
    )
    decoder: Short | None = Field(None, description="What decoded the video, with versions.")
    prompt_sha256: Sha256 | None = Field(None, description="SHA-256 of the prompt template.")


class Cost(_Strict):
    """What the run took; means a question where a name says so."""

    hardware: Short | None = Field(None, description="E.g. 1 x NVIDIA H200.")
    seconds_per_question: float | None = Field(None, ge=0, description="Wall-clock seconds a question.")
    tokens_per_question: float | None = Field(
        None, ge=0, description="Visual tokens that reach the model, a question."
    )


class Reported(_Strict):
    """A number somebody printed, without predictions behind it."""

    accuracy_percent: float = Field(ge=0, le=100, description="Accuracy in %, as printed.")
    source: Short = Field(description="Where it is printed: paper, table, row.")


class Submission(_Strict):
    """The whole of `submission.yaml`."""

    schema_version: Literal[1] = Field(1, description="The version of this schema.")
    benchmark: Benchmark = Field(description="Which questions were answered.")
    dataset_revision: Short | None = Field(None, description="Revision or content hash of the question file.")
    model: Model
    settings: Settings = Settings()
    cost: Cost = Cost()
    training_data: Text = Field(
        "", description="What the model was trained on; whether it may have seen the videos."
    )
    contact: Short | None = Field(None, description="A name, handle or address for questions.")
    claimed_accuracy_percent: float | None = Field(
        None, ge=0, le=100, description="Shown as claimed, never as the score."
    )
    reported: Reported | None = Field(
        None, description="Only for rows taken from papers, without predictions."
    )
    reproduces: Short | None = Field(
        None, description="Folder name of another's submission that this run repeats."
    )
    notes: Text = ""


class Prediction(_Strict):
    """One line of `predictions.jsonl`."""

    question_id: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    answer: Annotated[str, StringConstraints(max_length=40)] | None = Field(
        None, description="A letter; null: none."
    )
    raw_output: Annotated[str, StringConstraints(max_length=200_000)] | None = Field(
        None, description="The model's whole text; where given, the letter is read from it by hlvid's parser."
    )
    frames: int | None = Field(None, ge=0, le=1_000_000)
    width: int | None = Field(None, ge=0, le=16_384)
    height: int | None = Field(None, ge=0, le=16_384)
    tokens: float | None = Field(None, ge=0)
    seconds: float | None = Field(None, ge=0)
