"""MVBench: twenty abilities of 200 questions each, one JSON file an ability.

Example of a row, in json/moving_count.json: video "video_10009.mp4", question "How many metal objects exit the
scene?", candidates ["2", "3", "1", "0"], answer "1".
"""

import re
from pathlib import Path, PurePosixPath

from hlvid.benchmarks.registry import ABILITIES
from hlvid.benchmarks.rows import Files, PosedQuestion, Row, RowError, Texts, letter_of_text
from hlvid.dataset.rows import Shown, Text
from hlvid.dataset.text import LETTERS

SEGMENTS = {  # folders of segments, named VIDEO_START_END, and the collection that their videos are of
    "sta/sta_video_segment": "Charades",
    "star/Charades_segment": "Charades",
    "tvqa/video_fps3_hq_segment": "TVQA",
}
_SEGMENT = re.compile(r"(?P<video>.+?)_\d+(?:\.\d+)?_\d+(?:\.\d+)?")


def source_of(place: str) -> str:
    """The video that a clip was cut from: segments of one cluster together, in whichever ability they are asked about.

    "star/Charades_segment/USNP1_1.3_15.4.mp4" -> "Charades/USNP1"; other clips are their own: their place.
    """
    path = PurePosixPath(place)
    collection = SEGMENTS.get(path.parent.as_posix())
    match = _SEGMENT.fullmatch(path.stem)
    return f"{collection}/{match['video'] if match else path.stem}" if collection else place


class MVBench(Row):
    """A row of one ability's file; the file's name is the ability."""

    video: Text
    question: Shown
    candidates: Texts
    answer: Text

    def places(self, table: Path) -> list[str]:
        """clevrer/video_validation/video_10009.mp4; some mirrors keep a folder data0613 around it."""
        folder = ABILITIES.get(table.stem)
        if folder is None:
            raise RowError("file", f"'{table.stem}' is none of the twenty abilities {', '.join(ABILITIES)}")
        return [f"{folder}/{self.video}", f"data0613/{folder}/{self.video}"]

    def posed(self, files: Files) -> PosedQuestion:
        """lmms-eval's wording; the file has no ids, so ours count within the ability (see `prepare`)."""
        options = dict(zip(LETTERS, self.candidates, strict=False))
        shown = [f"({letter}) {text}" for letter, text in options.items()]
        lines = [f"Question:{self.question}", "Option:", *shown, "Only give the best option.", ""]
        return PosedQuestion(
            id="",
            source=source_of(self.places(files.table)[0]),
            category=files.table.stem,
            stem=self.question,
            options=options,
            answer=letter_of_text(self.answer, options),
            text="\n".join(lines),
        )
