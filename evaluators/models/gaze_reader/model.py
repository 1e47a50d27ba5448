"""`gaze_reader`: answers questions about text in a video on a CPU, through the patches that a selector picks.

Frames are decoded at the resolution asked, cut in 224 px tiles, a selector picks patches within its budget,
the picture is rebuilt from these patches alone, and OCR reads what was seen sharply. The option that was
read is the answer. Where none was, the answer is a guess by a hash of the question's id, recorded as
`abstained`. A video is read once for all of its questions.
"""

from dataclasses import asdict
from pathlib import Path
from typing import Any, ClassVar

from autogaze import selectors
from evaluators.core.arguments import take_common
from evaluators.core.base import Answer, JournalledModel, for_chat
from evaluators.core.question_video import video_of
from evaluators.core.weights import named_in
from evaluators.models.blind import hashed_letter
from evaluators.models.gaze_reader.gazing import selector_of
from evaluators.models.gaze_reader.options import Line, plain, score_options
from evaluators.models.gaze_reader.reader import Reading, read_video
from evaluators.models.gaze_reader.settings import ReaderSettings
from hlvid.dataset.question import Question
from hlvid.errors import RunError
from hlvid.tasks.arguments import model_looks_at
from hlvid.versions import OPENCV

TEXTS_KEPT = 24
"""Different texts of a reading that are recorded with an answer."""


class GazeReader(JournalledModel):
    """See the module.

    Args:
        selector, ratio, resolution, frames, sampling, budget, seed: see `ReaderSettings`.
        cache: keep decoded frames on disk for the next setting (no influence on answers).
        common: `batch_size`, `device`, `runs`: see `JournalledModel`.

    Raises:
        RunError: an unknown argument or a value that is not allowed, named with what is.
    """

    name: ClassVar[str] = "gaze_reader"
    reads_text: ClassVar[bool] = False
    libraries: ClassVar[tuple[str, ...]] = (
        *("av", "numpy", "onnxruntime", OPENCV, "rapidfuzz", "rapidocr", "torch"),
    )

    def __init__(self, cache: bool = True, **arguments: Any) -> None:
        common = take_common(arguments)
        settings = ReaderSettings.read(arguments)
        super().__init__(**common)
        if not isinstance(cache, bool):
            raise RunError(f"gaze_reader: cache is {cache!r}; allowed: True, False")
        self.reader = settings
        model_looks_at(settings.frames)
        self.cache = cache
        self._newest: tuple[tuple[Path, str | None], Reading] | None = None

    def settings(self) -> dict[str, Any]:
        """All of `ReaderSettings`; of a selector of other people also what it says of itself."""
        settings = asdict(self.reader)
        if self.foreign:
            told, here = selector_of(self.reader).settings(), self.checkpoints()
            settings["selector_settings"] = {name: value for name, value in told.items() if name not in here}
        return settings

    @property
    def foreign(self) -> str | None:
        """The module of a selector of other people."""
        return selectors.foreign(self.reader.selector)

    def sources(self) -> list[str]:
        return super().sources() + ([self.foreign] if self.foreign else [])

    def checkpoints(self) -> dict[str, tuple[str, str | None]]:
        """The learned selector's, and what one of other people says it loads."""
        if not self.foreign and self.reader.selector not in selectors.LEARNED:
            return {}
        selector = selector_of(self.reader)
        own = selectors.weights_of(selector)
        return {"selector": own} if own else named_in(selector.settings())

    def computing(self) -> dict[str, str]:
        """Selectors and OCR run on the CPU, whatever lmms-eval says."""
        return {"device": "cpu", "dtype": "float32"}

    def answer(self, question: Question) -> Answer:
        """The letter of the option that was read, or a recorded guess."""
        reading = self._reading_of(question)
        verdict = score_options(question.options, reading.lines)
        letter = verdict.letter or hashed_letter(question.id, question.options)
        details = {
            **reading.details,
            "abstained": verdict.letter is None,
            "how": verdict.how,
            "evidence": {key: round(value, 3) for key, value in verdict.evidence.items()},
            "text_read": texts(reading.lines)[:TEXTS_KEPT],
        }
        return Answer(letter, details)

    def _reading_of(self, question: Question) -> Reading:
        """The reading of the question's video; the base class asks the questions of a video in a row."""
        path = video_of(question)
        aware = "question" in selectors.needs_of(selector_of(self.reader))
        key = path, question.prompt() if aware else None  # a query-aware gaze holds for one question
        if self._newest is None or self._newest[0] != key:
            self._newest = key, read_video(path, self.reader, self.cache, key[1])
        return self._newest[1]


GazeReaderChat = for_chat(GazeReader)


def texts(lines: list[Line]) -> list[str]:
    """The different texts among the lines, the best supported first."""
    support: dict[str, float] = {}
    shown: dict[str, str] = {}
    for line in lines:
        key = plain(line.text)
        support[key] = support.get(key, 0.0) + line.weight
        shown.setdefault(key, line.text)
    return [shown[key] for key in sorted(support, key=lambda key: (-support[key], key))]
