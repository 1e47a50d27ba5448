"""The dataset folder: format, encoding, caching, interruption."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from hlvid.dataset import load
from hlvid.errors import DatasetError, VideoError
from hlvid.mini import generate, make, manifest
from hlvid.mini.evidence import line
from hlvid.mini.plan import plan
from hlvid.mini.render import frames
from hlvid.mini.stage import Sighting
from hlvid.mini.workers import make_all


def test_the_common_loader_reads_it(tiny_mini: Path) -> None:
    loaded = load(tiny_mini)
    asked = [q for video in plan("tiny") for q in video.questions]
    assert [(q.id, q.stem, dict(q.options), q.answer, q.tier) for q in loaded] == [
        (q.id, q.stem, q.options, q.answer, q.tier) for q in asked
    ]
    assert {q.source for q in loaded} == {"av_video_0", "household_video_0"}
    assert all(q.video_path is not None and q.video_path.is_file() for q in loaded)


def test_parquet_has_the_real_columns_and_the_tier(tiny_mini: Path) -> None:
    import pyarrow.parquet as pq

    table = pq.read_table(tiny_mini / "data" / "test-00000-of-00001.parquet")
    assert table.column_names == ["question_id", "category", "question", "answer", "video_path", "tier"]
    assert (
        table["question"][0].as_py().endswith("Please answer directly with the letter of the correct answer.")
    )


def test_videos_are_4k_h264_tagged_bt709_and_near_the_raw_frames(tiny_mini: Path) -> None:
    import av

    for video in plan("tiny"):
        with av.open(str(tiny_mini / "videos" / video.name)) as container:
            stream = container.streams.video[0]
            context = stream.codec_context
            assert (context.name, context.width, context.height) == ("h264", 3840, 2160)
            assert (context.colorspace, context.color_primaries, context.color_trc, context.color_range) == (
                1,
                1,
                1,
                1,
            )
            assert context.pix_fmt == "yuv420p"
            decoded = [frame.to_ndarray()[:2160] for frame in container.decode(stream)]
        assert len(decoded) == video.frames
        for index, (planes, _) in zip((0, 11), frames(video, (0, 11)), strict=True):
            error = np.abs(decoded[index][::4, ::4].astype(int) - planes.y[::4, ::4]).mean()
            assert error < 6, f"{video.name} frame {index}"


def test_evidence_names_every_question_within_the_frame(tiny_mini: Path) -> None:
    lines = [json.loads(text) for text in (tiny_mini / "evidence.jsonl").read_text().splitlines()]
    assert {row["question_id"] for row in lines} == {q.id for q in load(tiny_mini)}
    for row in lines:
        x0, y0, x1, y1 = row["box"]
        assert 0 <= x0 < x1 <= 3840 and 0 <= y0 < y1 <= 2160 and 0 < row["visible"] <= 1
    assert json.loads(line(4, Sighting("7", (1, 2, 3, 4), 0.5, 11))) == {
        "question_id": "7", "frame": 4, "box": [1, 2, 3, 4], "visible": 0.5, "cap": 11
    }  # fmt: skip


def test_a_finished_set_is_not_made_again(tiny_mini: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(generate, "_make", _fail)
    assert make(tiny_mini, preset="tiny", progress=False) == tiny_mini


def test_an_interrupted_set_goes_on_with_the_missing_video(
    tiny_mini: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[str] = []

    def copy(folder: Path, video, bar) -> None:  # type: ignore[no-untyped-def]
        if len(made) == 1:
            (folder / "videos" / f"{video.name}.part.mp4").write_bytes(b"torn")
            made.append("killed")
            raise KeyboardInterrupt
        made.append(video.name)
        shutil.copy(tiny_mini / "videos" / video.name, folder / "videos" / video.name)
        generate.evidence.write(generate.evidence_path(folder, video), [])

    monkeypatch.setattr(generate, "make_video", copy)
    with pytest.raises(KeyboardInterrupt):
        generate.make(tmp_path / "set", preset="tiny", progress=False, workers=1)
    assert json.loads((tmp_path / "set" / "mini.json").read_text())["done"] is False
    generate.make(tmp_path / "set", preset="tiny", progress=False, workers=1)
    names = [video.name for video in plan("tiny")]
    assert made == [names[0], "killed", names[1]]
    assert json.loads((tmp_path / "set" / "mini.json").read_text())["done"] is True


def test_the_first_fault_of_a_process_is_told_and_ends_the_others(tmp_path: Path) -> None:
    (tmp_path / "videos").mkdir()
    (tmp_path / "videos" / "clip_household_video_0_000.part.mp4").mkdir()  # where it would write
    (tmp_path / "evidence").mkdir()
    shown: list[int] = []

    class Bar:
        def update(self, n: int = 1) -> object:
            return shown.append(n)

    with pytest.raises(VideoError, match=r"clip_household_video_0_000.mp4 could not be made: .*directory"):
        make_all(tmp_path, "tiny", plan("tiny")[::-1], 2, Bar())
    assert not list((tmp_path / "evidence").iterdir())


def test_a_writer_that_fails_leaves_no_file_under_the_final_name(tmp_path: Path) -> None:
    from hlvid.mini.canvas import Planes
    from hlvid.mini.encode import Writer

    with pytest.raises(RuntimeError), Writer(tmp_path / "a.mp4", 10, 64, 64) as writer:
        planes = Planes.blank(64, 64)
        planes.buffer[...] = 0
        writer.add(planes)
        raise RuntimeError
    assert not (tmp_path / "a.mp4").exists()


def test_another_generator_version_is_made_anew(
    tiny_mini: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = shutil.copytree(tiny_mini, tmp_path / "old")
    videos = plan("tiny")
    assert manifest.is_done(old, "tiny", 0, videos)
    monkeypatch.setattr(manifest, "GENERATOR", manifest.GENERATOR + 1)
    assert not manifest.is_done(old, "tiny", 0, videos)
    manifest.claim(old, "tiny", 0, videos)
    assert not (old / "videos").exists()


def test_a_damaged_video_is_noticed(tiny_mini: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(tiny_mini, tmp_path / "copy")
    video = next((copy / "videos").glob("*.mp4"))
    video.write_bytes(video.read_bytes()[:-100])
    assert not manifest.is_done(copy, "tiny", 0, plan("tiny"))


def test_a_folder_of_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("keep me")
    with pytest.raises(DatasetError, match="not empty and not made by"):
        make(tmp_path, preset="tiny", progress=False)
    assert (tmp_path / "thesis.txt").read_text() == "keep me"


def _fail(*_: object) -> None:
    raise AssertionError("made again")
