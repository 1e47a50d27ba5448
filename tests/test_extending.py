"""The extension points, as CONTRIBUTING.md shows them: its code is run."""

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def example(name: str) -> str:
    """The code block of CONTRIBUTING.md that opens with `# name`."""
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "CONTRIBUTING.md").read_text(), re.S)
    (code,) = [block for block in blocks if block.startswith(f"# {name}\n")]
    assert len(code.splitlines()) < 60
    return str(code)


def test_a_model_of_another_package_is_evaluated(
    tmp_path: Path, distribution: Callable[[str, str, str], None]
) -> None:
    """By the command that users type: found by its entry point, journalled, scored."""
    (tmp_path / "longest.py").write_text(
        example("longest.py")
        + "\n\ndef manifests():\n"
        + "    from lmms_eval.models.registry_v2 import ModelManifest\n"
        + "    return [ModelManifest(model_id='longest', simple_class_path='longest.Longest')]\n"
    )
    distribution("longest", "lmms_eval.models", "longest:manifests")
    script = (
        "import sys, json; sys.path.insert(0, sys.argv[1])\n"
        "from lmms_eval.models import get_model\n"
        "from hlvid.dataset.question import Question\n"
        "model = get_model('longest')(least=3)\n"
        "asked = Question(id='1', video='v.mp4', source='v', category='av', stem='Which?', "
        "options={'A': 'x', 'B': 'long'},"
        " answer='A', text='Which?\\nA. x\\nB. long')\n"
        "print(json.dumps([model.answer(asked).text, model.settings()]))\n"
    )
    run = subprocess.run([sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    assert json.loads(run.stdout.splitlines()[-1]) == ["B", {"least": 3}]


def test_a_figure_is_a_module_and_a_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from analysis import figure, figures
    from analysis.inputs import Inputs

    (tmp_path / "lengths.py").write_text(example("lengths.py"))
    monkeypatch.setattr(figures, "__path__", [*figures.__path__, str(tmp_path)])
    monkeypatch.setattr(figure, "ENTRIES", (*figure.ENTRIES, figure.Entry("lengths", "new", "Lengths")))
    outcome = figure.produce("lengths", Inputs(), tmp_path / "out")
    assert {path.suffix for path in outcome.files} >= {".png", ".pdf", ".csv"}
    assert outcome.caption.startswith("Length of 2 clips")
