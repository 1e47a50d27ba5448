"""The parts of hlvid_frames by themselves: arguments, sizes, stand-in readers, caps, measuring, the audit."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from evaluators.models.frames import caps, decord_standin, standins
from evaluators.models.frames.audit import audit, read_run, sent
from evaluators.models.frames.delivery import Delivery, deliver, size_for
from evaluators.models.frames.seen import Seen, measure
from evaluators.models.frames.settings import Form, FrameSettings, form_of
from hlvid.errors import RunError

SQUARE = Form(square=True)


@pytest.fixture
def delivery(clip: Path) -> Delivery:
    """Four frames of the clip, 112 x 62."""
    return deliver(clip, FrameSettings("any", 4, 112), Form())


@pytest.fixture
def served(delivery: Delivery) -> Callable[[int, int, int], Delivery]:
    """served(frames, height, width): the clip's delivery with blank frames of another size."""

    def make(frames: int, height: int, width: int) -> Delivery:
        blank = np.zeros((frames, height, width, 3), np.uint8)
        return Delivery(**{**vars(delivery), "frames": blank, "indices": list(range(frames))})

    return make


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"frames": None}, "frames is missing"),
        ({"frames": "64"}, "frames is '64'; allowed: a valid integer"),
        ({"resolution": 0}, "resolution is 0; allowed: greater than or equal to 2"),
        ({"sampling": "every"}, "sampling is 'every'; allowed: 'uniform_linspace' or 'uniform_midpoint'"),
        ({"fps": -1}, "fps is -1; allowed: greater than 0"),
        ({"shape": "round"}, "shape is 'round'; allowed: 'auto', 'aspect' or 'square'"),
        ({"allow_resize": "yes"}, "allow_resize is 'yes'"),
        ({"max_pixels": 1}, "max_pixels is set by frames= and resolution="),
        ({"max_num_frames": 1}, "max_num_frames is set by frames="),
    ],
)
def test_wrong_arguments_are_named(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(RunError, match=message):
        FrameSettings.read({"inner": "qwen2_5_vl", "frames": 4, "resolution": 448, **changes})


def test_what_is_not_ours_is_the_inner_models() -> None:
    given = {"inner": "qwen2_5_vl", "frames": 4, "resolution": 448, "pretrained": "x", "use_cache": False}
    settings, rest = FrameSettings.read(given)
    assert (settings.frames, rest) == (4, {"pretrained": "x", "use_cache": False})


@pytest.mark.parametrize(
    ("width", "height", "resolution", "form", "size"),
    [
        (3840, 2160, 3584, form_of("qwen2_5_vl"), (2016, 3584)),
        (3840, 2160, 896, form_of("qwen2_5_vl"), (504, 896)),
        (3840, 2160, 1792, form_of("qwen3_vl"), (1024, 1792)),
        (2160, 3840, 896, form_of("qwen3_vl"), (896, 512)),
        (3840, 2160, 448, SQUARE, (448, 448)),
        (1000, 300, 500, Form(), (150, 500)),
    ],
)
def test_sizes(width: int, height: int, resolution: int, form: Form, size: tuple[int, int]) -> None:
    assert size_for(width, height, FrameSettings("any", 1, resolution), form) == size


def test_frames_a_second_up_to_a_count(clip: Path) -> None:
    assert deliver(clip, FrameSettings("any", 9, 112, fps=3.0), Form()).indices == [0, 4, 8, 12, 16, 20]
    assert deliver(clip, FrameSettings("any", 3, 112, fps=3.0), Form()).indices == [0, 12, 23]


@pytest.mark.parametrize("how", ["uniform_linspace", "uniform_midpoint"])
def test_a_clip_shorter_than_asked_gives_each_frame_once(how: str, clip: Path) -> None:
    settings = FrameSettings("any", 30, 112, sampling=how)
    many = deliver(clip, settings, Form())
    assert many.indices == list(range(24))
    assert (many.count, sent(settings, many)["distinct"]) == (24, 24)


def test_decord_gives_our_frames_and_notes_which(delivery: Delivery) -> None:
    module = ModuleType("reads")
    module.__dict__["VideoReader"] = None
    with standins.serving(delivery, [module]) as served:
        video = module.__dict__["VideoReader"](str(delivery.path))
        assert (len(video), video.get_avg_fps()) == (4, pytest.approx(2.0))
        batch = video.get_batch(np.linspace(0, len(video) - 1, 4, dtype=int)).asnumpy()
    assert np.array_equal(batch, delivery.frames)
    assert (served.readers, served.takes, served.complete) == (["decord"], [[0, 1, 2, 3]], True)
    assert module.__dict__["VideoReader"] is None


def test_a_look_at_the_first_frame_to_learn_the_size_is_no_selection(delivery: Delivery) -> None:
    with standins.serving(delivery, []) as served:
        decord_standin.VideoReader(str(delivery.path))[0].asnumpy()
        assert not served.complete
        standins.fetch_video({"video": str(delivery.path)})
    assert served.complete


@pytest.mark.parametrize("taken", [[0, 0, 2, 3], [0, 1, 2], [3, 2, 1, 0], [0], []])
def test_a_selection_of_its_own_is_noticed(taken: list[int], delivery: Delivery) -> None:
    with standins.serving(delivery, []) as served:
        decord_standin.VideoReader(str(delivery.path)).get_batch(taken)
    assert not served.complete


def test_another_file_is_refused(delivery: Delivery) -> None:
    with standins.serving(delivery, []), pytest.raises(RunError, match=r"other\.mp4' with decord"):
        decord_standin.VideoReader("/videos/other.mp4")
    with pytest.raises(RunError, match="while no question was being asked"):
        decord_standin.VideoReader(str(delivery.path))


def test_a_missing_decord_can_be_imported_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decord_standin.importlib.util, "find_spec", lambda name: None)
    monkeypatch.delitem(sys.modules, "decord", raising=False)
    with decord_standin.importable():
        from decord import VideoReader, cpu

        assert (VideoReader, cpu(0)) == (decord_standin.VideoReader, 0)
    assert "decord" not in sys.modules


def test_qwen_vl_utils_would_shrink_and_does_not_while_serving(
    served: Callable[[int, int, int], Delivery], delivery: Delivery
) -> None:
    from PIL import Image
    from qwen_vl_utils import vision_process

    own = {"video": [Image.new("RGB", (3840, 2160))] * 2, "max_pixels": 3840 * 2160}
    _, _, height, width = vision_process.fetch_video(own).shape
    assert height * width <= 768 * 28 * 28
    whole = served(2, 2160, 3840)
    with standins.serving(whole, []):
        ours = vision_process.fetch_video({"video": str(delivery.path), "max_pixels": 3840 * 2160})
    assert ours.shape == (2, 3, 2160, 3840)


def test_the_cap_of_transformers_is_real_and_lifted(served: Callable[[int, int, int], Delivery]) -> None:
    from transformers.models.qwen2_vl.video_processing_qwen2_vl import Qwen2VLVideoProcessor

    processor = Qwen2VLVideoProcessor()
    inner = SimpleNamespace(processor=SimpleNamespace(video_processor=processor))
    big = served(2, 1008, 1792)
    video = torch.from_numpy(big.frames).permute(0, 3, 1, 2)
    assert processor(video, return_tensors="pt")["video_grid_thw"].tolist() == [[1, 40, 72]]
    lifted = caps.lift(inner, big)
    wide = {"Qwen2VLVideoProcessor": {"shortest_edge": 128 * 28 * 28, "longest_edge": 2 * 1008 * 1792}}
    assert lifted == wide
    assert processor(video, return_tensors="pt")["video_grid_thw"].tolist() == [[1, 72, 128]]
    assert caps.lift(inner, big) == wide, "what the caps are, for each question"


@pytest.mark.parametrize(
    ("inputs", "seen"),
    [
        ({"video_grid_thw": torch.tensor([[3, 8, 16]])}, Seen(6, 112, 224, "video_grid_thw")),
        ({"image_grid_thw": torch.tensor([[1, 8, 16]] * 5)}, Seen(5, 112, 224, "image_grid_thw")),
        ({"image_grid_thw": torch.tensor([[1, 8, 16], [1, 8, 8]])}, None),
        ({"pixel_values_videos": torch.zeros(1, 4, 3, 8, 6)}, Seen(4, 8, 6, "pixel_values_videos")),
        ({"pixel_values": torch.zeros(4, 3, 8, 8)}, Seen(4, 8, 8, "pixel_values")),
        ({"images": [torch.zeros(4, 3, 8, 8)]}, Seen(4, 8, 8, "images")),
        ({"pixel_values": torch.zeros(16, 1176)}, None),
        ({"input_ids": torch.zeros(1, 5)}, None),
    ],
)
def test_measuring(inputs: dict[str, Any], seen: Seen | None) -> None:
    assert measure(inputs, SimpleNamespace(patch_size=14, temporal_patch_size=2)) == seen


@pytest.mark.parametrize(
    ("seen", "verdict"),
    [
        (Seen(4, 62, 112, "x"), "exact"),
        (Seen(5, 62, 112, "x"), "exact"),
        (Seen(6, 62, 112, "x"), "4 frames became 6"),
        (Seen(3, 62, 112, "x"), "4 frames became 3"),
        (Seen(4, 32, 56, "x"), "112 x 62 px became 56 x 32"),
        (None, "what the model saw could not be measured"),
    ],
)
def test_verdicts(seen: Seen | None, verdict: str, delivery: Delivery) -> None:
    assert audit(FrameSettings("any", 4, 112), delivery, seen, deep=2)["verdict"] == verdict


def test_a_run_is_read_from_samples_and_journals(tmp_path: Path, delivery: Delivery) -> None:
    row = sent(FrameSettings("any", 4, 112), delivery)
    (tmp_path / "samples.jsonl").write_text(json.dumps({"details": {"audit": row}}) + '\n{"torn', "utf-8")
    journal = tmp_path / "journal.jsonl"
    journal.write_text(json.dumps({"record": {"text": "B", "details": {"audit": row}}}), "utf-8")
    (tmp_path / "toy").mkdir()
    copy = tmp_path / "toy" / "20260101_samples_hlvid.jsonl"  # lmms-eval's own, beside ours
    copy.write_text(json.dumps({"details": {"audit": row}}), "utf-8")
    assert read_run(tmp_path) == read_run(copy.parent) == [row]
    assert read_run(journal) == [row]
    (tmp_path / "samples.jsonl").write_text('{"details": {}}\n', "utf-8")
    with pytest.raises(RunError, match="no audited answers"):
        read_run(tmp_path)
    with pytest.raises(RunError, match="no such run"):
        read_run(tmp_path / "nothing")
