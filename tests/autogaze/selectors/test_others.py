"""Selectors of other people: found by entry point or import path, checked by rules that can fail."""

import json
import re
import socket
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import pytest
import torch
from torch import Tensor

from autogaze import selectors
from autogaze.gaze import Gaze
from autogaze.selectors.base import Layout, ScoredSelector
from autogaze.selectors.conformance import Case, check
from autogaze.selectors.context import Context
from autogaze.selectors.pyramid import at_scale, luma, patch_mean, tokens
from autogaze.selectors.question import Wanted, read

PAGE = Path(__file__).parents[3] / "docs" / "selectors.md"


@pytest.mark.parametrize("name", ["detail", "codec", "question", "rgb_diff", "everything"])
def test_ours_keep_every_rule(name: str) -> None:
    assert [finding for finding in check(selectors.get(name)) if not finding.ok] == []


@dataclass(frozen=True)
class Base(ScoredSelector):
    name: ClassVar[str] = "base"
    history: ClassVar[int | None] = 0

    def scores(self, clips: Tensor, layout: Layout | None) -> Tensor:
        return tokens([patch_mean(at_scale(luma(clips), scale)) for scale in (32, 64, 112, 224)])


class Whole(Base):
    """Compares with the mean of all clips of the call: depends on company, and on frames to come."""

    def scores(self, clips: Tensor, layout: Layout | None) -> Tensor:
        return super().scores((clips - clips.mean((0, 1))).abs(), layout)


class Greedy(Base):
    def select(self, clips: Tensor, **asked: Any) -> Gaze:
        return super().select(clips, **{**asked, "ratio": 0.5})


class Forgetful(Base):
    def select(self, clips: Tensor, **asked: Any) -> Gaze:
        return super().select(clips, **{**asked, "valid": None})


class Drawn(Base):
    def scores(self, clips: Tensor, layout: Layout | None) -> Tensor:
        return torch.rand(*clips.shape[:2], 265)


class Writes(Base):
    def scores(self, clips: Tensor, layout: Layout | None) -> Tensor:
        return super().scores(clips.mul_(0.5), layout)


class Counts(Base):
    """Remembers how often it was asked."""

    asked = 0

    def scores(self, clips: Tensor, layout: Layout | None) -> Tensor:
        Counts.asked += 1
        return super().scores(clips, layout).roll(Counts.asked, -1)


class Ahead(Base):
    """Looks at the frame to come."""

    def scores(self, clips: Tensor, layout: Layout | None) -> Tensor:
        return super().scores((clips - clips.roll(-1, 1)).abs(), layout)


class AheadOfAll(Ahead):
    history: ClassVar[int | None] = None


class Back(Base):
    """Looks at two frames before, and says that one is enough."""

    history: ClassVar[int | None] = 1

    def scores(self, clips: Tensor, layout: Layout | None) -> Tensor:
        before = torch.cat([clips[:, :1], clips[:, :1], clips[:, :-2]], 1)[:, : clips.shape[1]]
        return super().scores((clips - before).abs(), layout)


class Beside(Base):
    """Compares with the first clip of the call."""

    def scores(self, clips: Tensor, layout: Layout | None) -> Tensor:
        return super().scores((clips - 0.5 * clips[:1]).abs(), layout)


class Unsaid(Base):
    def settings(self) -> dict[str, Any]:
        return {"name": self.name, "weights": torch.zeros(1)}


class Wants(Base):
    needs: ClassVar[tuple[str, ...]] = ("answer",)


class Takes(Base):
    """Reaches for the answer in what it was given for a question."""

    needs: ClassVar[tuple[str, ...]] = ("question",)

    def scores_in(self, clips: Tensor, layout: Layout | None, context: Context) -> Tensor:
        return self.scores(clips, layout) + len(context.answer)  # type: ignore[attr-defined]


class LooksUp(Base):
    """Reads a file where answers could stand, at each question anew."""

    def scores(self, clips: Tensor, layout: Layout | None) -> Tensor:
        Path(__file__).parents[3].joinpath("README.md").read_bytes()
        return super().scores(clips, layout)


class Asks(Base):
    """Asks somebody else."""

    def scores(self, clips: Tensor, layout: Layout | None) -> Tensor:
        with suppress(OSError), socket.socket() as wire:
            wire.connect(("127.0.0.1", 9))
        return super().scores(clips, layout)


LOOKING = [
    *("keeps the budget", "leaves padding alone", "is repeatable", "does not depend on company"),
    *("streams", "leaves the clips alone", "looks no answer up"),
]
"""Rules that have it look."""


@pytest.mark.parametrize(
    ("kind", "broken"),
    [
        (Base, []),
        (Whole, ["does not depend on company", "streams"]),
        (Greedy, ["keeps the budget", "refuses other ratios"]),
        (Forgetful, ["keeps the budget", "leaves padding alone"]),
        (Drawn, ["is repeatable", "does not depend on company", "streams"]),
        (Writes, ["leaves the clips alone"]),
        (Counts, ["is repeatable", "does not depend on company", "streams"]),
        (Ahead, ["streams"]),
        (AheadOfAll, ["streams"]),
        (Back, ["streams"]),
        (Beside, ["does not depend on company"]),
        (Unsaid, ["settings are JSON"]),
        (Wants, ["is a selector", *LOOKING, "refuses other ratios"]),
        (Takes, LOOKING),
        (LooksUp, ["looks no answer up"]),
        (Asks, ["looks no answer up"]),
    ],
)
def test_what_breaks_a_rule_is_found(kind: type[Base], broken: list[str]) -> None:
    assert [finding.rule for finding in check(kind()) if not finding.ok] == broken


def test_the_answer_cannot_be_asked_for() -> None:
    with pytest.raises(ValueError, match="needs 'answer'; there are: times, codec, question"):
        selectors.needs_of(Wants())


def test_a_need_that_is_not_met_is_named(noise: Tensor) -> None:
    with pytest.raises(ValueError, match="selector 'codec' needs codec; pass context"):
        selectors.get("codec").select(noise, ratio=0.1)


def test_the_codec_tells_where_it_moved(noise: Tensor) -> None:
    """Motion at one place of the second frame, all else skipped; the pixels are noise and say nothing."""
    codec = torch.zeros(1, 2, 3, 224, 224)
    codec[0, 1, 0, 64:96, 128:160] = 0.5
    gaze = selectors.get("codec").select(noise[:1], ratio=0.02, context=Context(codec=codec))
    finest = gaze.scale_masks()[-1][0, 1]
    coarse = gaze.scale_masks()[0][0, 1]
    assert finest[4:6, 8:10].sum() + coarse[0, 1] >= 1 and gaze.per_frame == (5, 5)
    assert finest.sum() == finest[4:6, 8:10].sum()
    key = codec.clone()
    key[:, :, 1] = 1  # a key frame: all is coded anew, which tells nothing apart
    same = selectors.get("codec").select(noise[:1], ratio=0.02, context=Context(codec=key))
    assert torch.equal(same.masks(), gaze.masks())


QUESTION = "What does the {} text on the {} sign say?\nA. EXIT 38B\nB. EXIT 35B"


def _sign(clips: Tensor, row: int, column: int, ink: tuple[float, ...], ground: tuple[float, ...]) -> None:
    """A sign of 64 x 64 px with upright strokes, the same for all colours."""
    sign = torch.tensor(ground).view(3, 1, 1).repeat(1, 64, 64)
    for stroke in range(8, 56, 8):
        sign[:, 16:48, stroke : stroke + 3] = torch.tensor(ink).view(3, 1, 1)
    clips[:, :, :, row : row + 64, column : column + 64] = sign


def test_the_question_tells_where_to_look() -> None:
    """Three signs alike but for their colours; the gaze goes to the one that is asked about."""
    clips = torch.full((1, 1, 3, 224, 224), 0.5)
    white, green, black, yellow = (0.95, 0.95, 0.92), (0.0, 0.38, 0.24), (0.1, 0.1, 0.1), (0.96, 0.82, 0.14)
    places = {("white", "green"): (16, 16), ("black", "yellow"): (16, 144), ("black", "white"): (144, 80)}
    for (ink, ground), place in places.items():
        shades = {"white": white, "green": green, "black": black, "yellow": yellow}
        _sign(clips, *place, shades[ink], shades[ground])
    for named, (row, column) in places.items():
        told = Context(question=QUESTION.format(*named))
        finest = selectors.get("question").select(clips, ratio=0.06, context=told).scale_masks()[-1][0, 0]
        on_it = finest[row // 16 : row // 16 + 4, column // 16 : column // 16 + 4].sum()
        assert finest.sum() >= 4 and on_it == finest.sum(), named
    plain = Context(question="What is written there?\nA. EXIT")
    blind, detail = selectors.get("question"), selectors.get("detail")
    same = blind.select(clips, ratio=0.06, context=plain), detail.select(clips, ratio=0.06)
    assert torch.equal(same[0].masks(), same[1].masks())


@pytest.mark.parametrize(
    ("text", "ink", "ground"),
    [
        ("What does the white text on the green road sign say?\nA. RED 1\nB. RED 2", ("white",), ("green",)),
        ("What is written in red on the white jersey?", ("red",), ("white",)),
        ("Which words in black?", ("black",), ()),
        ("Who drives in red cars?", (), ("red",)),
        ("What is on the silver-and-Blue bus?", (), ("grey", "blue")),
        ("What do the large black capital letters read?", ("black",), ()),
        ("Which colour is the box?\nA. red\nB. dark green", (), ("red", "green")),
        ("What does it say?\nA. EXIT 3\nB. EXIT 8", (), ()),
    ],
)
def test_colours_of_a_question(text: str, ink: tuple[str, ...], ground: tuple[str, ...]) -> None:
    assert read(text) == Wanted(ink, ground)


def test_the_page_s_example_is_a_selector_of_twenty_lines(
    tmp_path: Path, distribution: Callable[[str, str, str], None]
) -> None:
    """docs/selectors.md, as a stranger would use it: a package of one's own, an entry point, the check."""
    (code,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.S)
    assert len(code.splitlines()) <= 25
    (tmp_path / "warm.py").write_text(code)
    distribution("warm", "autogaze.selectors", "warm:Warm")
    script = (
        "import json, sys; sys.path.insert(0, sys.argv[1])\n"
        "from autogaze import selectors\n"
        "from autogaze.selectors.conformance import check\n"
        "both = [selectors.get('warm'), selectors.get('warm:Warm')]\n"
        "print(json.dumps([[f.rule for f in check(one) if not f.ok] for one in both]"
        " + ['warm' in selectors.names(), selectors.foreign('warm'), selectors.foreign('detail')]))"
    )
    run = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True, check=True
    )
    first, second, listed, theirs, ours = json.loads(run.stdout)
    assert first == second == [] and listed and theirs == "warm" and ours is None


@pytest.mark.parametrize("name", ["no_such_module:Mine", "autogaze.selectors.detail:Detial"])
def test_a_class_that_is_not_there_is_named(name: str) -> None:
    with pytest.raises(ValueError, match=f"selector '{name}': {name} cannot be imported .*PYTHONPATH"):
        selectors.get(name)


def test_the_case_has_padding_motion_and_all_that_can_be_needed() -> None:
    case = Case.make()
    assert not case.valid.all() and case.context.lacks(("times", "codec", "question")) == []
    assert not torch.equal(case.clips[:, 0], case.clips[:, 1])
