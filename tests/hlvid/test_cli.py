"""The roof: every command is there, help is quick, errors a user can mend are one line with a non-zero exit.

Run: pytest tests/hlvid/test_cli.py
"""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from hlvid import __version__
from hlvid.cli import GROUPS

HEAVY = ("torch", "av", "transformers", "cv2", "lmms_eval", "scipy", "pandas", "matplotlib")


def hlvid(*arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "hlvid.cli", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=120)


def test_help_lists_the_commands_of_all_packages() -> None:
    run = hlvid("--help")
    assert run.returncode == 0
    for command in ("mini", "download", "verify", "demo", "gaze", "doctor", "plan", "submit"):
        assert f"  {command} " in run.stdout, command
    heads = [line[:-1] for line in run.stdout.splitlines() if line.endswith(":") and line[:1].strip()]
    assert heads == ["Options", *GROUPS]  # no command without a group


def test_another_package_adds_a_command_and_a_broken_one_is_left_out(
    tmp_path: Path, distribution: Callable[[str, str, str], None]
) -> None:
    """The extension point: an entry point of the group `hlvid.commands`, in any installed distribution."""
    (tmp_path / "stranger.py").write_text(
        "def mount(app):\n    @app.command(rich_help_panel='Look')\n    def wink() -> None:\n        print('seen')\n"
    )
    for name, value in {"stranger": "stranger:mount", "broken": "no_such_module:mount"}.items():
        distribution(name, "hlvid.commands", value)
    command = [sys.executable, "-m", "hlvid.cli", "wink"]
    run = subprocess.run(
        command, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": str(tmp_path)}
    )
    assert (run.returncode, run.stdout) == (0, "seen\n")
    assert run.stderr.splitlines() == [
        "hlvid: warning: commands of broken (no_such_module:mount) left out: "
        "ModuleNotFoundError: No module named 'no_such_module'"
    ]


def test_help_imports_nothing_heavy() -> None:
    """`hlvid --help` is to answer in under a second: what takes longer is imported by the commands."""
    code = (
        "import sys; sys.argv = ['hlvid', '--help']\n"
        "from hlvid.cli import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        f"print('LOADED', sorted(set({HEAVY!r}) & set(sys.modules)))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert run.stdout.splitlines()[-1] == "LOADED []", run.stderr


def test_version() -> None:
    assert hlvid("--version").stdout == f"hlvid {__version__}\n"


def test_an_error_is_one_line_and_exit_1() -> None:
    run = hlvid("verify", "nowhere")
    assert run.returncode == 1
    assert run.stderr.startswith("hlvid: ") and len(run.stderr.splitlines()) == 1
    assert "nowhere" in run.stderr


@pytest.mark.parametrize(
    "arguments", [("gaze", "--ratio", "0.1", "nowhere.mp4"), ("mini", "--preset", "huge")]
)
def test_errors_of_what_imports_much_are_one_line_and_exit_1(
    arguments: tuple[str, ...], console: Callable[..., tuple[int, str]], tmp_path: Path
) -> None:
    code, said = console(*arguments, "--out", str(tmp_path))
    assert code == 1
    assert said.startswith("hlvid: ") and len(said.splitlines()) == 1
    assert arguments[-1] in said


@pytest.mark.parametrize(
    "arguments",
    [
        ("make-checkpoint", "--out"),
        ("mini", "--preset", "tiny", "--out"),
        ("eval", "--model", "blind", "--out"),
    ],
)
@pytest.mark.parametrize("below", ["", "/x"])
def test_an_output_folder_that_is_a_file_is_one_line(
    arguments: tuple[str, ...], below: str, console: Callable[..., tuple[int, str]], tmp_path: Path
) -> None:
    """`--out film.mp4` is a slip of the hand, not a defect of ours."""
    (tmp_path / "film.mp4").write_text("not a folder")
    code, said = console(*arguments, f"{tmp_path}/film.mp4{below}")
    assert code == 1
    assert said.startswith(f"hlvid: {tmp_path}/film.mp4") and len(said.splitlines()) == 1
    assert "give another path" in said


def test_a_warning_of_ours_is_one_line_without_source(tmp_path: Path) -> None:
    """A film cut off behind its index: what can be read is shown, and one line says what cannot."""
    import av
    import numpy as np

    path = tmp_path / "cut.mp4"
    noise = np.random.default_rng(0).integers(0, 256, (40, 90, 160, 3), dtype=np.uint8)
    with av.open(str(path), "w", options={"movflags": "faststart"}) as sink:
        stream = sink.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt = 160, 90, "yuv420p"
        for picture in noise:
            sink.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        sink.mux(stream.encode())
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])
    run = hlvid("gaze", str(path), "--frames", "2", "--out", str(tmp_path / "out"))
    assert run.returncode == 0, run.stderr
    (line,) = [line for line in run.stderr.splitlines() if "can be read" in line]
    assert line.startswith(f"hlvid: warning: {path}: ")
    assert "VideoWarning" not in run.stderr and "warnings.warn" not in run.stderr


def test_a_broken_selector_of_another_package_leaves_the_list_whole(
    tmp_path: Path, distribution: Callable[[str, str, str], None]
) -> None:
    distribution("broken", "autogaze.selectors", "no_such_module:Mine")
    command = [sys.executable, "-m", "hlvid.cli", "selector", "list"]
    room = {**os.environ, "PYTHONPATH": str(tmp_path)}
    run = subprocess.run(command, capture_output=True, text=True, env=room, timeout=120)
    assert run.returncode == 0 and "detail" in run.stdout and "broken" not in run.stdout
    (line,) = run.stderr.splitlines()
    assert line.startswith("hlvid: warning: selector 'broken': no_such_module:Mine cannot be imported")
