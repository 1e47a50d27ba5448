"""Clips gazed side by side come out as they do one by one, and the caller's threads are as they were."""

from collections.abc import Iterator

import pytest
import torch
from torch import Tensor

from autogaze.gaze import Gaze
from autogaze.model.autogaze import AutoGaze
from autogaze.parallel import side_by_side, threads
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
    gaze = side_by_side(lambda part: _sizes(part, seen), clip(batch=5))
    assert sorted(seen) == [(2, 1), (3, 1)] and gaze.batch == 5
    assert torch.get_num_threads() == 2


def test_an_error_in_a_share_is_the_callers_and_leaves_the_threads_alone() -> None:
    def work(video: Tensor) -> Gaze:
        raise ValueError("video: of no use")

    with pytest.raises(ValueError, match="of no use"):
        side_by_side(work, clip(batch=2))
    assert torch.get_num_threads() == 2


@pytest.mark.parametrize(("policy", "number"), [("active", 2), ("PASSIVE", 1)])
def test_one_clip_has_all_threads_unless_they_sleep(
    policy: str, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OMP_WAIT_POLICY", policy)
    seen: list[tuple[int, int]] = []
    side_by_side(lambda part: _sizes(part, seen), clip())
    assert seen == [(1, number)] and torch.get_num_threads() == 2


def test_one_clip_has_no_more_threads_than_its_steps_have_work_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_WAIT_POLICY", "active")
    torch.set_num_threads(7)
    seen: list[tuple[int, int]] = []
    side_by_side(lambda part: _sizes(part, seen), clip())
    assert seen == [(1, 4)] and torch.get_num_threads() == 7


def test_an_accelerator_takes_a_share_after_another() -> None:
    seen: list[tuple[int, int]] = []
    gaze = side_by_side(lambda part: _sizes(part, seen), clip(batch=5), at_once=2)
    assert [batch for batch, _ in seen] == [2, 2, 1] and gaze.batch == 5


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
