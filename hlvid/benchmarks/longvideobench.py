"""LongVideoBench, validation: two to five options in columns, "N/A" where there are fewer; videos to an hour.

Example of a row: id "86CxyhFV9MI_0", video_path "86CxyhFV9MI.mp4", question "In the video, …", option0 "…",
option4 "N/A", correct_choice 1, duration_group 15, question_category "T2E".
"""

from pathlib import Path

from hlvid.benchmarks.rows import INSTRUCTION, Files, PosedQuestion, Row, RowError, numbered
from hlvid.dataset.rows import OptionalShown, OptionalText, Shown, Text
from hlvid.dataset.text import LETTERS

NONE = (None, "N/A")


class LongVideoBench(Row):
    """A row of the validation split."""

    id: Text
    video_id: Text
    video_path: Text
    question: Shown
    option0: OptionalShown
    option1: OptionalShown
    option2: OptionalShown = None
    option3: OptionalShown = None
    option4: OptionalShown = None
    correct_choice: int
    duration_group: Text
    question_category: Text
    topic_category: OptionalText = None

    def places(self, table: Path) -> list[str]:
        """videos/86CxyhFV9MI.mp4"""
        return [f"videos/{self.video_path}"]

    def posed(self, files: Files) -> PosedQuestion:
        """lmms-eval's wording without subtitles."""
        options = self.options()
        lines = [self.question, *(f"{letter}. {text}" for letter, text in options.items()), INSTRUCTION, ""]
        return PosedQuestion(
            id=self.id,
            source=self.video_id,
            category=self.question_category,
            tier=self.duration_group,
            stem=self.question,
            options=options,
            answer=numbered(self.correct_choice, options, "correct_choice"),
            text="\n".join(lines),
            labels={"topic_category": self.topic_category} if self.topic_category else {},
        )

    def options(self) -> dict[str, str]:
        """The options up to the first "N/A"; one after it would get the wrong letter."""
        columns = [self.option0, self.option1, self.option2, self.option3, self.option4]
        count = next((at for at, text in enumerate(columns) if text in NONE), len(columns))
        late = next((at for at, text in enumerate(columns) if at > count and text not in NONE), None)
        if count < 2 or late is not None:
            what = "an option after N/A" if late is not None else "fewer than two options"
            raise RowError(f"option{late if late is not None else count}", what)
        return dict(zip(LETTERS, (str(text) for text in columns[:count]), strict=False))
