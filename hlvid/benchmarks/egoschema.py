"""EgoSchema: one question a three-minute video, five options; 500 answers are public, the rest are not.

Example of a row: video_idx "0074f737-11cb-497d-8d07-77c3a8127391", question "Taking into account all the
actions …", option ["A. C is cooking.", …, "E. …"], answer "3" (in the subset) or None.
"""

from pathlib import Path

from hlvid.benchmarks.rows import INSTRUCTION, Item, Row, RowError, Shelf, Texts, lettered, numbered
from hlvid.dataset.rows import OptionalText, Shown, Text


class EgoSchemaHidden(Row):
    """A row of GENERATION/test: no answer, whatever stands in that column."""

    video_idx: Text
    question: Shown
    option: Texts

    def places(self, table: Path) -> list[str]:
        """videos/0074f737-….mp4"""
        return [f"videos/{self.video_idx}.{suffix}" for suffix in ("mp4", "MP4")]

    def item(self, shelf: Shelf) -> Item:
        """lmms-eval's wording."""
        options = lettered(self.option)
        return Item(
            id=self.video_idx,
            source=self.video_idx,
            category="egocentric",
            stem=self.question,
            options=options,
            answer=self.letter(),
            text="\n".join([self.question, *self.option, INSTRUCTION]),
        )

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
