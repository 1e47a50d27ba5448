"""From a name to files: NAME.pdf, NAME.png, NAME.csv, NAME.txt (the caption), tables as .md and .tex.

Example::

    outcome = produce("motion", Inputs(), Path("figures"))
    outcome.files, outcome.seconds                 # (figures/motion.pdf, ...), 21.3
    outcomes = produce_all(Inputs(), Path("figures"))
    write_index(outcomes, Path("figures"))         # figures/index.html: all of it on one page

One figure that fails does not stop the others: `--all` goes on and names it at the end.
"""

import html
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from analysis.inputs import Inputs
from analysis.made import Made, MissingRecordsError
from analysis.registry import Entry, find, names
from hlvid.errors import HlvidError


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
