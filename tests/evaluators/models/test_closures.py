"""Whatever of ours a model imports while it answers lies in its closure: a mended module answers anew.

Each registered model answers a question in a process of its own, forked from one that has loaded lmms-eval alone.

Run: pytest tests/evaluators/models/test_closures.py -m slow
"""

import importlib.util
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from evaluators.models.registry import MODELS

HERE = Path(__file__).parent
NAMING = {"evaluators.plugin", "evaluators.models.registry", "hlvid.tasks.plugin"}
"""What lmms-eval calls to learn our names, before any model is built."""
QUESTION = {
    "question_id": "0", "video": "clip_av_video_0_000.mp4", "source": "av_video_0", "category": "av", "tier": None,
    "text": "Which?\nA. DL3\nB. DL5", "stem": "Which?", "options": '{"A": "DL3", "B": "DL5"}', "answer": "B",
}  # fmt: skip
NVILA = {"num_video_frames": 16, "max_tiles_video": 1, "device": "cpu"}
CASES: dict[str, tuple[str, dict[str, Any]]] = {
    "blind": ("blind", {}),
    "gaze_reader": ("gaze_reader", {"frames": 2, "resolution": 448, "ratio": 0.2}),
    "gaze_reader, learned": (
        "gaze_reader",
        {"selector": "autogaze", "frames": 2, "resolution": 448, "ratio": 0.2},
    ),
    "hlvid_frames": (
        "hlvid_frames",
        {
            "inner": "qwen2_5_vl",
            "pretrained": "QWEN",
            "frames": 4,
            "resolution": 112,
            "attn_implementation": "eager",
        },
    ),
    "nvila_hd": ("nvila_hd", {"pretrained": "OURS", **NVILA}),
    "nvila_hd, another selector": ("nvila_hd", {"pretrained": "OURS", "selector": "detail", **NVILA}),
    "nvila_hd, published": ("nvila_hd", {"pretrained": "PUBLISHED", **NVILA}),
    "nvila_hd, remote": ("nvila_hd", {"pretrained": "PUBLISHED", "path": "remote", **NVILA}),
    "nvila_video": ("nvila_video", {"pretrained": "OURS", "num_video_frames": 16, "device": "cpu"}),
    "openai_frames": (
        "openai_frames",
        {"model": "toy", "base_url": "SERVER", "api_key_env": "none", "frames": 2, "resolution": 64},
    ),
}


def neighbour(path: str) -> ModuleType:
    """A file beside this one, as a module."""
    spec = importlib.util.spec_from_file_location(path.replace("/", "_"), HERE / f"{path}.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Toy(BaseHTTPRequestHandler):
    """An endpoint that says B."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        message = {"role": "assistant", "content": "B"}
        choice = {"index": 0, "finish_reason": "stop", "message": message}
        usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
        reply = {"id": "1", "object": "chat.completion", "created": 1, "model": "toy", "choices": [choice]}
        body = json.dumps({**reply, "usage": usage}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture(scope="module")
def outside(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, list[str]]]:
    """Case -> modules that it loaded and that its closure lacks."""
    from autogaze.nvila.answering import make_checkpoint

    home = tmp_path_factory.mktemp("closures")
    ours = make_checkpoint(home / "ours")
    frames = neighbour("frames/conftest")
    gazer = neighbour("nvila/conftest").gazer.__wrapped__(tmp_path_factory)
    published = neighbour("nvila/nvila_standin").write(home / "published", gazer)
    video = frames.clip.__wrapped__(tmp_path_factory)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Toy)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    places = {"OURS": str(ours), "PUBLISHED": str(published), "QWEN": str(frames.qwen2_5.__wrapped__(tmp_path_factory)),
              "SERVER": f"http://127.0.0.1:{server.server_port}/v1"}  # fmt: skip
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": "",
                   "HF_MODULES_CACHE": str(home / "modules"), "HLVID_RUNS": str(home / "runs")}  # fmt: skip
    argv = [sys.executable, __file__, json.dumps(places), str(video)]
    done = subprocess.run(argv, env=environment, capture_output=True, text=True, timeout=600)
    server.shutdown()
    assert done.returncode == 0, done.stderr
    found: dict[str, list[str]] = json.loads(done.stdout.splitlines()[-1])
    yield found


def test_every_registered_model_has_a_case() -> None:
    assert {model for model, _ in CASES.values()} == set(MODELS)


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_what_an_answer_imports_is_in_the_closure(case: str, outside: dict[str, list[str]]) -> None:
    assert outside[case] == [], outside[case]


def main() -> None:
    """Answer one case after the other, each in a fork; one line of JSON at the end."""
    import torch  # noqa: F401
    import transformers  # noqa: F401
    from lmms_eval.api.instance import Instance  # noqa: F401

    places, video = json.loads(sys.argv[1]), sys.argv[2]
    found = {}
    for case, (model, arguments) in CASES.items():
        given = {name: places.get(str(value), value) for name, value in arguments.items()}
        read, write = os.pipe()
        if not os.fork():
            try:
                told = json.dumps(_outside(model, given, video))
            except BaseException as error:
                told = json.dumps([f"{type(error).__name__}: {error}"])
            os.write(write, told.encode())
            os._exit(0)
        os.close(write)
        with os.fdopen(read) as pipe:
            found[case] = json.loads(pipe.read())
        os.wait()
    print(json.dumps(found))


def _outside(name: str, arguments: dict[str, Any], video: str) -> list[str]:
    from importlib import import_module

    from evaluators.models import registry  # not among the model's own

    home, _, kind = registry.MODELS[name].rpartition(".")
    model = getattr(import_module(home), kind)(**arguments)
    own = _loaded()
    model.task_dict["hlvid"] = {"test": [{**QUESTION, "video_path": video}]}
    from lmms_eval.api.instance import Instance

    call = (QUESTION["text"], {"max_new_tokens": 3, "temperature": 0}, list, 0, "hlvid", "test")
    asked = {"task": "hlvid", "doc_id": 0, "repeats": 1}
    (result,) = model.generate_until(
        [Instance(request_type="generate_until", arguments=call, idx=0, metadata=asked)]
    )
    assert isinstance(result.text, str) and own
    from evaluators.core.closure import closure

    return sorted(_loaded() - set(closure(model.sources())) - NAMING)


def _loaded() -> set[str]:
    """All modules of ours."""
    from evaluators.core.closure import PACKAGES

    return {name for name in sys.modules if name.partition(".")[0] in PACKAGES}


if __name__ == "__main__":
    main()
