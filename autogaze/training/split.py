"""Which videos a run may not train on: one rule for every step of a run, from the file's name alone.

>>> held_out("sam2_coffee.mp4")                        # the whole video is kept for validation
True

The rule looks at no content and does not change when files come or go: SHA-256 of the name, as a number,
divisible by `EVERY`. Of the clips of `shared/clips/natural` that keeps apart those of `HELD_OUT_NATURAL`.
"""

import hashlib

EVERY = 4

HELD_OUT_NATURAL = ("decord_pancake.mkv", "sam2_coffee.mp4", "torchcodec_nasa.mp4")
"""What the rule says of the 13 natural clips that the bundled weights were trained and validated with."""


def held_out(name: str) -> bool:
    """Whether the video of this file name is for validation only."""
    return int(hashlib.sha256(name.encode()).hexdigest(), 16) % EVERY == 0
