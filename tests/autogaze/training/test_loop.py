"""The training loop: resuming after a kill, accumulation, several processes, what is refused."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from typer.testing import CliRunner

from autogaze.model.config import AutoGazeConfig
from autogaze.training import generator
from autogaze.training.cli import app
from autogaze.training.config import CONFIGS, TrainConfig, TrainingError, load, read
from autogaze.training.initial import fresh
from autogaze.training.labels import LabelledClip, save
from autogaze.training.loop import train
from autogaze.training.objectives import searched
from autogaze.training.reading.config import ReadingConfig
from autogaze.training.trail import lines

SMALL = AutoGazeConfig(vision_dim=48, hidden_size=48, intermediate_size=64, layers=1, heads=2)
RUN = "import sys; from autogaze.training.loop import train; from autogaze.training.config import load; \
import torch; torch.set_num_threads(1); train(load(sys.argv[1]))"


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> None:
    """Sums are split over threads, so equality to the bit needs as many of them in every process."""
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def given(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with six labelled clips of two frames and a small untrained checkpoint."""
    folder = tmp_path_factory.mktemp("given")
    clips = []
    for seed in range(6):
        frames = generator.clip(seed=seed, frames=2)
        clips.append(LabelledClip(frames, *searched("paste", frames, (12, 4))))
    (folder / "labels").mkdir()
    save(folder / "labels" / "a-0000.safetensors", clips)
    fresh(SMALL, 0).save_pretrained(folder / "start")
    return folder


def settings(given: Path, out: Path, **changes: object) -> TrainConfig:
    data = {
        "stage": "ntp",
        "labels": given / "labels",
        "init": given / "start",
        "out": out,
        "steps": 5,
        "batch": 2,
        "checkpoint_every": 1,
        "optimizer": {"kind": "adamw", "rate": 1e-3, "warmup": 2, "clip": 1.0},
    }
    return TrainConfig.model_validate({**data, **changes})


def weights(out: Path) -> dict[str, torch.Tensor]:
    return load_file(str(out / "model" / "model.safetensors"))


def same(first: dict[str, torch.Tensor], second: dict[str, torch.Tensor]) -> bool:
    return all(torch.equal(first[name], second[name]) for name in first)


def write(config: TrainConfig, path: Path) -> Path:
    path.write_text(json.dumps(config.model_dump(mode="json")))  # JSON is YAML, too
    return path


@pytest.mark.parametrize("stage", ["ntp", "grpo"])
def test_killed_run_ends_with_the_same_weights(stage: str, given: Path, tmp_path: Path) -> None:
    grpo = {"group": 2, "counts": "schedule", "ratios": [0.02, 0.03]}
    shared = {
        "stage": stage,
        "validation": given / "labels",
        "validate_clips": 1,
        "ratios": [0.02],
        "grpo": grpo,
    }
    train(settings(given, tmp_path / "whole", **shared))
    killed = settings(given, tmp_path / "killed", **shared)
    path = write(killed, tmp_path / "run.yaml")
    child = subprocess.Popen(
        [sys.executable, "-c", RUN, str(path)], env={**os.environ, "OMP_NUM_THREADS": "1"}
    )
    while len(lines(killed.out / "metrics.jsonl")) < 2 and child.poll() is None:
        time.sleep(0.01)
    child.send_signal(signal.SIGKILL)
    child.wait()
    assert not (killed.out / "model").exists(), "the run ended before it could be killed"
    train(killed)
    assert same(weights(tmp_path / "whole"), weights(killed.out))
    for name in ("metrics.jsonl", "validation.jsonl"):
        whole, resumed = (lines(tmp_path / run / name) for run in ("whole", "killed"))
        for entry in [*whole, *resumed]:
            entry.pop("seconds", None)
        assert whole == resumed


def test_torn_lines_and_later_steps_are_dropped(given: Path, tmp_path: Path) -> None:
    config = settings(given, tmp_path, checkpoint_every=2)
    train(config, stop_after=2)
    with (tmp_path / "metrics.jsonl").open("a") as file:
        file.write('{"step": 2, "loss": 1}\n{"step": 3, "lo')
    train(config)
    assert [entry["step"] for entry in lines(tmp_path / "metrics.jsonl")] == [0, 1, 2, 3, 4]


def test_accumulating_equals_a_larger_batch(given: Path, tmp_path: Path) -> None:
    train(settings(given, tmp_path / "a", batch=4, steps=2, flip=False))
    train(settings(given, tmp_path / "b", batch=2, accumulate=2, steps=2, flip=False))
    first, second = weights(tmp_path / "a"), weights(tmp_path / "b")
    # Adam divides by the gradient's size, so rounding in tiny gradients shows as some 1e-5 of a step of 1e-3.
    assert all(torch.allclose(first[name], second[name], atol=1e-4) for name in first)
    assert not same(first, load_file(str(given / "start" / "model.safetensors")))


def test_validation_shows_every_ratio(given: Path, tmp_path: Path) -> None:
    asked = {"validation": given / "labels", "validate_every": 1, "validate_clips": 2, "validate_stop": 1e6}
    train(settings(given, tmp_path, steps=2, **asked))
    looks = lines(tmp_path / "validation.jsonl")
    assert [look["step"] for look in looks] == [0, 1, 2]
    assert all(look["0.02"] > look["0.2"] > 0 for look in looks)
    assert all(0 <= look["reading"] <= 1 for look in looks)
    assert all(0 < look["spent"] < 0.1 for look in looks)  # any loss will do: one group of tokens a frame
    pictures = sorted((tmp_path / "pictures").glob("*.png"))
    assert [path.stem for path in pictures] == ["0000000", "0000001", "0000002"]
    said = CliRunner().invoke(app, ["report", str(tmp_path), "--out", str(tmp_path / "report.html")])
    page = (tmp_path / "report.html").read_text()
    assert said.exit_code == 0 and "report.html" in said.output
    assert f"{looks[-1]['0.02']:.4f}" in page and page.count("data:image/png;base64,") == 2
    empty = CliRunner().invoke(app, ["report", str(tmp_path / "elsewhere")])
    assert empty.exit_code == 1 and "no metrics.jsonl" in empty.output


def test_other_settings_do_not_go_on_with_a_run(given: Path, tmp_path: Path) -> None:
    train(settings(given, tmp_path, steps=1))
    with pytest.raises(TrainingError, match="other settings"):
        train(settings(given, tmp_path, steps=1, seed=9))


def test_what_is_missing_is_named(given: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"labels .*nowhere.*hlvid train labels"):
        train(settings(given, tmp_path, labels=tmp_path / "nowhere"))
    with pytest.raises(TrainingError, match=r"init .*nowhere"):
        train(settings(given, tmp_path, init=tmp_path / "nowhere"))


def test_configs_are_checked() -> None:
    for name in (file.stem for file in CONFIGS.glob("*.yaml")):
        stage = name.partition("-")[0]
        found = read(ReadingConfig, name) if stage == "reading" else load(name)
        assert found.stage == stage
    assert load("grpo").grpo.group == 12 and load("grpo").grpo.discount == 0.995
    for name, device in (("ntp-cpu-text", "cpu"), ("ntp-gpu-text", "cuda")):
        assert load(name).device == device and load(name).ntp.objective == "text"
    assert load("ntp", optimizer__rate=0.01).optimizer.rate == 0.01
    with pytest.raises(TrainingError, match=r"ntp.yaml: steps"):
        load("ntp", steps=0)
    with pytest.raises(
        TrainingError,
        match=r"no such file; bundled are grpo, grpo-cpu, grpo-only-cpu, ntp, ntp-cpu, ",
    ):
        load("sft")
    with pytest.raises(TrainingError, match="muon has two rates"):
        load("ntp", optimizer__kind="muon")
    with pytest.raises(TrainingError, match=r"optimizer\.speed"):
        load("ntp", optimizer__speed=1)


@pytest.mark.slow
def test_two_processes_learn_what_one_does(given: Path, tmp_path: Path) -> None:
    """torchrun with gloo: two processes with batches of 1 take the steps of one with batches of 2."""
    train(settings(given, tmp_path / "one", flip=False, steps=3))
    path = write(settings(given, tmp_path / "two", flip=False, steps=3, batch=1), tmp_path / "run.yaml")
    script = tmp_path / "run.py"
    script.write_text(RUN.replace("; ", "\n"))
    command = ["-m", "torch.distributed.run", "--nproc-per-node", "2", "--master-port", "29713", str(script)]
    subprocess.run(
        [sys.executable, *command, str(path)], check=True, env={**os.environ, "OMP_NUM_THREADS": "1"}
    )
    one, two = weights(tmp_path / "one"), weights(tmp_path / "two")
    assert all(torch.allclose(one[name], two[name], atol=1e-4) for name in one)
    assert [entry["step"] for entry in lines(tmp_path / "two" / "metrics.jsonl")] == [0, 1, 2]
