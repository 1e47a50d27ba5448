"""What HLVid-Mini consists of, before any pixel: videos, questions, tiers, windows, letters.

>>> videos = plan("tiny", seed=0)
>>> videos[0].name, videos[0].questions[0].stem
('clip_av_video_0_000.mp4', 'What does the black text on the yellow road sign say?')

Within each tier the letters are balanced and the windows spread from one second to most of the clip.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from hlvid.errors import DatasetError
from hlvid.mini.chance import Stream
from hlvid.mini.structure import PRESETS, Clip, Preset
from hlvid.mini.wording import KINDS, Look, Wording, looks, wordings

# Cap heights in px at 3840 x 2160, first readable at 448, 896, 1792 and 3584 px of width. Measured with RapidOCR:
# the options are told apart in 24 of 24 texts from 6 px of seen height on, in 1 of 24 at 3 px; so each tier is
# seen at 6 to 6.5 px at its own width and at half of that one width below (benchmarks/mini_tiers.py).
TIERS = (54, 27, 13, 7)
LETTERS = "ABCD"
SHORT_SHARE = 1 / 6  # of a tier's questions: seen for a second or little more, so that few frames miss them
SHORTEST = 1.0  # seconds
MARGIN = 0.5  # seconds between two texts that share a place


@dataclass(frozen=True)
class Asked:
    """One question with all that is needed to draw its text.

    `slot` is the place in the scene (0..SLOTS-1), `window` the seconds in which the text stands there at
    `cap` px, `segment` the seconds in which the place belongs to it.
    """

    id: str
    stem: str
    options: dict[str, str]
    answer: str
    cap: int
    look: Look
    slot: int
    window: tuple[float, float]
    segment: tuple[float, float]

    @property
    def text(self) -> str:
        """The text to be read: the correct option."""
        return self.options[self.answer]

    @property
    def tier(self) -> str:
        """The detail tier's name, e.g. "27px"; two digits, so that names sort by height."""
        return f"{self.cap:02d}px"


@dataclass(frozen=True)
class VideoPlan:
    """One clip: its file name, length and questions; `seed` and `name` decide all of its pixels."""

    clip: Clip
    seed: int
    fps: int
    frames: int
    questions: tuple[Asked, ...]

    @property
    def name(self) -> str:
        """File name in the real benchmark's scheme."""
        return self.clip.name

    @property
    def duration(self) -> float:
        """Seconds."""
        return self.frames / self.fps


SLOTS = 8  # places for texts in a scene: four columns, two rows


def plan(preset: str = "default", seed: int = 0) -> list[VideoPlan]:
    """All videos of a preset ("tiny", "default", "study", "long", "full").

    Raises:
        DatasetError: unknown preset.
    """
    if preset not in PRESETS:
        raise DatasetError(f"preset {preset!r} unknown; allowed: {', '.join(PRESETS)}")
    chosen = PRESETS[preset]
    deck = _Deck(seed, sum(clip.questions for clip in chosen.clips))
    numbers = iter(range(10**6))
    return [_video(chosen, clip, seed, deck, numbers) for clip in chosen.clips]


class _Deck:
    """Deals (tier, letter, window quantile) so that tiers, letters within tiers and windows are balanced."""

    def __init__(self, seed: int, count: int) -> None:
        self._hands: dict[int, list[tuple[str, float]]] = {}
        self._turn = 0
        for index, cap in enumerate(TIERS):
            size = len(range(index, count, len(TIERS)))
            stream = Stream(seed, "deck", cap)
            letters = [letter for _ in range(-(-size // 4)) for letter in stream.shuffled(LETTERS)][:size]
            spread = stream.shuffled([(i + 0.5) / size for i in range(size)])
            self._hands[cap] = list(zip(letters, spread, strict=True))

    def deal(self, count: int) -> list[tuple[int, str, float]]:
        """The next `count` (tier, letter, quantile of window length); tiers take turns over the whole set."""
        dealt = []
        for _ in range(count):
            cap = TIERS[self._turn % len(TIERS)]
            self._turn += 1
            dealt.append((cap, *self._hands[cap].pop()))
        return dealt


def _video(preset: Preset, clip: Clip, seed: int, deck: _Deck, numbers: Iterable[int]) -> VideoPlan:
    stream = Stream(seed, clip.name, "plan")
    frames = round(clip.seconds * preset.fps)
    dealt = stream.shuffled(deck.deal(clip.questions))
    places = _places(clip.questions, frames / preset.fps, stream)
    texts = wordings(clip.category, clip.questions, stream)
    dresses = looks(KINDS[clip.category], clip.questions, stream)
    questions = tuple(
        _asked(str(number), hand, wording, look, place, stream)
        for hand, wording, look, place, number in zip(dealt, texts, dresses, places, numbers, strict=False)
    )
    return VideoPlan(clip, seed, preset.fps, frames, questions)


Place = tuple[int, tuple[float, float]]  # slot and its segment in seconds


def _places(count: int, duration: float, stream: Stream) -> list[Place]:
    """A slot and a share of its time for each question; up to SLOTS questions have the whole clip."""
    order = stream.shuffled(range(SLOTS))
    result = []
    for turn in range(count):
        sharing = len(range(turn % SLOTS, count, SLOTS))
        part = duration / sharing
        start = (turn // SLOTS) * part
        result.append((order[turn % SLOTS], (start, start + part)))
    return result


def _asked(
    number: str,
    hand: tuple[int, str, float],
    wording: Wording,
    look: Look,
    place: Place,
    stream: Stream,
) -> Asked:
    cap, answer, quantile = hand
    wrong = iter(stream.shuffled(wording.wrong))
    options = {letter: wording.right if letter == answer else next(wrong) for letter in LETTERS}
    slot, (start, end) = place
    room = end - start - MARGIN
    length = min(_window_length(quantile, end - start), room)
    begin = start + MARGIN / 2 + stream.uniform(0, room - length)
    return Asked(number, look.stem(), options, answer, cap, look, slot, (begin, begin + length), (start, end))


def _window_length(quantile: float, duration: float) -> float:
    """Seconds: a sixth are about 1 s long, the others log-uniform from 15 % to 85 % of the time there is."""
    if quantile < SHORT_SHARE:
        return SHORTEST + 0.6 * quantile / SHORT_SHARE
    share = (quantile - SHORT_SHARE) / (1 - SHORT_SHARE)
    low, high = math.log(0.15), math.log(0.85)
    return max(SHORTEST, duration * round(math.exp(low + (high - low) * share), 6))
