"""Video-MME: 900 videos from short to an hour, four options, with or without subtitles.

Example of a row: videoID "fFjv93ACGo8", question_id "001-1", duration "short", domain "Knowledge", sub_category
"Humanity & History", task_type "Counting Problem", question "When demonstrating …", options ["A. Apples.", …],
answer "C". Subtitles, where a video has any, lie in subtitle/fFjv93ACGo8.srt.
"""

from pathlib import Path

from hlvid.benchmarks.rows import INSTRUCTION, Files, PosedQuestion, Row, Texts, letter_of, lettered
from hlvid.benchmarks.subtitles import subtitles_of
from hlvid.dataset.rows import Shown, Text

_RESPOND = "Respond with only the letter (A, B, C, or D) of the correct option."
SELECT = "Select the best answer to the following multiple-choice question based on the video"


class VideoMME(Row):
    """A row of videomme/test, asked without subtitles."""

    videoID: Text  # noqa: N815  (the column's name)
    question_id: Text
    duration: Text
    domain: Text
    sub_category: Text
    task_type: Text
    question: Shown
    options: Texts
    answer: Text

    def places(self, table: Path) -> list[str]:
        """data/fFjv93ACGo8.mp4"""
        return [f"data/{self.videoID}.{suffix}" for suffix in ("mp4", "MP4", "mkv")]

    def posed(self, files: Files) -> PosedQuestion:
        """The question with the wording of its task."""
        options = lettered(self.options)
        return PosedQuestion(
            id=self.question_id,
            source=self.videoID,
            category=self.task_type,
            tier=self.duration,
            stem=self.question,
            options=options,
            answer=letter_of(self.answer, options),
            text=(context := self.context(files)) + self.asked(),
            context=context,
            labels={"domain": self.domain, "sub_category": self.sub_category},
        )

    def context(self, files: Files) -> str:
        """What stands in front of the question: nothing."""
        return ""

    def asked(self) -> str:
        """lmms-eval's, but for its "and the subtitles", of which there are none."""
        lines = [f"{SELECT}. {_RESPOND}", self.question, *self.options, "", INSTRUCTION]
        return "\n".join(lines)


class VideoMMEWithSubtitles(VideoMME):
    """The same row, asked with what is said at the sampled frames."""

    def subtitle(self) -> str:
        """subtitle/fFjv93ACGo8.srt"""
        return f"subtitle/{self.videoID}.srt"

    def context(self, files: Files) -> str:
        """lmms-eval's; subtitles are looked up by the video's own frame rate."""
        path = files.find([self.subtitle()]) if files.video else None
        said = subtitles_of(path, files.video, files.subtitle_frames) if path and files.video else []
        lines = ["This video's subtitles are listed below: ", *(said or ["No subtitles available"])]
        return "\n".join(lines) + "\n"

    def asked(self) -> str:
        """lmms-eval's."""
        lines = [
            f"{SELECT} and the subtitles. {_RESPOND}",
            self.question,
            *self.options,
            "The best answer is:",
        ]
        return "\n".join(lines)
