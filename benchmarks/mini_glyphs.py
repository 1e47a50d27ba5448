"""Draws the glyph bitmap of HLVid-Mini (hlvid/mini/glyphs) from DejaVu Sans Bold; run once, result committed.

    python benchmarks/mini_glyphs.py path/to/DejaVuSans-Bold.ttf

The font lies in matplotlib (mpl-data/fonts/ttf). Shipping the bitmap instead of the font keeps the pixels of
the benchmark independent of the FreeType version on a user's machine.
"""

import json
import sys
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from hlvid.mini.text import CAP, ROWS, TOP

CHARACTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 -/."


def main(font_path: Path, folder: Path) -> None:
    """Write glyphs.png and glyphs.json to `folder`."""
    size = next(s for s in range(CAP, 2 * CAP) if _cap_height(ImageFont.truetype(font_path, s)) >= CAP)
    font = ImageFont.truetype(font_path, size)
    strips, spans, left = [], {}, 0
    for character in CHARACTERS:
        width = round(font.getlength(character))
        image = Image.new("L", (width, ROWS))
        ImageDraw.Draw(image).text((0, TOP + CAP), character, fill=255, font=font, anchor="ls")
        strips.append(np.asarray(image))
        spans[character] = [left, left + width]
        left += width
    Image.fromarray(np.concatenate(strips, axis=1)).save(folder / "glyphs.png", optimize=True)
    (folder / "glyphs.json").write_text(json.dumps(spans, indent=0) + "\n")


def _cap_height(font: ImageFont.FreeTypeFont) -> int:
    return int(-font.getbbox("H", anchor="ls")[1])


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(__file__).resolve().parents[1] / "hlvid" / "mini" / "glyphs")
