"""Run with: pytest tests/evaluators/test_environment.py"""

from pathlib import Path

import pytest

import hlvid
from evaluators.core.environment import code_version, library_versions
from hlvid.errors import RunError


def test_a_changed_source_is_another_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "toy_package_for_code_version"
    (package / "deep").mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "deep" / "a.py").write_text("x = 1\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    first = code_version([package.name])
    assert first.startswith(f"{hlvid.__version__}+src.")
    (package / "notes.md").write_text("no code")
    assert code_version([package.name, package.name]) == first
    (package / "deep" / "a.py").write_text("x = 2\n")
    assert code_version([package.name]) != first


def test_unknown_modules_are_named() -> None:
    with pytest.raises(RunError, match="no_such_module_here"):
        code_version(["no_such_module_here"])


def test_versions_of_what_is_and_is_not_installed() -> None:
    versions = library_versions(["numpy", "no-such-distribution"])
    assert versions["no-such-distribution"] == "absent"
    assert versions["numpy"][0].isdigit()
