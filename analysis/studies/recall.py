"""How much of the asked text each selector looks at finely enough, measured without OCR: seconds a video.

What a detector finds in a recording is no truth: such lines compare gazes, and favour one that the detector taught.
"""

import hashlib
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from tqdm import tqdm

from analysis.cache import code_digest
from analysis.studies.evidence import NATIVE, READABLE, VISIBLE, can_be_read, coverage, speed
from autogaze.gaze import SCALES
from autogaze.selectors import Context, Selector, look, needs_of
from autogaze.selectors.text_map import lines, text_map
from autogaze.tiling import Picture, Tiling
from evaluators.core.gaze_file import Mask
from evaluators.core.identity import hash_of
from evaluators.core.told import told_of
from hlvid.dataset import Question, locate
from hlvid.dataset import load as load_questions
from hlvid.files import write_json
from hlvid.mini.evidence import Seen, load
from hlvid.paths import state_root
from hlvid.video import Video, sampling
from hlvid.video.tiles import fit_long_side

FRAMES = 12
LOOKED = 2  # frames of a video that are gazed: those that show the most answers
SURE = 0.6  # mean probability from which on what the detector finds counts as a line


def measure(
    dataset: str | Path, chosen: Mapping[str, Selector], ratios: Sequence[float], resolution: int
) -> pd.DataFrame:
    """One row a question, selector (by the name given) and ratio: `covered`, the best coverage over the frames looked
    at, and `tokens`, the share of tokens spent there.

    Frames: of 12 spread uniformly over a video, the two that show the most answers; questions that none of
    them shows readably at this resolution are left out.
    """
    root, questions = locate(dataset).root, load_questions(dataset)
    boxes, rows = load(root), []
    videos = list(dict.fromkeys(question.video for question in questions))
    for name in tqdm(videos, desc="evidence", leave=False):
        mine = {question.id: question for question in questions if question.video == name}
        with Video.open(root / "videos" / name) as video:
            size = fit_long_side(video.width, video.height, resolution)
            sampled = sampling.uniform_linspace(video.frame_count, FRAMES)
            shown = _sightings(list(mine.values()), boxes, sampled, size[1])
            texts = {frame: shown[frame] for frame in sorted(_busiest(shown))}
            prompts = {key: question.prompt() for key, question in mine.items()}
            found = _Shown.of(video, size, texts, _needs(chosen), prompts)
        for key, row in found.gazed(chosen, ratios):
            one = mine[key]
            rows.append(
                {"question": key, "source": one.source, "tier": one.tier, "speed": speed(boxes[key])} | row
            )
    return pd.DataFrame(rows)


def measure_recordings(
    paths: Sequence[Path], chosen: Mapping[str, Selector], ratios: Sequence[float]
) -> pd.DataFrame:
    """The same of recordings, in their own size; a question is a line of text that the OCR package's detector finds in
    one of two frames, at a third and two thirds. Raises ValueError without the OCR package."""
    rows = []
    for path in tqdm(paths, desc="recordings", leave=False):
        with Video.open(path) as video:
            size = (video.height, video.width)
            frames = sorted({video.frame_count // 3, video.frame_count * 2 // 3})
            shown = {
                frame: _detected(frame, picture)
                for frame, picture in zip(frames, video.frames(frames, size), strict=True)
            }
            texts = {frame: lines for frame, lines in shown.items() if lines}
            found = _Shown.of(video, size, texts, _needs(chosen))
        rows += [
            {"question": f"{path.stem} {key}", "source": path.stem} | row
            for key, row in found.gazed(chosen, ratios)
        ]
    return pd.DataFrame(rows)


def _detected(frame: int, picture: Picture) -> dict[str, Seen]:
    """Lines that the detector is sure of and that can be read at this size."""
    factor = NATIVE[1] / picture.shape[1]
    found = [line for line in lines(text_map(picture)) if line.sure >= SURE and line.cap >= READABLE]
    return {
        f"{frame}-{n}": Seen(
            frame, (left * factor, top * factor, right * factor, bottom * factor), 1.0, line.cap * factor
        )
        for n, line in enumerate(found)
        for left, top, right, bottom in [line.letters]
    }


@dataclass(frozen=True)
class _Shown:
    """Frames of a video to gaze at, each with the one before it, and the texts they show by question.

    told: what is known of each pair beside pixels. prompts: of the questions, for selectors that look by them.
    """

    size: tuple[int, int]
    pairs: dict[int, Picture]
    texts: dict[int, dict[str, Seen]]
    told: dict[int, Context]
    prompts: Mapping[str, str]

    @classmethod
    def of(
        cls,
        video: Video,
        size: tuple[int, int],
        texts: dict[int, dict[str, Seen]],
        needs: Collection[str],
        prompts: Mapping[str, str] | None = None,
    ) -> "_Shown":
        before = {frame: max(0, frame - 1) for frame in texts}
        wanted = sorted({*texts, *before.values()})
        pictures = dict(zip(wanted, video.frames(wanted, size), strict=True))
        source, cut = told_of(video, wanted, size, needs), Tiling.of(*size).split
        told = {t: source.context(tuple(needs), [before[t], t], cut) or Context() for t in texts}
        pairs = {t: np.stack([pictures[before[t]], pictures[t]]) for t in texts}
        return cls(size, pairs, texts, told, prompts or {})

    def gazed(
        self, chosen: Mapping[str, Selector], ratios: Sequence[float]
    ) -> Iterator[tuple[str, dict[str, Any]]]:
        """(question, its row) of every selector and ratio; what was measured before comes from disk."""
        for (name, selector), ratio in product(chosen.items(), ratios):
            path = state_root() / "recall" / f"{self._key(selector, ratio)}.json"
            if not path.is_file():
                write_json(path, self._look(selector, ratio), indent=None)
            spent, best = json.loads(path.read_text(encoding="utf-8"))
            told = {"selector": name, "ratio": ratio, "tokens": spent}
            yield from ((key, told | {"covered": covered}) for key, covered in best.items())

    def _look(self, selector: Selector, ratio: float) -> tuple[float, dict[str, float]]:
        """The share of tokens spent, and the best coverage of each question."""
        tiling = Tiling.of(*self.size)
        best: dict[str, float] = {}
        spent = []
        aware = "question" in needs_of(selector)
        for frame, texts in self.texts.items():
            pair = self.pairs[frame] if selector.history else self.pairs[frame][1:]
            for keys in ([key] for key in texts) if aware else [list(texts)]:
                context = self._context(frame, len(pair), keys[0])
                cells = _cells(selector, tiling, pair, ratio, context)
                spent.append(sum(int(grid.sum()) for grid in cells) / int(tiling.valid.sum()))
                for key in keys:
                    covered = coverage(texts[key], cells, SCALES[-1], self.size)
                    best[key] = max(best.get(key, 0.0), covered)
        return float(np.mean(spent)) if spent else 0.0, best

    def _context(self, frame: int, shown: int, key: str) -> Context:
        """Of the last `shown` frames of a pair, and of one question."""
        times, codec = self.told[frame].times, self.told[frame].codec
        return Context(
            None if times is None else times[-shown:],
            None if codec is None else codec[:, -shown:],
            self.prompts.get(key),
        )

    def _key(self, selector: Selector, ratio: float) -> str:
        """All that decides about `_look`: pictures, texts, ratio, the selector's settings, its code and ours."""
        pictures = [hashlib.sha256(pair.data).hexdigest() for pair in self.pairs.values()]
        texts = {
            str(frame): {key: asdict(one) for key, one in here.items()} for frame, here in self.texts.items()
        }
        asked = dict(self.prompts) if "question" in needs_of(selector) else None
        code = [code_digest(module) for module in (__name__, type(selector).__module__)]
        return hash_of(
            {
                "pictures": pictures,
                "texts": texts,
                "ratio": ratio,
                "asked": asked,
                "selector": selector.settings(),
                "code": code,
            }
        )


def _sightings(
    questions: Sequence[Question], boxes: Mapping[str, list[Seen]], frames: Sequence[int], width: int
) -> dict[int, dict[str, Seen]]:
    """Per frame: the readable sightings of each question there."""
    shown: dict[int, dict[str, Seen]] = {frame: {} for frame in frames}
    for question in questions:
        for sighting in boxes.get(question.id, ()):
            if sighting.frame in shown and sighting.visible >= VISIBLE and can_be_read(sighting, width):
                shown[sighting.frame][question.id] = sighting
    return shown


def _busiest(shown: Mapping[int, Mapping[str, Seen]]) -> list[int]:
    """Frames that together show the most questions, greedily."""
    chosen: list[int] = []
    seen: set[str] = set()
    for _ in range(LOOKED):
        frame = max(shown, key=lambda f: (len(set(shown[f]) - seen), -f))
        if set(shown[frame]) - seen:
            chosen.append(frame)
            seen |= set(shown[frame])
    return chosen


def _needs(chosen: Mapping[str, Selector]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(need for selector in chosen.values() for need in needs_of(selector)))


def _cells(selector: Selector, tiling: Tiling, frames: Picture, ratio: float, context: Context) -> list[Mask]:
    """The patches chosen in the last of `frames`, per scale over the whole picture."""
    told = context.only(needs_of(selector))
    asked = {"ratio": ratio, "valid": tiling.valid, "layout": tiling.layout}
    with torch.no_grad():
        gaze = look(selector, tiling.split(frames), told, **asked)
    return [tiling.join_patches(mask)[-1] for mask in gaze.scale_masks()]
