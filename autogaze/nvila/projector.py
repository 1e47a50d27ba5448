"""The projector: nine visual tokens side by side to one token of the language model."""

from torch import nn


class Projector(nn.Sequential):
    """(L, wide) -> (L, out): norm, three tokens' width, GELU, norm, the language model's width, GELU, once more."""

    def __init__(self, wide: int, middle: int, out: int) -> None:
        super().__init__(
            nn.LayerNorm(wide),
            nn.Linear(wide, middle),
            nn.GELU(),
            nn.LayerNorm(middle),
            nn.Linear(middle, out),
            nn.GELU(),
            nn.Linear(out, out),
        )
