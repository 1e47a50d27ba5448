"""Run with: pytest tests/evaluators/models/nvila/test_convert.py

The stand-in has the published file layout, names and base classes; see nvila_standin.py.
"""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
import typer
from safetensors.torch import load_file, save_file
from typer.testing import CliRunner

from autogaze.model.checkpoint import CheckpointError
from autogaze.nvila.config import NVILAConfig
from autogaze.nvila.convert.code import read_code
from autogaze.nvila.convert.conversion import plan_conversion, write
from autogaze.nvila.convert.names import ours, read_map
from autogaze.nvila.convert.snapshot import Snapshot
from autogaze.nvila.model import NVILAHD
from evaluators.cli import mount

INDEX = "pytorch_model.bin.index.json"
app = typer.Typer()
mount(app)


@pytest.fixture
def fresh(standin: Any, gazer: Path, tmp_path: Path) -> Path:
    """A stand-in that a test may spoil."""
    return Path(standin.write(tmp_path / "published", gazer))


def change(folder: Path, name: str, **values: Any) -> None:
    """Merge values into a JSON file, one level deep."""
    data = json.loads((folder / name).read_text())
    for key, value in values.items():
        data[key] = {**data[key], **value} if isinstance(value, dict) else value
    (folder / name).write_text(json.dumps(data))


def test_every_tensor_arrives_and_settings_are_those_of_the_files(
    remote_checkpoint: Path, converted: Path
) -> None:
    theirs: dict[str, torch.Tensor] = {}
    for shard in sorted(remote_checkpoint.glob("model-*.safetensors")):
        theirs |= load_file(str(shard))
    model = NVILAHD.from_pretrained(converted)
    own = model.state_dict()
    assert torch.equal(own["projector.4.weight"], theirs["mm_projector.layers.5.weight"])
    used = {ours(name): tensor for name, tensor in theirs.items() if ours(name)}
    assert used.keys() == own.keys() and all(torch.equal(own[name], x) for name, x in used.items())
    config = model.config
    assert (config.vision.patch_size, config.vision.image_size, config.vision.select_layer) == (14, 448, -2)
    assert config.vision.scales == (56, 112, 196, 392) and config.context == 4096
    assert (config.released_scales, config.released_patch) == ((56, 112, 224, 448), 16)
    assert (config.video.gaze_grid, config.video.resize, config.grouping) == ("released", "pil", "time")
    assert config.chat[0].startswith("<|im_start|>system\nYou look at videos.<|im_end|>\n<|im_start|>user\n")
    assert config.chat[1] == "<|im_end|>\n<|im_start|>assistant\n" and config.stop == (264,)
    assert config.autogaze == "autogaze" and (converted / "autogaze" / "model.safetensors").is_file()
    assert not config.random and config.source == {"source": str(remote_checkpoint)}


def test_what_is_written_can_be_read_by_whom_the_umask_allows(
    converted: Path, checkpoint: Path, tmp_path: Path
) -> None:
    (plain := tmp_path / "plain").touch()
    for folder in (converted, checkpoint):
        files = [path for path in folder.rglob("*.safetensors") if path.is_file()]
        assert len(files) > 2
        modes = {str(path.relative_to(folder)): path.stat().st_mode for path in files}
        assert modes == dict.fromkeys(modes, plain.stat().st_mode)


def test_the_tokenizer_is_that_of_transformers(remote_checkpoint: Path, converted: Path) -> None:
    from tokenizers import Tokenizer
    from transformers import AutoTokenizer

    theirs = AutoTokenizer.from_pretrained(remote_checkpoint)
    mine = Tokenizer.from_file(str(converted / "tokenizer.json"))
    text = "<|im_start|>user\n<vila/video>\n\nWhat does the sign say? «Ausfahrt» 出口 e\u0301<|im_end|>\n"
    assert mine.encode(text).ids == theirs(text)["input_ids"] and len(mine.encode("Ġ the sign").ids) < 10


@pytest.mark.parametrize("tied", [False, True])
@pytest.mark.parametrize("index", [False, True])
def test_tied_or_not_and_under_either_name_of_the_index(
    tied: bool, index: bool, standin: Any, gazer: Path, tmp_path: Path
) -> None:
    folder = standin.write(tmp_path / "published", gazer, tied=tied, index=index, head=index)
    plan = plan_conversion(Snapshot.of(folder))
    assert sum(entry.ours is None for entry in plan.entries) == int(index)
    write(plan, tmp_path / "ours")
    llm = NVILAHD.from_pretrained(tmp_path / "ours").llm
    assert (llm.lm_head.weight is llm.get_input_embeddings().weight) == tied
    assert (tmp_path / "ours" / "llm" / "config.json").is_file()


def test_a_dry_run_needs_index_and_config_alone_at_the_8bs_size(standin: Any, tmp_path: Path) -> None:
    vision = {
        "hidden_size": 1152,
        "intermediate_size": 4304,
        "num_hidden_layers": 27,
        "num_attention_heads": 16,
    }
    text = {
        "hidden_size": 3584,
        "intermediate_size": 18944,
        "num_hidden_layers": 28,
        "num_attention_heads": 28,
        "num_key_value_heads": 4,
        "vocab_size": 152_064,
        "max_position_embeddings": 32_768,
    }
    names = standin.shapes(False, True, vision, text)
    index = {
        name: f"model-0000{1 + n * 4 // len(names)}-of-00004.safetensors" for n, name in enumerate(names)
    }
    (tmp_path / INDEX).write_text(json.dumps({"weight_map": index}))
    (tmp_path / "config.json").write_text(
        json.dumps(
            {
                "model_type": "nvila",
                "auto_map": {},
                "text_config": {**standin.TEXT, **text},
                "vision_config": {**standin.VISION, **vision},
                "video_token_id": 151_650,
            }
        )
    )
    result = CliRunner().invoke(app, ["convert", str(tmp_path), "--dry-run"])
    assert result.exit_code == 0, result.exception
    lines = result.stdout.splitlines()
    arrows = dict(line.split("  ->  ") for line in lines if "  ->  " in line)
    arrows = {name.strip(): place for name, place in arrows.items()}
    assert arrows.keys() == names.keys() and len(names) > 700
    assert arrows["mm_projector.layers.7.bias"] == "projector.6.bias  [?]"
    assert arrows["vision_tower.vision_model.head.probe"] == "left out (not used)  [?]"
    assert "language model: 28 layers of 3584, context 32,768" in lines
    assert any("no tokenizer files at hand" in line for line in lines)
    with pytest.raises(CheckpointError, match=r"no tokenizer\.json, and no vocab\.json"):
        write(plan_conversion(Snapshot.of(tmp_path)), tmp_path / "ours")


def test_unknown_names_are_errors_until_a_map_knows_them(fresh: Path, tmp_path: Path) -> None:
    shard = sorted(fresh.glob("model-*.safetensors"))[0]
    tensors = load_file(str(shard))
    old = next(name for name in tensors if name.startswith("llm.model.layers.0.mlp"))
    tensors["adapter.scale"], tensors["language." + old.removeprefix("llm.")] = (
        torch.ones(1),
        tensors.pop(old),
    )
    save_file(tensors, str(shard))
    (fresh / INDEX).unlink()
    with pytest.raises(CheckpointError) as caught:
        plan_conversion(Snapshot.of(fresh))
    text = str(caught.value)
    assert "tensor adapter.scale: no pattern knows it; give --map FILE" in text
    assert f"missing: {old}" in text and len(text.splitlines()) == 4
    (tmp_path / "map.yaml").write_text("adapter\\..+: null\nlanguage\\.(.+): llm.\\1\n")
    plan = plan_conversion(Snapshot.of(fresh), read_map(tmp_path / "map.yaml"))
    assert {entry.theirs: entry.ours for entry in plan.entries}["adapter.scale"] is None


def test_the_code_is_read_and_never_run(fresh: Path) -> None:
    modelling, processing = fresh / "modeling_nvila.py", fresh / "processing_nvila.py"
    spoiled = "raise SystemExit('run!')\n"
    modelling.write_text(spoiled + modelling.read_text().replace("hidden_states[-2]", "hidden_states[-1]"))
    text = processing.read_text().replace("[56, 112, 224, 448]", "[56, 112, 196, 392]")
    processing.write_text(spoiled + text.replace("target_patch_size=16", "target_patch_size=14"))
    plan = plan_conversion(Snapshot.of(fresh))
    assert plan.config.vision.select_layer == -1 and plan.config.video.gaze_grid == "aligned"
    processing.write_text(processing.read_text().replace("apply_chat_template", "as_it_is"))
    plan = plan_conversion(Snapshot.of(fresh))
    assert plan.config.chat == ("", "") and any("no apply_chat_template" in note for note in plan.notes)
    modelling.write_text("x = hidden_states[-3] + out.hidden_states[-2]")
    with pytest.raises(
        CheckpointError, match=r"reads hidden_states at \(-3, -2\); state mm_vision_select_layer"
    ):
        plan_conversion(Snapshot.of(fresh))
    change(fresh, "config.json", mm_vision_select_layer=-3)
    assert plan_conversion(Snapshot.of(fresh)).config.vision.select_layer == -3
    change(fresh, "config.json", mm_vision_select_layer=-1)
    with pytest.raises(CheckpointError, match=r"select_layer is -1, the code reads hidden_states at -3, -2"):
        plan_conversion(Snapshot.of(fresh))
    change(fresh, "config.json", mm_vision_select_layer=-3)
    modelling.write_text("def broken(:")
    assert any(
        "modeling_nvila.py (line 1) does not parse" in note
        for note in plan_conversion(Snapshot.of(fresh)).notes
    )


def test_without_any_code_what_the_sources_found_is_taken_and_told(fresh: Path) -> None:
    for path in fresh.glob("*.py"):
        path.unlink()
    plan = plan_conversion(Snapshot.of(fresh))
    assert plan.config.vision.select_layer == -2 and plan.config.released_scales == (56, 112, 224, 448)
    assert sum(note.startswith("no code says") for note in plan.notes) == 2
    assert read_code({}).template is None
    assert not any("generation_config.json" in note for note in plan.notes)
    change(fresh, "generation_config.json", repetition_penalty=1.05, max_length=99, do_sample=True)
    told = [
        note for note in plan_conversion(Snapshot.of(fresh)).notes if note.startswith("generation_config")
    ]
    assert len(told) == 2 and "max_length, repetition_penalty: not used" in told[1]


def test_the_command_writes_says_and_refuses(fresh: Path, tmp_path: Path) -> None:
    out = tmp_path / "ours"
    result = CliRunner().invoke(app, ["convert", str(fresh), "--out", str(out)])
    assert (
        result.exit_code == 0
        and "91 tensors, 1 left out" in result.stdout
        and f"pretrained={out}" in result.stdout
    )
    assert NVILAConfig.from_pretrained(out).vision.select_layer == -2


@pytest.mark.parametrize(
    "clip", ["cotracker_apple.mp4", pytest.param("sam2_cups.mp4", marks=pytest.mark.slow)]
)
def test_both_ways_give_the_same_answer_and_logits(
    clip: str, remote_checkpoint: Path, converted: Path, shared: Path
) -> None:
    """On a real video: tokens and gaze equal, the rest within 1e-4."""
    from evaluators.models.nvila.arguments import NvilaArguments
    from evaluators.models.nvila.parity import compare

    asked = {
        "num_video_frames": 16,
        "num_video_frames_thumbnail": 1,
        "max_tiles_video": 2,
        "gazing_ratio_tile": "0.2+0.06x15",
        "max_new_tokens": 4,
        "use_fast": False,
    }
    arguments = NvilaArguments.read({**asked, "pretrained": str(remote_checkpoint)})
    steps = compare(
        str(remote_checkpoint), str(converted), shared / "clips/natural" / clip, "What?", arguments, "cpu"
    )
    assert len(steps) == 9 and all(step.same for step in steps), steps


def test_a_check_names_the_first_difference_and_fails(
    fresh: Path, remote_checkpoint: Path, video_file: Path, tmp_path: Path
) -> None:
    """The snapshot's code does something to its pixels that nothing in its settings tells."""
    fresh = fresh.rename(fresh.with_name("changed"))  # transformers keeps imported code by the folder's name
    code = fresh / "modeling_nvila.py"
    told = "clips[part].to(self.device"
    assert code.read_text().count(told) == 1
    code.write_text(code.read_text().replace(told, "clips[part].flip(-1).to(self.device"))
    small = "num_video_frames=16,num_video_frames_thumbnail=1,max_tiles_video=1,gazing_ratio_tile=0.02"
    small += ",use_fast=false,task_loss_requirement_tile=none,max_new_tokens=1"
    command = ["convert", str(fresh), "--out", str(tmp_path / "ours"), "--check", "--video", str(video_file)]
    result = CliRunner().invoke(app, [*command, "--device", "cpu", "--arguments", small])
    assert result.exit_code == 1, result.exception
    verdicts = [line for line in result.stdout.splitlines() if line.startswith(("same ", "DIFFERS "))]
    assert len(verdicts) == 9 and all(line.startswith("same ") for line in verdicts[:5])
    assert verdicts[5].startswith("DIFFERS  encoder output, tiles: ") and "DIFFERS  logits" in verdicts[7]
