"""What the language model does for `NVILAHD`: reads embeddings, keeps what it read, goes on with an answer."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from autogaze.nvila import loading
from autogaze.nvila.sampling import GREEDY, Sampling
from autogaze.nvila.stages import Stages


@dataclass(frozen=True)
class Read:
    """What the language model has read: keys and values of the first `length` positions, transformers' cache."""

    cache: Any
    length: int

    def forget(self) -> None:
        """Drop whatever was read after it."""
        for layer in self.cache.layers:
            layer.keys, layer.values = (x[:, :, : self.length] for x in (layer.keys, layer.values))


class LanguageSide(nn.Module):
    """A module with `llm`, transformers' language model, and the device on which it is fed."""

    llm: Any

    @property
    def device(self) -> torch.device:
        """Where inputs go."""
        raise NotImplementedError

    @torch.no_grad()
    def read(self, embeds: Tensor, stages: Stages | None = None) -> Read:
        """Let the language model read (1, S, hidden) once, for several continuations; see `generate`."""
        with (stages or Stages(self.device)).measure("prefill"):
            _, cache = self._step(None, inputs_embeds=embeds)
        return Read(cache, embeds.shape[1])

    @torch.no_grad()
    def embed_text(self, ids: Sequence[int]) -> Tensor:
        """Token ids -> (1, S, hidden)."""
        out: Tensor = self.llm.get_input_embeddings()(torch.tensor([list(ids)], device=self.device))
        return out

    @torch.no_grad()
    def next_logits(self, embeds: Tensor, after: Read | None = None) -> Tensor:
        """Logits (vocabulary,) of what follows (1, S, hidden)."""
        return self._step(after and after.cache, inputs_embeds=embeds)[0]

    @torch.no_grad()
    def generate(
        self,
        embeds: Tensor,
        max_new_tokens: int,
        stop: Sequence[int] = (),
        allowed: Sequence[int] | None = None,
        stages: Stages | None = None,
        after: Read | None = None,
        sampling: Sampling = GREEDY,
    ) -> list[int]:
        """A continuation of (1, S, hidden), up to a token of `stop` (left out): the most probable one, or drawn.

        allowed: the answer is one of these ids, alone. after: what was read before, and stays so.
        """
        stages = stages or Stages(self.device)
        try:
            return self._continue(embeds, max_new_tokens, stop, allowed, stages, after, sampling)
        finally:
            if after is not None:
                after.forget()

    def _continue(
        self,
        embeds: Tensor,
        max_new_tokens: int,
        stop: Sequence[int],
        allowed: Sequence[int] | None,
        stages: Stages,
        after: Read | None,
        sampling: Sampling,
    ) -> list[int]:
        with stages.measure("prefill"):
            logits, cache = self._step(after and after.cache, inputs_embeds=embeds)
        if allowed is not None:
            return [sampling.pick(logits, allowed)]
        answer: list[int] = []
        with stages.measure("generation"):
            while len(answer) < max_new_tokens and (token := sampling.pick(logits)) not in stop:
                answer.append(token)
                if len(answer) < max_new_tokens:
                    ids = torch.tensor([[token]], device=self.device)
                    logits, cache = self._step(cache, input_ids=ids)
        return answer

    def _step(self, cache: Any, **inputs: Any) -> tuple[Tensor, Any]:
        """Logits (vocabulary,) of the next token, and the keys and values so far, which go on from `cache`."""
        name = loading.cache_name(self.llm)
        out = self.llm(**inputs, **{name: cache}, use_cache=True, logits_to_keep=1)
        return out.logits[0, -1], out[name]
