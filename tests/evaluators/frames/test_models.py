"""hlvid_frames over real architectures: the pixels that enter them are those that were asked, or nothing runs."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from evaluators.models.hlvid_frames import HlvidFrames, HlvidFramesChat
from hlvid.errors import RunError

pytestmark = pytest.mark.filterwarnings("ignore")


def _run(requests_for: Callable[..., list[Any]], questions: list[Any], runs: Path, **arguments: Any) -> Any:
    model = HlvidFramesChat(device="cpu", runs=str(runs), **arguments)
    return model, model.generate_until(requests_for(model, questions))


@pytest.mark.parametrize(
    ("inner", "checkpoint", "resolution", "seen"),
    [
        ("qwen2_5_vl", "qwen2_5", 1792, (4, 1008, 1792)),
        ("qwen3_vl", "qwen3", 1792, (4, 1024, 1792)),
        ("llava_hf", "llava_onevision", 384, (4, 384, 384)),
        ("internvl_hf", "internvl", 448, (4, 448, 448)),
    ],
)
def test_the_model_sees_what_was_asked(
    inner: str,
    checkpoint: str,
    resolution: int,
    seen: tuple[int, int, int],
    request: pytest.FixtureRequest,
    requests_for: Callable[..., list[Any]],
    questions: list[Any],
    journal_lines: Callable[[Path], list[dict[str, Any]]],
    tmp_path: Path,
) -> None:
    folder = request.getfixturevalue(checkpoint)
    options = {"frames": 4, "resolution": resolution, "pretrained": str(folder)}
    model, results = _run(requests_for, questions[:1], tmp_path, inner=inner, **options)
    (line,) = journal_lines(tmp_path)
    audit = line["record"]["details"]["audit"]
    print(results, line)
    assert audit["verdict"] == "exact"
    assert (audit["seen"]["frames"], audit["seen"]["height"], audit["seen"]["width"]) == seen
