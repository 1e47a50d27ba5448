"""Run with: pytest tests/hlvid/tasks/test_ledger.py. Tasks that run together keep their costs apart."""

from collections.abc import Iterator

import pytest

from hlvid.tasks import costs


@pytest.fixture(autouse=True)
def empty() -> Iterator[None]:
    costs.clear()
    yield
    costs.clear()


def test_the_same_id_in_two_tasks_is_two_questions() -> None:
    costs.record("001-1", {"frames": 8}, "hlvid_videomme")
    costs.record("001-1", {"frames": 32}, "hlvid_videomme_w_subtitle")
    assert costs.lookup("001-1", "hlvid_videomme") == {"frames": 8}
    assert costs.lookup("001-1", "hlvid_videomme_w_subtitle") == {"frames": 32}
    assert costs.lookup("001-1", "hlvid_mvbench") == {}
    assert costs.lookup("001-1") == {"frames": 8}


def test_a_model_that_names_no_task_is_found_from_any() -> None:
    costs.record("7", {"frames": 1})
    costs.record("7", {"tokens": 2})
    assert costs.lookup("7", "hlvid") == {"frames": 1, "tokens": 2}


def test_what_is_looked_up_is_a_copy() -> None:
    costs.record("7", {"frames": 1}, "hlvid")
    costs.lookup("7", "hlvid")["frames"] = 5
    assert costs.lookup("7", "hlvid") == {"frames": 1}
