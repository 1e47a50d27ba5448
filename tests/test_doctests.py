"""The examples in docstrings are run: each has its own folder, `Path`, and `clip`, a small video."""

import doctest
import importlib
from pathlib import Path

import av
import numpy as np
import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("hlvid", "autogaze", "evaluators", "leaderboard", "analysis")
OPTIONS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


def modules() -> list[str]:
    """Every module of the five packages that holds a prompt."""
    files = [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]
    shown = [path.relative_to(ROOT).with_suffix("") for path in files if ">>> " in path.read_text("utf-8")]
    return [".".join(path.parts).removesuffix(".__init__") for path in shown]


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """20 frames of 128 x 72, grey that grows brighter."""
    path = tmp_path_factory.mktemp("doctest") / "clip.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt = 128, 72, "yuv420p"
        for light in range(20):
            picture = np.full((72, 128, 3), 10 * light, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))
    return path


@pytest.mark.parametrize("name", modules())
def test_examples_run(name: str, clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    module = importlib.import_module(name)
    tests = doctest.DocTestFinder(exclude_empty=True).find(module, extraglobs={"clip": clip, "Path": Path})
    assert sum(len(test.examples) for test in tests), f"{name} holds a prompt that is no doctest"
    said: list[str] = []
    runner = doctest.DocTestRunner(optionflags=OPTIONS)
    for test in tests:
        runner.run(test, out=said.append)
    assert not runner.failures, "".join(said)
