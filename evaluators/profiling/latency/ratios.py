"""The gazing ratio at which a loss of 0.7 is reached, by frame rate and resolution: the paper's, or one measured here.

>>> paper_ratio(30, 448)
0.058

Figure 7 (right), as shares of all 265 tokens of a frame. Printed there: 0.205, 0.181, 0.132, 0.069, 0.058, 0.040,
0.024, 0.009; the others are read off the figure.
"""

from bisect import bisect_left

FPS = (1, 3, 10, 30)
PAPER = {
    224: (0.205, 0.181, 0.132, 0.069),
    448: (0.164, 0.133, 0.096, 0.058),
    896: (0.100, 0.075, 0.061, 0.040),
    1792: (0.042, 0.041, 0.029, 0.024),
    3584: (0.017, 0.014, 0.010, 0.009),
}


def paper_ratio(fps: int, resolution: int) -> float:
    """Of the next larger resolution and frame rate that the figure has; the largest beyond it."""
    sizes = tuple(PAPER)
    size = sizes[min(bisect_left(sizes, resolution), len(sizes) - 1)]
    return PAPER[size][min(bisect_left(FPS, fps), len(FPS) - 1)]
