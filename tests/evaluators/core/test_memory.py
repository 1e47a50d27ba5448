"""A process that keeps what it frees faults the same pages in once.

Run: pytest tests/evaluators/core/test_memory.py
"""

import platform
import subprocess
import sys

import pytest

PROGRAM = """
import resource, torch
from evaluators.core.memory import keep_freed
{first}
def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt
def use(times):
    for _ in range(times):
        torch.zeros(2**24)            # 64 MB, given back
use(20)                               # glibc fits aligned blocks in after a few that it does not
before = faults()
use(40)
print(faults() - before)
"""


@pytest.mark.skipif(
    platform.libc_ver()[0] != "glibc", reason="another C library keeps memory by its own rules"
)
def test_freed_memory_is_kept() -> None:
    faults = {
        first: int(subprocess.check_output([sys.executable, "-c", PROGRAM.format(first=first)], text=True))
        for first in ("", "keep_freed()")
    }
    assert 3 * faults["keep_freed()"] < faults[""]
