"""The text models that come inside the `rapidocr` wheel (before 3.9): PP-OCRv4's detector and recogniser."""

from pathlib import Path
from typing import Literal


def model_file(kind: Literal["det", "rec"]) -> Path:
    """The ONNX file of the detector or the recogniser. Raises ImportError where it cannot be had or run."""
    import onnxruntime  # noqa: F401  # rapidocr works with several engines and asks for none of them
    import rapidocr

    folder = Path(rapidocr.__file__).parent / "models"
    found = next(folder.glob(f"ch_PP-OCRv4_{kind}_*.onnx"), None)
    if found is None:
        raise ImportError(f"no PP-OCRv4 in {folder}")
    return found
