"""The gallery: a page for the docs of what the package draws, with small pictures, to be seen before installing it.

Each picture stands with the command that draws it, the clips it was made from (its caption) and the date. Pictures are
800 px wide with 48 colours, some 30 kB each.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from analysis.figure import Outcome

WIDTH, COLOURS = 800, 48


def write_gallery(outcomes: Sequence[Outcome], folder: Path, options: str) -> Path:
    """Write gallery.md and its pictures into `folder`; `options`: of the command, beside the name. Returns the page."""
    (folder / "gallery").mkdir(parents=True, exist_ok=True)
    shown = [outcome for outcome in outcomes if outcome.files]
    parts = [
        "# Gallery",
        "What `hlvid figure` draws, small; the command leaves PDF, PNG, CSV and caption. What the numbers mean: "
        "[figures.md](figures.md).",
    ]
    for outcome in shown:
        name = outcome.entry.name
        png = next(path for path in outcome.files if path.suffix == ".png")
        _shrink(png, folder / "gallery" / f"{name}.png")
        command = " ".join(["hlvid figure", name, options]).strip()
        parts += [
            f"## {name}: {outcome.entry.title}",
            f"![{outcome.entry.title}](gallery/{name}.png)",
            f"`{command}`, {datetime.now(UTC):%Y-%m-%d}. {_plain(outcome.caption)}",
        ]
    path = folder / "gallery.md"
    path.write_text("\n\n".join(parts) + "\n", encoding="utf-8")
    return path


def _plain(caption: str) -> str:
    """Without what Markdown would read as markup."""
    return caption.replace("_", r"\_").replace("*", r"\*").replace("<", "&lt;")


def _shrink(source: Path, target: Path) -> None:
    from PIL import Image

    with Image.open(source) as image:
        height = round(image.height * WIDTH / image.width)
        small = image.convert("RGB").resize((WIDTH, height), Image.Resampling.LANCZOS)
        small.quantize(COLOURS).save(target, optimize=True)
