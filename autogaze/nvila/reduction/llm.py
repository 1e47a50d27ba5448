"""FastV with the language model's own attention: which visual tokens the end of the prompt looks at.

Source: Chen et al., "An Image is Worth 1/2 Tokens After Layer 2" (arXiv 2403.06764), K = 2: the attention that the last
position pays in the second layer, mean over heads. There the pruned tokens leave after that layer; here the layers
before it are run once for the ranking and the whole model then runs on what is left, with positions closed up. That
costs those layers once more and is less faithful to their text, and needs no change inside the language model.
"""

from typing import Any

import torch
from torch import Tensor, nn

from autogaze.nvila.reduction.pruning import highest
from autogaze.nvila.reduction.reduced import target

LAYER = 1
"""Counted from 0: their code prunes before layer K by what the layer before it attended to."""


class _Reached(Exception):  # noqa: N818  no error: it ends a forward pass where it has served
    """Carries a layer's input and the rotary table out of the model."""


@torch.no_grad()
def prune(llm: nn.Module, embeds: Tensor, start: int, count: int, keep: float) -> Tensor:
    """Drop all but a share of the visual tokens, which are embeds[:, start : start + count]; others all stay."""
    scores = last_attention(llm, embeds)[start : start + count]
    stays = torch.ones(embeds.shape[1], dtype=torch.bool, device=embeds.device)
    stays[start : start + count] = highest(scores, target(count, keep))
    return embeds[:, stays]


@torch.no_grad()
def last_attention(llm: Any, embeds: Tensor, layer: int = LAYER) -> Tensor:
    """Attention of the last position to all positions in a layer of a Qwen2, mean over heads: float (S,)."""
    from transformers.models.qwen2.modeling_qwen2 import apply_rotary_pos_emb

    layers = llm.model.layers
    block = layers[min(layer, len(layers) - 1)]
    hidden, (cos, sin) = _input_of(llm, block, embeds)
    attention, normed = block.self_attn, block.input_layernorm(hidden)
    q, k = (
        project(normed).unflatten(-1, (-1, attention.head_dim)).transpose(1, 2)
        for project in (attention.q_proj, attention.k_proj)
    )
    q, k = apply_rotary_pos_emb(q, k, cos, sin)
    k = k.repeat_interleave(q.shape[1] // k.shape[1], dim=1)
    weights = (q[:, :, -1:] @ k.transpose(2, 3) * attention.scaling).float().softmax(-1)
    scores: Tensor = weights[0, :, 0].mean(0)
    return scores


def _input_of(llm: Any, block: nn.Module, embeds: Tensor) -> tuple[Tensor, tuple[Tensor, Tensor]]:
    """What goes into a layer, and the rotary table of the positions; layers above are not run."""

    def stop(module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        raise _Reached(args[0] if args else kwargs["hidden_states"], kwargs["position_embeddings"])

    hook = block.register_forward_pre_hook(stop, with_kwargs=True)
    try:
        llm.model(inputs_embeds=embeds, use_cache=False)
    except _Reached as reached:
        hidden, rotary = reached.args
        return hidden, rotary
    finally:
        hook.remove()
    raise AssertionError("the layer was not reached")
