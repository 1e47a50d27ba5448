"""Label files and sets: what goes in comes out, damage is named, a killed run is finished by running it again.

Run: pytest tests/autogaze/training/test_labels.py
"""

import hashlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from autogaze.training import generator, labels
from autogaze.training.cli import app
from autogaze.training.label_making import MANIFEST, Settings, label, make_labels, plan
from autogaze.training.labels import LabelError, LabelledClip, LabelSet, load, save
from autogaze.training.objectives import searched

SMALL = Settings(seed=3, frames=(1, 3), shard=2)


def digests(folder: Path) -> dict[str, str]:
    return {
        p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in sorted(folder.glob("[!.]*.safetensors"))
    }


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five generated clips in three shards."""
    return make_labels(tmp_path_factory.mktemp("made"), generated=5, settings=SMALL, progress=False)


def test_what_is_saved_is_loaded(tmp_path: Path) -> None:
    draw = np.random.default_rng(0)
    clips = [label(generator.clip(seed, 2 + seed), SMALL, draw) for seed in range(3)]
    save(tmp_path / "a.safetensors", clips)
    again = load(tmp_path / "a.safetensors")
    assert [clip.order for clip in again] == [clip.order for clip in clips]
    for ours, theirs in zip(again, clips, strict=True):
        assert torch.equal(ours.frames, theirs.frames)
        for x, y in zip(ours.losses, theirs.losses, strict=True):
            assert x == pytest.approx(y, rel=1e-6)


def test_set_reads_all_shards_in_order(made: Path) -> None:
    whole = [clip for path in sorted(made.glob("*.safetensors")) for clip in load(path)]
    found = LabelSet(made)
    assert len(found) == len(whole) == 5
    for index in (4, 0, 2):
        assert found[index].order == whole[index].order
        assert torch.equal(found[index].frames, whole[index].frames)
    assert len(list(found)) == 5


def test_labels_are_the_greedy_search(made: Path) -> None:
    for clip in LabelSet(made):
        assert 1 <= len(clip.frames) <= 3
        found = searched("paste", clip.frames, [len(part) for part in clip.order])
        assert clip.order == found.order
        for ours, theirs in zip(clip.losses, found.losses, strict=True):
            assert ours == pytest.approx(theirs, rel=1e-5)


def test_the_same_seed_makes_the_same_files(made: Path, tmp_path: Path) -> None:
    again = make_labels(tmp_path / "again", generated=5, settings=SMALL, progress=False)
    other = make_labels(
        tmp_path / "other", generated=2, settings=Settings(4, (1, 3), shard=2), progress=False
    )
    assert digests(again) == digests(made)
    assert digests(other)["generated-0000.safetensors"] != digests(made)["generated-0000.safetensors"]


def test_only_missing_shards_are_made(made: Path, tmp_path: Path) -> None:
    out = make_labels(tmp_path / "set", generated=5, settings=SMALL, progress=False)
    kept = (out / "generated-0000.safetensors").stat().st_mtime_ns
    (out / "generated-0001.safetensors").unlink()
    make_labels(out, generated=5, settings=SMALL, progress=False)
    assert digests(out) == digests(made)
    assert (out / "generated-0000.safetensors").stat().st_mtime_ns == kept


def test_killed_run_is_finished_by_the_same_command(tmp_path: Path) -> None:
    command = ["labels", "--generated", "40", "--frames", "1", "1", "--out"]
    killed, whole = tmp_path / "killed", tmp_path / "whole"
    process = subprocess.Popen(
        [sys.executable, "-m", "hlvid.cli", "train", *command, str(killed)], stderr=subprocess.DEVNULL
    )
    deadline = time.monotonic() + 120
    while not digests(killed) and time.monotonic() < deadline:
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert digests(killed).keys() < {f"generated-{i:04d}.safetensors" for i in range(2)}
    for out in (killed, whole):
        assert CliRunner().invoke(app, [*command, str(out)]).exit_code == 0
    assert digests(killed) == digests(whole) and len(digests(whole)) == 2


def test_two_processes_make_the_same(made: Path, tmp_path: Path) -> None:
    out = make_labels(tmp_path, generated=5, processes=2, settings=SMALL, progress=False)
    assert digests(out) == digests(made)


def test_videos_and_split(shared: Path, tmp_path: Path) -> None:
    folder = shared / "clips" / "natural"
    train, val = (plan(folder, 0, 4, part) for part in ("train", "val"))
    names = {job.name.rpartition("-")[0] for job in val}
    assert names == {"decord_pancake", "sam2_coffee", "torchcodec_nasa"}
    assert len(train) == 10 and not names & {job.name.rpartition("-")[0] for job in train}
    small = tmp_path / "videos"
    small.mkdir()
    (small / "torchcodec_nasa.mp4").symlink_to(folder / "torchcodec_nasa.mp4")
    out = make_labels(tmp_path / "set", small, per_video=3, part="val", settings=SMALL, progress=False)
    assert sorted(digests(out)) == ["torchcodec_nasa-0000.safetensors", "torchcodec_nasa-0001.safetensors"]
    assert len(LabelSet(out)) == 3


def test_other_settings_are_refused(made: Path) -> None:
    with pytest.raises(LabelError, match=rf"made with other settings \(seed\).*{MANIFEST}"):
        make_labels(made, generated=5, settings=Settings(9, (1, 3), shard=2), progress=False)


@pytest.mark.parametrize("damage", ["cut", "garbage", "empty"])
def test_damaged_shard_is_named_with_a_remedy(made: Path, tmp_path: Path, damage: str) -> None:
    whole = (made / "generated-0000.safetensors").read_bytes()
    path = tmp_path / "generated-0000.safetensors"
    path.write_bytes({"cut": whole[:-100], "garbage": b"x" * 1000, "empty": b""}[damage])
    with pytest.raises(LabelError, match=r"generated-0000.safetensors: damaged .*delete the file"):
        LabelSet(tmp_path)


def test_shard_without_an_entry_is_named(tmp_path: Path) -> None:
    from safetensors.torch import save_file

    save_file({"frames": torch.zeros(1)}, tmp_path / "a.safetensors")
    with pytest.raises(LabelError, match=r"a.safetensors: damaged \(entry missing"):
        load(tmp_path / "a.safetensors")


def test_nothing_to_read_and_nothing_to_make(tmp_path: Path) -> None:
    with pytest.raises(LabelError, match="no such file"):
        load(tmp_path / "none.safetensors")
    with pytest.raises(LabelError, match=r"no \*\.safetensors file in it; make some with"):
        LabelSet(tmp_path)
    with pytest.raises(ValueError, match="nothing to label"):
        make_labels(tmp_path, progress=False)


def test_lists_have_to_fit_the_frames() -> None:
    with pytest.raises(ValueError, match="expected one list of tokens"):
        LabelledClip(torch.zeros(2, 3, 224, 224, dtype=torch.uint8), ((1,),), ((0.5,),))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"frames": (5, 4)}, r"frames=\(5, 4\)"),
        ({"ratios": (0.2, 0.1)}, r"ratios=\(0.2, 0.1\)"),
        ({"seed": -1}, "seed=-1"),
    ],
)
def test_settings_out_of_range(settings: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Settings(**settings)  # type: ignore[arg-type]


def test_command_ends_in_one_line(tmp_path: Path) -> None:
    asked = ["labels", "--out", str(tmp_path), "--videos", str(tmp_path / "none")]
    run = CliRunner().invoke(app, asked)
    assert run.exit_code == 1 and "no file with suffix" in run.output
    assert labels.SUFFIX == ".safetensors"
