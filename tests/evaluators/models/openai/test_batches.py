"""batch=True against a server with batches: one submission a question, through kills, lost answers and caps."""

import gc
import json
import os
import re
import signal
import threading
import weakref
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from evaluators.models.openai import batches
from evaluators.models.openai import model as openai_model
from evaluators.models.openai.model import OpenAIFrames
from hlvid.errors import RunError
from hlvid.tasks import costs


class Service:
    """Files and batches in memory, laid out as OpenAI's API reference has them.

    What was answered is in the output file; what failed, or was not reached, in the error file, whose lines have no
    response then. `replies` says what becomes of each request (by default the answer "B").
    """

    def __init__(self, answering: Callable[..., dict[str, Any]]) -> None:
        self.answering = answering
        self.files: dict[str, str] = {}
        self.batches: dict[str, dict[str, Any]] = {}
        self.replies: dict[int, Any] = {}
        self.status = "completed"
        self.chats = 0
        self.url = ""

    @property
    def questions(self) -> list[str]:
        """Of every request that was ever submitted."""
        return [
            json.loads(line)["body"]["messages"][0]["content"][-1]["text"]
            for made in self.batches.values()
            for line in self.files[made["input_file_id"]].splitlines()
        ]

    def create(self, asked: dict[str, Any]) -> dict[str, Any]:
        assert asked["endpoint"] == "/v1/chat/completions" and asked["completion_window"] == "24h"
        files = {"output_file_id": None, "error_file_id": None, "errors": None, "created_at": 1}
        counts = {"request_counts": {"total": 0, "completed": 0, "failed": 0}}
        made = {"id": f"batch_{len(self.batches)}", "object": "batch", "status": "validating"}
        return self.batches.setdefault(made["id"], {**made, **files, **counts, **asked})

    def retrieve(self, name: str) -> dict[str, Any]:
        made = self.batches[name]
        if self.status == "in_progress":
            return {**made, "status": "in_progress"}
        lines = [json.loads(line) for line in self.files[made["input_file_id"]].splitlines()]
        ended = [self.ended(index, line) for index, line in enumerate(lines) if self.known(index)]
        good = [one for one in ended if one["response"] and one["response"]["status_code"] == 200]
        bad = [one for one in ended if one not in good]
        made = {**made, "status": self.status}
        for field, found in (("output_file_id", good), ("error_file_id", bad)):
            if found:  # the lines of a file are in any order
                made[field] = f"{field}-{name}"
                self.files[made[field]] = "".join(json.dumps(one) + "\n" for one in reversed(found))
        counts = {"total": len(lines), "completed": len(good), "failed": len(lines) - len(good)}
        return {**made, "request_counts": counts}

    def known(self, index: int) -> bool:
        """Whether anything is said of a request."""
        return self.replies.get(index) != "gone"

    def ended(self, index: int, line: dict[str, Any]) -> dict[str, Any]:
        of = {"id": f"batch_req_{index}", "custom_id": line["custom_id"]}
        reply = self.replies.get(index, (200, self.answering("B")))
        if reply == "expired":
            error = {"code": "batch_expired", "message": "not executed before the completion window expired"}
            return {**of, "response": None, "error": error}
        response = {"status_code": reply[0], "request_id": f"req_{index}", "body": reply[1]}
        return {**of, "response": response, "error": None}


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        service: Service = self.server.service  # type: ignore[attr-defined]
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path.endswith("/files"):
            assert b'name="purpose"\r\n\r\nbatch\r\n' in body
            name = f"file_{len(service.files)}"
            service.files[name] = re.search(rb"\r\n\r\n(\{\"custom_id.*?)\r\n--", body, re.DOTALL)[1].decode()  # type: ignore[index]
            about = {"bytes": len(service.files[name]), "created_at": 1, "filename": "batch.jsonl"}
            self.send({"id": name, "object": "file", "purpose": "batch", **about})
        elif self.path.endswith("/batches"):
            self.send(service.create(json.loads(body)))
        else:
            service.chats += 1
            self.send(service.answering("B"))

    def do_GET(self) -> None:
        service: Service = self.server.service  # type: ignore[attr-defined]
        last = self.path.split("?")[0].split("/")
        if last[-1] == "content":
            self.send(service.files[last[-2]])
        elif last[-1] == "batches":
            self.send({"object": "list", "data": list(service.batches.values()), "has_more": False})
        else:
            self.send(service.retrieve(last[-1]))

    def send(self, data: Any) -> None:
        body = (data if isinstance(data, str) else json.dumps(data)).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def service(answering: Callable[..., dict[str, Any]]) -> Iterator[Service]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    made = Service(answering)
    made.url = f"http://127.0.0.1:{server.server_port}/v1"
    server.service = made  # type: ignore[attr-defined]
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    yield made
    server.shutdown()
    server.server_close()


@pytest.fixture
def model(service: Service, key: str, tmp_path: Path, quick_retries: None) -> Callable[..., OpenAIFrames]:
    """model(…): an openai_frames that asks in batches."""

    def build(**changes: Any) -> OpenAIFrames:
        base = {"model": "toy", "frames": 2, "resolution": 64, "base_url": service.url, "runs": str(tmp_path)}
        return OpenAIFrames(
            **{**base, "api_key_env": "TOY_KEY", "batch": True, "poll": 0.01, "retries": 0, **changes}
        )

    return build


def test_all_questions_go_in_batches_of_a_size_and_come_back_whatever_the_order(
    model: Any, service: Service, questions: list[Any], requests_for: Any
) -> None:
    one = model(batch_mb=0.006, price_in=1.0, price_out=1.0)
    results = one.generate_until(requests_for(one, questions))
    assert [result.text for result in results] == ["B"] * 6
    assert len(service.batches) > 1
    assert service.chats == 0
    assert sorted(service.questions) == sorted(question.prompt() for question in questions)
    details = costs.lookup("q3", "hlvid")
    assert (details["tokens_in"], details["cost"], details["frames"]) == (1000, 0.00101, 2)
    assert details["batch"].startswith("batch_")
    assert one._videos == {}


def test_requests_are_prepared_video_by_video_and_pixels_are_held_no_longer_than_it_takes_to_encode_them(
    model: Any,
    service: Service,
    questions: list[Any],
    requests_for: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Frames of one video at a time, whatever the order of questions; and as JPEGs alone once they are."""
    one, held, most = model(), list[Any](), [0]
    delivering, prepared = openai_model.deliver, one.prepared

    def delivered(*asked: Any) -> Any:
        delivery = delivering(*asked)
        pixels = delivery.frames if delivery.frames.base is None else delivery.frames.base
        held.append(weakref.ref(pixels))
        return delivery

    def looked(*asked: Any) -> Any:
        body = prepared(*asked)
        gc.collect()
        most[0] = max(most[0], len(one._videos))
        assert not any(reference() is not None for reference in held), "decoded frames are still held"
        return body

    monkeypatch.setattr(openai_model, "deliver", delivered)
    monkeypatch.setattr(one, "prepared", looked)
    one.generate_until(requests_for(one, questions))
    assert len(held) == 2 and most == [1] and one._videos == {} and len(service.questions) == 6


def test_a_question_without_memory_is_recorded_and_the_others_are_asked(
    model: Any,
    service: Service,
    questions: list[Any],
    requests_for: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    one = model()
    prepared = one.prepared

    def short(question: Any, generation: Any) -> Any:
        if question.id == "q2":
            raise MemoryError
        return prepared(question, generation)

    monkeypatch.setattr(one, "prepared", short)
    results = one.generate_until(requests_for(one, questions))
    assert [result.text for result in results] == ["B", "B", "", "B", "B", "B"]
    assert costs.lookup("q2", "hlvid")["outcome"] == "out_of_memory" and len(service.questions) == 5
    assert one._videos == {}


@pytest.mark.parametrize("moment", ["submitted", "noted", "waiting"])
def test_a_kill_between_submitting_and_fetching_submits_nothing_twice(
    moment: str, model: Any, service: Service, questions: list[Any], requests_for: Any
) -> None:
    """kill -9 of a process of its own, when the service has the batch and we know its id, or not yet."""
    service.status = "in_progress"
    child = os.fork()
    if not child:
        note = batches._Work.note

        def dying(self: Any, **line: Any) -> None:
            if moment == "submitted" and "id" in line:
                os.kill(os.getpid(), signal.SIGKILL)  # the service has the batch, we never learned its id
            note(self, **line)
            if moment == "noted" and "id" in line:
                os.kill(os.getpid(), signal.SIGKILL)

        batches._Work.note = dying  # type: ignore[method-assign]
        batches.time.sleep = lambda _: os.kill(os.getpid(), signal.SIGKILL)  # type: ignore[assignment]
        one = model()
        one.generate_until(requests_for(one, questions))
        os._exit(0)
    assert os.waitpid(child, 0)[1] == signal.SIGKILL
    service.status = "completed"
    again = model()
    assert len(again.generate_until(requests_for(again, questions))) == 6
    assert len(service.batches) == 1
    assert len(service.questions) == 6


def test_what_was_paid_for_is_kept_also_where_fewer_are_asked_then(
    model: Any, service: Service, questions: list[Any], requests_for: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = model()
    service.status = "in_progress"
    with monkeypatch.context() as patch:
        patch.setattr(batches.time, "sleep", lambda _: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            one.generate_until(requests_for(one, questions))
    service.status = "completed"
    for count in (2, 6):
        again = model()
        assert len(again.generate_until(requests_for(again, questions[:count]))) == count
    assert len(service.questions) == 6


def test_a_kill_before_the_batch_is_made_submits_it_then(
    model: Any, service: Service, questions: list[Any], requests_for: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = model()
    with monkeypatch.context() as patch:
        patch.setattr(service, "create", lambda _: (_ for _ in ()).throw(ConnectionResetError))
        with pytest.raises(RunError, match="no connection"):
            one.generate_until(requests_for(one, questions))
    again = model()
    again.generate_until(requests_for(again, questions))
    assert len(service.questions) == 6


def test_a_refusal_is_an_answer_and_what_got_lost_is_asked_again(
    model: Any, service: Service, questions: list[Any], requests_for: Any
) -> None:
    one = model()
    filtered = {"error": {"code": "content_filter", "message": "no"}}
    service.replies = {0: (400, filtered), 1: (500, {"error": {"message": "busy"}}), 2: "gone"}
    with pytest.raises(RunError, match=r"2 of 6 questions found no answer"):
        one.generate_until(requests_for(one, questions))
    service.replies = {}
    again = model()
    assert again.generate_until(requests_for(again, questions))[0].text == ""
    assert costs.lookup("q0", "hlvid")["outcome"] == "refusal"
    assert len(service.questions) == 8
    assert len(service.batches) == 2


def test_what_was_not_reached_in_a_day_is_told_and_asked_again(
    model: Any, service: Service, questions: list[Any], requests_for: Any
) -> None:
    one = model()
    service.status, service.replies = "expired", {4: "expired", 5: "expired"}
    with pytest.raises(RunError, match=r"2 of 6 questions found no answer.*not executed before"):
        one.generate_until(requests_for(one, questions))
    service.status, service.replies = "completed", {}
    again = model()
    assert [result.text for result in again.generate_until(requests_for(again, questions))] == ["B"] * 6
    assert len(service.questions) == 8


def test_a_wrong_setting_ends_the_run_and_keeps_what_was_paid_for(
    model: Any, service: Service, questions: list[Any], requests_for: Any
) -> None:
    one = model()
    service.replies = {0: (400, {"error": {"message": "use another", "param": "max_tokens"}})}
    with pytest.raises(RunError, match=r"use another; set token_field=max_completion_tokens"):
        one.generate_until(requests_for(one, questions))
    service.replies = {}
    again = model()
    again.generate_until(requests_for(again, questions))
    assert len(service.questions) == 7


def test_a_cap_is_kept_by_the_price_of_one_question_asked_at_once(
    model: Any, service: Service, questions: list[Any], requests_for: Any
) -> None:
    one = model(max_tokens_total=4000, batch_mb=0.000001)  # a batch a question
    with pytest.raises(RunError, match="max_tokens_total=4000"):
        one.generate_until(requests_for(one, questions))
    assert (service.chats, len(service.questions)) == (1, 2)
    richer = model(max_tokens_total=40_000)
    richer.generate_until(requests_for(richer, questions))
    assert (service.chats, len(service.questions)) == (1, 5)


def test_two_processes_do_not_submit_the_same(
    model: Any, questions: list[Any], requests_for: Any, tmp_path: Path
) -> None:
    from hlvid.files import locked

    one = model()
    asked = requests_for(one, questions)
    journal = one.journal(one._read_all(asked))
    with (
        locked(journal.path.with_suffix(".batches.lock")),
        pytest.raises(RunError, match="another process waits for these batches"),
    ):
        one.generate_until(asked)


def test_several_processes_cannot_share_batches(model: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HLVID_SHARE", "0/2")
    with pytest.raises(RunError, match="leave out --processes"):
        model()
