"""`hlvid doctor` names what is wrong and how to mend it; a finding that cannot be wrong would be of no use.

Run: pytest tests/evaluators/test_doctor.py
"""

from importlib import metadata
from pathlib import Path

import pytest

from evaluators import doctor


def test_this_environment_is_sound(capsys: pytest.CaptureFixture[str]) -> None:
    assert doctor.diagnose()
    out = capsys.readouterr().out
    assert "decoder: PyAV" in out and "wrong" not in out


def test_another_owner_of_the_import_name_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    owners = {"autogaze": ["hlvid", "auto-gaze", "hlvid"], "torch": ["torch"]}
    monkeypatch.setattr(metadata, "packages_distributions", lambda: owners)
    finding = doctor.import_names()
    assert finding.state == "wrong" and finding.text.endswith("pip uninstall auto-gaze")
    owners["autogaze"] = ["hlvid"]
    assert doctor.import_names().state == "ok"


def test_a_lost_entry_point_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metadata, "entry_points", lambda group: [])
    assert doctor.tasks().state == "wrong"


def test_a_missing_reader_is_a_note(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise ImportError(f"No module named {name!r}")

    monkeypatch.setattr(doctor.importlib, "import_module", missing)
    finding = doctor.reader()
    assert finding.state == "note" and "pip install 'hlvid[reader]'" in finding.text
    assert doctor.opencv().state == "wrong" and "apt install libxcb1" in doctor.opencv().text


def test_disk_is_measured_where_the_data_goes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HLVID_DATA", str(tmp_path / "not" / "yet" / "there"))
    assert str(tmp_path) in doctor.disk().text


def test_one_wrong_finding_fails_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "CHECKS", (lambda: doctor.Finding("wrong", "mend it"),))
    assert not doctor.diagnose()


def test_a_data_folder_below_a_file_is_wrong(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    monkeypatch.setenv("HLVID_DATA", str(tmp_path / "file" / "x"))
    finding = doctor.disk()
    assert finding.state == "wrong" and "is no folder" in finding.text and "HLVID_DATA" in finding.text


def test_data_that_may_not_be_written_are_fine_but_state_is_not(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(doctor, "writable", lambda folder: False)
    assert doctor.disk().state == "note" and "can be evaluated" in doctor.disk().text
    finding = doctor.state_folder()
    assert finding.state == "wrong" and "HLVID_STATE" in finding.text
