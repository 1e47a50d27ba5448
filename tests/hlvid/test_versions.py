"""Versions are those of what is imported."""

import sys
from importlib import metadata
from pathlib import Path

import cv2
import pytest

from hlvid.versions import OPENCV, version_of


def test_of_a_distribution_and_of_none() -> None:
    assert version_of("numpy") == metadata.version("numpy")
    assert version_of("no-such-distribution") is None


def test_opencv_is_the_one_that_is_imported_whatever_distributions_lie_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = version_of(OPENCV)
    assert own and own.startswith(cv2.__version__)
    (tmp_path / "cv2").mkdir()
    (tmp_path / "cv2" / "__init__.py").touch()
    (tmp_path / "cv2" / "version.py").write_text('opencv_version = "1.2.3.4"\n')
    monkeypatch.delitem(sys.modules, "cv2")
    monkeypatch.syspath_prepend(tmp_path)
    assert version_of(OPENCV) == "1.2.3.4"
    assert "cv2" not in sys.modules, "told without an import"


def test_no_opencv(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cv2", None)
    assert version_of(OPENCV) is None
