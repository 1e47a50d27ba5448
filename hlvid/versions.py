"""Installed versions of what decides about numbers."""

import runpy
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

OPENCV = "opencv"
"""Not one distribution: four bring `cv2`, and the one installed last is imported, whatever pip lists beside it."""


def version_of(name: str) -> str | None:
    """Of a distribution, or of the `cv2` that is imported where `OPENCV` is asked for; None where it is not there."""
    if name == OPENCV:
        return _cv2()
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _cv2() -> str | None:
    """Read from its own file: importing it would take longer than the rest of a record."""
    spec = find_spec("cv2")
    if spec is None or spec.origin is None:
        return None
    return str(runpy.run_path(str(Path(spec.origin).with_name("version.py")))["opencv_version"])
