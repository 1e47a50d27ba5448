"""`hlvid convert --check`: one question asked of the published code and of the converted weights, step by step.

Example::

    steps = compare("nvidia/NVILA-8B-HD-Video", "converted", video, prompt, NvilaArguments.read({…}), "cuda")
    [step for step in steps if not step.same]            # empty, or what differs; the first one matters

Both get the same pictures, from the decoder of record. Steps: prompt tokens, tiles, thumbnails, gaze, encoder output,
logits of the answer's first token, the answer. The two models are never in memory together.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from autogaze.nvila.answering import Answerer, Look, published_selector
from autogaze.nvila.config import VIDEO_TOKEN, NVILAConfig
from autogaze.nvila.convert.code import read_code
from autogaze.nvila.convert.snapshot import Snapshot
from autogaze.nvila.grid import uniform
from autogaze.nvila.processing import ClipBatch, expand, normalise, plan_video, stream
from autogaze.tiling import Picture
from evaluators.core.memory import release
from evaluators.models.nvila.arguments import NvilaArguments
from evaluators.models.nvila.native import PROMPT
from evaluators.models.nvila.remote import Remote
from evaluators.models.nvila.steps import LOW_PRECISION, PLURALS, TOLERANCE, Step, Trace, steps
from hlvid.errors import RunError
from hlvid.video import Video


@dataclass(frozen=True)
class Pictures:
    """Decoded frames as a source of frames."""

    frames: Sequence[Picture]

    @property
    def width(self) -> int:
        return int(self.frames[0].shape[1])

    @property
    def height(self) -> int:
        return int(self.frames[0].shape[0])

    @property
    def frame_count(self) -> int:
        return len(self.frames)

    def stream(
        self, indices: Sequence[int], size: tuple[int, int] | None = None
    ) -> Iterator[tuple[int, Picture]]:
        """As hlvid.video.Video; whole frames only."""
        if size is not None:
            raise ValueError(f"size={size}: expected None, the frames are compared as they are")
        for index in sorted(set(indices)):
            yield index, self.frames[index]


def compare(
    published: str, converted: str, video: Path, prompt: str, arguments: NvilaArguments, device: str
) -> list[Step]:
    """The steps in order. arguments: of `nvila_hd`; `pretrained` and `path` are set here.

    Raises RunError where the published code does not run, or gives something else than what the spec knows.
    """
    there = replace(arguments, pretrained=published, path="remote")
    remote = Remote(there, {}, device, "convert --check")
    config = NVILAConfig.from_pretrained(converted)
    pictures = _decode(video, remote.video.num_video_frames)
    layer = _layer(there, config)
    theirs = _theirs(remote, pictures, prompt, layer)
    precision, settings = remote.dtype, remote.video
    del remote
    release()
    settings = replace(settings, gaze_grid=config.video.gaze_grid, resize="pil")
    answerer = Answerer.from_pretrained(
        converted,
        selector=published_selector(converted, config, device),
        settings=settings,
        dtype=getattr(torch, precision),
        device=device,
    )
    ours = _ours(answerer, pictures, PROMPT.format(prompt=prompt), arguments.max_new_tokens)
    return list(steps(theirs, ours, TOLERANCE if precision == "float32" else LOW_PRECISION))


def _decode(path: Path, count: int) -> Pictures:
    with Video.open(path) as video:
        return Pictures([np.array(frame) for frame in video.frames(uniform(video.frame_count, count))])


def _layer(arguments: NvilaArguments, config: NVILAConfig) -> int | None:
    """Which hidden state the published code reads, None for the tower's last; ours where it does not say."""
    snapshot = Snapshot.of(arguments.pretrained, arguments.revision)
    code = read_code({name: snapshot.text(name) or "" for name in snapshot.matching("*.py")})
    if len(code.layers) == 1:
        return code.layers[0]
    return None if code.last and not code.layers else config.vision.select_layer


def _theirs(remote: Remote, pictures: Pictures, prompt: str, layer: int | None) -> Trace:
    """Driven as the README does, with hooks on the vision tower and the head."""
    from PIL import Image

    inputs = remote.inputs(prompt, [Image.fromarray(frame) for frame in pictures.frames])
    seen: list[Tensor] = []
    heads: list[Tensor] = []
    network = remote.network
    hooks = [
        _module(network, "vision_tower").register_forward_hook(
            lambda *call: seen.append(_hidden(call[-1], layer).float().cpu())
        ),
        _module(network, "lm_head").register_forward_hook(
            lambda *call: heads.append(call[-1][0, -1].float().cpu())
        ),
    ]
    try:
        answer = remote.generate(inputs, remote.arguments.max_new_tokens)
    finally:
        for hook in hooks:
            hook.remove()
    info, features = inputs["gazing_info"], torch.cat([x.flatten(0, 1) for x in seen])
    gaze, rows, start = {}, {}, 0
    for kind, plural in PLURALS.items():
        positions, padded = (
            info[f"gazing_pos_{plural}"][0],
            info[f"if_padded_gazing_{plural}"][0].bool().cpu(),
        )
        gaze[kind] = [row[~empty].tolist() for row, empty in zip(positions.cpu(), padded, strict=True)]
        rows[kind] = features[start : start + padded.numel()][~padded.flatten()]
        start += padded.numel()
    return Trace(
        ids=inputs["input_ids"][0].tolist(),
        pixels={kind: inputs[f"pixel_values_videos_{plural}"][0].cpu() for kind, plural in PLURALS.items()},
        gaze=gaze,
        features=rows,
        logits=heads[0],
        answer=remote.processor.tokenizer.decode(answer, skip_special_tokens=True).strip(),
    )


def _module(network: torch.nn.Module, name: str) -> torch.nn.Module:
    module: torch.nn.Module
    for path, module in network.named_modules():
        if path.rsplit(".", 1)[-1] == name:
            return module
    raise RunError(f"convert --check: the published model has no module {name}; it cannot be compared")


def _hidden(output: Any, layer: int | None) -> Tensor:
    """The state that the published code reads."""
    states = getattr(output, "last_hidden_state" if layer is None else "hidden_states", None)
    if states is None:
        raise RunError(
            "convert --check: the published code asks its tower for no hidden states; compare by hand"
        )
    state: Tensor = states if layer is None else states[layer]
    return state


def _ours(answerer: Answerer, pictures: Pictures, prompt: str, most: int) -> Trace:
    """The same through `autogaze.nvila`, watching every batch of clips."""
    model, settings = answerer.model, answerer.settings
    pixels: dict[str, list[Tensor]] = {kind: [] for kind in PLURALS}
    gaze: dict[str, list[list[int]]] = {kind: [] for kind in PLURALS}
    features: dict[str, list[Tensor]] = {kind: [] for kind in PLURALS}
    plan = plan_video(pictures.width, pictures.height, pictures.frame_count, settings, model.config.tile)

    def watched() -> Iterator[ClipBatch]:
        for batch in stream(pictures, plan, model.config, settings, answerer.selector, model.device):
            pixels[batch.kind].append(normalise(batch.pixels.clone(), settings).cpu())
            rows = zip(batch.gaze.positions.cpu(), batch.gaze.padded.cpu(), strict=True)
            gaze[batch.kind] += [row[~empty].tolist() for row, empty in rows]
            features[batch.kind].append(model.features(batch)[0].float().cpu())
            yield batch

    seen = model.see(watched())
    look = Look(plan, seen, {})
    ids = answerer.encode(prompt)
    (token,) = answerer.tokenizer.encode(VIDEO_TOKEN, add_special_tokens=False).ids
    return Trace(
        ids=expand(ids, token, len(look.seen.embeddings)),
        pixels={kind: torch.cat(parts) for kind, parts in pixels.items()},
        gaze=gaze,
        features={kind: torch.cat(parts) for kind, parts in features.items()},
        logits=answerer.logits(look, prompt).float().cpu(),
        answer=answerer.ask(look, prompt, most).text,
    )
