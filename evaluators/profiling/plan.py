"""`hlvid plan`: how many tiles, tokens and gigabytes a setting takes, before anything is loaded.

Tokens are upper bounds: a ratio caps what AutoGaze takes, a loss requirement only lowers it. Bytes count the
tensors that exist at once at a stage's worst moment; tests hold them to measured ones within 25 %. What the
CUDA context and the allocator's gaps take comes on top (`OVERHEAD`). Attention is taken not to build a
tokens x tokens matrix, which holds for torch's kernels in float16 and bfloat16, and in float32 on the CPU.
"""

import json
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache

from autogaze.encoders.siglip import MEMORY_BUDGET
from autogaze.gaze import tokens_per_frame
from autogaze.model.config import AutoGazeConfig
from autogaze.nvila.config import NVILAConfig
from autogaze.nvila.gazing import takes_all
from autogaze.nvila.grid import Grid, tile_grid
from autogaze.nvila.presets import parameter_count
from autogaze.nvila.settings import CLIP_FRAMES, CLIPS, Kind, VideoSettings

OVERHEAD = 1.5e9
"""CUDA context, workspaces and gaps, seen beyond the tensors."""

ITEMSIZE = {"float32": 4, "bfloat16": 2, "float16": 2}
PROMPT_TOKENS = 512


@dataclass(frozen=True)
class Load:
    """Tokens of a video. patches: there are; gazed: at most encoded; language: at most for the LLM."""

    patches: int
    gazed: int
    language: int


@dataclass(frozen=True)
class Stage:
    """A stage's worst moment: tokens in it at once, bytes of weights and of everything else."""

    name: str
    tokens: int
    weights: int
    kept: int
    working: int

    @property
    def total(self) -> int:
        """Bytes."""
        return self.weights + self.kept + self.working


@dataclass(frozen=True)
class Plan:
    """The answer. host: bytes of decoded frames held; stages: on the device; context: tokens wanted, allowed."""

    grid: Grid
    load: Load
    host: int
    stages: tuple[Stage, ...]
    wanted: int
    context: int

    @property
    def peak(self) -> Stage:
        """The stage that takes most."""
        return max(self.stages, key=lambda stage: stage.total)

    def fits(self, device_bytes: float | None) -> bool:
        """Whether the context and, if given, the device's memory are enough."""
        enough = device_bytes is None or self.peak.total + OVERHEAD <= device_bytes
        return enough and self.wanted <= self.context


def make_plan(
    config: NVILAConfig,
    settings: VideoSettings,
    width: int,
    height: int,
    dtype: str = "bfloat16",
    selector: AutoGazeConfig | None = None,
    memory_budget: int = MEMORY_BUDGET,
    prompt: int = PROMPT_TOKENS,
) -> Plan:
    """Tiles, tokens and bytes for a video of width x height pixels; nothing is allocated.

    selector: AutoGaze's sizes, the published ones unless given. prompt: tokens of prompt and answer.
    """
    item = ITEMSIZE[dtype]
    grid = tile_grid(width, height, settings.max_tiles_video, config.tile)
    load = count_tokens(config, settings, grid)
    stages = _stages(config, settings, grid, load, item, selector or AutoGazeConfig(), memory_budget, prompt)
    host = 3 * CLIP_FRAMES * grid.size[0] * grid.size[1]
    return Plan(grid, load, host, tuple(stages), load.language + prompt, config.context)


def count_tokens(config: NVILAConfig, settings: VideoSettings, grid: Grid) -> Load:
    """Upper bounds for a whole video."""
    tile = _clip_tokens(config, settings, "tile")
    small = _clip_tokens(config, settings, "thumbnail")
    chunks = settings.num_video_frames // CLIP_FRAMES
    clips, thumbs = chunks * grid.tiles, settings.num_video_frames_thumbnail
    width = config.token_shuffle
    # What is padded to a multiple of nine: all tiles of a time step together, or each tile's frame.
    groups, share = (chunks, grid.tiles) if config.grouping == "time" else (clips, 1)
    language = groups * sum(-(-n * share // width) for n in tile) + thumbs * sum(
        -(-n // width) for n in small
    )
    each = config.vision.grid.tokens
    return Load((clips * CLIP_FRAMES + thumbs) * each, clips * sum(tile) + thumbs * sum(small), language)


def largest_fit(
    config: NVILAConfig,
    settings: VideoSettings,
    width: int,
    height: int,
    dtype: str = "bfloat16",
    device_bytes: float | None = None,
    prompt: int = PROMPT_TOKENS,
    selector: AutoGazeConfig | None = None,
) -> VideoSettings | None:
    """The same setting with as many frames as fit; where 16 are too many, also with fewer tiles; else None.

    Thumbnails shrink with the frames. What fits with some frames fits with fewer, so they are bisected.
    """

    def with_clips(clips: int, tiles: int) -> VideoSettings:
        frames = clips * CLIP_FRAMES
        return replace(
            settings,
            num_video_frames=frames,
            num_video_frames_thumbnail=settings.num_video_frames_thumbnail
            * frames
            // settings.num_video_frames,
            max_tiles_video=tiles,
        )

    def fits(clips: int, tiles: int) -> bool:
        less = with_clips(clips, tiles)
        return make_plan(config, less, width, height, dtype, selector, prompt=prompt).fits(device_bytes)

    asked, tiles = settings.num_video_frames // CLIP_FRAMES, settings.max_tiles_video
    while tiles and not fits(1, tiles):
        tiles = tile_grid(width, height, tiles, config.tile).tiles - 1  # the next smaller grid
    if not tiles:
        return None
    clips = bisect_left(range(1, asked + 1), True, key=lambda clips: not fits(clips, tiles))
    return with_clips(clips, tiles)


def _clip_tokens(config: NVILAConfig, settings: VideoSettings, kind: Kind) -> list[int]:
    """At most so many tokens in each frame of a clip: AutoGaze's budget for every 14 x 14 cut of it."""
    ratio, _ = settings.request(kind)
    seen = config.gaze_grid(settings)
    frames, every = CLIP_FRAMES if kind == "tile" else 1, seen.tokens
    each = 4 if settings.gaze_grid == "quartered" else 1  # patches of the encoder for a gazed one
    if ratio is None or takes_all(ratio):
        return [each * every] * frames
    ratios = list(ratio) if isinstance(ratio, tuple) else [ratio] * frames
    own = AutoGazeConfig()
    cuts = (-(-seen.sides[-1] // own.sides[-1])) ** 2
    return [each * min(every, cuts * max(1, int(value * own.eos))) for value in ratios]


def _stages(
    config: NVILAConfig,
    settings: VideoSettings,
    grid: Grid,
    load: Load,
    item: int,
    selector: AutoGazeConfig,
    memory_budget: int,
    prompt: int,
) -> Iterator[Stage]:
    """The device's stages in order; what the language model will read grows beside the first two."""
    weights = sum(_counted(json.dumps(config.to_dict())).values()) * item
    seen = load.language * int(config.llm["hidden_size"]) * item
    together = settings.together(grid.tiles) or CLIPS
    batch = min(together, grid.tiles)
    clip = _clip_tokens(config, settings, "tile")
    tokens, whole = batch * sum(clip), load.language + prompt
    yield Stage("selector", tokens, weights, seen, _selecting(config, selector, batch, clip))
    yield Stage("encoder", tokens, weights, seen, _encoding(config, batch, sum(clip), item, memory_budget))
    embeds = whole * int(config.llm["hidden_size"]) * item
    cache = _cache_bytes(config, whole, item)
    yield Stage("prefill", whole, weights, seen + embeds, cache + _prefilling(config, whole, item))
    # Appending a token writes a layer's keys and values anew before the old ones go.
    spare = cache // int(config.llm["num_hidden_layers"])
    yield Stage("generation", whole, weights, seen + embeds, cache + spare)


def _pixels(config: NVILAConfig, batch: int) -> int:
    """Bytes of a batch of tile clips in float32."""
    return batch * CLIP_FRAMES * 3 * config.tile**2 * 4


def _selecting(config: NVILAConfig, selector: AutoGazeConfig, batch: int, clip: list[int]) -> int:
    """Clips, the same as AutoGaze wants them, its 224 px cuts (and the check of them), keys and values."""
    cuts = (-(-config.vision.grid.sides[-1] // selector.sides[-1])) ** 2
    pieces = batch * cuts * CLIP_FRAMES * 3 * selector.input_img_size**2 * 4
    written = CLIP_FRAMES * selector.features + sum(clip) // cuts + 2 * selector.heads_ahead
    cache = batch * cuts * written * selector.hidden_size * 2 * selector.layers * 4
    return 2 * _pixels(config, batch) + int(2.75 * pieces) + cache


def _encoding(config: NVILAConfig, batch: int, clip: int, item: int, memory_budget: int) -> int:
    """Clips, normalised clips, and of a micro-batch: frames with their patches, or a layer's activations."""
    vision = config.vision
    clips = _pixels(config, batch)
    normal = clips // 4 * item
    at_once = max(1, min(batch, memory_budget // (clip * vision.bytes_per_token(item))))
    frames, tokens = normal * at_once // batch, at_once * clip
    patches = tokens * 3 * vision.patch_size**2 * item
    finest = vision.grid.sides[-1] ** 2 / tokens_per_frame(vision.scales, vision.patch_size)
    cutting = frames + max(frames // 4 + patches, int(patches * (1 + finest)))
    layers = tokens * vision.bytes_per_token(item)
    features = batch * clip * vision.hidden_size * item
    # Tokens side by side, then their norm: nine times the width, a ninth of the number.
    return clips + max(clips, normal + max(cutting, layers) + features, normal + 3 * features)


def _prefilling(config: NVILAConfig, tokens: int, item: int) -> int:
    """A layer at its widest: three rows of the feed-forward width, or attention's seven; three beside them."""
    llm = config.llm
    hidden = int(llm["hidden_size"])
    wide = max(3 * int(llm.get("intermediate_size", 22_016)), 7 * hidden)
    rotary = 2 * hidden // int(llm["num_attention_heads"])
    return tokens * (wide + 3 * hidden + rotary) * item + int(llm["vocab_size"]) * item


def _cache_bytes(config: NVILAConfig, tokens: int, item: int) -> int:
    """Keys and values of all layers."""
    llm = config.llm
    heads = int(llm["num_attention_heads"])
    width = int(llm["hidden_size"]) // heads * int(llm.get("num_key_value_heads", heads))
    return 2 * int(llm["num_hidden_layers"]) * tokens * width * item


@lru_cache(maxsize=16)
def _counted(config: str) -> dict[str, int]:
    """Parameters, counted on a model without storage; kept, since `largest_fit` asks hundreds of times."""
    return parameter_count(NVILAConfig.from_dict(json.loads(config)))
