"""A real HTTP server on this machine that misbehaves on purpose, and requests to it as lmms-eval makes them."""

import json
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from hlvid.dataset.question import Question
from hlvid.tasks.doc import doc_of

KEY = "sk-very-secret-key-0123456789"


def reply(text: str | None = "B", **changes: Any) -> dict[str, Any]:
    """A chat completion."""
    message = {"role": "assistant", "content": text, "refusal": changes.pop("refusal", None)}
    if "reasoning_content" in changes:
        message["reasoning_content"] = changes.pop("reasoning_content")
    choice = {"index": 0, "finish_reason": changes.pop("finish", "stop"), "message": message}
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 0,
        "model": "toy-2026-01-01",
        "choices": [choice],
        "usage": {"prompt_tokens": 1000, "completion_tokens": 10, "total_tokens": 1010},
        **changes,
    }


class Endpoint:
    """What the server does with each request, in turn; when the script is over, it answers "B".

    A step is a reply, or (status, headers, body), or ("hang", seconds), or ("cut", reply).
    """

    def __init__(self) -> None:
        self.script: list[Any] = []
        self.seen: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.busy = self.most_busy = 0
        self.delay = 0.0
        self.lock = threading.Lock()
        self.url = ""

    def next(self) -> Any:
        with self.lock:
            return self.script.pop(0) if self.script else reply()


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        endpoint: Endpoint = self.server.endpoint  # type: ignore[attr-defined]
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with endpoint.lock:
            endpoint.seen.append(body)
            endpoint.headers.append({name.lower(): value for name, value in self.headers.items()})
            endpoint.busy += 1
            endpoint.most_busy = max(endpoint.most_busy, endpoint.busy)
        try:
            time.sleep(endpoint.delay)
            self.act(endpoint.next())
        except (BrokenPipeError, ConnectionResetError):
            pass  # a client that no longer waits
        finally:
            with endpoint.lock:
                endpoint.busy -= 1

    def act(self, step: Any) -> None:
        if isinstance(step, dict):
            self.send(200, {}, json.dumps(step).encode())
        elif step[0] == "hang":
            time.sleep(step[1])
            self.send(200, {}, json.dumps(reply("too late")).encode())
        elif step[0] == "cut":
            whole = json.dumps(step[1]).encode()
            self.send(200, {}, whole[: len(whole) // 2])
        elif step[0] == "drop":
            self.send(200, {}, b'{"id": ', promised=10_000)
        else:
            status, headers, body = step
            self.send(status, headers, json.dumps(body).encode())

    def send(self, status: int, headers: dict[str, str], body: bytes, promised: int | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", **headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(promised or len(body)))
        self.end_headers()
        self.wfile.write(body)
        self.close_connection = True

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    """The server; tests write its `script`."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    made = Endpoint()
    made.url = f"http://127.0.0.1:{server.server_port}/v1"
    server.endpoint = made  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield made
    server.shutdown()
    server.server_close()


@pytest.fixture
def quick_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    """The client library waits a hundredth of its time."""
    monkeypatch.setattr("openai._base_client.INITIAL_RETRY_DELAY", 0.005)
    monkeypatch.setattr("openai._base_client.MAX_RETRY_DELAY", 0.08)


@pytest.fixture
def answering() -> Callable[..., dict[str, Any]]:
    """answering("B", refusal=…, finish=…, usage=…): a chat completion."""
    return reply


@pytest.fixture
def key(monkeypatch: pytest.MonkeyPatch) -> str:
    """A key in the environment."""
    monkeypatch.setenv("TOY_KEY", KEY)
    return KEY


@pytest.fixture(scope="session")
def clips(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two videos of 12 frames, 160 x 90."""
    folder = tmp_path_factory.mktemp("clips")
    return [_clip(folder / f"clip_av_video_{number}_000.mp4", 60 + 100 * number) for number in range(2)]


def _clip(path: Path, shade: int) -> Path:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=6)
        stream.width, stream.height, stream.pix_fmt = 160, 90, "yuv420p"
        for index in range(12):
            picture = np.full((90, 160, 3), shade, np.uint8)
            picture[20:60, 10 * index : 10 * index + 30] = (250, 40, 10)
            for packet in stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")):
                container.mux(packet)
        for packet in stream.encode():
            container.mux(packet)
    return path


@pytest.fixture
def questions(clips: list[Path]) -> list[Question]:
    """Six questions, three a video."""
    return [
        Question(
            id=f"q{index}",
            video=clips[index % 2].name,
            source=f"av_video_{index % 2}",
            category="av",
            stem=f"What does sign {index} say?",
            options={"A": "DL3", "B": "DL5", "C": "DL8", "D": "DL6"},
            answer="B",
            video_path=clips[index % 2],
        )
        for index in range(6)
    ]


@pytest.fixture
def requests_for() -> Callable[..., list[Any]]:
    """requests_for(model, questions): gives the model its docs, returns its requests."""

    def build(model: Any, questions: Sequence[Question]) -> list[Any]:
        from lmms_eval.api.instance import Instance

        model.task_dict["hlvid"] = {"test": [doc_of(question, "sha256:toy") for question in questions]}
        settings = {"max_new_tokens": 16, "temperature": 0}
        return [
            Instance(
                request_type="generate_until",
                arguments=(question.prompt(), settings, list, index, "hlvid", "test"),
                idx=0,
                metadata={"task": "hlvid", "doc_id": index, "repeats": 1},
            )
            for index, question in enumerate(questions)
        ]

    return build
