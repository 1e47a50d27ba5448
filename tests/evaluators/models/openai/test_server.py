"""openai_frames against a real server: `transformers serve` on a small random Qwen2.5-VL.

Run: pytest -m slow tests/evaluators/models/openai/test_server.py
"""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from evaluators.models.openai.model import OpenAIFrames
from hlvid.errors import RunError
from hlvid.tasks import costs
from tests.evaluators.models.frames.conftest import qwen2_5  # noqa: F401

pytestmark = pytest.mark.slow

SERVE = "from transformers.cli.transformers import main; main()"


@pytest.fixture
def server(qwen2_5: Path, tmp_path: Path) -> Iterator[str]:  # noqa: F811
    """The address of a server that answers with the checkpoint; ended with the test."""
    pytest.importorskip("uvicorn", reason="transformers serve needs uvicorn")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-c", SERVE, "serve", str(qwen2_5), "--host", "127.0.0.1", "--port", str(port)]
    with (tmp_path / "serve.log").open("w") as log:
        process = subprocess.Popen(
            [*command, "--device", "cpu"], stdout=log, stderr=log, start_new_session=True
        )
        try:
            _wait(f"http://127.0.0.1:{port}/health", process, tmp_path / "serve.log")
            yield f"http://127.0.0.1:{port}/v1"
        finally:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _wait(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(240):
        assert process.poll() is None, log.read_text()[-2000:]
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except OSError:
            time.sleep(0.5)
    pytest.fail(f"the server did not start: {log.read_text()[-2000:]}")


def test_a_real_server_sees_our_frames(
    server: str,
    qwen2_5: Path,  # noqa: F811
    questions: list[Any],
    requests_for: Callable[..., list[Any]],
    tmp_path: Path,
) -> None:
    def ask(**changes: Any) -> tuple[str, dict[str, Any]]:
        base = {"model": str(qwen2_5), "base_url": server, "api_key_env": "none", "runs": str(tmp_path)}
        one = OpenAIFrames(
            **{**base, "frames": 3, "resolution": 224, "concurrency": 1, "retries": 0, **changes}
        )
        (result,) = one.generate_until(requests_for(one, questions[:1]))
        return result.text, costs.lookup("q0", "hlvid")

    text, three = ask()
    _, one = ask(frames=1)
    _, large = ask(resolution=448)
    # 224 x 126 px are 8 x 4 tokens of 28 px, 448 x 252 px are 16 x 9; each picture has a token before and behind.
    assert three["tokens_in"] - one["tokens_in"] == 2 * (8 * 4 + 2)
    assert large["tokens_in"] - three["tokens_in"] == 3 * (16 * 9 - 8 * 4)
    assert (three["outcome"], three["finish_reason"], three["tokens_out"]) == ("length", "length", 16)
    assert text and ask(max_new_tokens=4)[1]["tokens_out"] == 4
    with pytest.raises(RunError, match=r"HTTP 422: .*mm_processor_kwargs"):  # it takes no caps from a request
        ask(pixel_cap="size")
