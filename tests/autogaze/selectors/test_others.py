"""Selectors of other people: found by entry point or import path, checked by rules that can fail."""

import json
import re
import subprocess
import sys
from collections.abc import Callable
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

PAGE = Path(__file__).parents[3] / "docs" / "selectors.md"


@pytest.mark.parametrize("name", ["detail", "codec", "rgb_diff", "everything"])
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


class Wants(Base):
    needs: ClassVar[tuple[str, ...]] = ("answer",)


@pytest.mark.parametrize(
    ("kind", "broken"),
    [
        (Base, []),
        (Whole, ["does not depend on company", "streams"]),
        (Greedy, ["keeps the budget", "refuses other ratios"]),
        (Forgetful, ["keeps the budget", "leaves padding alone"]),
        (Drawn, ["is repeatable", "does not depend on company", "streams"]),
        (Writes, ["leaves the clips alone"]),
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
    first, second, listed, code_hash, ours = json.loads(run.stdout)
    assert first == second == [] and listed and len(code_hash) == 16 and ours is None


@pytest.mark.parametrize("name", ["no_such_module:Mine", "autogaze.selectors.detail:Detial"])
def test_a_class_that_is_not_there_is_named(name: str) -> None:
    with pytest.raises(ValueError, match=f"selector '{name}': {name} cannot be imported .*PYTHONPATH"):
        selectors.get(name)


def test_the_case_has_padding_motion_and_all_that_can_be_needed() -> None:
    case = Case.make()
    assert not case.valid.all() and case.context.lacks(("times", "codec", "question")) == []
    assert not torch.equal(case.clips[:, 0], case.clips[:, 1])
