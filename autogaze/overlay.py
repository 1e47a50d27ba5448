"""Pictures of a gaze for people: original, gazed patches coloured by scale, and what can be rebuilt from them.

Coarse scales are drawn as outlines above the picture, the finest scale shines in full colour while all else is dimmed.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from autogaze.gaze import Boxes
from autogaze.palette import COLOURS
from autogaze.tiling import Picture

INK, PAPER, MUTED = (238, 240, 244), (18, 20, 26), (150, 156, 168)
GAP = 12


@dataclass(frozen=True)
class Panels:
    """Three pictures side by side (below each other for very wide video), each `width` x `height` px."""

    width: int
    height: int
    factor: float
    stacked: bool

    @classmethod
    def for_size(cls, height: int, width: int, long_side: int = 640) -> "Panels":
        """Panels for frames of this size, their longer side `long_side` px."""
        factor = long_side / max(height, width)
        even = [max(2, round(side * factor / 2) * 2) for side in (width, height)]
        return cls(even[0], even[1], factor, stacked=width > 2.2 * height)

    def draw(
        self, original: Picture, boxes: Boxes, rebuilt: Picture, caption: str, scales: Sequence[int]
    ) -> Picture:
        """The three panels, uint8 (h, w, 3); original and rebuilt uint8 (H, W, 3), boxes in their pixels."""
        titles = ("original", "gazed patches", "rebuilt from the gaze")
        left = self._fit(original)
        looked = gazed(np.asarray(left), boxes, self.factor)
        pictures = (left, Image.fromarray(looked), self._fit(rebuilt))
        font = _font(max(13, self.height // 24))
        bar = int(font.size) * 2
        step = (0, self.height + bar) if self.stacked else (self.width + GAP, 0)
        size = (GAP * 2 + self.width + 2 * step[0], int(GAP + bar * 2.2 + self.height + 2 * step[1]))
        canvas = Image.new("RGB", (size[0] + size[0] % 2, size[1] + size[1] % 2), PAPER)
        pen = ImageDraw.Draw(canvas)
        for index, (title, picture) in enumerate(zip(titles, pictures, strict=True)):
            x, y = GAP + index * step[0], index * step[1]
            pen.text((x, y + bar // 4), title, INK, font)
            canvas.paste(picture, (x, y + bar))
        line = size[1] - bar
        pen.text((GAP, line), caption, INK, font)
        self._legend(pen, canvas.width - GAP, line, font, scales)
        return np.asarray(canvas)

    def _fit(self, picture: Picture) -> Image.Image:
        return Image.fromarray(picture).resize((self.width, self.height), Image.Resampling.LANCZOS)

    def _legend(
        self,
        pen: ImageDraw.ImageDraw,
        right: int,
        y: int,
        font: ImageFont.FreeTypeFont,
        scales: Sequence[int],
    ) -> None:
        """Colour chips with the scales, right-aligned."""
        x = float(right)
        for colour, scale in reversed(list(zip(COLOURS, scales, strict=False))):
            text = f"{scale} px"
            x -= pen.textlength(text, font)
            pen.text((x, y), text, MUTED, font)
            x -= font.size * 1.1
            pen.rounded_rectangle((x, y + 3, x + font.size * 0.75, y + 3 + font.size * 0.75), 3, fill=colour)
            x -= font.size


def gazed(picture: Picture, boxes: Boxes, factor: float) -> Picture:
    """The picture dimmed where nobody looked, patches tinted and outlined in their scale's colour.

    picture: uint8 (H, W, 3), `factor` times as large as the one that the boxes are in the pixels of.
    """
    bright = picture.astype(np.float32)
    out = np.repeat(bright.mean(2, keepdims=True) * 0.22 + 6, 3, axis=2)
    edges = (boxes.xyxy * factor).round().int().tolist()
    levels = boxes.scale.tolist()
    order = sorted(range(len(edges)), key=lambda i: levels[i])
    # Coarse first: a coarse patch shows its area dimly, a fine one on top of it shows it in full.
    for i in order:
        left, top, right, bottom = edges[i]
        share = 0.45 + 0.5 * levels[i] / 3
        area = (slice(top, bottom), slice(left, right))
        tint = np.array(COLOURS[levels[i] % 4], np.float32)
        out[area] = bright[area] * share * 0.86 + tint * 0.14
    image = Image.fromarray(out.clip(0, 255).astype(np.uint8))
    pen = ImageDraw.Draw(image)
    for i in order:
        left, top, right, bottom = edges[i]
        thick = 2 if levels[i] < 2 else 1
        inner = (left, top, max(left, right - 1), max(top, bottom - 1))
        pen.rectangle(inner, outline=COLOURS[levels[i] % 4], width=thick)
    return np.asarray(image)


def contact_sheet(frames: Sequence[Picture], title: str) -> Picture:
    """Some of a video's drawn frames below each other under a title."""
    if not frames:
        raise ValueError("frames: none, expected at least one")
    font = _font(max(16, frames[0].shape[1] // 70))
    head = int(font.size) * 2
    height, width = frames[0].shape[:2]
    sheet = Image.new("RGB", (width, head + len(frames) * height), PAPER)
    ImageDraw.Draw(sheet).text((GAP, font.size // 2), title, INK, font)
    for row, frame in enumerate(frames):
        sheet.paste(Image.fromarray(frame), (0, head + row * height))
    return np.asarray(sheet)


def _font(size: int) -> ImageFont.FreeTypeFont:
    """Pillow's own scalable font: the same on every machine."""
    font = ImageFont.load_default(size)
    assert isinstance(font, ImageFont.FreeTypeFont), "Pillow is built without FreeType"
    return font
