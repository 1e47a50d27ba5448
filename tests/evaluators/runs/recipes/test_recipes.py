"""Every row of Table 1 has a recipe or a reason, and what a recipe asks for is what its model takes."""

import io
import json
from pathlib import Path

import pytest
from rich.console import Console

from evaluators.models.blind import Blind
from evaluators.models.frames.settings import FrameSettings, form_of
from evaluators.models.gaze_reader.settings import ReaderSettings
from evaluators.models.nvila.arguments import NvilaArguments
from evaluators.models.nvila.checkpoint import describe
from evaluators.models.openai.settings import ApiSettings
from evaluators.runs import recipes
from hlvid.errors import RunError

GOOD = "{title: t, model: blind, frames: 1, resolution: 2, source: s}"


def test_table_1_is_complete_with_its_columns(shared: Path) -> None:
    rows = json.loads((shared / "reference" / "paper.json").read_text(encoding="utf-8"))["table1"]["rows"]
    known = {recipe.title: recipe for recipe in map(recipes.load, recipes.names()) if recipe.table1}
    assert set(known) == {row["model"] for row in rows}
    for row in rows:
        frames, resolution = row["max_frames"], row["max_resolution"]
        recipe = known[row["model"]]
        printed = str(recipe.frames).replace(" ", "") if isinstance(frames, str) else recipe.frames
        assert (printed, recipe.resolution) == (frames, resolution), row["model"]


@pytest.mark.parametrize("name", recipes.names())
def test_every_recipe_is_taken_by_its_model(name: str) -> None:
    recipe = recipes.load(name)
    assert bool(recipe.unavailable) != bool(recipe.model)
    given = recipe.arguments()
    if recipe.model == "hlvid_frames":
        settings, inner = FrameSettings.read(given)
        assert settings.resolution % form_of(settings.inner).multiple == 0
        assert inner["pretrained"]
    elif recipe.model == "openai_frames":
        settings = ApiSettings.read(given)
        assert settings.max_cost is not None or settings.model in recipe.server, (
            "it costs money, or a server is started"
        )
    elif recipe.model == "nvila_hd":
        NvilaArguments.read(given)
    elif recipe.model == "gaze_reader":
        ReaderSettings(**given)
    elif recipe.model == "blind":
        Blind(**given)
    else:
        assert recipe.model in (None, "videochat_flash")


@pytest.mark.parametrize("name", ["qwen2_5_vl_7b", "llava_ov_7b", "internvl3_5_8b"])
def test_baselines_run_at_the_papers_setting(name: str) -> None:
    recipe = recipes.load(name)
    assert (recipe.model_args["frames"], recipe.model_args["resolution"]) == (
        recipe.frames,
        recipe.resolution,
    )


def test_a_task_replaces_arguments() -> None:
    recipe = recipes.parse("x", GOOD[:-1] + ", model_args: {a: 1, b: 2}, per_task: {hlvid: {b: 3}}}")
    assert recipe.arguments("hlvid") == {"a": 1, "b": 3}
    assert recipe.arguments("hlvid_mvbench") == {"a": 1, "b": 2}


def test_an_unavailable_one_says_why() -> None:
    with pytest.raises(RunError, match="recipe apollo_7b: cannot be run: lmms-eval has no model for it"):
        recipes.load("apollo_7b").runnable()
    assert recipes.load("blind").runnable() == "blind"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("title: t", "frames: Field required; resolution: Field required; source: Field required"),
        (GOOD.replace("model: blind, ", ""), "model is missing; name one, or say in 'unavailable'"),
        (GOOD.replace("}", ", colour: red}"), "colour: Extra inputs are not permitted"),
        (GOOD.replace("resolution: 2", "resolution: big"), "resolution: Input should be a valid integer"),
        (GOOD.replace("}", ", name: y}"), "the file's name is the recipe's name"),
        ("- a", "a mapping of fields is needed, not list"),
        ("a: [", "not YAML"),
    ],
)
def test_faults_are_named(text: str, message: str) -> None:
    with pytest.raises(RunError, match=f"recipe x: .*{message}"):
        recipes.parse("x", text)


def test_the_table_says_what_a_recipe_asks_for() -> None:
    """Table 1 prints 1024 frames for NVILA-HD; the recipe asks for the README's 128."""
    console = Console(file=io.StringIO(), width=80)
    console.print(recipes.table())
    text = console.file.getvalue()  # type: ignore[attr-defined]
    (line,) = [line for line in text.splitlines() if "nvila_8b_hd_video" in line]
    assert "1024" in line and "128" in line and "--model nvila_hd" in line
    assert "Table 1" in text and "\u2026" not in text
    (same,) = [line for line in text.splitlines() if "qwen2_5_vl_7b " in line]
    assert same.count("48") == 1 and "hlvid recipes longvila_r1_7b" in text


def test_the_tiny_recipe_without_its_checkpoint_says_how_to_make_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    recipe = recipes.load("nvila_hd_tiny")
    with pytest.raises(RunError, match="run 'hlvid make-checkpoint --shape tiny --out ckpt' first"):
        describe(str(recipe.arguments()["pretrained"]), None, recipe.runnable())


def test_an_unknown_name_lists_those_there_are() -> None:
    with pytest.raises(RunError, match="no recipe 'qwen'; allowed: apollo_7b, blind"):
        recipes.load("qwen")
