"""The page of `hlvid explore`: built from a video and from a run, opened from disk in a real browser."""

import json
import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from analysis.explore.build import explore
from analysis.explore.proxy import make_proxy
from analysis.explore.series import replay, watch
from analysis.inputs import Inputs
from analysis.studies.scenes import make_texture, pan
from autogaze import selectors
from evaluators.core.gaze_file import GazeFile, Recorder
from hlvid.errors import HlvidError
from hlvid.video import Video

SETTINGS: dict[str, Any] = {"ratio": None, "loss": None, "frames": 5, "width": 320}


def data_of(page: Path) -> Any:
    return json.loads((page.parent / "data.js").read_text().removeprefix("window.EXPLORE = ").rstrip(";\n"))


@pytest.fixture
def run_folder(film: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A run of one question with its gaze kept: the upper left tile wholly seen at the finest scale."""
    folder = tmp_path / "run"
    monkeypatch.setenv("HLVID_GAZE", str(folder / "gaze"))
    recorder = Recorder.for_video(film)
    assert recorder is not None
    for index in (0, 10, 19):
        mask = np.zeros((4, 265), bool)
        mask[0, 69:] = True
        recorder.add(index, mask)
    name = recorder.save(rows=2, columns=2, size=(240, 320), scales=(32, 64, 112, 224), patch=16)
    sample = {
        "task": "hlvid", "question_id": "7", "video": film.name, "source": "s", "category": "av", "tier": None,
        "correct": False, "parsed": "B", "raw_output": "B </script><b>x", "stem": "What does it <say>?",
        "options": {"A": "one", "B": "two"}, "answer": "A", "video_path": str(film), "details": {"gaze_file": name},
    }  # fmt: skip
    (folder / "samples.jsonl").write_text(json.dumps(sample) + "\n")
    results = {"task": "hlvid", "model": "gaze_reader", "model_args": {"selector": "detail"}, "status": "ok"}
    (folder / "results.json").write_text(json.dumps(results))
    return folder


def test_page_of_a_video(film: Path, tmp_path: Path, inputs: Inputs) -> None:
    content = data_of(explore(film, tmp_path / "page", inputs, **SETTINGS))
    (video,) = content["videos"]
    assert [frame["index"] for frame in video["frames"]] == [0, 5, 10, 14, 19]
    assert [frame["t"] for frame in video["frames"]] == pytest.approx([0, 0.5, 1.0, 1.4, 1.9])
    assert all(0.09 < frame["ratio"] <= 0.11 for frame in video["frames"])
    assert all(frame["loss"] > 0 and frame["predicted"] is None for frame in video["frames"])
    assert video["frames"][2]["flow"] > 0.1


def test_page_of_a_run_holds_its_own_gaze(run_folder: Path, tmp_path: Path, inputs: Inputs) -> None:
    content = data_of(explore(run_folder, tmp_path / "page", inputs, **SETTINGS))
    (video,) = content["videos"]
    assert [frame["tokens"] for frame in video["frames"]] == [[0, 0, 0, 196]] * 3
    assert video["questions"][0]["given"] == "B" and video["questions"][0]["correct"] is False


def test_text_of_a_question_cannot_end_the_script(run_folder: Path, tmp_path: Path, inputs: Inputs) -> None:
    page = explore(run_folder, tmp_path / "page", inputs, **SETTINGS)
    assert "</script" not in (page.parent / "data.js").read_text()


@pytest.mark.parametrize("what", ["empty", "video"])
def test_errors_are_one_line(what: str, tmp_path: Path, inputs: Inputs) -> None:
    (tmp_path / "empty").mkdir()
    target = tmp_path / "empty" if what == "empty" else tmp_path / "missing.mp4"
    with pytest.raises(HlvidError) as caught:
        explore(target, tmp_path / "page", inputs, **SETTINGS)
    assert "\n" not in str(caught.value) and target.name in str(caught.value)


@pytest.mark.parametrize("line", [b'{"question_id": "7", "vid', b"[1]", b'"\xff"'])
def test_a_broken_line_of_answers_is_named(
    line: bytes, run_folder: Path, tmp_path: Path, inputs: Inputs
) -> None:
    samples = run_folder / "samples.jsonl"
    samples.write_bytes(samples.read_bytes() + b"\n" + line)
    with pytest.raises(HlvidError, match=r"samples\.jsonl: line 3: is (not JSON|list)") as caught:
        explore(run_folder, tmp_path / "page", inputs, **SETTINGS)
    assert "\n" not in str(caught.value) and not (tmp_path / "page").exists()


@pytest.mark.parametrize("wrong", [{"ratio": 0.0}, {"ratio": 1.5}, {"loss": 0.7}])
def test_a_budget_that_cannot_be_is_refused(
    wrong: dict[str, float], film: Path, tmp_path: Path, inputs: Inputs
) -> None:
    with pytest.raises(HlvidError, match=f"--{next(iter(wrong))}"):
        explore(film, tmp_path / "page", inputs, **{**SETTINGS, **wrong})


def test_proxy_is_small_and_made_once(film: Path, tmp_path: Path) -> None:
    path = make_proxy(film, tmp_path, long_side=160)
    with Video.open(path) as video:
        assert (video.width, video.height, video.frame_count) == (160, 120, 20)
        assert video.codec == "h264"
    before = path.stat().st_mtime_ns
    again = make_proxy(film, tmp_path, long_side=160)
    assert again == path and again.stat().st_mtime_ns == before


def test_films_of_one_name_have_a_proxy_each(film: Path, tmp_path: Path, inputs: Inputs) -> None:
    """And a file that was replaced in place, older than the page, has a new one."""
    other = tmp_path / film.name
    shutil.copyfile(film, other)
    first = make_proxy(film, tmp_path / "videos", long_side=64)
    second = make_proxy(other, tmp_path / "videos", long_side=64)
    os.utime(other, (1, 1))
    assert len({first, second, make_proxy(other, tmp_path / "videos", long_side=64)}) == 3


@pytest.mark.parametrize("frames", [2, 5, 20])
def test_flow_is_to_the_next_frame_in_px_a_second(frames: int, tmp_path: Path) -> None:
    """A pan of 2 px a frame at 10 FPS is 20 px a second, however far apart the gazed frames are."""
    import av

    path = tmp_path / "pan.mp4"
    texture = make_texture(np.random.default_rng(3))
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream("libx264", rate=10, options={"crf": "12"})
        stream.width, stream.height, stream.pix_fmt = 224, 224, "yuv420p"
        for picture in pan(texture, 2.0, frames=20):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())
    story = watch(path, selectors.get("centre"), ratio=0.1, loss=None, frames=frames, width=224)
    assert [frame.flow for frame in story.frames] == pytest.approx([20] * frames, rel=0.35)


def test_one_gaze_has_one_loss_whichever_way_in(film: Path) -> None:
    """17 frames: also over the seam between two chunks of 16."""
    story = watch(film, selectors.get("rgb_diff"), ratio=0.1, loss=None, frames=17, width=320)
    masks = {}
    for frame in story.frames:
        parts = [
            cells.reshape(story_rows, g, story_columns, g).transpose(0, 2, 1, 3).reshape(-1, g * g)
            for cells, g in zip(frame.cells, (2, 4, 7, 14), strict=True)
            for story_rows, story_columns in [(cells.shape[0] // g, cells.shape[1] // g)]
        ]
        masks[frame.index] = np.concatenate(parts, 1)
    kept = GazeFile(
        masks=masks, rows=2, columns=2, size=(story.height, story.width), sides=(2, 4, 7, 14), tile=224
    )
    again = replay(film, kept, "rgb_diff")
    assert [f.loss for f in again.frames] == pytest.approx([f.loss for f in story.frames], abs=1e-6)
    assert [f.flow for f in again.frames] == pytest.approx([f.flow for f in story.frames])


def test_predicted_losses_of_autogaze(film: Path, tmp_path: Path) -> None:
    """Random weights: the numbers mean nothing, but each frame has one, and it is the model's own."""
    import torch

    from autogaze.model.autogaze import AutoGaze

    torch.manual_seed(0)
    AutoGaze().save_pretrained(tmp_path / "weights")
    selector = selectors.get("autogaze", checkpoint=tmp_path / "weights")
    story = watch(film, selector, ratio=0.02, loss=None, frames=2, width=224)
    assert all(frame.predicted is not None and np.isfinite(frame.predicted) for frame in story.frames)


def test_in_a_browser_from_disk(chromium: Any, run_folder: Path, tmp_path: Path, inputs: Inputs) -> None:
    """Seeking, keys, scales, the timeline and a question all do what they say, without an error or a request."""
    page_file = explore(run_folder, tmp_path / "page", inputs, **SETTINGS)
    page, problems, asked = chromium.new_context(viewport={"width": 1300, "height": 850}).new_page(), [], []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    page.goto(page_file.as_uri())
    page.wait_for_function("document.getElementById('film').readyState >= 2")
    assert page.inner_text("#title") == "gaze_reader: selector detail"
    assert "What does it <say>?" in page.inner_text("#questions")

    page.keyboard.press("ArrowRight")
    page.wait_for_function("document.getElementById('now').textContent.includes('frame 10')")
    assert page.evaluate(_LIT) > 0
    page.keyboard.press("4")  # the only scale with patches
    page.keyboard.press("d")
    page.wait_for_function(f"({_LIT}) === 0")
    page.keyboard.press("4")
    page.wait_for_function(f"({_LIT}) > 0")

    box = page.locator("#timeline").bounding_box()
    page.mouse.click(box["x"] + box["width"] - 12, box["y"] + 40)
    page.wait_for_function("document.getElementById('now').textContent.includes('frame 19')")
    page.locator(".question").click()
    assert page.locator(".question").get_attribute("aria-current") == "true"
    assert problems == [] and all(url.startswith(("file:", "data:", "blob:")) for url in asked)


# Pixels of the overlay that are drawn on; the dimmed rest counts, too.
_LIT = """(() => { const c = document.getElementById('overlay');
const bytes = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;
let n = 0; for (let i = 3; i < bytes.length; i += 4) n += bytes[i] > 0; return n; })()"""
