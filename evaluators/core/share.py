"""One run by several processes: each answers the questions of its own videos into the one journal.

`HLVID_SHARE=1/4` names the second of four, as `hlvid eval --processes 4` sets it.

A video is decoded by one process alone, however many there are. When all shares are done, an ordinary run finds every
answer in the journal and scores it; what a share that was killed left over, that run answers itself.
"""

import os
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

from hlvid.errors import RunError

VARIABLE = "HLVID_SHARE"


@dataclass(frozen=True)
class Share:
    """number: of this process, from 0. of: how many there are."""

    number: int
    of: int

    @classmethod
    def here(cls) -> Self | None:
        """That of this process; None where it has all. Raises RunError for a variable that says nothing."""
        text = os.environ.get(VARIABLE)
        if not text:
            return None
        number, _, of = text.partition("/")
        if not (number.isdecimal() and of.isdecimal() and int(number) < int(of)):
            raise RunError(f"{VARIABLE} is {text!r}; expected a number of several, from 0, such as 1/4")
        return cls(int(number), int(of))

    def videos(self, asked: Iterable[str]) -> set[str]:
        """The videos of this share, of those of all questions: the fewest questions so far get the next video."""
        load = [0] * self.of
        mine = set()
        for video, questions in sorted(Counter(asked).items(), key=lambda item: (-item[1], item[0])):
            least = load.index(min(load))
            load[least] += questions
            if least == self.number:
                mine.add(video)
        return mine

    def __str__(self) -> str:
        return f"{self.number}/{self.of}"
