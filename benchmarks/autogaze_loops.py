"""Two plain ways to gaze, to measure ours against (`benchmarks/autogaze.py`).

    PlainLoop(model).gaze(video, budget=26, loss=None)         # tokens of each frame, list of (B, n)
    TransformersLoop(model).gaze(video, budget=26, loss=None)  # the same, its layers being transformers' Llama

Both follow the published steps and recompute nothing: keys and values that grow by concatenation and are copied
once a step, a full mask, all positions through all layers and the heads. The published model is transformers'
Llama within `generate()`, so the second is the nearer stand-in for it; it still lacks generate's own cost.
"""

import torch
import torch.nn.functional as F
from torch import Tensor
from transformers import DynamicCache, LlamaConfig, LlamaModel

from autogaze.model.autogaze import AutoGaze
from autogaze.model.network import Layer, _rotate_half, rope_frequencies


class PlainLoop:
    """The published steps, written down plainly."""

    def __init__(self, model: AutoGaze) -> None:
        self.config, self.network = model.config, model.gazing_model
        self.decoder = model.gazing_model.gaze_decoder
        self.start()

    def start(self) -> None:
        """Forget what was read."""
        self.cache: list[tuple[Tensor, Tensor]] = []

    def copy_cache(self) -> None:
        """What the published generate() does after every step."""
        self.cache = [(k.clone(), v.clone()) for k, v in self.cache]

    @torch.no_grad()
    def gaze(self, video: Tensor, budget: int, loss: float | None) -> list[Tensor]:
        """Tokens (B, n) of each frame; -1 where padded."""
        with torch.device(video.device):
            return self._frames(video, budget, loss)

    def _frames(self, video: Tensor, budget: int, loss: float | None) -> list[Tensor]:
        features, _ = self.network.features(video)
        self.start()
        frames = []
        attended = torch.zeros(len(video), 0, dtype=torch.long)
        pending = features[:, 0, :0]
        for t in range(video.shape[1]):
            rows = torch.cat([pending, features[:, t]], 1)
            attended = torch.cat([attended, attended.new_ones(len(video), self.config.features)], 1)
            tokens, cached = self._frame(rows, attended, budget, loss)
            real = (tokens != self.config.eos).long()
            attended = torch.cat([attended, real], 1)
            pending = self.decoder.model.embed_tokens(tokens[:, cached:])
            frames.append(tokens.masked_fill(real == 0, -1))
        return frames

    def _frame(self, rows: Tensor, attended: Tensor, budget: int, loss: float | None) -> tuple[Tensor, int]:
        """One frame's tokens (B, n), and how many of them are in the cache already."""
        config, ahead = self.config, self.config.heads_ahead
        places = (attended.cumsum(-1) - 1)[:, -rows.shape[1] :]
        tokens = torch.empty(len(rows), 0, dtype=torch.long)
        going = torch.ones(len(rows), dtype=torch.bool)
        while True:
            hidden = self.layers(rows, places, attended)
            self.copy_cache()
            scores = self.decoder.lm_head(hidden)[:, -1].view(len(rows), ahead, -1)
            losses = self.decoder.task_loss_prediction_head(hidden)[:, -1]
            scores[..., config.eos] = -torch.inf
            scores.scatter_(2, tokens[:, None].expand(-1, ahead, -1), -torch.inf)
            group = self._group(scores, min(ahead, budget - tokens.shape[1]))
            group = group.masked_fill(~going[:, None], config.eos)
            if loss is not None:
                met = losses[:, : group.shape[1]] <= loss
                met[:, 0] &= tokens.shape[1] > 0
                group = group.masked_fill(met, config.eos)
                going &= ~met.any(1)
            cached = tokens.shape[1]
            tokens = torch.cat([tokens, group], 1)
            if tokens.shape[1] >= budget or not going.any():
                return tokens, cached
            rows = self.decoder.model.embed_tokens(group)
            places = places[:, -ahead:]
            attended = torch.cat([attended, attended.new_ones(group.shape)], 1)

    @staticmethod
    def _group(scores: Tensor, size: int) -> Tensor:
        chosen = []
        for index in range(size):
            token = scores[:, index].argmax(-1)
            chosen.append(token)
            scores[torch.arange(len(scores)), index + 1 :, token] = -torch.inf
        return torch.stack(chosen, 1)

    def layers(self, x: Tensor, places: Tensor, attended: Tensor) -> Tensor:
        """Hidden states (B, n, C) of new rows x at rotary `places` (B, n), with what was read before them."""
        angles = places[..., None] * rope_frequencies(self.config)
        cos, sin = (torch.cat([part, part], -1)[:, None] for part in (angles.cos(), angles.sin()))
        B, n, C = x.shape
        total = attended.shape[1]
        causal = torch.arange(total) <= torch.arange(total - n, total)[:, None]
        mask = torch.zeros(B, 1, n, total).masked_fill(
            ~(causal & attended[:, None].bool())[:, None], torch.finfo(x.dtype).min
        )
        for index, layer in enumerate(self.decoder.model.layers):
            assert isinstance(layer, Layer)
            a, h = layer.self_attn, layer.input_layernorm(x)
            q, k, v = (
                part(h).view(B, n, self.config.heads, -1).transpose(1, 2)
                for part in (a.q_proj, a.k_proj, a.v_proj)
            )
            q, k = q * cos + _rotate_half(q) * sin, k * cos + _rotate_half(k) * sin
            if index < len(self.cache):
                k, v = torch.cat([self.cache[index][0], k], 2), torch.cat([self.cache[index][1], v], 2)
                self.cache[index] = (k, v)
            else:
                self.cache.append((k, v))
            y = F.scaled_dot_product_attention(q, k, v, attn_mask=mask)
            x = x + a.o_proj(y.transpose(1, 2).reshape(B, n, C))
            x = x + layer.mlp(layer.post_attention_layernorm(x))
        hidden: Tensor = self.decoder.model.norm(x)
        return hidden


class TransformersLoop(PlainLoop):
    """The same steps through transformers' Llama and its cache, attention as it comes (torch's fused one)."""

    def __init__(self, model: AutoGaze) -> None:
        config = model.config
        assert config.rope_scaling is not None
        rope = {
            **{name: value for name, value in config.rope_scaling.items() if name != "type"},
            "rope_type": "llama3",
            "rope_theta": config.rope_theta,
        }
        self.settings = LlamaConfig(
            vocab_size=config.eos + 1,
            hidden_size=config.hidden_size,
            intermediate_size=config.intermediate_size,
            num_hidden_layers=config.layers,
            num_attention_heads=config.heads,
            rms_norm_eps=config.rms_norm_eps,
            max_position_embeddings=131072,
            rope_parameters=rope,
        )
        self.llama = LlamaModel(self.settings).eval().to(model.device)
        self.llama.load_state_dict(model.gazing_model.gaze_decoder.model.state_dict())
        super().__init__(model)

    def start(self) -> None:
        self.past = DynamicCache(config=self.settings)

    def copy_cache(self) -> None:
        for layer in self.past.layers:
            layer.keys, layer.values = layer.keys.clone(), layer.values.clone()

    def layers(self, x: Tensor, places: Tensor, attended: Tensor) -> Tensor:
        said = self.llama(
            inputs_embeds=x,
            attention_mask=attended,
            position_ids=places,
            past_key_values=self.past,
            use_cache=True,
        )
        hidden: Tensor = said.last_hidden_state
        return hidden
