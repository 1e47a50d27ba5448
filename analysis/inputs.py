"""What figures are made from: the user's own folders where given, else what this machine can generate.

`inputs.looker()` is AutoGaze where weights are bundled or named, else `detail`; captions always say which.
"""

import importlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from hlvid.errors import RunError
from hlvid.paths import state_root

if TYPE_CHECKING:
    from autogaze.selectors.base import Selector

COMPARED = ("autogaze", "detail", "rgb_diff", "optical_flow", "centre", "random", "coarse_first")
"""Selectors that are set against each other, in the order of legends; those this version lacks are left out."""

GIVEN = {
    "codec": "looks where an encoder spent effort, which generated clips do not tell; give --videos",
    "question": "looks by a question, which clips do not have; give one with --question",
}
"""What a selector may need, and how it is given to a figure about clips."""


@dataclass(frozen=True)
class Inputs:
    """Everything a figure may draw on.

    videos: files or folders of videos; none: clips generated with known motion.
    images: a folder of pictures for `detail`; none: frames of the clips.
    chairs: FlyingChairs' folder (`data/*_img1.ppm`, ...) for `motion`.
    dataset: what `hlvid.dataset.load` takes, for the figures about the benchmark.
    records: folders searched for finished runs, sweeps and latency measurements.
    selector, checkpoint: whose gaze is studied; None: AutoGaze where there are weights, else `detail`.
    question: what a query-aware selector looks by.
    clips: how many clips of 16 frames. cache: where measurements are kept; again: make them anew.
    seed: of all that is drawn.
    """

    videos: tuple[Path, ...] = ()
    images: Path | None = None
    chairs: Path | None = None
    dataset: str = "mini"
    records: tuple[Path, ...] = (Path("runs"),)
    selector: str | None = None
    checkpoint: str | None = None
    question: str | None = None
    clips: int = 24
    seed: int = 0
    again: bool = False
    cache: Path = field(default_factory=lambda: state_root() / "figures")

    def check(self, named: Sequence[Path] = ()) -> None:
        """Refuse what was misspelt before anything is measured or written; `named` are folders of records.

        Raises RunError naming the option, its value and the remedy.
        """
        for option, paths in (("--videos", self.videos), ("--images", (self.images,)), ("--chairs", (self.chairs,)),
                              ("--records", named)):  # fmt: skip
            for path in paths:
                if path is not None and not path.exists():
                    raise RunError(f"{option} {path}: no such file or folder; correct it or leave it out")
                if path is not None and option != "--videos" and not path.is_dir():
                    raise RunError(f"{option} {path}: is a file; give the folder")
        if self.selector is not None:
            from autogaze import selectors

            if not selectors.known(self.selector):
                there = ", ".join(selectors.names())
                raise RunError(f"--selector {self.selector}: there is none of that name; there are: {there}")

    def dataset_root(self) -> Path:
        """The dataset's folder; HLVid-Mini of the default preset is made where it is asked for and missing.

        Raises DatasetError where another dataset is not there.
        """
        from hlvid.dataset import locate
        from hlvid.mini import make

        return make() if self.dataset == "mini" else locate(self.dataset).root

    def weights(self) -> str | None:
        """AutoGaze's checkpoint: the one named, else the bundled one, else None."""
        if self.checkpoint:
            return self.checkpoint
        try:
            found = importlib.import_module("autogaze.weights").bundled()
        except (ImportError, ValueError):  # no such module, or no weights in it
            return None
        return str(found)

    @property
    def tells(self) -> frozenset[str]:
        """What is known of the clips beside pixels: of videos the codec, too; the question where one is given."""
        known = {"times": True, "codec": bool(self.videos), "question": self.question is not None}
        return frozenset(name for name, there in known.items() if there)

    def needs(self) -> tuple[str, ...]:
        """What the selector that was named needs beside pixels."""
        from autogaze import selectors

        return tuple(getattr(selectors.kind_of(self.selector), "needs", ())) if self.selector else ()

    def looker(self, tells: Collection[str] | None = None) -> "Selector":
        """The selector whose gaze is studied; see `named`."""
        return self.named(self.selector or ("autogaze" if self.weights() else "detail"), tells)

    def named(self, name: str, tells: Collection[str] | None = None) -> "Selector":
        """A selector by name, AutoGaze with its weights.

        tells: what a figure can tell it beside pixels; None for `self.tells`.
        Raises RunError for a name that is unknown, AutoGaze without weights, or one that needs more.
        """
        from autogaze import selectors

        settings = {"checkpoint": self.weights()} if name == "autogaze" else {}
        known = self.tells if tells is None else tells
        try:
            found = selectors.get(name, **settings)
            lacking = [need for need in selectors.needs_of(found) if need not in known]
            if lacking and (tells is not None or lacking[0] not in GIVEN):
                selectors.by_pixels(found)
        except ValueError as error:
            raise RunError(str(error)) from error
        if lacking:
            raise RunError(f"--selector {name} {GIVEN[lacking[0]]}; or run: hlvid demo --selector {name}")
        return found

    def compared(self, tells: Collection[str] | None = None) -> list["Selector"]:
        """Every selector that can be set against the others on this machine, in the order of legends; last a user's."""
        from autogaze import selectors

        there = [name for name in COMPARED if name in selectors.names()]
        if self.selector is not None and self.selector not in there:
            there.append(self.selector)
        made = [self.named(name, tells) for name in there if name != "autogaze" or self.weights()]
        return list({one.name: one for one in made}.values())  # a user's takes the place of ours of its name

    def describe(self, selector: "Selector") -> str:
        """The selector as a caption names it: with the weights that were used, if it has any."""
        settings = selector.settings()
        if "weights" not in settings:
            return f"selector {selector.name} (no learned weights)"
        kind = "the bundled checkpoint" if not self.checkpoint else f"checkpoint {Path(self.checkpoint).name}"
        return f"AutoGaze with {kind} (weights {str(settings['weights']).rpartition(':')[2][:8]})"
