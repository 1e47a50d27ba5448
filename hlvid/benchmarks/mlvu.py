"""MLVU, multiple choice: dev with four options, test with up to six; videos from minutes to two hours.

Example of a row: video_name "movie101_66.mp4", question "What color is the main male character's shirt?\\n(A)
Yellow\\n(B) Red\\n…", answer "D", task_type "plotQA"; a list `candidates` where the file has that column.
"""

from pathlib import Path

from hlvid.benchmarks.rows import Files, PosedQuestion, Row, RowError, Texts, letter_of, lettered
from hlvid.dataset.rows import OptionalText, Shown, Text
from hlvid.dataset.text import split_question

CLOSING = "\nOnly give the best option.\nBest option: ("


class MLVU(Row):
    """A row of either split."""

    video_name: Text
    question: Shown
    answer: Text
    task_type: Text
    candidates: Texts | None = None
    question_id: OptionalText = None

    def places(self, table: Path) -> list[str]:
        """As the file says, at the top of the repository; our own `videos/` is looked into as well."""
        return [self.video_name, f"videos/{self.video_name}", f"video/{self.video_name}"]

    def posed(self, files: Files) -> PosedQuestion:
        """lmms-eval's wording of the dev set for both: its test set comes without any instruction."""
        stem, options, shown = self.parts()
        return PosedQuestion(
            id=self.question_id or "",
            source=self.video_name,
            category=self.task_type,
            stem=stem,
            options=options,
            answer=letter_of(self.answer, options),
            text=f"{shown}{CLOSING}",
        )

    def parts(self) -> tuple[str, dict[str, str], str]:
        """Stem, options, and the two as shown: the file's own text where it lists the options itself.

        The column is what counts for the options, where there is one."""
        found = split_question(self.question)
        if self.candidates is None:
            if not found.options:
                raise RowError("question", "holds no options, and there is no column candidates")
            return found.stem, dict(found.options), self.question
        options = lettered(self.candidates)
        if found.options and all(text in self.question for text in options.values()):
            return found.stem, options, self.question
        shown = [f"({letter}) {text}" for letter, text in options.items()]
        return self.question, options, "\n".join([self.question, *shown])
