"""The tiny preset, made once for the whole session."""

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a freshly made `tiny` HLVid-Mini with seed 0."""
    from hlvid.mini import make

    return make(tmp_path_factory.mktemp("mini") / "tiny", preset="tiny", progress=False)
