"""Does a selector keep what the protocol promises? Run on one's own before it is put into a model.

Rules: it is a `Selector`; its settings are JSON; budgets are kept, of a picture or of a tile; padding is never chosen;
the same clips give the same gaze, alone or beside others; what is streamed with the `history` it declares equals the
whole; the clips are left as they were; no file and no server is asked while it gazes, where answers could be looked up;
a ratio outside (0, 1] is refused by name.
"""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor

from autogaze.gaze import Gaze, tokens_per_frame
from autogaze.selectors.base import Selector, look, needs_of
from autogaze.selectors.budget import allowance
from autogaze.selectors.context import Context

FRAMES, LAYOUT, RATIO = 6, (2, 2), 0.1


@dataclass(frozen=True)
class Finding:
    """rule: what is promised, in words. ok: whether it held. said: what was seen, or the error."""

    rule: str
    ok: bool
    said: str


@dataclass(frozen=True)
class Case:
    """Four tiles of one generated picture, six frames: something moves over texture, the last tile is half padding."""

    clips: Tensor
    valid: Tensor
    context: Context

    @classmethod
    def make(cls, seed: int = 0) -> "Case":
        """The same for the same seed."""
        draw = torch.Generator().manual_seed(seed)
        cells = torch.rand(1, 3, 56, 56, generator=draw)
        ground = torch.nn.functional.interpolate(cells, size=(448, 448), mode="bilinear")[0]
        frames = ground.repeat(FRAMES, 1, 1, 1)
        for t in range(FRAMES):
            frames[t, :, 100:160, 40 + 40 * t : 100 + 40 * t] = torch.rand(3, 60, 60, generator=draw)
        codec = torch.rand(FRAMES, 3, 448, 448, generator=draw)
        valid = torch.ones(4, tokens_per_frame(), dtype=torch.bool)
        valid[-1, ::2] = False
        times = torch.arange(FRAMES, dtype=torch.float64) / 2
        return cls(
            _tiles(frames), valid, Context(times, _tiles(codec), "What does the sign say?\nA. EXIT\nB. STOP")
        )

    def look(self, selector: Selector, frames: slice, tiles: slice = slice(None), whole: bool = True) -> Gaze:
        """The gaze of some frames of some tiles; whole: as tiles of one picture."""
        told = self.context
        assert told.times is not None and told.codec is not None
        given = replace(told, times=told.times[frames], codec=told.codec[tiles, frames])
        clips = self.clips[tiles, frames].clone()
        ratio = 1.0 if selector.name == "everything" else RATIO
        valid = self.valid[tiles]
        told = given.only(needs_of(selector))
        return look(selector, clips, told, ratio=ratio, valid=valid, layout=LAYOUT if whole else None)


def check(selector: Selector, seed: int = 0) -> list[Finding]:
    """Every rule on a generated picture; needs no video and takes seconds."""
    case = Case.make(seed)
    return [_finding(rule, test, selector, case) for rule, test in RULES.items()]


def _finding(rule: str, test: Callable[[Selector, Case], str], selector: Selector, case: Case) -> Finding:
    try:
        return Finding(rule, True, test(selector, case))
    except Exception as error:  # whatever a stranger's code raises is what is reported
        return Finding(rule, False, f"{type(error).__name__}: {error}")


def _protocol(selector: Selector, case: Case) -> str:
    name, history, most = selector.name, selector.history, selector.clip_frames
    assert isinstance(name, str) and name, f"name is {name!r}, expected a text"
    for what, value in (("history", history), ("clip_frames", most)):
        assert value is None or (isinstance(value, int) and value >= 0), (
            f"{what} is {value!r}, expected None or a number"
        )
    return f"history {history}, clip_frames {most}, needs {', '.join(needs_of(selector)) or 'pixels alone'}"


def _settings(selector: Selector, case: Case) -> str:
    return json.dumps(selector.settings(), sort_keys=True)


def _budget(selector: Selector, case: Case) -> str:
    taken = case.look(selector, slice(None)).masks().sum((0, 2))
    ratio = 1.0 if selector.name == "everything" else RATIO
    of_tiles = allowance(ratio, FRAMES, case.valid).sum(0)
    of_picture = allowance(ratio, FRAMES, case.valid.flatten()[None])[0]
    most = torch.maximum(of_tiles, of_picture)
    assert (taken <= most).all(), f"{taken.tolist()} tokens a frame, at most {most.tolist()} were asked for"
    return f"{taken.tolist()} tokens a frame of at most {most.tolist()}"


def _padding(selector: Selector, case: Case) -> str:
    masks = case.look(selector, slice(None)).masks()
    chosen = int((masks & ~case.valid[:, None]).sum())
    assert not chosen, f"{chosen} tokens of padding were chosen"
    return "none chosen"


def _same(selector: Selector, case: Case) -> str:
    first = case.look(selector, slice(None)).masks()
    Case.make(1).look(selector, slice(None))
    assert torch.equal(first, case.look(selector, slice(None)).masks()), "another gaze after another picture"
    return "twice, with another picture in between"


def _company(selector: Selector, case: Case) -> str:
    together = case.look(selector, slice(None), whole=False).masks()
    for n in range(len(case.clips)):
        alone = case.look(selector, slice(None), slice(n, n + 1), whole=False).masks()
        assert torch.equal(alone[0], together[n]), f"clip {n} is gazed otherwise alone than beside others"
    return "each of four clips alone"


def _stream(selector: Selector, case: Case) -> str:
    whole, history = case.look(selector, slice(None)).masks(), selector.history
    if history is None:
        part = case.look(selector, slice(0, FRAMES // 2)).masks()
        assert torch.equal(part, whole[:, : FRAMES // 2]), "frames to come change the gaze of earlier ones"
        return "earlier frames do not depend on later ones"
    for t in range(FRAMES):
        start = max(0, t - history)
        now = case.look(selector, slice(start, t + 1)).masks()[:, -1]
        assert torch.equal(now, whole[:, t]), f"frame {t} with {t - start} earlier frames is gazed otherwise"
    return f"frame by frame with {history} earlier ones"


def _untouched(selector: Selector, case: Case) -> str:
    clips = case.clips.clone()
    given = case.context.only(needs_of(selector))
    ratio = 1.0 if selector.name == "everything" else RATIO
    look(selector, clips, given, ratio=ratio, valid=case.valid, layout=LAYOUT)
    assert torch.equal(clips, case.clips), "the clips that were passed have changed"
    return "unchanged"


def _blind_to_answers(selector: Selector, case: Case) -> str:
    """The context holds no answer; so what is left is to look it up. The first look may load weights."""
    case.look(selector, slice(None))
    other = replace(case.context, question="What does the label say?\nA. RICE\nB. SALT")
    with _watched() as touched:
        replace(case, context=other).look(selector, slice(None))
    assert not touched, f"something was looked up while it gazed: {', '.join(touched[:3])}"
    return "nothing was opened or asked for beside what it was handed"


def _refusal(selector: Selector, case: Case) -> str:
    given = case.context.only(needs_of(selector))
    for ratio in (0.0, 1.5, float("nan")):
        try:
            look(selector, case.clips, given, ratio=ratio, valid=case.valid, layout=LAYOUT)
        except ValueError as error:
            assert "ratio" in str(error), f"ratio {ratio} is refused without naming it: {error}"
        else:
            raise AssertionError(f"ratio {ratio} is taken")
    return "0, 1.5 and NaN"


RULES: dict[str, Callable[[Selector, Case], str]] = {
    "is a selector": _protocol,
    "settings are JSON": _settings,
    "keeps the budget": _budget,
    "leaves padding alone": _padding,
    "is repeatable": _same,
    "does not depend on company": _company,
    "streams": _stream,
    "leaves the clips alone": _untouched,
    "looks no answer up": _blind_to_answers,
    "refuses other ratios": _refusal,
}


_watchers: list[list[str]] = []


@contextmanager
def _watched() -> Iterator[list[str]]:
    """The files that are opened and the addresses that are connected to, in any thread."""
    _install_hook()
    touched: list[str] = []
    _watchers.append(touched)
    try:
        yield touched
    finally:
        _watchers.remove(touched)


@lru_cache(maxsize=1)
def _install_hook() -> None:
    """Python's audit hooks stay for good, so there is one, which does nothing while nobody watches."""

    def note(event: str, given: tuple[Any, ...]) -> None:
        if _watchers and event in ("open", "socket.connect"):
            what = str(given[0] if event == "open" else given[1])
            if not what.startswith(("/proc/", "/sys/", "/dev/")) and not what.endswith((".py", ".pyc")):
                _watchers[-1].append(what)

    sys.addaudithook(note)


def _tiles(frames: Tensor) -> Tensor:
    """(T, 3, 448, 448) -> (4, T, 3, 224, 224), row by row."""
    T = len(frames)
    return frames.view(T, 3, 2, 224, 2, 224).permute(2, 4, 0, 1, 3, 5).reshape(4, T, 3, 224, 224).contiguous()
