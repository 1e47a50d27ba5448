"""A small NVILA-HD in training: its own layers on tensors of one shape, so that a GPU never waits for the host.

The language model reads characters before the encoder does: a table says what a patch with these characters would be to
it (`told`), which is learned with the language model alone, and what the encoder and projector make of pixels is drawn
towards that. `see` is `GazedSiglip` and `Projector` on frames by themselves (a test holds them together).
"""

import copy
from pathlib import Path
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from autogaze.encoders.patches import position_table, resize
from autogaze.encoders.siglip import Layer
from autogaze.nvila.model import NVILAHD
from autogaze.nvila.tokenizer import FILE, byte_tokenizer
from autogaze.training.reading.glyphs import ALPHABET
from autogaze.training.reading.questions import Bank
from autogaze.training.reading.strips import IGNORE, SLOTS

NONE_WEIGHT = 0.3
"""Of patches without a character among those that are named: they are the most."""
GAP = 400
"""Positions that may be left free between two tiles in training: real videos have more tokens."""


class Answers(NamedTuple):
    """Loss: of letters, of the options' characters (what is on a board tells them) and of flags. right: bool (B,), by
    the letter; flagged: bool (B,), by what stands behind each option."""

    loss: Tensor
    right: Tensor
    flagged: Tensor


class Reader(nn.Module):
    """model: of which everything is trained. table: (2, 37, hidden). head: names characters; flag: right options."""

    def __init__(self, model: NVILAHD) -> None:
        super().__init__()
        self.model = model
        width = int(model.config.llm["hidden_size"])
        self.table = nn.Parameter(_table(model.llm.get_input_embeddings().weight))
        self.head = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, SLOTS * len(ALPHABET)))
        self.flag = nn.Linear(width, 1)
        _place(model)
        last = model.projector[-1]
        assert isinstance(last, nn.Linear)
        with torch.no_grad():  # as quiet as the table
            last.weight.mul_(0.1)
            last.bias.zero_()

    def see(self, pixels: Tensor, tokens: Tensor) -> Tensor:
        """Pixels (B, T, 3, S, S) in [0, 1], patches (B, T, K) -> (B, T, K, hidden)."""
        tower, config = self.model.vision.vision_model, self.model.config
        grid = config.vision.grid
        weight = tower.embeddings.patch_embedding.weight
        shown = (pixels.flatten(0, 1) - config.video.image_mean) / config.video.image_std
        cut = [
            F.unfold(resize(shown, scale), grid.patch_size, stride=grid.patch_size) for scale in grid.scales
        ]
        patches, chosen = torch.cat(cut, -1).transpose(1, 2), tokens.flatten(0, 1)
        x = patches.gather(1, chosen[..., None].expand(-1, -1, patches.shape[-1]))
        x = F.linear(x, weight.flatten(1), tower.embeddings.patch_embedding.bias)
        x = x + position_table(tower.embeddings.position_embedding.weight, grid.sides)[chosen]
        for layer in tower.encoder.layers:
            assert isinstance(layer, Layer)
            own, h = layer.self_attn, layer.layer_norm1(x)
            q, k, v = (
                project(h).unflatten(-1, (own.heads, -1)).transpose(1, 2)
                for project in (own.q_proj, own.k_proj, own.v_proj)
            )
            x = x + own.out_proj(F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2))
            x = x + layer.mlp(layer.layer_norm2(x))
        out: Tensor = self.model.projector(tower.post_layernorm(x))
        return out.view(*tokens.shape, -1)

    def name(self, seen: Tensor) -> Tensor:
        """Logits (..., 2, 37) of (..., hidden)."""
        out: Tensor = self.head(seen).unflatten(-1, (SLOTS, len(ALPHABET)))
        return out

    def told(self, letters: Tensor) -> Tensor:
        """What patches with these characters would be: (..., 2) -> (..., hidden)."""
        known = letters.clamp_min(0)
        return self.table[0][known[..., 0]] + self.table[1][known[..., 1]]

    def naming_loss(self, seen: Tensor, letters: Tensor) -> Tensor:
        """Of names, and of the distance to what the language model knows characters by."""
        weight = torch.ones(len(ALPHABET), device=seen.device)
        weight[0] = NONE_WEIGHT
        named = F.cross_entropy(
            self.name(seen).float().flatten(0, -2), letters.flatten(), weight, ignore_index=IGNORE
        )
        known = (letters != IGNORE).all(-1)
        aim = self.told(letters).detach().float()
        off = (seen.float() - aim).square().mean(-1) / aim.var().clamp_min(1e-6)
        return named + 0.3 * (off * known).sum() / known.sum().clamp_min(1)

    def answer(
        self, seen: Tensor, bank: Bank, chosen: Tensor, right: Tensor, gaps: Tensor | None = None
    ) -> Answers:
        """Ask questions `chosen` (B,) with the right options `right` (B,) about (B, V, hidden).

        gaps: long (B, V), positions left free before each token.
        """
        llm, ids = self.model.llm, bank.ids[chosen]
        rows = torch.arange(len(ids), device=ids.device)
        ids[rows, bank.end[chosen]] = bank.letters[right]
        prompt = llm.get_input_embeddings()(ids[:, :-1])
        V, P = seen.shape[1], prompt.shape[1]
        positions = torch.arange(V + P, device=ids.device).expand(len(ids), -1)
        if gaps is not None:
            free = gaps.cumsum(1)
            positions = positions + torch.cat([free, free[:, -1:].expand(-1, P)], 1)
        # No mask: what is behind the end is read by nobody, and positions with gaps are still one sequence.
        hidden = llm.model(
            inputs_embeds=torch.cat([seen.to(prompt.dtype), prompt], 1),
            attention_mask={"full_attention": None},
            position_ids=positions,
            use_cache=False,
        ).last_hidden_state[:, V:]
        last = hidden[rows, bank.end[chosen] - 1]
        each = F.cross_entropy(llm.lm_head(hidden).float().transpose(1, 2), ids[:, 1:], reduction="none")
        weight = bank.weight[chosen][:, 1:]
        letter = llm.lm_head(last).float()
        flags = self.flag(hidden.gather(1, bank.marks[chosen][..., None].expand(-1, -1, hidden.shape[-1])))
        loss = (each * weight).sum() / weight.sum()
        loss = (
            loss
            + F.cross_entropy(letter, bank.letters[right])
            + F.cross_entropy(flags[..., 0].float(), right)
        )
        return Answers(loss, letter[:, bank.letters].argmax(-1) == right, flags[..., 0].argmax(-1) == right)

    def save(self, folder: Path) -> None:
        """The model in half precision and its tokenizer, as `Answerer.from_pretrained` reads them."""
        copy.deepcopy(self.model).half().save_pretrained(folder)
        byte_tokenizer().save(str(folder / FILE))


def gaps(tokens: Tensor, draw: torch.Generator) -> Tensor:
    """Positions left free before each of (B, T, K, …) tokens, some of them between tiles: long (B, T * K)."""
    most = torch.rand(len(tokens), 1, generator=draw, device=draw.device) ** 3 * GAP
    free = torch.zeros(tokens.shape[:3], dtype=torch.long, device=draw.device)
    free[..., 0] = (torch.rand(tokens.shape[:2], generator=draw, device=draw.device) * most).long()
    return free.flatten(1)


def _table(embeddings: nn.Parameter) -> Tensor:
    """At first a character seen is the character as text, so that one rule compares and copies all of them; a patch's
    second one has its halves exchanged. (2, 37, hidden)"""
    nn.init.normal_(embeddings, std=0.05)
    tokenizer = byte_tokenizer()
    table = embeddings.detach()[[tokenizer.encode(character).ids[0] for character in ALPHABET]]
    table[0] = 0.05 * torch.randn_like(table[0])
    return torch.stack([table, table.roll(table.shape[1] // 2, 1)])


def _place(model: NVILAHD) -> None:
    """Positions start as sines of row and column, which interpolation to every scale keeps."""
    table = model.vision.vision_model.embeddings.position_embedding.weight
    side, quarter = int(len(table) ** 0.5), table.shape[1] // 4
    rates = 4.0 ** -(torch.arange(quarter) / quarter * 3)
    angles = torch.arange(side)[:, None] * rates * 1.5
    waves = torch.cat([angles.sin(), angles.cos()], 1)
    rows = waves[:, None].expand(side, side, -1)
    with torch.no_grad():
        table.copy_(torch.cat([rows, rows.transpose(0, 1)], -1).flatten(0, 1) * 0.3)
