"""What `hlvid convert` refuses, in one line that names the file, and what becomes of a conversion that is cut off.

Run with: pytest tests/evaluators/models/nvila/test_convert_refusals.py
"""

import json
import resource
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import typer
from safetensors.torch import load_file, save_file
from typer.testing import CliRunner

from autogaze.model.checkpoint import CheckpointError
from autogaze.nvila.convert.conversion import INDEX as OURS
from autogaze.nvila.convert.conversion import MARK, plan_conversion, write
from autogaze.nvila.convert.names import read_map
from autogaze.nvila.convert.snapshot import Snapshot
from autogaze.nvila.model import NVILAHD
from evaluators.cli import mount
from evaluators.models.nvila.checkpoint import describe
from hlvid.errors import RunError
from hlvid.files import locked

INDEX = "pytorch_model.bin.index.json"
SECOND = "model-00002-of-00003.safetensors"
Spoil = Callable[[Path], Any]
app = typer.Typer()
mount(app)


@pytest.fixture
def fresh(remote_checkpoint: Path, tmp_path: Path) -> Path:
    """A stand-in that a test may spoil."""
    return Path(shutil.copytree(remote_checkpoint, tmp_path / "published"))


def refused(*arguments: str | Path) -> str:
    """The one line with which the command ends."""
    result = CliRunner().invoke(app, ["convert", *map(str, arguments)])
    assert isinstance(result.exception, RunError), (arguments, result.stdout, result.exception)
    return str(result.exception)


def change(folder: Path, name: str, **values: Any) -> None:
    """Merge values into a JSON file, one level deep."""
    data = json.loads((folder / name).read_text())
    for key, value in values.items():
        data[key] = {**data[key], **value} if isinstance(value, dict) else value
    (folder / name).write_text(json.dumps(data))


@pytest.mark.parametrize(
    ("file", "values", "text"),
    [
        (
            "config.json",
            {"vision_config": {"patch_size": 16}},
            "patch_size is 16, the tensors' shapes say 14",
        ),
        (
            "config.json",
            {"vision_config": {"image_size": 384}},
            "image_size is 384, the tensors' shapes say 448",
        ),
        ("config.json", {"vision_config": {"num_hidden_layers": 4}}, r"missing: vision\..*layers\.3\."),
        ("config.json", {"vision_config": {"num_hidden_layers": 2}}, r"surplus: vision_tower\..*layers\.2\."),
        (
            "config.json",
            {"text_config": {"vocab_size": 99}},
            r"vocab_size 99 and hidden_size 32, .* is \(288, 32\)",
        ),
        ("config.json", {"text_config": {"num_key_value_heads": 4}}, r"shape of llm\..*k_proj"),
        ("config.json", {"text_config": {"model_type": "llama"}}, "model_type is 'llama'; only qwen2"),
        ("config.json", {"text_config": None}, "no text_config; this is no checkpoint in the layout"),
        ("config.json", {"video_token_id": 5}, "video_token_id is 5, the tokenizer has <vila/video> at 269"),
        ("preprocessor_config.json", {"image_mean": [0.4, 0.5, 0.5]}, r"image_mean is \[0\.4, 0\.5\]"),
        ("preprocessor_config.json", {"resample": 2}, "resample is 2; 3"),
        (
            INDEX,
            {"weight_map": {"llm.x": "model-00001-of-00003.safetensors"}},
            "which lacks it",
        ),
    ],
)
def test_files_that_contradict_each_other_are_refused(
    file: str, values: dict[str, Any], text: str, fresh: Path
) -> None:
    change(fresh, file, **values)
    with pytest.raises(CheckpointError, match=text):
        plan_conversion(Snapshot.of(fresh))


@pytest.mark.parametrize(
    ("spoil", "text"),
    [
        (lambda at: (at / SECOND).unlink(), f"no {SECOND}, which the index or the other shards' numbers"),
        (lambda at: [(at / name).unlink() for name in (SECOND, INDEX)], f"no {SECOND}, which the index or"),
        (
            lambda at: change(at, INDEX, weight_map={"x": "model-x.safetensors"}),
            "no model-x.safetensors, which",
        ),
        (lambda at: cut(at / SECOND), rf"{SECOND}: no whole safetensors file \(.+\); fetch it again"),
        (
            lambda at: (at / SECOND).write_text("version https://git-lfs"),
            "no whole safetensors file .*git-lfs",
        ),
        (lambda at: double(at), "llm.model.norm.weight is in .* and in"),
        (lambda at: (at / INDEX).write_text('{"weight_map": []}'), f"{INDEX}: no weight_map of tensors"),
        (lambda at: (at / "config.json").unlink(), "no config.json; this is no checkpoint"),
        (lambda at: (at / "config.json").write_text("{"), "config.json: not valid JSON"),
        (lambda at: (at / "config.json").write_bytes(b"\xff"), "config.json: no text in UTF-8"),
        (lambda at: change(at, "config.json", vision_config={"scales": "x"}), "vision_config: scales='x'"),
        (
            lambda at: change(at, "config.json", vision_config={"hidden_size": "x"}),
            "config.json: vision_config:",
        ),
        (
            lambda at: change(at, "config.json", text_config={"hidden_size": "x"}),
            "config.json: text_config[: ]",
        ),
        (lambda at: change(at, "config.json", text_config={"num_attention_heads": 0}), "config.json: .*zero"),
        (lambda at: change(at, "generation_config.json", eos_token_id="x"), "generation_config.json: "),
        (lambda at: (at / "tokenizer_config.json").write_text('{"added_tokens_decoder": []}'), "tokenizer: "),
        (lambda at: (at / "vocab.json").write_bytes(b"\xff"), "tokenizer: "),
        (lambda at: (at / "vocab.json").unlink(), "no tokenizer.json, and no vocab.json with merges.txt"),
        (lambda at: (at / "chat_template.jinja").write_text("{% for"), "its chat template fails"),
        (lambda at: (at / "chat_template.jinja").unlink(), "no chat template in chat_template.jinja"),
        (
            lambda at: change(at, "processor_config.json", target_scales=[3], target_patch_size="x"),
            "processor_config.json: ",
        ),
        (
            lambda at: change(at, "processor_config.json", autogaze_model_id="nowhere"),
            "AutoGaze's weights: nowhere: no checkpoint in this folder, and no hub id",
        ),
        (
            lambda at: (at / "preprocessor_config.json").write_text('{"image_mean": [[0]]}'),
            "preprocessor_con",
        ),
        (lambda at: (at / "modeling_nvila.py").write_bytes(b"\xff"), "modeling_nvila.py: no text in UTF-8"),
        (
            lambda at: change(at, "config.json", model_type="llava_llama"),
            "VILA's own layout, as NVILA-8B-Video",
        ),
        (lambda at: change(at, "config.json", model_type="hlvid_nvila_hd"), "of our layout already"),
    ],
)
def test_a_spoiled_file_is_named_in_one_line_and_nothing_is_written(
    spoil: Spoil, text: str, fresh: Path, tmp_path: Path
) -> None:
    spoil(fresh)
    with pytest.raises(RunError, match=text) as caught:
        raise RunError(refused(fresh, "--out", tmp_path / "ours"))
    told = str(caught.value)
    assert "\n" not in told and told.count(f"checkpoint {fresh}") == 1
    assert not (tmp_path / "ours" / "config.json").exists()


def cut(path: Path) -> None:
    """As a download leaves it that broke off."""
    path.write_bytes(path.read_bytes()[:-1000])


def double(folder: Path) -> None:
    """A tensor in two shards."""
    name = "llm.model.norm.weight"
    for path in sorted(folder.glob("model-*.safetensors")):
        tensors = load_file(str(path))
        save_file({**tensors, name: torch.ones(32)}, str(path))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("'(': null", r"'\(' is no regular expression"),
        ("'llm.(.+)': 'llm.\\2'", r"'llm\.\\\\2' cannot be filled in \(invalid group reference"),
        ("'llm.(.+)': 3", "3; expected a name or null"),
        ("- llm", "expected lines 'PATTERN: NAME'"),
        ("'a': 'b", "while scanning a quoted scalar"),
        (b"\xff", "can't decode"),
        (None, "No such file"),
    ],
)
def test_a_wrong_map_is_refused_before_anything_else(
    text: str | bytes | None, told: str, fresh: Path, tmp_path: Path
) -> None:
    path = tmp_path / "map.yaml"
    if text is not None:
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(CheckpointError, match=rf"--map .*map\.yaml: .*{told}"):
        read_map(path)


def test_a_folder_of_anything_else_is_left_as_it_is(fresh: Path, tmp_path: Path) -> None:
    """The source itself, a checkpoint of somebody's, a thesis; only what a conversion began is written anew."""
    other = tmp_path / "finetuned"
    (other / "llm").mkdir(parents=True)
    (other / "llm" / "model.safetensors").write_text("")
    (other / "config.json").write_text('{"model_type": "hlvid_nvila_hd"}')
    for folder in (fresh, other):
        before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
        assert "not empty, and no conversion was begun in it" in refused(fresh, "--out", folder)
        with pytest.raises(CheckpointError, match="not empty, and no conversion"):
            write(plan_conversion(Snapshot.of(fresh)), folder)
        assert before == {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    ours = tmp_path / "ours"
    for _ in range(2):
        assert CliRunner().invoke(app, ["convert", str(fresh), "--out", str(ours)]).exit_code == 0
    with locked(ours / MARK):
        assert "another process converts into it" in refused(fresh, "--out", ours)
    assert NVILAHD.from_pretrained(ours) and "of our layout already" in refused(ours, "--dry-run")


def test_options_that_would_fail_later_fail_first(fresh: Path, tmp_path: Path) -> None:
    ours = tmp_path / "ours"
    (tmp_path / "notes").mkdir()
    for arguments, text in (
        ((fresh,), "no --out"),
        ((fresh, "--out", ours, "--check"), "--check needs --video"),
        ((fresh, "--out", ours, "--check", "--video", "nowhere.mp4", "--dry-run"), "leave out --dry-run"),
        ((fresh, "--out", ours, "--autogaze", "nowhere"), "AutoGaze's weights: nowhere"),
        ((tmp_path / "notes", "--dry-run"), "no config.json"),
        ((tmp_path / "nowhere", "--dry-run"), "neither an existing folder nor a hub id"),
    ):
        assert text in refused(*arguments)
    with pytest.raises(Exception, match=r"nowhere\.mp4"):
        CliRunner().invoke(
            app,
            ["convert", str(fresh), "--out", str(ours), "--check", "--video", "nowhere.mp4"],
            catch_exceptions=False,
        )
    assert not ours.exists()


def test_a_disk_that_is_or_gets_full_is_told_and_the_next_run_ends_well(
    fresh: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan, ours = plan_conversion(Snapshot.of(fresh)), tmp_path / "ours"
    with monkeypatch.context() as patch:
        patch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10, 9, 1))  # type: ignore[attr-defined]
        assert "GB will be written and 0.0 GB are free" in refused(fresh, "--out", ours)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, hard))
    try:
        assert "the conversion stopped (" in refused(fresh, "--out", ours)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    with pytest.raises(CheckpointError, match=r"no file config\.json"):
        NVILAHD.from_pretrained(ours)
    write(plan, ours)
    assert not NVILAHD.from_pretrained(ours).config.random


def test_a_conversion_that_was_killed_is_written_anew(fresh: Path, tmp_path: Path) -> None:
    plan, ours = plan_conversion(Snapshot.of(fresh)), tmp_path / "ours"

    def kill(told: str) -> None:
        if told.endswith("(3 of 3)"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write(plan, ours, kill)
    parts = sorted((ours / "llm").glob("*.safetensors"))
    assert parts and not (ours / "config.json").exists()
    stray = parts[0].with_name("model-00009-of-00009.safetensors")
    parts[0].rename(stray)  # of a conversion with other shards
    write(plan, ours)
    index = json.loads((ours / "llm" / OURS).read_text())
    assert not stray.exists() and NVILAHD.from_pretrained(ours) and set(index["weight_map"].values())


def test_the_model_refuses_the_papers_baseline_too(fresh: Path) -> None:
    change(fresh, "config.json", model_type="llava_llama")
    with pytest.raises(RunError, match=r"nvila_video: pretrained: .*as NVILA-8B-Video is"):
        describe(str(fresh), None, "nvila_video")
