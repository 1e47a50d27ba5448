"""A figure from its name to its files: what there is, what a module gives back, what is written.

A new figure is one module in `analysis.figures` with `make(inputs) -> Made` and one line in `ENTRIES`. A module that
needs records of runs that nobody has made raises `MissingRecordsError` with the command that makes them: the paper's
values alone never pass as a result of ours. One figure that fails does not stop the others of `--all`.
"""

import html
import importlib
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from analysis.inputs import Inputs
from hlvid.errors import HlvidError, RunError

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure


class MissingRecordsError(HlvidError):
    """A figure needs data that is not here; `command` makes it."""

    def __init__(self, what: str, command: str) -> None:
        super().__init__(f"{what}; make it with: {command}")
        self.what, self.command = what, command


@dataclass(frozen=True)
class Made:
    """A figure or table, ready to be written.

    numbers: every number that is drawn, tidy; columns `whose` ("ours", "paper") and `precision` ("measured",
        "printed", "read") tell our results from the paper's.
    caption: what was run, on what, with n and how the intervals were made.
    draw: makes the picture; called with the house style switched on.
    texts: further files by suffix, for example {".md": "...", ".tex": "..."}.
    missing: what a part of the figure still needs, as a `MissingRecordsError`; None where all of it is there.
    """

    numbers: "pd.DataFrame"
    caption: str
    draw: Callable[[], "Figure"]
    texts: Mapping[str, str] = field(default_factory=dict)
    missing: MissingRecordsError | None = None


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


@dataclass(frozen=True)
class Outcome:
    """What became of one figure.

    files: what was written, empty where nothing could be. missing: what it or a part of it needs.
    error: why it failed otherwise.
    """

    entry: Entry
    seconds: float
    files: tuple[Path, ...] = ()
    caption: str = ""
    missing: MissingRecordsError | None = None
    error: str | None = None


def produce(name: str, inputs: Inputs, out: Path) -> Outcome:
    """Make one figure and write its files into `out`.

    Raises MissingRecordsError (or another HlvidError) where it cannot be made.
    """
    entry, start = find(name), time.monotonic()
    made: Made = entry.load().make(inputs)
    files = write(name, made, out)
    return Outcome(entry, time.monotonic() - start, files, made.caption, made.missing)


def produce_all(inputs: Inputs, out: Path, tell: Callable[[Outcome], None] = lambda _: None) -> list[Outcome]:
    """Every figure, in the registry's order; one that cannot be made says why and the rest go on."""
    outcomes = []
    for name in names():
        start = time.monotonic()
        try:
            outcome = produce(name, inputs, out)
        except MissingRecordsError as need:
            outcome = Outcome(find(name), time.monotonic() - start, missing=need)
        except HlvidError as error:
            outcome = Outcome(find(name), time.monotonic() - start, error=str(error))
        except Exception:  # a defect of one figure must not cost the others; the traceback is shown
            outcome = Outcome(find(name), time.monotonic() - start, error=traceback.format_exc())
        tell(outcome)
        outcomes.append(outcome)
    return outcomes


def write(name: str, made: Made, out: Path) -> tuple[Path, ...]:
    """All files of one figure; returns their paths."""
    from matplotlib import pyplot as plt

    from analysis.style import PNG_DPI, house

    out.mkdir(parents=True, exist_ok=True)
    paths = [out / f"{name}.pdf", out / f"{name}.png", out / f"{name}.csv", out / f"{name}.txt"]
    with house():
        figure = made.draw()
        # Without the date two runs of the same data give the same bytes.
        figure.savefig(paths[0], metadata={"CreationDate": None})
        figure.savefig(paths[1], dpi=PNG_DPI)
        plt.close(figure)
    made.numbers.to_csv(paths[2], index=False, float_format="%.6g")
    paths[3].write_text(made.caption + "\n", encoding="utf-8")
    for suffix, text in made.texts.items():
        paths.append(out / f"{name}{suffix}")
        paths[-1].write_text(text, encoding="utf-8")
    return tuple(paths)


def write_index(outcomes: Sequence[Outcome], out: Path) -> Path:
    """One page with every figure, its caption and its files; below, what is missing and how to make it."""
    path = out / "index.html"
    body = "\n".join(_section(outcome) for outcome in outcomes)
    path.write_text(_PAGE.format(body=body), encoding="utf-8")
    return path


def _section(outcome: Outcome) -> str:
    entry = outcome.entry
    head = f"<h2 id={entry.name}>{entry.name} <small>{html.escape(entry.paper)}</small></h2>"
    parts = [head, f"<p><b>{html.escape(entry.title)}</b></p>"]
    if outcome.files:
        links = " ".join(f'<a href="{path.name}">{path.suffix[1:]}</a>' for path in outcome.files)
        parts.append(f'<img src="{entry.name}.png" alt="{html.escape(entry.title)}" loading=lazy>')
        parts.append(f"<p>{html.escape(outcome.caption)}</p><p>{links}</p>")
    if outcome.missing:
        parts.append(f"<p class=need>{html.escape(outcome.missing.what)}. Make it with:</p>")
        parts.append(f"<pre>{html.escape(outcome.missing.command)}</pre>")
    if outcome.error:
        parts.append(f"<pre class=need>{html.escape(outcome.error)}</pre>")
    return "<section>" + "".join(parts) + "</section>"


_PAGE = """<!doctype html><html lang=en><meta charset=utf-8><title>Figures</title>
<meta name=viewport content="width=device-width,initial-scale=1">
<style>body{{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1c1e22}}
img{{max-width:100%;border:1px solid #ddd}}small{{color:#666;font-weight:400}}pre{{background:#f4f4f6;padding:.6rem;
overflow-x:auto;white-space:pre-wrap}}.need{{color:#8a3b00}}</style>
<h1>Figures and tables</h1>
{body}
</html>
"""
