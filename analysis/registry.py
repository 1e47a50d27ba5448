"""Every figure and table by name: which module draws it, and what of the paper it answers.

Example::

    find("motion").paper                       # "Figure 4"
    made = find("motion").load().make(inputs)

A new figure is one module with `make(inputs) -> Made` and one line here.
"""

import importlib
from dataclasses import dataclass
from typing import Any

from hlvid.errors import RunError


@dataclass(frozen=True)
class Entry:
    """name: on the command line. paper: its counterpart there ("new" where it has none). title: in one line."""

    name: str
    paper: str
    title: str

    def load(self) -> Any:
        """The module, imported now; it has `make(inputs: Inputs) -> Made`."""
        return importlib.import_module(f"analysis.figures.{self.name}")


ENTRIES = (
    Entry("teaser", "Figure 1", "One clip, what is looked at, and what that saves"),
    Entry("gaze_examples", "Figures 2, 6, 11, 14-30", "Frames, gazed patches by scale, rebuilt frames"),
    Entry("motion", "Figure 4", "Gaze against optical flow, by scale"),
    Entry("detail", "Figure 5", "Scale of gaze against Laplacian variance"),
    Entry("ood", "Figure 6", "Does the gaze hold when clips are changed?"),
    Entry("ratio_vs_loss", "Figure 7, left", "Reconstruction loss against gazing ratio, both normalisations"),
    Entry("redundancy", "Figure 7, right", "Gazing ratio needed for a loss, by FPS and resolution"),
    Entry("latency", "Figure 8", "Seconds for one second of video, with and without gazing"),
    Entry("scaling", "Figure 9", "Accuracy against frames, then resolution; tokens; out of memory"),
    Entry("selectors", "Figure 10", "Loss against ratio for every selector"),
    Entry("agreement", "new", "How alike selectors choose, by scale and frame"),
    Entry("streaming", "Figure 12", "Highest frame rate that keeps up in real time"),
    Entry("hlvid_examples", "Figure 13", "Questions with the frame and the text they ask for"),
    Entry("hlvid_stats", "the benchmark", "Durations, recordings, categories, question types, detail"),
    Entry("evidence", "new", "Evidence recall: is the asked text looked at finely enough?"),
    Entry("camera", "new", "Gazing ratio needed against the speed of the camera"),
    Entry("main_table", "Table 1", "Accuracy of all models on all benchmarks"),
    Entry("token_reduction", "Table 2", "Token reduction: seconds and accuracy"),
    Entry("training_stages", "Table 3", "Gazing ratio needed after each stage of training"),
    Entry("multi_token", "Table 4", "Tokens a step, one scale or several: ratio and latency"),
    Entry("loss_threshold", "Table 5", "Accuracy by the loss at which gazing stops"),
)


def names() -> tuple[str, ...]:
    """All names, in the order in which `--all` makes them."""
    return tuple(entry.name for entry in ENTRIES)


def find(name: str) -> Entry:
    """The entry of that name; RunError listing the names for an unknown one."""
    for entry in ENTRIES:
        if entry.name == name:
            return entry
    raise RunError(f"figure {name!r} is unknown; there are: {', '.join(names())}")
