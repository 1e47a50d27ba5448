"""An error about a path becomes one line with a remedy; others stay what they are.

Run: pytest tests/hlvid/test_errors.py
"""

from pathlib import Path

import pytest

from hlvid.errors import of_path


def below_a_file(folder: Path) -> OSError:
    """What making a folder below a file raises."""
    (folder / "file").write_text("not a folder")
    with pytest.raises(OSError, match="file") as caught:
        (folder / "file" / "x").mkdir(parents=True)
    return caught.value


def test_it_names_path_reason_and_remedy(tmp_path: Path) -> None:
    said = of_path(below_a_file(tmp_path)) or ""
    assert said.startswith(f"{tmp_path}/file") and "not a directory" in said
    assert said.endswith("give another path")


@pytest.mark.parametrize("variable", ["HLVID_DATA", "HLVID_RUNS"])
def test_below_a_variables_folder_it_names_the_variable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(variable, str(tmp_path / "file" / "x"))
    assert f"set {variable}" in (of_path(below_a_file(tmp_path)) or "")
    monkeypatch.setenv(variable, str(tmp_path / "elsewhere"))
    assert variable not in (of_path(OSError(20, "Not a directory", str(tmp_path / "file"))) or "")


def test_an_error_without_a_path_is_none_of_its_business() -> None:
    assert of_path(ConnectionError("refused")) is None
