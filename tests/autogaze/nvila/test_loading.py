"""How the language model is loaded. Run with: pytest tests/autogaze/nvila/test_loading.py"""

import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from autogaze.nvila.config import NVILAConfig
from autogaze.nvila.loading import ATTENTIONS, DEVICE_MAPS, LLMOptions, cache_name
from autogaze.nvila.model import NVILAHD

IDS = [5, 6, 7, 8, 40, 200, 9, 3]


@pytest.fixture(scope="module")
def saved(config: NVILAConfig, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Rows of 128: bitsandbytes counts in blocks of 64."""
    wide = replace(config, llm={**config.llm, "hidden_size": 128, "intermediate_size": 128})
    folder = tmp_path_factory.mktemp("saved")
    NVILAHD.from_config(wide, seed=2).save_pretrained(folder)
    return folder


def logits(folder: Path, options: LLMOptions) -> tuple[NVILAHD, Tensor]:
    """The model, and what it says after a few tokens."""
    model = NVILAHD.from_pretrained(folder, llm=options)
    return model, model.next_logits(model.embed_text(IDS))


@pytest.mark.parametrize("name", ATTENTIONS[:2])
def test_every_attention_gives_the_same(saved: Path, name: str) -> None:
    model, found = logits(saved, LLMOptions(attn_implementation=name))
    assert model.llm.config._attn_implementation == name
    torch.testing.assert_close(found, logits(saved, LLMOptions())[1], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", DEVICE_MAPS)
def test_every_device_map_gives_the_same(saved: Path, name: str) -> None:
    pytest.importorskip("accelerate")
    torch.testing.assert_close(
        logits(saved, LLMOptions(device_map=name))[1], logits(saved, LLMOptions())[1], rtol=1e-4, atol=1e-5
    )


@pytest.mark.parametrize(
    ("name", "layer"), [("nf4", "Linear4bit"), ("fp4", "Linear4bit"), ("int8", "Linear8bitLt")]
)
def test_quantised_it_says_nearly_the_same(saved: Path, name: str, layer: str) -> None:
    pytest.importorskip("bitsandbytes", reason="bitsandbytes, of the extra quantized, is not installed")
    model, found = logits(saved, LLMOptions(quantization=name))
    assert type(model.llm.model.layers[0].mlp.up_proj).__name__ == layer
    exact = logits(saved, LLMOptions())[1]
    assert not torch.equal(found, exact)
    assert torch.corrcoef(torch.stack([found.float(), exact]))[0, 1] > 0.95


@pytest.mark.parametrize(
    ("option", "value", "package"),
    [
        ("quantization", "nf4", "bitsandbytes"),
        ("device_map", "auto", "accelerate"),
        ("attn_implementation", "flash_attention_2", "flash_attn"),
    ],
)
def test_what_is_not_installed_is_named_with_the_option(
    option: str, value: str, package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ValueError, match=f"^{option} is '{value}', which needs {package}; install it"):
        LLMOptions(**{option: value})


def test_keys_and_values_go_under_the_name_that_the_language_model_has() -> None:
    class Newer(torch.nn.Module):
        def forward(self, cache: object = None) -> None:
            """As transformers since 5.24."""

    class Older(torch.nn.Module):
        def forward(self, past_key_values: object = None) -> None:
            """Before."""

    assert cache_name(Newer()) == "cache" and cache_name(Older()) == "past_key_values"
