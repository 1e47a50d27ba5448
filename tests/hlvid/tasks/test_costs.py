"""Run with: pytest tests/hlvid/tasks/test_ledger.py. Tasks that run together keep their costs apart."""

from collections.abc import Iterator

import pytest

from hlvid.tasks import costs as ledger


@pytest.fixture(autouse=True)
def empty() -> Iterator[None]:
    ledger.clear()
    yield
    ledger.clear()


def test_the_same_id_in_two_tasks_is_two_questions() -> None:
    ledger.record("001-1", {"frames": 8}, "hlvid_videomme")
    ledger.record("001-1", {"frames": 32}, "hlvid_videomme_w_subtitle")
    assert ledger.lookup("001-1", "hlvid_videomme") == {"frames": 8}
    assert ledger.lookup("001-1", "hlvid_videomme_w_subtitle") == {"frames": 32}
    assert ledger.lookup("001-1", "hlvid_mvbench") == {}
    assert ledger.lookup("001-1") == {"frames": 8}


def test_a_model_that_names_no_task_is_found_from_any() -> None:
    ledger.record("7", {"frames": 1})
    ledger.record("7", {"tokens": 2})
    assert ledger.lookup("7", "hlvid") == {"frames": 1, "tokens": 2}


def test_what_is_looked_up_is_a_copy() -> None:
    ledger.record("7", {"frames": 1}, "hlvid")
    ledger.lookup("7", "hlvid")["frames"] = 5
    assert ledger.lookup("7", "hlvid") == {"frames": 1}
