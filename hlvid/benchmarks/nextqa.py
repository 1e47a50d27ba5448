"""NExT-QA, multiple choice: five options in columns of their own, the answer counted from 0.

Example of a row: video 4010069381, question "how do the two man play the instrument", a0 "roll the handle",
…, a4 "pat animal", answer 0, qid 6, type "CH".
"""

from pathlib import Path

from hlvid.benchmarks.rows import INSTRUCTION, Files, PosedQuestion, Row, numbered
from hlvid.dataset.rows import Shown, Text
from hlvid.dataset.text import LETTERS


class NextQA(Row):
    """A row of MC/test; `type` is causal (C*), temporal (T*) or descriptive (D*)."""

    video: Text
    question: Shown
    answer: int
    qid: Text
    type: Text
    a0: Shown
    a1: Shown
    a2: Shown
    a3: Shown
    a4: Shown

    def places(self, table: Path) -> list[str]:
        """NExTVideo/4010069381.mp4"""
        return [f"NExTVideo/{self.video}.{suffix}" for suffix in ("mp4", "MP4")]

    def posed(self, files: Files) -> PosedQuestion:
        """lmms-eval asks without any instruction, so that models answer in prose; ours says what is wanted."""
        options = dict(zip(LETTERS, [self.a0, self.a1, self.a2, self.a3, self.a4], strict=False))
        lines = [self.question, *(f"{letter}. {text}" for letter, text in options.items()), INSTRUCTION]
        return PosedQuestion(
            id=f"{self.video}_{self.qid}",
            source=self.video,
            category=self.type,
            stem=self.question,
            options=options,
            answer=numbered(self.answer, options, "answer"),
            text="\n".join(lines),
        )
