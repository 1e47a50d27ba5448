"""EgoSchema: one question a three-minute video, five options; 500 answers are public, the rest are not.

Example of a row: video_idx "0074f737-11cb-497d-8d07-77c3a8127391", question "Taking into account all the
actions …", option ["A. C is cooking.", …, "E. …"], answer "3" (in the subset) or None.
"""

from functools import lru_cache
from pathlib import Path

from pydantic import BaseModel, TypeAdapter, ValidationError

from hlvid.benchmarks.rows import INSTRUCTION, Files, PosedQuestion, Row, RowError, Texts, lettered, numbered
from hlvid.dataset.rows import OptionalText, Shown, Text
from hlvid.errors import DatasetError

RECORDINGS = "uid_to_ego4d.json"
"""The authors' file: {"0074f737-…": {"video_uid": "6ab72273-…", "starting_sec": 1560, "ending_sec": 1740}, …}"""


class _Cut(BaseModel):
    video_uid: str


@lru_cache(maxsize=2)
def recordings(path: Path) -> dict[str, str]:
    """Clip -> Ego4D recording, from the authors' file: 5,031 clips are of 1,981 recordings, the largest of 36.

    Raises:
        DatasetError: the file is not what the authors publish.
    """
    try:
        cuts = TypeAdapter(dict[str, _Cut]).validate_json(path.read_bytes())
    except ValidationError as error:
        raise DatasetError(
            f"{path}: not the authors' mapping; delete it and fetch it again: {error}"
        ) from error
    return {clip: cut.video_uid for clip, cut in cuts.items()}


class EgoSchemaHidden(Row):
    """A row of GENERATION/test: no answer, whatever stands in that column."""

    video_idx: Text
    question: Shown
    option: Texts

    def places(self, table: Path) -> list[str]:
        """videos/0074f737-….mp4"""
        return [f"videos/{self.video_idx}.{suffix}" for suffix in ("mp4", "MP4")]

    def posed(self, files: Files) -> PosedQuestion:
        """lmms-eval's wording."""
        options = lettered(self.option)
        return PosedQuestion(
            id=self.video_idx,
            source=self.recording(files),
            category="egocentric",
            stem=self.question,
            options=options,
            answer=self.letter(),
            text="\n".join([self.question, *self.option, INSTRUCTION]),
        )

    def recording(self, files: Files) -> str:
        """The Ego4D recording that the clip was cut from; the clip where the authors' file is not here."""
        path = files.find([RECORDINGS])
        return recordings(path).get(self.video_idx, self.video_idx) if path else self.video_idx

    def extras(self) -> list[str]:
        """The authors' mapping."""
        return [RECORDINGS]

    def letter(self) -> str | None:
        """Nobody outside knows."""
        return None


class EgoSchema(EgoSchemaHidden):
    """A row of Subset/test: the answer counted from 0, as a number or as text."""

    answer: OptionalText

    def letter(self) -> str | None:
        """ "3" -> "D"."""
        if self.answer is None or not self.answer.isdecimal():
            raise RowError("answer", f"{self.answer!r} is not a number from 0 to {len(self.option) - 1}")
        return numbered(int(self.answer), lettered(self.option), "answer")
