"""Data that may only be read, the normal case on a cluster: a whole evaluation of another user's data.

Run: pytest tests/hlvid/tasks/test_read_only.py. Modes do not bind root, so as root the run gives that privilege up.
"""

import ctypes
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.hlvid.tasks.conftest import write_dataset

NOBODY = 65534
PR_CAPBSET_DROP, CAP_DAC_OVERRIDE = 24, 1  # from <linux/prctl.h>, <linux/capability.h>


@pytest.fixture
def data(tmp_path: Path) -> Iterator[Path]:
    """A data folder that belongs to somebody else, or at least may not be written."""
    folder = tmp_path / "data"
    write_dataset(folder / "hlvid")
    if os.geteuid() == 0:
        for path in [folder, *folder.rglob("*")]:
            os.chown(path, NOBODY, NOBODY)
    subprocess.run(["chmod", "-R", "a-w,a+rX", str(folder)], check=True)
    yield folder
    subprocess.run(["chmod", "-R", "u+w", str(folder)], check=True)
    shutil.rmtree(folder)


def obey_modes() -> None:
    """In the child: root is bound by the modes of files like everybody else."""
    if os.geteuid() == 0 and ctypes.CDLL(None).prctl(PR_CAPBSET_DROP, CAP_DAC_OVERRIDE, 0, 0, 0):
        os._exit(77)


def run(data: Path, own: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Python in the folder `own`, with everything of the user's below it."""
    environment = {
        **os.environ,
        "HOME": str(own),
        "HLVID_DATA": str(data),
        "HLVID_STATE": str(own / "hlvid"),
        "HF_HOME": str(own / "hf"),
        "HF_HUB_OFFLINE": "1",
        "OMP_NUM_THREADS": "1",
        "CUDA_VISIBLE_DEVICES": "",
    }
    command = [sys.executable, "-c", *arguments]
    return subprocess.run(
        command, cwd=own, env=environment, capture_output=True, text=True, timeout=300, preexec_fn=obey_modes
    )


def state_of(folder: Path) -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns for path in [folder, *folder.rglob("*")]}


@pytest.mark.slow
def test_a_read_only_data_folder_works_end_to_end(data: Path, tmp_path: Path) -> None:
    own = tmp_path / "own"
    own.mkdir()
    refused = run(data, own, "import os; open(os.environ['HLVID_DATA'] + '/x', 'w')")
    if "Permission" not in refused.stderr:
        pytest.skip("no way here to be refused: root keeps its privileges")
    before = state_of(data)

    main = "from hlvid.tasks.command import main; main()"
    done = run(
        data, own, main, "--tasks", "hlvid", "--model", "blind", "--output_path", "out", "--log_samples"
    )

    assert done.returncode == 0, done.stderr[-3000:]
    assert state_of(data) == before
    assert list((own / "out").rglob("*record*.json")), "the run is whole"
    assert list((own / "hlvid" / "runs").glob("*.jsonl")), "its journal lies in the state folder"
