"""Reading text from pictures, offline: PP-OCRv4 models that come inside the `rapidocr` wheel (before 3.9).

RapidOCR would enlarge small pictures and shrink those above 2000 px. Here it must not: text is searched and
cut out at the size it was seen at, so that a reading says something about the resolution. (The recogniser
then brings each line to 48 px, whatever its size.) Nor is a line padded to the 320 px that suit a page: a label
is about 100 px wide, and the rest of its time went to reading nothing.
"""

import hashlib
import os
from dataclasses import dataclass
from functools import cached_property
from importlib import metadata
from typing import Any

import numpy as np
import numpy.typing as npt

from autogaze.selectors.text_models import model_file
from hlvid.errors import RunError
from hlvid.video.picture import Picture

AS_IT_IS = 10**6
"""A side limit that no picture reaches."""
LINE = 160
"""Width in px, at a height of 48, that shorter lines are padded to; longer ones are read as long as they are."""


@dataclass(frozen=True)
class Text:
    """A line of text: what it says, how sure the engine is (0 to 1), and left, top, right, bottom in px."""

    text: str
    score: float
    box: tuple[float, float, float, float]


class Engine:
    """The text detector and recogniser; made once and kept, loading takes about half a second."""

    def __init__(self) -> None:
        try:
            self.models = {"det": model_file("det"), "rec": model_file("rec")}
            import rapidocr
        except ImportError as error:
            raise RunError(
                f"gaze_reader: no OCR engine ({error}); install it with: pip install 'hlvid[reader]'"
            ) from error
        threads = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        self.engine: Any = rapidocr.RapidOCR(
            params={
                "Global.log_level": "critical",  # it warns of every picture without text
                "Global.max_side_len": AS_IT_IS,
                "Global.min_side_len": 1,
                "Global.width_height_ratio": -1,
                "Global.use_cls": False,
                "Det.limit_side_len": 1,
                "Det.model_path": str(self.models["det"]),
                "Rec.model_path": str(self.models["rec"]),
                "Rec.rec_img_shape": [3, 48, LINE],
                "EngineConfig.onnxruntime.intra_op_num_threads": threads,
                "EngineConfig.onnxruntime.enable_cpu_mem_arena": True,
            }
        )

    def read(self, picture: Picture) -> list[Text]:
        """All lines of an uint8 (H, W, 3) RGB picture whose sides are multiples of 32."""
        if picture.shape[0] % 32 or picture.shape[1] % 32:
            raise ValueError(f"picture: shape {picture.shape}, expected sides that are multiples of 32")
        found = self.engine(np.ascontiguousarray(picture[..., ::-1]))
        if found.txts is None:
            return []
        return [
            Text(text, float(score), _bounds(corners))
            for corners, text, score in zip(found.boxes, found.txts, found.scores, strict=True)
        ]

    @cached_property
    def version(self) -> str:
        """Packages with versions, and the start of each model file's SHA-256."""
        packages = [f"{name} {metadata.version(name)}" for name in ("rapidocr", "onnxruntime")]
        models = [
            f"{kind} {hashlib.sha256(path.read_bytes()).hexdigest()[:12]}"
            for kind, path in self.models.items()
        ]
        return ", ".join([*packages, f"lines from {LINE} px", *models])


def _bounds(corners: npt.NDArray[np.float32]) -> tuple[float, float, float, float]:
    """The upright rectangle around four corners."""
    xs, ys = [x for x, _ in corners], [y for _, y in corners]
    return float(min(xs)), float(min(ys)), float(max(xs)), float(max(ys))
