"""The reconstruction model: a ViT-MAE that paints frames of a clip from the patches gazed up to each of them.

Encoder: the gazed tokens of a clip in one sequence after a class token, with position, scale and time
embedding. Decoder: the same tokens, and in every frame to be painted a mask token wherever nobody gazed.
Both are block-causal: a frame sees itself and the earlier ones; the class token counts as earlier than all.

Because mask tokens of painted frames can be seen from later ones, the picture of a frame depends (a little)
on which earlier frames are painted along with it, as in the published model.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Self

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from autogaze.encoders.attention import Mode, plan, products_in
from autogaze.encoders.loading import load_tower
from autogaze.encoders.patches import Packed, check_fit, gather_patches, pack, position_table
from autogaze.gaze import Gaze
from autogaze.model.checkpoint import CheckpointError, find_file, load_strict, read_config
from autogaze.reconstruction.mae_config import VideoMAEConfig
from autogaze.reconstruction.mae_layers import ClassFirst, Layer, line_table, scale_of_token

PUBLISHED_FILE = "videomae.pt"


class PatchEmbeddings(nn.Module):
    """Pixels of a patch -> token."""

    def __init__(self, config: VideoMAEConfig) -> None:
        super().__init__()
        self.projection = nn.Conv2d(3, config.hidden_size, config.patch_size, stride=config.patch_size)

    def forward(self, pixels: Tensor) -> Tensor:
        return F.linear(pixels, self.projection.weight.flatten(1), self.projection.bias)


class Embeddings(nn.Module):
    """Tokens of the gazed patches, each clip's class token before them."""

    def __init__(self, config: VideoMAEConfig) -> None:
        super().__init__()
        self.grid, dim = config.grid, config.hidden_size
        finest = self.grid.sides[-1] ** 2
        self.cls_token = nn.Parameter(torch.zeros(1, 1, dim))
        self.position_embeddings = nn.Parameter(torch.randn(1, finest + 1, dim) * 0.02)
        self.patch_embeddings = PatchEmbeddings(config)
        if config.scale_embed:
            self.scale_embed = nn.Parameter(torch.zeros(len(config.scales), dim))
        if config.time_embed:
            self.time_embed = nn.Parameter(torch.zeros(config.max_num_frames, dim))

    def forward(self, video: Tensor, packed: Packed) -> tuple[Tensor, Tensor]:
        """Gazed tokens (M, C), and the class token (1, C) that every clip has."""
        positions = self.position_embeddings[0]
        x = self.patch_embeddings(gather_patches(video, packed, self.grid))
        x = x + position_table(positions[1:], self.grid.sides)[packed.token]
        if hasattr(self, "scale_embed"):
            x = x + self.scale_embed[scale_of_token(self.grid, x.device)[packed.token]]
        if hasattr(self, "time_embed"):
            x = x + self.time_embed[packed.frame]
        return x, self.cls_token[0] + positions[:1]


class Encoder(nn.Module):
    def __init__(self, config: VideoMAEConfig) -> None:
        super().__init__()
        self.layer = nn.ModuleList(Layer(config.encoder) for _ in range(config.num_hidden_layers))


class ViT(nn.Module):
    """Everything below a checkpoint's `vit.`."""

    def __init__(self, config: VideoMAEConfig) -> None:
        super().__init__()
        self.mode: Mode = "block_causal" if config.causal else "bidirectional"
        self.embeddings = Embeddings(config)
        self.encoder = Encoder(config)
        self.layernorm = nn.LayerNorm(config.hidden_size, config.layer_norm_eps)

    def forward(self, video: Tensor, packed: Packed) -> tuple[Tensor, Tensor]:
        """Encoded gazed tokens (M, C) and class tokens (B, C)."""
        x, cls = self.embeddings(video, packed)
        order = ClassFirst(packed.clip, packed.counts)
        x = order.join(cls.expand(len(packed.counts), -1), x)
        blocks = plan(order.counts, self.mode, x.device, dtype=products_in(x))
        for layer in self.encoder.layer:
            x = layer(x, blocks)
        return order.split(self.layernorm(x))


class Decoder(nn.Module):
    """Everything below a checkpoint's `decoder.`."""

    def __init__(self, config: VideoMAEConfig) -> None:
        super().__init__()
        self.grid, dim, pixels = config.grid, config.decoder_hidden_size, 3 * config.patch_size**2
        self.mode: Mode = "block_causal" if config.causal else "bidirectional"
        finest = self.grid.sides[-1] ** 2
        self.decoder_embed = nn.Linear(config.hidden_size, dim)
        self.mask_token = nn.Parameter(torch.zeros(1, 1, dim))
        self.decoder_pos_embed = nn.Parameter(torch.randn(1, finest + 1, dim) * 0.02)
        if config.scale_embed:
            self.decoder_scale_embed = nn.Parameter(torch.zeros(len(config.scales), dim))
        if config.time_embed:
            self.time_embed = nn.Parameter(torch.zeros(config.max_num_frames, dim))
        self.decoder_layers = nn.ModuleList(
            Layer(config.decoder) for _ in range(config.decoder_num_hidden_layers)
        )
        self.decoder_norm = nn.LayerNorm(dim, config.layer_norm_eps)
        self.decoder_pred = nn.Linear(dim, pixels)

    def forward(self, tokens: Tensor, cls: Tensor, packed: Packed, frames: Sequence[int]) -> Tensor:
        """Paint `frames`: tokens (M, C), cls (B, C) -> pictures (B, len(frames), 3, S, S)."""
        B, T, K = len(packed.counts), len(packed.counts[0]), self.grid.tokens
        present = torch.zeros(B, T, K, dtype=torch.bool, device=tokens.device)
        present[packed.clip, packed.frame, packed.token] = True
        present[:, list(frames)] = True
        dense = self.mask_token[0, 0].expand(B, T, K, -1).clone()
        dense[packed.clip, packed.frame, packed.token] = self.decoder_embed(tokens)
        clip, frame, token = present.nonzero(as_tuple=True)
        counts = tuple(tuple(row) for row in present.sum(-1).tolist())
        x = dense[present] + self._place(frame, token)
        x = self._layers(x, self.decoder_embed(cls) + self.decoder_pos_embed[0, :1], clip, counts)
        finest = self.grid.sides[-1] ** 2
        painted = x.new_empty(B, T, K, x.shape[-1])
        painted[present] = x
        return self._pixels(painted[:, list(frames), K - finest :])

    def _layers(self, x: Tensor, cls: Tensor, clip: Tensor, counts: tuple[tuple[int, ...], ...]) -> Tensor:
        order = ClassFirst(clip, counts)
        x = order.join(cls, x)
        blocks = plan(order.counts, self.mode, x.device, dtype=products_in(x))
        for layer in self.decoder_layers:
            x = layer(x, blocks)
        return order.split(self.decoder_norm(x))[0]

    def _place(self, frame: Tensor, token: Tensor) -> Tensor:
        """Position, scale and time embedding of tokens: (M, C)."""
        out = line_table(self.decoder_pos_embed[0, 1:], self.grid.sides)[token]
        if hasattr(self, "decoder_scale_embed"):
            out = out + self.decoder_scale_embed[scale_of_token(self.grid, token.device)[token]]
        return out + self.time_embed[frame] if hasattr(self, "time_embed") else out

    def _pixels(self, x: Tensor) -> Tensor:
        """Decoded tokens (B, F, g * g, C) of the finest scale -> pictures (B, F, 3, S, S)."""
        side, patch = self.grid.sides[-1], self.grid.patch_size
        cells: Tensor = self.decoder_pred(x).view(*x.shape[:2], side, side, patch, patch, 3)
        return cells.permute(0, 1, 6, 2, 4, 3, 5).flatten(-2).flatten(-3, -2)


class VideoMAE(nn.Module):
    """The reconstruction model; see the module's docstring."""

    def __init__(self, config: VideoMAEConfig) -> None:
        super().__init__()
        self.config = config
        self.vit = ViT(config)
        self.decoder = Decoder(config)

    @classmethod
    def from_pretrained(cls, source: str | Path, *, revision: str | None = None) -> Self:
        """Load a checkpoint, a local folder or a hub id, in eval mode.

        Either config.json with model.safetensors, or the published videomae.pt alone (then of the published
        shape; the feature networks of its loss, which the file also holds, are passed over).
        Raises CheckpointError listing every tensor that is missing, surplus or of another shape.
        """
        try:
            config = read_config(source, revision)
        except CheckpointError:
            return cls(VideoMAEConfig())._load_published(find_file(source, PUBLISHED_FILE, revision)).eval()
        model = cls(VideoMAEConfig.from_json(config))
        load_tower(model, source, revision, besides=())
        return model.eval()

    def _load_published(self, path: Path) -> Self:
        raw = torch.load(path, map_location="cpu", weights_only=True)
        names = {name: name.removeprefix("module.").removeprefix("mae.") for name in raw}
        losses = ("dinov2_reg.", "siglip2.")
        load_strict(self, path, {s: raw[name] for name, s in names.items() if not s.startswith(losses)})
        return self

    def forward(self, video: Tensor, gaze: Gaze, frames: Sequence[int] | None = None) -> Tensor:
        """Paint frames of each clip from what was gazed at up to them.

        video: float (B, T, 3, H, W), normalised pixels. frames: which, ascending and distinct; all when None.
        Returns (B, len(frames), 3, S, S) in the same normalisation, S = `config.image_size`.
        Raises ValueError when video, gaze and grid do not fit, or a frame number is out of range.
        """
        check_fit(video, gaze, self.config.grid)
        chosen = list(range(gaze.frames)) if frames is None else [int(frame) for frame in frames]
        self._check_frames(chosen, gaze.frames)
        packed = pack(gaze)
        tokens, cls = self.vit(video, packed)
        out: Tensor = self.decoder(tokens, cls, packed, chosen)
        return out

    def _check_frames(self, frames: list[int], count: int) -> None:
        if not frames or frames != sorted(set(frames)) or frames[0] < 0 or frames[-1] >= count:
            raise ValueError(f"frames={frames}: expected distinct ascending numbers from 0 to {count - 1}")
        if self.config.time_embed and count > self.config.max_num_frames:
            raise ValueError(f"gaze: {count} frames, this model knows at most {self.config.max_num_frames}")
