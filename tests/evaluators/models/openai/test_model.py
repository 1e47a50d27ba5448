"""--model openai_frames against a local server: what is sent, what is kept, what a crash and a cap leave."""

import base64
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from evaluators.models.openai.model import OpenAIFrames
from evaluators.models.openai.settings import ApiSettings
from hlvid.errors import RunError
from hlvid.tasks import costs
from hlvid.video import Video


@pytest.fixture
def model(endpoint: Any, key: str, tmp_path: Path, quick_retries: None) -> Callable[..., OpenAIFrames]:
    """model(frames=…): an openai_frames that asks the local server."""

    def build(**changes: Any) -> OpenAIFrames:
        base = {
            "model": "toy",
            "frames": 3,
            "resolution": 160,
            "base_url": endpoint.url,
            "runs": str(tmp_path),
        }
        return OpenAIFrames(**{**base, "api_key_env": "TOY_KEY", "timeout": 5, "retries": 1, **changes})

    return build


def _lines(folder: Path) -> list[dict[str, Any]]:
    (file,) = folder.glob("*.jsonl")
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()][1:]


def _picture(url: str) -> np.ndarray:
    from PIL import Image

    return np.asarray(Image.open(io.BytesIO(base64.b64decode(url.split(",")[1]))))


def test_the_server_gets_our_frames_bit_for_bit(
    model: Callable[..., OpenAIFrames],
    endpoint: Any,
    questions: list[Any],
    requests_for: Any,
    clips: list[Path],
) -> None:
    one = model(image_format="png", resolution=80)
    one.generate_until(requests_for(one, questions[:1]))
    urls = [
        part["image_url"]["url"]
        for part in endpoint.seen[0]["messages"][0]["content"]
        if part["type"] == "image_url"
    ]
    with Video.open(clips[0]) as video:
        wanted = video.frames([0, 6, 11], size=(46, 80))
    assert urls[0].startswith("data:image/png;base64,")
    assert np.array_equal(np.stack([_picture(url) for url in urls]), wanted)
    assert endpoint.seen[0]["messages"][0]["content"][-1]["text"] == questions[0].prompt()


def test_jpeg_is_of_the_size_and_near_the_pixels(
    model: Callable[..., OpenAIFrames],
    endpoint: Any,
    questions: list[Any],
    requests_for: Any,
    clips: list[Path],
) -> None:
    one = model(quality=95)
    one.generate_until(requests_for(one, questions[:1]))
    got = _picture(endpoint.seen[0]["messages"][0]["content"][0]["image_url"]["url"])
    with Video.open(clips[0]) as video:
        wanted = video.frames([0])[0]
    assert got.shape == wanted.shape
    assert np.abs(got.astype(int) - wanted).mean() < 3


def test_answers_come_in_order_with_tokens_and_price(
    model: Callable[..., OpenAIFrames],
    endpoint: Any,
    questions: list[Any],
    requests_for: Any,
    tmp_path: Path,
) -> None:
    one = model(price_in=2.0, price_out=10.0, concurrency=3)
    endpoint.delay = 0.1
    results = one.generate_until(requests_for(one, questions))
    assert [result.text for result in results] == ["B"] * 6
    assert 1 < endpoint.most_busy <= 3
    details = costs.lookup("q4", "hlvid")
    assert (details["tokens_in"], details["tokens_out"], details["cost"]) == (1000, 10, 0.0021)
    assert details["audit"]["decoded"] == {"frames": 3, "height": 90, "width": 160}
    assert len(_lines(tmp_path)) == 6


def test_only_lost_questions_are_asked_again(
    model: Callable[..., OpenAIFrames], endpoint: Any, questions: list[Any], requests_for: Any, tmp_path: Path
) -> None:
    one = model(concurrency=1, retries=0)
    endpoint.script = [(500, {}, {})]
    with pytest.raises(RunError, match=r"1 of 6 questions found no answer.*q0"):
        one.generate_until(requests_for(one, questions))
    assert len(_lines(tmp_path)) == 5
    again = model(concurrency=1)
    assert len(again.generate_until(requests_for(again, questions))) == 6
    assert len(endpoint.seen) == 7


def test_a_cap_holds_over_restarts(
    model: Callable[..., OpenAIFrames], endpoint: Any, questions: list[Any], requests_for: Any, tmp_path: Path
) -> None:
    for _ in range(2):
        one = model(max_tokens_total=2500, concurrency=1)
        with pytest.raises(RunError, match="used 2020 of max_tokens_total=2500"):
            one.generate_until(requests_for(one, questions))
        assert len(endpoint.seen) == 2
    richer = model(max_tokens_total=10_000, concurrency=1)  # a cap is no part of the run's identity
    richer.generate_until(requests_for(richer, questions))
    assert len(endpoint.seen) == 6


def test_a_fatal_error_stops_the_others(
    model: Callable[..., OpenAIFrames], endpoint: Any, questions: list[Any], requests_for: Any
) -> None:
    one = model(concurrency=1)
    endpoint.script = [(404, {}, {"error": {"message": "no such model"}})]
    with pytest.raises(RunError, match="no such model"):
        one.generate_until(requests_for(one, questions))
    assert len(endpoint.seen) < 6


def test_a_refusal_is_scored_as_said(
    model: Callable[..., OpenAIFrames],
    endpoint: Any,
    answering: Any,
    questions: list[Any],
    requests_for: Any,
) -> None:
    one = model()
    endpoint.script = [answering(None, refusal="No.")]
    (result,) = one.generate_until(requests_for(one, questions[:1]))
    assert result.text == "No."
    assert costs.lookup("q0", "hlvid")["outcome"] == "refusal"


def test_a_request_above_the_limit_is_recorded_and_not_sent(
    model: Callable[..., OpenAIFrames], endpoint: Any, questions: list[Any], requests_for: Any
) -> None:
    one = model(max_request_mb=0.001)
    (result,) = one.generate_until(requests_for(one, questions[:1]))
    details = costs.lookup("q0", "hlvid")
    assert (result.text, details["outcome"], endpoint.seen) == ("", "context_overflow", [])
    assert "above max_request_mb=0.001" in details["message"]
    assert details["fits"]["frames"] < 3


def test_a_filtered_question_is_a_refusal_and_the_run_goes_on(
    model: Callable[..., OpenAIFrames], endpoint: Any, questions: list[Any], requests_for: Any, tmp_path: Path
) -> None:
    one = model(concurrency=1)
    endpoint.script = [(400, {}, {"error": {"code": "content_filter", "message": "filtered"}})]
    assert [result.text for result in one.generate_until(requests_for(one, questions))] == [""] + ["B"] * 5
    assert [line["record"]["details"]["outcome"] for line in _lines(tmp_path)] == ["refusal"] + ["ok"] * 5


def test_each_video_is_decoded_once_whatever_the_order(
    model: Callable[..., OpenAIFrames],
    endpoint: Any,
    questions: list[Any],
    requests_for: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from evaluators.models.openai import model as module

    decoded: list[Path] = []
    deliver = module.deliver
    monkeypatch.setattr(module, "deliver", lambda path, *rest: decoded.append(path) or deliver(path, *rest))
    one = model(concurrency=4)  # the questions' own order changes the video with each
    one.generate_until(requests_for(one, questions))
    assert len(decoded) == 2
    assert one._videos == {}


def test_a_reasoning_model_gets_its_fields(
    model: Callable[..., OpenAIFrames], endpoint: Any, questions: list[Any], requests_for: Any, tmp_path: Path
) -> None:
    body = tmp_path / "body.json"
    body.write_text('{"chat_template_kwargs": {"enable_thinking": true}, "top_p": 0.9}')
    one = model(
        token_field="max_completion_tokens",
        send_temperature=False,
        max_new_tokens=4096,
        reasoning_effort="low",
        extra_body=str(body),
    )
    one.generate_until(requests_for(one, questions[:1]))
    sent = {name: value for name, value in endpoint.seen[0].items() if name not in ("model", "messages")}
    assert sent == {
        "max_completion_tokens": 4096,
        "reasoning_effort": "low",
        "chat_template_kwargs": {"enable_thinking": True},
        "top_p": 0.9,
    }


def test_a_server_of_ours_is_told_to_keep_pixels_number_and_times(
    model: Callable[..., OpenAIFrames],
    endpoint: Any,
    questions: list[Any],
    requests_for: Any,
    clips: list[Path],
) -> None:
    one = model(send="video", pixel_cap="size")
    one.generate_until(requests_for(one, questions[:1]))
    (video, _), sent = endpoint.seen[0]["messages"][0]["content"], endpoint.seen[0]
    head, _, frames = video["video_url"]["url"].partition("base64,")
    assert head == "data:video/jpeg;"
    assert [_picture(f"data:image/jpeg;base64,{one}").shape for one in frames.split(",")] == [
        (90, 160, 3)
    ] * 3
    assert sent["mm_processor_kwargs"] == {"size": {"shortest_edge": 3136, "longest_edge": 3 * 90 * 160}}
    assert sent["media_io_kwargs"]["video"] == {
        "num_frames": 3, "fps": 6.0, "frames_indices": [0, 6, 11], "total_num_frames": 12, "duration": 2.0,
    }  # fmt: skip
    assert "its cap on pixels was set" in costs.lookup("q0", "hlvid")["audit"]["verdict"]


def test_an_endpoint_that_is_down_ends_the_run_soon(
    model: Callable[..., OpenAIFrames],
    endpoint: Any,
    questions: list[Any],
    requests_for: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("evaluators.models.openai.model.HOPELESS", 3)
    one = model(retries=0, concurrency=1)
    endpoint.script = [(503, {}, {})] * 6
    with pytest.raises(RunError, match=r"3 questions in a row found no answer. First: .*q0.*HTTP 503"):
        one.generate_until(requests_for(one, questions))
    assert len(endpoint.seen) < 6


def test_the_key_is_sent_and_kept_nowhere(
    model: Callable[..., OpenAIFrames],
    endpoint: Any,
    key: str,
    questions: list[Any],
    requests_for: Any,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    caplog.set_level("DEBUG")
    one = model(retries=0)
    endpoint.script = [{}, (403, {}, {"error": {"message": f"key {key} is not allowed"}})]
    for _ in range(2):
        with pytest.raises(RunError) as caught:
            one.generate_until(requests_for(one, questions[:1]))
        assert key not in str(caught.value)
    one.generate_until(requests_for(one, questions[:1]))
    assert endpoint.headers[0]["authorization"] == f"Bearer {key}"
    out, err = capfd.readouterr()
    kept = "".join(path.read_text(encoding="utf-8") for path in tmp_path.rglob("*") if path.is_file())
    logged = "".join(entry.getMessage() for entry in caplog.records)
    for text in (kept, out, err, logged, repr(one.settings()), repr(one.api)):
        assert key not in text


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"api_key": "sk-1"}, "api_key is not taken"),
        ({"frames": 0}, "frames is 0; allowed: greater than or equal to 1"),
        ({"quality": 90.5}, "quality is 90.5; allowed: a valid integer"),
        ({"image_format": "gif"}, "image_format is 'gif'; allowed: 'jpeg' or 'png'"),
        ({"max_cost": 5}, "max_cost needs price_in and price_out"),
        ({"base_url": "http://me:secret@host/v1"}, "base_url holds a password"),
        ({"base_url": "http://secret@host/v1"}, "base_url holds a password"),
        ({"base_url": "http://host/v1?key=secret"}, "or a query"),
        ({"extra_body": {"a": [{"Api-Key": "secret"}]}}, "extra_body: Api-Key would be written into results"),
        ({"extra_body": "{no json"}, "extra_body is '{no json'; allowed: a JSON object, or a file"),
        ({"extra_body": '{"messages": []}'}, "messages is set by openai_frames itself"),
        ({"max_new_tokens": True}, "max_new_tokens is True; allowed: a valid integer"),
        ({"send": "video", "image_format": "png"}, "send=video is a row of JPEGs"),
        ({"colour": 1}, "unknown argument 'colour'; allowed: model, frames"),
        ({"resolution": None}, "resolution is missing"),
    ],
)
def test_wrong_arguments_are_named(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(RunError, match=message) as caught:
        ApiSettings.read({"model": "toy", "frames": 3, "resolution": 160, **changes})
    assert "secret" not in str(caught.value)


def test_no_key_names_the_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TOY_KEY", raising=False)
    monkeypatch.setenv("TOY_KEY_2", "hunter2hunter2")
    held = {"model": "m", "frames": 1, "resolution": 16, "api_key_env": "TOY_KEY_2"}
    with pytest.raises(RunError, match="the key is among the arguments"):
        ApiSettings.read({**held, "extra_body": {"x": "hunter2hunter2"}}).key()
    settings = ApiSettings.read({"model": "m", "frames": 1, "resolution": 16, "api_key_env": "TOY_KEY"})
    with pytest.raises(RunError, match="the environment has no TOY_KEY"):
        settings.key()


def test_the_endpoint_that_the_environment_names_is_part_of_the_identity(
    model: Callable[..., OpenAIFrames], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Left out, the client takes OPENAI_BASE_URL by itself: another server is another model."""
    found = []
    for url in ("http://one/v1", "http://two/v1", ""):
        monkeypatch.setenv("OPENAI_BASE_URL", url)
        found.append(model(base_url=None).settings()["base_url"])
    assert found == ["http://one/v1", "http://two/v1", None]


def test_top_p_reaches_the_endpoint_where_something_is_drawn(
    model: Callable[..., OpenAIFrames], endpoint: Any, answering: Any, questions: list[Any], requests_for: Any
) -> None:
    for temperature, sent in ((1, 0.5), (0, None)):
        endpoint.script = [answering("B")]
        one = model()
        (request, *_) = requests_for(one, questions)
        request.arguments[1].update(temperature=temperature, top_p=0.5)
        one.generate_until([request])
        assert endpoint.seen[-1].get("top_p") == sent and endpoint.seen[-1]["temperature"] == temperature
