"""Fixtures for all tests: `shared` (the given reference data, or a skip), a private data folder, a browser."""

import gc
import os
import shutil
import signal
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import hypothesis
import pytest

from hlvid.threads import wait_passively

if TYPE_CHECKING:
    from autogaze.nvila.config import NVILAConfig

wait_passively()  # before anything imports torch: machines that run tests are busy
if "PYTEST_XDIST_WORKER" in os.environ:  # `make pytest`: two processes, a core each
    os.environ.setdefault("OMP_NUM_THREADS", "1")

hypothesis.settings.register_profile("busy", deadline=None)  # a slow example on a busy machine is no fault
hypothesis.settings.load_profile("busy")

# A shell starts what it puts in the background deaf to Ctrl-C, and the tests of Ctrl-C with it.
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

PATIENCE = 180_000
"""Milliseconds that a browser is waited for: far above what any step takes, so that a busy machine fails no test."""

# Elsewhere on a machine to which only the repository travels (`benchmarks/gpu.sh`).
SHARED = Path(os.environ.get("HLVID_TEST_SHARED") or Path(__file__).resolve().parents[2] / "shared")


_seen = 0
"""Modules that had been imported when objects were last frozen."""


def pytest_runtest_setup() -> None:
    """No collection of garbage looks again through modules that are there to stay.

    lmms-eval collects twice in every run, which took half a second where it had been imported: two thirds of its time.
    """
    global _seen
    if len(sys.modules) > _seen + 100:
        gc.collect()
        gc.freeze()
        _seen = len(sys.modules)


def pytest_unconfigure() -> None:
    """At the interpreter's end modules are garbage as ever; those of C++ count what is left of them."""
    gc.unfreeze()


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder `../shared` with golden values and real clips; tests that need it skip where it is absent."""
    if not SHARED.is_dir():
        pytest.skip(f"reference data not found at {SHARED}")
    return SHARED


@pytest.fixture(scope="session", autouse=True)
def private_data_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """No test reads or writes the user's own data or state."""
    home = tmp_path_factory.mktemp("hlvid_data")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HLVID_DATA", str(home))
        patch.setenv("HLVID_STATE", str(tmp_path_factory.mktemp("hlvid_state")))
        yield home


@pytest.fixture(scope="session")
def tiny_mini(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a `tiny` HLVid-Mini with seed 0, made once for all processes of pytest: to be read alone."""
    from hlvid.mini import make

    base = tmp_path_factory.getbasetemp()
    root = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    return make(root / "tiny_mini", preset="tiny", progress=False)


@pytest.fixture(scope="session")
def small_nvila() -> "NVILAConfig":
    """Tiles of 56 px with patches of 4, so that a test takes no time; AutoGaze's proportions 4:7:14 ... kept."""
    from autogaze.encoders.config import SiglipConfig
    from autogaze.nvila.config import NVILAConfig
    from autogaze.nvila.settings import VideoSettings

    vision = SiglipConfig(
        hidden_size=24,
        intermediate_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        image_size=56,
        patch_size=4,
        scales=(8, 16, 28, 56),
        select_layer=-2,
    )
    llm = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 2}
    return NVILAConfig(
        vision=vision,
        llm={**llm, "num_key_value_heads": 1, "vocab_size": 272},
        # grids of 1, 3, 7 and 14 are 255 tokens a frame; the encoder has 265
        released_scales=(9, 19, 35, 70),
        released_patch=5,
        video=VideoSettings(
            num_video_frames=32,
            num_video_frames_thumbnail=8,
            max_tiles_video=2,
            gazing_ratio_tile=0.1,
            gazing_ratio_thumbnail=1.0,
            task_loss_requirement_tile=None,
            task_loss_requirement_thumbnail=None,
            max_batch_size_autogaze=3,
        ),
    )


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """Chromium without a screen, or a skip; use its `new_context`, which is patient.

    One at a time: Playwright's loop allows no second in the same process.
    """
    path = shutil.which("chromium") or shutil.which("google-chrome")
    if path is None:
        pytest.skip("no chromium on PATH; 'apt-get install chromium' runs the tests in a browser")
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with sync_api.sync_playwright() as play:
        sync_api.expect.set_options(timeout=PATIENCE)
        browser = play.chromium.launch(executable_path=path, args=["--no-sandbox"], timeout=PATIENCE)
        context = browser.new_context

        def patient(**options: Any) -> Any:
            made = context(**options)
            made.set_default_timeout(PATIENCE)
            return made

        browser.new_context = patient
        yield browser
        browser.close()


@pytest.fixture
def console(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str]]:
    """console("gaze", "x.mp4"): exit code and standard error of the entry point, in this process."""
    from hlvid import cli

    monkeypatch.setenv("TQDM_MININTERVAL", "10")
    monkeypatch.setattr(warnings, "showwarning", warnings.showwarning)  # what main() sets goes with the test
    for kind in ("registered_commands", "registered_groups"):
        monkeypatch.setattr(cli.app, kind, list(getattr(cli.app, kind)))

    def call(*arguments: str) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["hlvid", *arguments])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        assert isinstance(ended.value.code, int)
        return ended.value.code, capfd.readouterr().err

    return call


@pytest.fixture
def distribution(tmp_path: Path) -> Callable[[str, str, str], None]:
    """distribution(name, group, value): an installed package below tmp_path with one entry point of its name."""

    def install(name: str, group: str, value: str) -> None:
        folder = tmp_path / f"{name}-1.0.dist-info"
        folder.mkdir()
        (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        (folder / "entry_points.txt").write_text(f"[{group}]\n{name} = {value}\n")

    return install
