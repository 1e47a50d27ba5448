"""Fixtures for all tests: `shared` (the given reference data, or a skip) and a private data folder."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from hlvid.threads import wait_passively

wait_passively()  # before anything imports torch: machines that run tests are busy

SHARED = Path(__file__).resolve().parents[2] / "shared"


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder `../shared` with golden values and real clips; tests that need it skip where it is absent."""
    if not SHARED.is_dir():
        pytest.skip(f"reference data not found at {SHARED}")
    return SHARED


@pytest.fixture(scope="session", autouse=True)
def private_data_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """No test reads or writes the user's own cache."""
    home = tmp_path_factory.mktemp("hlvid_data")
    before = os.environ.get("HLVID_DATA")
    os.environ["HLVID_DATA"] = str(home)
    yield home
    if before is None:
        del os.environ["HLVID_DATA"]
    else:
        os.environ["HLVID_DATA"] = before
