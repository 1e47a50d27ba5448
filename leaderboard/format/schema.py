"""The pydantic models of `submission.toml` and of one line of `predictions.jsonl`.

Every text is untrusted: it is bounded here, holds no invisible characters, and is escaped wherever it is shown.
Unknown fields are faults, because a misspelt `resolution` would otherwise pass as "not stated". Values keep
their type: `frames: true` is a fault and not one frame. `leaderboard.format.schema_docs` publishes these models.
"""

import unicodedata
from collections.abc import Mapping
from typing import Annotated, Any, Literal, get_args

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, HttpUrl, StringConstraints

Benchmark = Literal[
    "hlvid", "hlvid_mini", "videomme", "videomme_w_subtitle", "mvbench", "nextqa_mc",
    "longvideobench_val", "egoschema", "egoschema_subset", "mlvu_dev", "mlvu_test",
]  # fmt: skip
Trust = Literal["reported", "rescored", "reproduced"]
Seen = Literal["no", "unknown", "yes"]
Openness = Literal["open_source", "open_weights", "closed"]


def _visible(text: str) -> str:
    """Refuse control, bidirectional and zero-width characters, which make a name look like another's."""
    hidden = next((one for one in text if unicodedata.category(one) in ("Cc", "Cf", "Zl", "Zp")), None)
    if hidden is not None and hidden not in "\n\t":
        raise ValueError(f"holds the invisible character U+{ord(hidden):04X}")
    return text


def _one_line(text: str) -> str:
    if "\n" in text or "\t" in text:
        raise ValueError("has to be one line without tabs")
    if not any(unicodedata.category(one)[0] in "LNPS" for one in text):
        raise ValueError("has to hold something to read")
    return text


Short = Annotated[
    str,
    StringConstraints(min_length=1, max_length=120, strip_whitespace=True),
    AfterValidator(_visible),
    AfterValidator(_one_line),
]
Text = Annotated[str, StringConstraints(max_length=2000), AfterValidator(_visible)]
Link = Annotated[HttpUrl, Field(max_length=500)]
FOLDER = r"[a-z0-9][a-z0-9._-]{0,79}"
FolderName = Annotated[str, StringConstraints(pattern=f"^{FOLDER}$")]
QuestionId = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Sha256 = Annotated[str, StringConstraints(pattern=r"^(sha256:)?[0-9a-f]{64}$")]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class Model(_Strict):
    """What was evaluated."""

    name: Short = Field(description="The name shown in the table.")
    revision: Short | None = Field(
        None, description="Commit, tag or API version; a name alone changes its weights."
    )
    parameters_b: float | None = Field(None, gt=0, le=100_000, description="Parameters in billions (1e9).")
    openness: Openness = Field(
        description="open_source (weights, code and data), open_weights, or closed (an API alone)."
    )
    link: Link | None = Field(None, description="Paper, model page or repository.")


class Settings(_Strict):
    """What the model was given to see."""

    frames: int | None = Field(
        None, ge=0, le=1_000_000, description="Frames a question, at most; 0 for a model without pixels."
    )
    resolution: int | None = Field(
        None, ge=0, le=16_384, description="Long side in px of the frames really seen."
    )
    selector: Short | None = Field(
        None, description="Patch selector, e.g. autogaze; absent where every patch is used."
    )
    gazing_ratio: float | None = Field(
        None, gt=0, le=1, description="Share of the multi-scale patches that was used."
    )
    decoder: Short | None = Field(None, description="What decoded the video, with its version.")
    prompt_sha256: Sha256 | None = Field(
        None, description="SHA-256 of all prompts in order, joined by an empty line."
    )


class Cost(_Strict):
    """What the run took."""

    hardware: Short | None = Field(None, description="E.g. 1 x NVIDIA H200.")
    seconds_per_question: float | None = Field(
        None, ge=0, le=1e9, description="Mean wall-clock seconds a question."
    )
    tokens_per_question: float | None = Field(
        None, ge=0, le=1e12, description="Mean visual tokens that reach the model, a question."
    )


class Reported(_Strict):
    """A number somebody printed, without predictions behind it."""

    accuracy_percent: float = Field(ge=0, le=100, description="Accuracy in %, as printed.")
    source: Short = Field(description="Where it is printed: paper, table, column.")


class Submission(_Strict):
    """The whole of `submission.toml`."""

    schema_version: Literal[1] = Field(1, description="The version of this schema.")
    benchmark: Benchmark = Field(
        description="Which questions were answered; the folder lies under this name."
    )
    dataset_revision: Short | None = Field(
        None,
        description="Version of the questions: SHA-256 of the question file, or of HLVid-Mini its set, e.g. "
        "mini-default-0. Another version than the answer key's is a fault.",
    )
    model: Model
    settings: Settings = Settings()
    cost: Cost = Cost()
    training_data: Text = Field("", description="What the model was trained on.")
    seen_videos: Seen = Field(
        "unknown", description="Whether the benchmark's videos were in its training, as far as is known."
    )
    contact: Short | None = Field(None, description="A name, handle, address or link for questions.")
    claimed_accuracy_percent: float | None = Field(
        None, ge=0, le=100, description="Shown as claimed, never as the score."
    )
    reported: Reported | None = Field(
        None, description="Only for numbers taken from papers, without predictions."
    )
    reproduces: FolderName | None = Field(
        None, description="Folder name of somebody else's submission that this run repeats."
    )
    superseded_by: FolderName | None = Field(
        None, description="Folder name of the entry that replaces this one, which then leaves the table."
    )
    withdrawn: Short | None = Field(
        None, description="Why this entry is withdrawn; it leaves the table, its page stays and says so."
    )
    left_out: dict[QuestionId, Short] = Field(
        {},
        max_length=10_000,
        description="Questions that were not asked (a video is damaged or may not be shared), each with why. They "
        "have no line, count as wrong, and the board says how many.",
    )
    notes: Text = Field("", description="Anything else a reader should know.")


class Prediction(_Strict):
    """One line of `predictions.jsonl`."""

    question_id: QuestionId = Field(description="As in the dataset; a whole number is taken as its digits.")
    answer: Annotated[str, StringConstraints(max_length=40)] | None = Field(
        None, description="A letter of the question's options; null where the model gave none."
    )
    raw_output: Annotated[str, StringConstraints(max_length=200_000)] | None = Field(
        None, description="The model's whole text; where given, the letter is read from it by hlvid's parser."
    )
    frames: int | None = Field(None, ge=0, le=1_000_000, description="Frames really seen.")
    width: int | None = Field(None, ge=0, le=16_384, description="Of the frames really seen, in px.")
    height: int | None = Field(None, ge=0, le=16_384, description="Of the frames really seen, in px.")
    tokens: float | None = Field(None, ge=0, le=1e12, description="Visual tokens that reached the model.")
    seconds: float | None = Field(None, ge=0, le=1e9, description="Wall-clock seconds.")


def nested(flat: Mapping[str, Any]) -> dict[str, Any]:
    """{"model.name": "m", "contact": None} -> {"model": {"name": "m"}}: what is stated, nested as in the file."""
    found: dict[str, Any] = {}
    for name, value in flat.items():
        group, _, field = name.rpartition(".")
        if value is not None:
            (found.setdefault(group, {}) if group else found)[field] = value
    return found


def form_names(model: type[BaseModel], prefix: str = "") -> dict[str, bool]:
    """Every field a submitter may fill in, as "settings.frames", with whether it holds a number."""
    found: dict[str, bool] = {}
    for name, field in model.model_fields.items():
        kinds = (field.annotation, *get_args(field.annotation))
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            found |= form_names(field.annotation, f"{prefix}{name}.")
        elif name not in ("schema_version", "reported", "left_out"):
            found[prefix + name] = int in kinds or float in kinds
    return found
