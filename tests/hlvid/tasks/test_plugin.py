"""lmms-eval's index of tasks is parsed by libyaml: the same index, the same refusals.

Run: pytest tests/hlvid/tasks/test_plugin.py
"""

from pathlib import Path
from typing import Any

import pytest
import yaml

from hlvid.tasks import plugin


@pytest.fixture(scope="module")
def manager() -> Any:
    """lmms-eval's `TaskManager`, knowing our tasks; without any of its own."""
    from lmms_eval.tasks import TaskManager

    plugin.register()
    return TaskManager("ERROR", include_defaults=False)


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The files that lmms-eval's own parser gets, from now on."""
    names: list[str] = []
    slow = yaml.full_load
    monkeypatch.setattr(yaml, "full_load", lambda file: (names.append(Path(file.name).name), slow(file))[1])
    return names


def test_the_index_is_the_same_by_another_parser(manager: Any, parsed: list[str]) -> None:
    import lmms_eval.tasks

    theirs = Path(lmms_eval.tasks.__file__).parent / "mmmu"  # with includes, functions, groups and tags
    for folder in (str(plugin.FOLDER), str(theirs)):
        kept = getattr(
            manager._get_task_and_group, "seen", dict[str, Any]()
        )  # where a run was before this test
        kept.pop(folder, None)
        fast = manager.initialize_tasks(include_path=folder, include_defaults=False)
        assert parsed == [] and len(fast) > 3
        kept.pop(folder, None)
        assert manager._get_task_and_group(folder) == fast and len(parsed) > 3
        parsed.clear()


def test_what_libyaml_refuses_is_for_their_own_parser_to_judge(
    manager: Any, parsed: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Strict(yaml.FullLoader):
        def get_single_data(self) -> Any:
            raise yaml.YAMLError

    (tmp_path / "mine.yaml").write_text("task: mine\ndataset_path: x\nprocess: !function mine.process\n")
    with monkeypatch.context() as patch:
        patch.setattr(yaml, "CFullLoader", Strict)
        assert list(manager.initialize_tasks(str(tmp_path), include_defaults=False)) == ["mine"]
    assert parsed == ["mine.yaml"]
    broken = tmp_path / "broken"  # of its own: where a run was before this test, an index is kept by folder
    broken.mkdir()
    (broken / "mine.yaml").write_text("task: [mine\n")
    with pytest.raises(yaml.YAMLError, match=r"mine\.yaml"):
        manager.initialize_tasks(str(broken), include_defaults=False)
    from lmms_eval import utils

    assert utils.yaml is yaml
