"""Run with: pytest tests/evaluators/nvila/test_arguments.py"""

from pathlib import Path
from typing import Any

import pytest

from evaluators.models.nvila.arguments import NvilaArguments, parse_ratio
from evaluators.models.nvila.checkpoint import describe
from hlvid.errors import RunError

README = (0.2, *[0.06] * 15)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (0.25, 0.25),
        (1, 1.0),
        ("0.25", 0.25),
        ("[0.2]+[0.06]*15", README),
        ("0.2+0.06x15", README),
        (" 0.2 + 0.06 X 15 ", README),
        ("0.06x16", (0.06,) * 16),
        ([0.2, 0.1], (0.2, 0.1)),
        ("none", None),
        ("None", None),
    ],
)
def test_lists_need_no_commas(text: Any, value: Any) -> None:
    assert parse_ratio(text) == value


@pytest.mark.parametrize("text", ["0.2,0.1", "a", "", "0.2++0.1", "1.2.3", "0.1x", "0.2-0.1"])
def test_what_is_no_ratio_is_named(text: str) -> None:
    with pytest.raises(RunError, match="gazing_ratio_tile is"):
        parse_ratio(text, "gazing_ratio_tile")


def test_lmms_eval_leaves_our_syntax_whole() -> None:
    from lmms_eval.utils import simple_parse_args_string

    line = "pretrained=ckpt,gazing_ratio_tile=[0.2]+[0.06]*15,task_loss_requirement_tile=none,gazing=on"
    video = NvilaArguments.read(simple_parse_args_string(line)).video()
    assert video == {"gazing_ratio_tile": README, "task_loss_requirement_tile": None}


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({}, "no checkpoint; give pretrained="),
        ({"pretrained": "x", "frames": 3}, "unknown argument 'frames'"),
        ({"pretrained": "x", "gazing": "of"}, "gazing is 'of'; allowed: 'on' or 'off'"),
        ({"pretrained": "x", "selector": "best"}, "selector is 'best'; allowed: autogaze"),
        (
            {"pretrained": "x", "gazing": "off", "gazing_ratio_tile": 0.1},
            "gazing is off, so gazing_ratio_tile",
        ),
        ({"pretrained": "x", "selector": "random", "task_loss_requirement_tile": 0.6}, "predicts no loss"),
        (
            {"pretrained": "x", "selector": "detail", "seed": 3},
            "selector .detail. draws nothing; leave it out",
        ),
        ({"pretrained": "x", "selector": "everything", "gazing_ratio_tile": 0.6}, "looks at all patches"),
        ({"pretrained": "x", "task_loss_requirement_tile": "low"}, "task_loss_requirement_tile is 'low'"),
        ({"pretrained": "x", "max_new_tokens": 0}, "max_new_tokens is 0"),
        ({"pretrained": "x", "dtype": "int4"}, "dtype is 'int4'"),
    ],
)
def test_bad_arguments_are_named(given: dict[str, Any], text: str) -> None:
    with pytest.raises(RunError, match=text):
        NvilaArguments.read(given)


def test_the_config_and_the_path_decide_the_way(
    checkpoint: Path, remote_checkpoint: Path, tmp_path: Path
) -> None:
    assert describe(str(checkpoint), None, "nvila_hd")[0] == "native"
    way, config = describe(str(remote_checkpoint), None, "nvila_hd")
    assert way == "native" and config["model_type"] == "hlvid_nvila_hd" and config["source"]
    way, config = describe(str(remote_checkpoint), None, "nvila_hd", "remote")
    assert way == "remote" and config["model_type"] == "nvila"
    with pytest.raises(RunError, match=r"path is 'remote', but .* brings no code"):
        describe(str(checkpoint), None, "nvila_hd", "remote")
    for kind, said in (("llava", "in VILA's own layout"), ("nvila", r"no model-.*safetensors")):
        (tmp_path / "config.json").write_text(f'{{"model_type": "{kind}"}}')
        with pytest.raises(RunError, match=said):
            describe(str(tmp_path), None, "nvila_hd")
