"""Clips gazed side by side come out as they do one by one, and the caller's threads are as they were."""

from collections.abc import Iterator

import pytest
import torch
from torch import Tensor

from autogaze.gaze import Gaze
from autogaze.model.autogaze import AutoGaze
from autogaze.parallel import at_once, shares, side_by_side, threads
from tests.autogaze.model.test_autogaze import clip


@pytest.fixture(autouse=True)
def _two_threads() -> Iterator[None]:
    with threads(2):
        yield


def _sizes(video: Tensor, seen: list[tuple[int, int]]) -> Gaze:
    seen.append((len(video), torch.get_num_threads()))
    return Gaze.from_masks(torch.ones(len(video), 1, 265, dtype=torch.bool))


def test_shares_run_on_one_thread_each_and_come_back_in_order() -> None:
    seen: list[tuple[int, int]] = []
    gaze = side_by_side(lambda part: _sizes(part, seen), clip(batch=5), 9)
    assert sorted(seen) == [(2, 1), (3, 1)] and gaze.batch == 5
    assert torch.get_num_threads() == 2


def test_an_error_in_a_share_is_the_callers_and_leaves_the_threads_alone() -> None:
    def work(video: Tensor) -> Gaze:
        raise ValueError("video: of no use")

    with pytest.raises(ValueError, match="of no use"):
        side_by_side(work, clip(batch=2), 9)
    assert torch.get_num_threads() == 2


@pytest.mark.parametrize(("policy", "number"), [("active", 2), ("PASSIVE", 1)])
def test_one_clip_has_all_threads_unless_they_sleep(
    policy: str, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OMP_WAIT_POLICY", policy)
    seen: list[tuple[int, int]] = []
    side_by_side(lambda part: _sizes(part, seen), clip(), 9)
    assert seen == [(1, number)] and torch.get_num_threads() == 2


def test_one_clip_has_no_more_threads_than_its_steps_have_work_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_WAIT_POLICY", "active")
    torch.set_num_threads(7)
    seen: list[tuple[int, int]] = []
    side_by_side(lambda part: _sizes(part, seen), clip(), 9)
    assert seen == [(1, 4)] and torch.get_num_threads() == 7


def test_no_more_go_together_than_may() -> None:
    """Shares about as large as each other: what an accelerator recorded for one batch serves the next of its size."""
    seen: list[tuple[int, int]] = []
    with threads(1):
        gaze = side_by_side(lambda part: _sizes(part, seen), clip(batch=6), 4)
    assert [batch for batch, _ in seen] == [3, 3] and gaze.batch == 6
    assert [len(part) for part in shares(clip(batch=5), 2)] == [2, 2, 1]


def test_a_gpus_free_memory_says_how_many(monkeypatch: pytest.MonkeyPatch) -> None:
    """What torch holds for reuse counts as free: a second call must not find half of what the first found."""
    gib, device = 1 << 30, torch.device("cuda")
    said = {"mem_get_info": (60 * gib, 80 * gib), "memory_reserved": 12 * gib, "memory_allocated": 8 * gib}
    for name, value in said.items():
        monkeypatch.setattr(torch.cuda, name, lambda _, value=value: value)
    assert at_once(device, gib) == 32
    assert at_once(device, 100 * gib) == 1
    assert at_once(torch.device("cpu"), gib) == 16 * torch.get_num_threads()


@pytest.mark.parametrize("request_", [{"ratio": 0.1}, {"ratio": 0.2, "loss": 0.02}])
def test_clips_that_stop_at_different_times_are_gazed_as_alone(
    random_model: AutoGaze, request_: dict[str, float]
) -> None:
    video = clip(frames=2, batch=5)
    together = random_model.gaze(video, **request_)
    for row, one in enumerate(video):
        alone = random_model.gaze(one[None], **request_)
        assert torch.equal(together.masks()[row], alone.masks()[0])


def test_clips_that_influence_each_other_stay_together(random_model: AutoGaze) -> None:
    """Published batches, and draws from one generator, depend on who is in the batch."""
    video = clip(frames=2, batch=3)
    draws = [
        random_model.gaze(
            video, ratio=0.1, temperature=1.0, generator=torch.Generator().manual_seed(1)
        ).positions
        for _ in range(2)
    ]
    assert torch.equal(*draws)
