"""One question against a server that misbehaves: what is tried again, what ends the run, what is an answer."""

import email.utils
import time
from collections.abc import Callable
from typing import Any

import pytest

from evaluators.models.openai.budget import Budget, BudgetError, Usage
from evaluators.models.openai.calls import Caller, GaveUpError, retry_after
from evaluators.models.openai.settings import ApiSettings
from hlvid.errors import RunError


@pytest.fixture
def waits() -> list[float]:
    """The pauses that the caller made, in seconds."""
    return []


@pytest.fixture
def caller(endpoint: Any, key: str, waits: list[float]) -> Callable[..., Caller]:
    """caller(retries=…, …): one that notes its pauses instead of making them."""

    def build(budget: Budget | None = None, **changes: Any) -> Caller:
        base = {"model": "toy", "frames": 1, "resolution": 160, "base_url": endpoint.url}
        settings = ApiSettings.read({**base, "api_key_env": "TOY_KEY", "timeout": 5, **changes})
        return Caller(settings, budget or Budget(), sleep=waits.append)

    return build


def _ask(caller: Caller) -> Any:
    return caller.ask(["data:image/png;base64,AAAA"], "Which?", {"max_tokens": 8})


def test_an_answer_has_text_tokens_and_the_model_that_served_it(
    caller: Callable[..., Caller], endpoint: Any
) -> None:
    got = _ask(caller())
    assert (got.text, got.outcome, got.served_by) == ("B", "ok", "toy-2026-01-01")
    assert got.usage == Usage(1000, 10)
    content = endpoint.seen[0]["messages"][0]["content"]
    assert [part["type"] for part in content] == ["image_url", "text"]
    assert endpoint.seen[0]["max_tokens"] == 8


def test_429_waits_as_long_as_the_server_says(
    caller: Callable[..., Caller], endpoint: Any, waits: list[float]
) -> None:
    endpoint.script = [(429, {"Retry-After": "7"}, {"error": {"message": "slow down"}})]
    got = _ask(caller())
    assert (got.text, got.attempts, waits) == ("B", 2, [7.0])
    assert "HTTP 429" in got.failures[0]


def test_a_wait_above_max_wait_gives_up_instead_of_sleeping(
    caller: Callable[..., Caller], endpoint: Any, waits: list[float]
) -> None:
    endpoint.script = [(429, {"Retry-After": "86400"}, {})]
    with pytest.raises(GaveUpError, match=r"wait 86400 s, above max_wait=120"):
        _ask(caller())
    assert waits == []


def test_500_backs_off_further_each_time(
    caller: Callable[..., Caller], endpoint: Any, waits: list[float]
) -> None:
    endpoint.script = [(500, {}, {}), (503, {}, {}), (502, {}, {})]
    assert _ask(caller()).attempts == 4
    assert [round(wait) for wait in waits] == pytest.approx([1, 2, 4], rel=0.26)
    assert all(
        low <= wait <= high for wait, low, high in zip(waits, (0.75, 1.5, 3), (1.25, 2.5, 5), strict=True)
    )


def test_a_server_that_never_recovers_costs_one_question(
    caller: Callable[..., Caller], endpoint: Any
) -> None:
    endpoint.script = [(500, {}, {})] * 3
    with pytest.raises(GaveUpError, match=r"no answer in 3 attempts: HTTP 500"):
        _ask(caller(retries=2))
    assert len(endpoint.seen) == 3


def test_a_hanging_server_is_left_after_the_timeout(caller: Callable[..., Caller], endpoint: Any) -> None:
    endpoint.script = [("hang", 1.5)]
    started = time.perf_counter()
    got = _ask(caller(timeout=0.2))
    assert (got.text, got.failures) == ("B", ("no reply within 0.2 s",))
    assert time.perf_counter() - started < 1.4


def test_cut_json_and_a_broken_connection_are_tried_again(
    caller: Callable[..., Caller], endpoint: Any, answering: Callable[..., dict[str, Any]]
) -> None:
    endpoint.script = [("cut", answering("A")), ("drop",)]
    got = _ask(caller())
    assert (got.text, got.attempts) == ("B", 3)
    assert got.failures[0].startswith("unreadable reply")
    assert got.failures[1].startswith("connection")


def test_no_choice_is_tried_again(
    caller: Callable[..., Caller], endpoint: Any, answering: Callable[..., dict[str, Any]]
) -> None:
    endpoint.script = [answering(choices=[]), answering(choices=None), {}]
    got = _ask(caller())
    assert (got.text, got.attempts, set(got.failures)) == ("B", 4, {"a reply without a choice"})


def test_tokens_of_all_attempts_are_counted(
    caller: Callable[..., Caller], endpoint: Any, answering: Callable[..., dict[str, Any]]
) -> None:
    endpoint.script = [answering("")]
    budget = Budget()
    assert _ask(caller(budget)).usage == Usage(2000, 20)
    assert budget.spent == Usage(2000, 20)


def test_silence_to_the_end_is_an_empty_answer(
    caller: Callable[..., Caller], endpoint: Any, answering: Callable[..., dict[str, Any]]
) -> None:
    endpoint.script = [answering(""), answering(None)]
    got = _ask(caller(retries=1))
    assert (got.text, got.outcome, got.attempts) == ("", "empty", 2)


@pytest.mark.parametrize(
    ("changes", "text", "outcome"),
    [
        ({"text": None, "refusal": "I cannot help."}, "I cannot help.", "refusal"),
        ({"text": None, "finish": "content_filter"}, "", "refusal"),
        ({"text": None, "finish": "length"}, "", "length"),
    ],
)
def test_refusals_and_limits_are_answers(
    changes: dict[str, Any],
    text: str,
    outcome: str,
    caller: Callable[..., Caller],
    endpoint: Any,
    answering: Callable[..., dict[str, Any]],
) -> None:
    endpoint.script = [answering(**changes)]
    got = _ask(caller())
    assert (got.text, got.outcome, got.attempts) == (text, outcome, 1)


def test_a_wrong_key_ends_the_run_and_is_not_repeated(
    caller: Callable[..., Caller], endpoint: Any, key: str
) -> None:
    endpoint.script = [(401, {}, {"error": {"message": f"Incorrect API key provided: {key}"}})]
    with pytest.raises(RunError, match=r"HTTP 401.*\[key\]") as caught:
        _ask(caller())
    assert not isinstance(caught.value, GaveUpError)
    assert caught.value.__suppress_context__
    assert key not in str(caught.value)
    assert len(endpoint.seen) == 1


def test_a_used_up_account_is_not_waited_for(
    caller: Callable[..., Caller], endpoint: Any, waits: list[float]
) -> None:
    body = {"error": {"message": "You exceeded your current quota", "code": "insufficient_quota"}}
    endpoint.script = [(429, {"Retry-After": "1"}, body)]
    with pytest.raises(RunError, match="exceeded your current quota"):
        _ask(caller())
    assert waits == []


def test_another_model_than_the_one_asked_ends_the_run(
    caller: Callable[..., Caller], endpoint: Any, answering: Callable[..., dict[str, Any]]
) -> None:
    endpoint.script = [answering("B", model="newer-3")] * 2 + [answering("B", model="vendor/toy")]
    with pytest.raises(RunError, match=r"toy: the reply is from 'newer-3'; .*allow_other_model=True"):
        _ask(caller())
    assert _ask(caller(allow_other_model=True)).served_by == "newer-3"
    assert _ask(caller()).served_by == "vendor/toy"


def test_without_token_counts_no_cap_can_be_kept(
    caller: Callable[..., Caller], endpoint: Any, answering: Callable[..., dict[str, Any]]
) -> None:
    endpoint.script = [answering("B", usage=None), answering("B", usage=None)]
    assert _ask(caller()).usage is None
    with pytest.raises(RunError, match="no token counts"):
        _ask(caller(Budget(max_tokens=10)))


def test_the_cap_stops_before_it_is_passed(caller: Callable[..., Caller], endpoint: Any) -> None:
    budget = Budget(price_in=1.0, price_out=100.0, max_cost=0.0045)  # 0.002 an answer
    one = caller(budget)
    _ask(one)
    _ask(one)
    with pytest.raises(BudgetError, match=r"spent 0.0040 of max_cost=0.0045"):
        _ask(one)
    assert len(endpoint.seen) == 2


def test_requests_under_way_are_reckoned_with() -> None:
    budget = Budget(max_tokens=350)
    budget.charge(Usage(90, 10))
    refused = pytest.raises(BudgetError, match="used 100 of max_tokens_total=350")
    with budget.turn(), budget.turn(), refused, budget.turn():
        pytest.fail("a third request was let through")


def test_retry_after_reads_seconds_milliseconds_and_dates() -> None:
    later = email.utils.formatdate(time.time() + 30, usegmt=True)
    assert retry_after({"retry-after": "2.5"}) == 2.5
    assert retry_after({"retry-after-ms": "1500", "retry-after": "9"}) == 1.5
    assert retry_after({"retry-after": later}) == pytest.approx(30, abs=2)
    assert retry_after({"retry-after": "soon"}) is None
    assert retry_after({}) is None
