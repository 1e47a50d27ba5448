"""One question against a server that misbehaves: what is tried again, what ends the run, what is an answer."""

import time
from collections.abc import Callable
from typing import Any

import pytest

from evaluators.models.openai.budget import Budget, BudgetError, Usage
from evaluators.models.openai.calls import Caller
from evaluators.models.openai.replies import GaveUpError
from evaluators.models.openai.settings import ApiSettings
from hlvid.errors import RunError

BODY = {"model": "toy", "messages": [{"role": "user", "content": "Which?"}], "max_tokens": 8}


@pytest.fixture
def caller(endpoint: Any, key: str, quick_retries: None) -> Callable[..., Caller]:
    """caller(retries=…, …): one that hardly pauses between attempts."""

    def build(budget: Budget | None = None, **changes: Any) -> Caller:
        base = {"model": "toy", "frames": 1, "resolution": 160, "base_url": endpoint.url}
        settings = ApiSettings.read({**base, "api_key_env": "TOY_KEY", "timeout": 5, **changes})
        return Caller(settings, budget or Budget())

    return build


def _error(code: str | None, message: str = "no", **more: Any) -> dict[str, Any]:
    return {"error": {"message": message, "code": code, **more}}


def test_an_answer_has_text_tokens_and_the_model_that_served_it(
    caller: Callable[..., Caller], endpoint: Any
) -> None:
    got, attempts = caller().ask(BODY)
    assert (got.text, got.outcome, got.served_by, attempts) == ("B", "ok", "toy-2026-01-01", 1)
    assert got.usage == Usage(1000, 10)
    assert endpoint.seen == [BODY]


@pytest.mark.parametrize(
    "faults",
    [
        [(429, {"Retry-After": "0.02"}, _error("rate_limit_exceeded"))],
        [(500, {}, {}), (503, {}, {}), (502, {"Content-Type": "text/html"}, "<html>bad gateway</html>")],
        [("drop",)],
    ],
)
def test_what_passes_is_tried_again(faults: list[Any], caller: Callable[..., Caller], endpoint: Any) -> None:
    endpoint.script = list(faults)
    got, attempts = caller().ask(BODY)
    assert (got.text, attempts) == ("B", len(faults) + 1)


def test_a_server_that_never_recovers_costs_one_question(
    caller: Callable[..., Caller], endpoint: Any
) -> None:
    endpoint.script = [(502, {"Content-Type": "text/html"}, "<html>bad gateway</html>")] * 3
    with pytest.raises(GaveUpError, match=r"HTTP 502: .*bad gateway"):
        caller(retries=2).ask(BODY)
    assert len(endpoint.seen) == 3


def test_a_hanging_server_is_left_after_the_timeout(caller: Callable[..., Caller], endpoint: Any) -> None:
    endpoint.script = [("hang", 1.5)]
    started = time.perf_counter()
    assert caller(timeout=0.2).ask(BODY)[1] == 2
    endpoint.script = [("hang", 0.5)]
    with pytest.raises(GaveUpError, match=r"no reply within 0.2 s in 1 attempts"):
        caller(timeout=0.2, retries=0).ask(BODY)
    assert time.perf_counter() - started < 1.4


@pytest.mark.parametrize(
    ("step", "why"),
    [
        ({"id": "x", "choices": []}, "without a choice"),
        ({}, "without a choice"),
        ({"choices": [None]}, "without a choice"),
        ({"error": {"message": "provider is down", "code": 503}}, "HTTP 503: provider is down"),
        (("cut", {"choices": []}), "unreadable"),
    ],
)
def test_a_reply_without_an_answer_leaves_the_question_for_later(
    step: Any, why: str, caller: Callable[..., Caller], endpoint: Any
) -> None:
    endpoint.script = [step]
    with pytest.raises(GaveUpError, match=why):
        caller().ask(BODY)


@pytest.mark.parametrize(
    ("changes", "text", "outcome"),
    [
        ({"text": None, "refusal": "I cannot help."}, "I cannot help.", "refusal"),
        ({"text": None, "finish": "content_filter"}, "", "refusal"),
        ({"text": None, "finish": "length"}, "", "length"),
        ({"text": "It is the", "finish": "length"}, "It is the", "length"),
        ({"text": None}, "", "empty"),
        ({"text": [{"type": "text", "text": "B"}]}, "B", "ok"),
        ({"text": [{"type": "thinking", "thinking": []}, {"type": "text", "text": "B"}]}, "B", "ok"),
    ],
)
def test_refusals_limits_and_parts_are_answers(
    changes: dict[str, Any],
    text: str,
    outcome: str,
    caller: Callable[..., Caller],
    endpoint: Any,
    answering: Callable[..., dict[str, Any]],
) -> None:
    endpoint.script = [answering(**changes)]
    got, attempts = caller().ask(BODY)
    assert (got.text, got.outcome, attempts) == (text, outcome, 1)


@pytest.mark.parametrize(
    ("status", "error", "outcome"),
    [
        (400, _error("content_filter", innererror={"code": "ResponsibleAIPolicyViolation"}), "refusal"),
        (400, _error(None, innererror={"code": "ResponsibleAIPolicyViolation"}), "refusal"),
        (400, _error("data_inspection_failed"), "refusal"),
        (400, _error("invalid_prompt"), "refusal"),
        (400, _error("context_length_exceeded"), "context_overflow"),
        (400, {"object": "error", "message": "longer than the maximum model length"}, "context_overflow"),
        (413, "Request Entity Too Large", "context_overflow"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_one_question_is_its_answer(
    status: int, error: Any, outcome: str, caller: Callable[..., Caller], endpoint: Any
) -> None:
    endpoint.script = [(status, {}, error)]
    got, _ = caller(budget=Budget(max_tokens=100)).ask(BODY)
    assert (got.text, got.outcome) == ("", outcome)
    assert f"HTTP {status}" in got.message


@pytest.mark.parametrize(
    ("status", "error", "message"),
    [
        (400, _error(None, "251 pictures sent, 250 are the most"), "251 pictures sent"),
        (400, _error("unsupported_parameter", param="max_tokens"), "token_field=max_completion_tokens"),
        (400, _error("unsupported_value", param="temperature"), "send_temperature=False"),
        (404, {"message": "no such page", "statusCode": 404}, r"HTTP 404: no such page; .*ends in /v1"),
        (429, _error("insufficient_quota", "You exceeded your current quota"), "exceeded your current quota"),
        (422, {"detail": "Unexpected fields in the request"}, "Unexpected fields"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_the_settings_ends_the_run(
    status: int, error: Any, message: str, caller: Callable[..., Caller], endpoint: Any
) -> None:
    endpoint.script = [(status, {}, error)] * 2
    with pytest.raises(RunError, match=message) as caught:
        caller().ask(BODY)
    assert not isinstance(caught.value, GaveUpError)
    assert len(endpoint.seen) == 1


def test_keys_are_hidden_whoever_repeats_them(
    caller: Callable[..., Caller], endpoint: Any, key: str, answering: Callable[..., dict[str, Any]]
) -> None:
    said = f"Incorrect API key provided: {key}, or sk-1234, or sk-pr**********xyz"
    endpoint.script = [(401, {}, {"error": {"message": said}}), answering(f"B {key}", model=f"toy {key}")]
    with pytest.raises(RunError, match=r"HTTP 401.*\[key\], or \[key\], or \[key\]$") as caught:
        caller().ask(BODY)
    assert caught.value.__suppress_context__
    got, _ = caller().ask(BODY)
    assert (got.text, got.served_by) == ("B [key]", "toy [key]")


def test_reasoning_is_kept_apart_from_the_answer(
    caller: Callable[..., Caller], endpoint: Any, answering: Callable[..., dict[str, Any]]
) -> None:
    endpoint.script = [answering(None, finish="length", reasoning_content="The answer is A")]
    endpoint.script[0]["usage"]["completion_tokens_details"] = {"reasoning_tokens": 9}
    got, _ = caller().ask(BODY)
    assert (got.text, got.outcome, got.reasoning) == ("", "length", "The answer is A")
    assert got.usage is not None and got.usage.reasoning == 9


def test_another_model_than_the_one_asked_ends_the_run(
    caller: Callable[..., Caller], endpoint: Any, answering: Callable[..., dict[str, Any]]
) -> None:
    endpoint.script = [answering("B", model="newer-3")] * 2 + [answering("B", model="vendor/toy")]
    with pytest.raises(RunError, match=r"toy: the reply is from 'newer-3'; .*allow_other_model=True"):
        caller().ask(BODY)
    assert caller(allow_other_model=True).ask(BODY)[0].served_by == "newer-3"
    assert caller().ask(BODY)[0].served_by == "vendor/toy"


def test_without_token_counts_no_cap_can_be_kept(
    caller: Callable[..., Caller], endpoint: Any, answering: Callable[..., dict[str, Any]]
) -> None:
    endpoint.script = [answering("B", usage=None), answering("B", usage=None)]
    assert caller().ask(BODY)[0].usage is None
    with pytest.raises(RunError, match="no token counts"):
        caller(Budget(max_tokens=10)).ask(BODY)


def test_the_cap_stops_before_it_is_passed(caller: Callable[..., Caller], endpoint: Any) -> None:
    one = caller(Budget(price_in=1.0, price_out=100.0, max_cost=0.0045))  # 0.002 an answer
    one.ask(BODY)
    one.ask(BODY)
    with pytest.raises(BudgetError, match=r"spent 0.0040 of max_cost=0.0045"):
        one.ask(BODY)
    assert len(endpoint.seen) == 2


def test_requests_under_way_are_reckoned_with() -> None:
    budget = Budget(max_tokens=350)
    budget.charge(Usage(90, 10))
    refused = pytest.raises(BudgetError, match="used 100 of max_tokens_total=350")
    with budget.turn(2), refused, budget.turn():
        pytest.fail("a third request was let through")
