"""Latency rows: what is timed is what was asked, no cell that fails takes the others with it, files are kept whole.

Run: pytest tests/evaluators/profiling/latency
"""

import json
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from autogaze.nvila.stages import Stages
from evaluators.profiling.latency import cells, stages, streaming
from evaluators.profiling.latency.footage import Footage
from evaluators.profiling.latency.pipeline import Pipeline
from evaluators.profiling.latency.request import COLUMNS, PAPER, STAGES, Request, paper_ratio
from evaluators.profiling.latency.schema import Row, facts, save
from evaluators.profiling.latency.timing import measure
from hlvid.errors import RunError


@pytest.fixture(scope="module")
def request_of(film_path: Path) -> Request:
    """One frame of one tile, at the smallest shape."""
    return Request("vit", film_path, "tiny", ((1, 392),), rounds=1, ratios=0.05)


def sleep(seconds: list[float]) -> object:
    """Work that lasts as long as the list says, round by round."""
    waits = iter(seconds)

    def work(stages: Stages) -> dict[str, int]:
        with stages.measure("encoder"):
            time.sleep(next(waits))
        return {"patches": 7}

    return work


def test_the_warm_up_does_not_count() -> None:
    timing = measure(sleep([0.2, 0.01, 0.03, 0.02]), rounds=3)  # type: ignore[arg-type]
    assert timing.n == 3 and timing.counts == {"patches": 7}
    assert timing.low == pytest.approx(0.01, abs=0.02)
    assert timing.low <= timing.median <= timing.high < 0.2  # type: ignore[operator]
    assert timing.stages == {"encoder": pytest.approx(timing.median)}
    assert timing.peak_bytes


@pytest.mark.parametrize(
    "error", [torch.OutOfMemoryError("CUDA out of memory. Tried …"), MemoryError("out of memory")]
)
def test_out_of_memory_is_a_result(error: Exception) -> None:
    def work(_: Stages) -> dict[str, int]:
        raise error

    timing = measure(work, rounds=2)
    assert timing.status == "out_of_memory" and timing.median is None and "memory" in timing.note


def test_other_faults_are_not_hidden() -> None:
    def work(_: Stages) -> dict[str, int]:
        raise KeyError("bug")

    with pytest.raises(KeyError):
        measure(work, rounds=1)
    with pytest.raises(ValueError, match="rounds=0"):
        measure(work, rounds=0)


def test_a_film_is_cut_into_whole_tiles(film_path: Path) -> None:
    footage = Footage.decode(film_path, 20, 448, 224)
    assert footage.frames.shape == (20, 448, 448, 3) and footage.tiles == 4 and footage.decode_s > 0
    clips = list(footage.clips(3, "cpu"))
    assert [tuple(part.shape[:2]) for part in clips] == [(3, 16), (1, 16), (3, 4), (1, 4)]
    expected = (
        footage.frames[0, 224:, :224].permute(2, 0, 1) / 255
    )  # the third tile: second row, first column
    assert torch.equal(clips[0][2, 0], expected)


def test_a_film_too_short_is_refused(film_path: Path) -> None:
    with pytest.raises(RunError, match=r"noise\.mp4: 32 frames, 60 FPS need as many"):
        Footage.decode(film_path, 60, 224, 224)


def test_gazing_encodes_what_was_asked(request_of: Request) -> None:
    plain, gazed = cells.run(request_of)
    assert (plain.gazed, gazed.gazed) == (False, True)
    assert plain.ratio is None and plain.patches == 28 * 28, "the frame-wise ViT sees the finest scale alone"
    assert gazed.reached == pytest.approx(0.05, abs=0.02) and gazed.patches < plain.patches  # type: ignore[operator]
    assert set(plain.stages) == {"encoder"} and set(gazed.stages) == {"selector", "encoder"}
    assert gazed.median_s == pytest.approx(sum(gazed.stages.values()))
    assert plain.status == gazed.status == "ok" and gazed.selector == "autogaze"


def test_the_language_model_reads_shuffled_tokens(request_of: Request) -> None:
    plain, gazed = cells.run(replace(request_of, kind="mllm"))
    assert plain.llm_tokens == -(-28 * 28 // 9) and "prefill" in plain.stages
    assert gazed.llm_tokens == -(-gazed.patches // 9)  # type: ignore[operator]


def test_the_selector_alone(request_of: Request) -> None:
    (row,) = cells.run(replace(request_of, kind="selector", selector="detail"))
    assert row.selector == "detail" and set(row.stages) == {"selector"} and row.llm_tokens is None


def test_a_long_cell_is_left_out_and_says_so(request_of: Request) -> None:
    cramped = replace(request_of, cells=((1, 392), (16, 3584)), cell_seconds=1e-6, gazed=(False,))
    first, second = cells.run(cramped)
    assert first.status == "ok" and second.status == "skipped"
    assert second.median_s is None and "judged by the cell before" in second.note


def test_a_prefill_larger_than_the_machine_is_out_of_memory(request_of: Request) -> None:
    pipeline = Pipeline.build(request_of, language=True)
    with pytest.raises(MemoryError, match="prefill of 10000000 tokens needs"):
        pipeline._room(10_000_000)
    replace(pipeline, attention="fastest")._room(10_000_000)  # flash attention holds no scores


def test_stages_of_a_whole_answer(request_of: Request) -> None:
    gazed, plain = stages.run(replace(request_of, kind="stages", cells=((16, 392),)))
    for row in (gazed, plain):
        assert {"decode", "selector", "encoder", "prefill", "generation"} <= set(row.stages)
    assert gazed.llm_tokens < plain.llm_tokens  # type: ignore[operator]
    assert 0 < gazed.planned_bytes < plain.planned_bytes  # type: ignore[operator]
    with pytest.raises(RunError, match="multiples of 16"):
        next(stages.run(replace(request_of, kind="stages", cells=((17, 392),))))


def test_streaming_gives_a_frame_rate(request_of: Request) -> None:
    plain, gazed = streaming.run(replace(request_of, kind="streaming", cells=((1, 392),)))
    assert gazed.max_fps == pytest.approx(16 / gazed.median_s)  # type: ignore[operator]
    assert plain.max_fps and gazed.patches < plain.patches  # type: ignore[operator]


def test_files_hold_rows_and_what_they_were_made_with(request_of: Request, tmp_path: Path) -> None:
    row = Row(
        "vit", 1, 224, True, 0.2, "float32", "math", "ok", "a cpu", stages={"encoder": 1.0}, median_s=1.0
    )
    path = save([row], facts("vit", "tiny", request_of.settings()), tmp_path)
    assert path.name.startswith("latency-vit-tiny-float32-math-")
    content = json.loads(path.read_text())
    assert [Row(**one) for one in content["rows"]] == [row]
    assert content["environment"]["packages"]["torch"] and content["settings"]["video"] == "noise.mp4"
    assert save([row, row], facts("vit", "tiny", request_of.settings()), tmp_path) == path, (
        "one file a setting"
    )
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]


def test_ratios_are_the_papers() -> None:
    assert paper_ratio(30, 448) == 0.058 and paper_ratio(1, 224) == 0.205
    assert paper_ratio(16, 1000) == PAPER[1792][3] and paper_ratio(60, 9999) == 0.009


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"cells": "30"}, "cells is '30'; write FPSxPX"),
        ({"cells": "30x"}, "write FPSxPX"),
        ({"cells": "0x224"}, "write FPSxPX"),
        ({"cells": "a,b"}, "write FPSxPX"),
        ({"cells": ""}, "write FPSxPX"),
        ({"ratios": "0"}, "ratios is '0'; allowed: paper, measured"),
        ({"ratios": "1.5"}, "ratios is '1.5'"),
        ({"ratios": "half"}, "ratios is 'half'"),
        ({"dtype": "int8"}, "dtype is 'int8'; allowed: 'float32'"),
        ({"attention": "flash"}, "attention is 'flash'; allowed: 'math' or 'fastest'"),
        ({"shape": "huge"}, "shape is 'huge'; allowed: tiny, mini, mini-video, base, 8b"),
        ({"kind": "vita"}, "kind is 'vita'; allowed: 'vit', 'mllm'"),
        ({"rounds": 0}, "rounds is 0"),
        ({"selector": "nobody"}, "selector is 'nobody'; allowed: .*package.module:Class"),
        ({"device": "tpu"}, "device tpu"),
    ],
)
def test_bad_requests_are_named(given: dict[str, object], said: str, film_path: Path) -> None:
    with pytest.raises(RunError, match=said):
        Request.read({"kind": "vit", "video": film_path, **given})


def test_the_columns_are_the_papers_unless_cells_are_named(film_path: Path) -> None:
    asked = {"video": film_path, "cells": None, "ratios": "measured"}
    assert Request.read({"kind": "vit", **asked}).cells == COLUMNS
    stages = Request.read({"kind": "stages", **asked})
    assert stages.cells == STAGES and stages.asked(1, 224) == (None, 0.7)
    assert Request.read({**asked, "kind": "stages", "cells": "16x448"}).cells == ((16, 448),)


def test_only_autogaze_streams(request_of: Request) -> None:
    with pytest.raises(RunError, match="selector is 'detail'; only 'autogaze' streams"):
        next(streaming.run(replace(request_of, kind="streaming", selector="detail")))


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("--device", "tpu", "device tpu: no such device; allowed here: cpu"),
        ("--shape", "nope", "shape is 'nope'; allowed: tiny, mini, mini-video, base, 8b"),
        ("--dtype", "int4", "dtype is 'int4'; allowed: 'float32'"),
        ("--selector", "nobody", "selector is 'nobody'; allowed: "),
        ("--rounds", "0", "--rounds"),
        ("--batch", "0", "--batch"),
    ],
)
def test_options_are_refused_before_anything_starts(
    film_path: Path,
    tmp_path: Path,
    option: str,
    value: str,
    said: str,
    console: Callable[..., tuple[int, str]],
) -> None:
    out = tmp_path / "out"
    argv = ["latency", "vit", "--shape", "tiny", "--video", str(film_path), "--out", str(out), option, value]
    code, told = console(*argv)
    assert code != 0 and said in told
    assert "Traceback" not in told and "it/s" not in told and "cell/s" not in told
    assert not out.exists()
