"""How the threads of numerical libraries wait for each other: set once, before the first of them is loaded.

OpenMP's threads spin while they wait. That is fine on an idle machine; where another process wants the same cores,
every small operation waits for a thread that is not running. Measured on two shared cores, eight tiles gazed by
AutoGaze at ratio 0.1, each step split among the cores: 25 s spinning, 3.5 s waiting passively. What sleeping costs
on an idle machine `autogaze.parallel` takes back. Results are the same.
"""

import os


def wait_passively() -> None:
    """Let OpenMP's threads sleep while they wait, unless the user has set `OMP_WAIT_POLICY`."""
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
