"""Tables as text: markdown for reading, LaTeX (booktabs) for papers, and drawn, for those who collect pictures."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_ESCAPES = {letter: f"\\{letter}" for letter in "&%_#${}"} | {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
}

FITTING = 140
"""Characters of 6 pt that fit beside each other in a figure of the page's width."""


def markdown(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A pipe table; the first column to the left, the others to the right."""
    rule = ["---", *["---:"] * (len(head) - 1)]
    lines = [head, rule, *[[cell.replace("|", r"\|") for cell in row] for row in rows]]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def latex(head: Sequence[str], rows: Sequence[Sequence[str]], caption: str, label: str) -> str:
    """A `table` environment; needs the package booktabs."""
    import pandas as pd

    columns = "l" + "r" * (len(head) - 1)
    text = pd.DataFrame([list(row) for row in rows], columns=pd.Index(head)).to_latex(
        index=False, escape=True, column_format=columns, caption=escape(caption), label=label
    )
    return text.replace("\\begin{table}\n", "\\begin{table}\n\\centering\n", 1)


def escape(text: str) -> str:
    """Characters that LaTeX would take for commands, made plain; pandas does so in cells, not in the caption."""
    return "".join(_ESCAPES.get(letter, letter) for letter in text)


def drawn(head: Sequence[str], rows: Sequence[Sequence[str]], bold: Sequence[int] = ()) -> "Figure":
    """The table as a picture; rows numbered in `bold` are ours."""
    from analysis import style

    figure, (axes,) = style.panels(1, 1, 0.19 * (len(rows) + 1) + 0.25)
    axes.set_axis_off()
    longest = [max(len(line[k]) for line in [head, *rows]) for k in range(len(head))]
    edges = [sum(longest[:k]) + 3.0 * k for k in range(len(head) + 1)]
    size = min(6.0, 6.0 * FITTING / edges[-1])  # long names of runs make a small table, not one that overlaps
    axes.set(xlim=(0, edges[-1]), ylim=(len(rows) + 0.5, -0.7))
    for y, line in enumerate([head, *rows]):
        for k, cell in enumerate(line):
            x = 0.0 if k == 0 else edges[k + 1] - 3.0
            weight = "bold" if y == 0 or y - 1 in bold else "normal"
            axes.text(x, y, cell, ha="left" if k == 0 else "right", va="center", fontsize=size, weight=weight)
    for rule in (-0.6, 0.5, len(rows) + 0.45):
        axes.axhline(rule, color="black", linewidth=0.8 if rule != 0.5 else 0.5)
    return figure
