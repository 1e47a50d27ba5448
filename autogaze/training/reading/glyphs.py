"""Letters of the fonts that come with matplotlib, as one tensor, and lines of text set in them."""

from dataclasses import dataclass
from functools import cache

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from autogaze.training.text_signs import fonts

ALPHABET = " ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
"""Class 0, the space, is "no character"."""
CHARACTERS = 12
"""Most of a line."""
CAP, TALL, WIDE = 32, 48, 64
"""Of a glyph's picture: height of capitals, which begin in row 8; rows; columns at most."""
TOP = 8
BLURS = (1, 3, 5)
"""Box filters under which a line is kept, for showing it at its size, at a third and at a fifth of it."""


@dataclass(frozen=True)
class Atlas:
    """pictures: float (fonts, 37, 48, 64); advances: long (fonts, 37), px; bold: which font is plain and bold."""

    pictures: Tensor
    advances: Tensor
    bold: int

    @classmethod
    @cache
    def of(cls, device: str) -> "Atlas":
        """All fonts, drawn once."""
        paths = fonts()
        pictures = np.zeros((len(paths), len(ALPHABET), TALL, WIDE), np.float32)
        advances = np.zeros(pictures.shape[:2], np.int64)
        for f, path in enumerate(paths):
            top = ImageFont.truetype(str(path), 100).getbbox("H", anchor="ls")[1]
            face = ImageFont.truetype(str(path), round(CAP * 100 / -top))
            for c, character in enumerate(ALPHABET):
                picture = Image.new("L", (WIDE, TALL))
                ImageDraw.Draw(picture).text((0, TOP + CAP), character, 255, face, anchor="ls")
                pictures[f, c] = np.asarray(picture, np.float32) / 255
                advances[f, c] = min(WIDE, max(1, round(face.getlength(character))))
        bold = next(f for f, path in enumerate(paths) if path.name == "DejaVuSans-Bold.ttf")
        return cls(torch.from_numpy(pictures).to(device), torch.from_numpy(advances).to(device), bold)

    def ends(self, text: Tensor, font: Tensor) -> Tensor:
        """Where characters end: text (..., C) of classes or -1, font (...) -> long (..., C), px at capitals of 32."""
        return (self.advances[font[..., None], text.clamp_min(0)] * (text >= 0)).cumsum(-1)

    def set(self, text: Tensor, font: Tensor) -> Tensor:
        """Lines, under each of `BLURS`: text (N, C), font (N,) -> float (N, 3, 48, 768), 1 where the ink is."""
        ends = self.ends(text, font)
        column = torch.arange(WIDE * text.shape[1], device=text.device).expand(len(text), -1).contiguous()
        which = torch.searchsorted(ends, column, right=True).clamp_max(text.shape[1] - 1)
        start = torch.cat([torch.zeros_like(ends[:, :1]), ends[:, :-1]], 1).gather(1, which)
        inside = (column < ends[:, -1:]).to(self.pictures.dtype)
        across = (column - start).clamp(0, WIDE - 1)
        rows = self.pictures.transpose(2, 3)[font[:, None], text.gather(1, which).clamp_min(0), across]
        line = (rows * inside[..., None]).transpose(1, 2)[:, None]
        return torch.cat([F.avg_pool2d(line, k, 1, k // 2) for k in BLURS], 1)
