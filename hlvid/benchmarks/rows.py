"""What an adapter gives and gets: a row of a benchmark's file on one side, a `PosedQuestion` on the other.

A column that is missing or of the wrong kind is found by the field's type; what only the benchmark can know
is wrong ("the answer is none of the candidates") an adapter raises as `RowError`. The engine adds file and row.
"""

import abc
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict

from hlvid.dataset.options import unlabelled
from hlvid.dataset.rows import Shown
from hlvid.dataset.text import LETTERS, squeeze

INSTRUCTION = "Answer with the option's letter from the given choices directly."


def _several(texts: list[str]) -> list[str]:
    if not 2 <= len(texts) <= len(LETTERS):
        raise ValueError(f"{len(texts)} options; at least two are needed")
    return texts


Texts = Annotated[list[Shown], AfterValidator(_several)]


class RowError(Exception):
    """A field whose content contradicts the row; `column` and `what` as in "answer: 'x' is no candidate"."""

    def __init__(self, column: str, what: str) -> None:
        super().__init__(f"{column}: {what}")
        self.column = column
        self.what = what


@dataclass(frozen=True)
class Files:
    """What lies around a row: its video (None where only the question files count), other files of the benchmark,
    the file's name; `subtitle_frames` is at how many frames subtitles are read, None for all."""

    video: Path | None
    find: Callable[[Sequence[str]], Path | None]
    table: Path
    subtitle_frames: int | None


@dataclass(frozen=True)
class PosedQuestion:
    """A question as every benchmark's is in the end.

    `text` is what is asked, made of the file's own words as they are: nothing that is shown is stripped. `stem`
    and `options` are the same words for parsing. `context` is what stands in front of the question itself: subtitles.
    """

    id: str
    source: str
    category: str
    stem: str
    options: Mapping[str, str]
    answer: str | None
    text: str
    context: str = ""
    tier: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)


class Row(BaseModel, abc.ABC):
    """One row of a benchmark's question file; further columns are kept out of the way."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    @abc.abstractmethod
    def places(self, table: Path) -> list[str]:
        """Where the video may lie, relative to the repository; the first is where it belongs."""

    @abc.abstractmethod
    def posed(self, files: Files) -> PosedQuestion:
        """The question. Raises `RowError` for a row that contradicts itself."""

    def subtitle(self) -> str | None:
        """Where the video's subtitles belong; None where the task shows none."""
        return None

    def extras(self) -> list[str]:
        """Further files this row wants, if they exist."""
        return [path for path in [self.subtitle()] if path]


def lettered(texts: Sequence[str]) -> dict[str, str]:
    """Letter -> text, without labels that all the texts carry themselves ("A. Apples", "(B) Pears")."""
    return dict(zip(LETTERS, unlabelled(texts), strict=False))


def numbered(answer: int, options: Mapping[str, str], column: str) -> str:
    """The letter of an answer counted from 0; raises `RowError` outside the options."""
    if not 0 <= answer < len(options):
        raise RowError(column, f"{answer} is no option; allowed: 0 to {len(options) - 1}")
    return list(options)[answer]


def letter_of(answer: str, options: Mapping[str, str]) -> str:
    """The letter of an answer given as a letter, "C" or "(C)", or else as an option's text."""
    letter = answer.strip("().: ").upper()
    return letter if letter in options else letter_of_text(answer, options)


def letter_of_text(answer: str, options: Mapping[str, str]) -> str:
    """The letter of an answer given as an option's text, the first of equal ones; raises `RowError` for others."""
    same = [key for key, text in options.items() if squeeze(text) == squeeze(answer)]
    if not same:
        raise RowError("answer", f"{answer!r} is none of the options {', '.join(options.values())}")
    return same[0]
