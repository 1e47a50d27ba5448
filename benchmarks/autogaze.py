"""How fast AutoGaze gazes, against a straightforward loop and against the machine's own limit.

    OMP_NUM_THREADS=2 python benchmarks/autogaze.py --batches 1 8 32 --out results/autogaze.json

Ours and the reference run in turn in the same process on the same clips, and the fastest of several rounds
counts: machines are noisy. The reference follows the published steps and recomputes nothing: keys and values
that grow by concatenation and are copied once a step, a full mask, all positions through all layers and the
heads. It stands in for the published implementation. `floor` is the counted work of ours at the rate this
machine multiplies large matrices, measured in the same run. Without --checkpoint the weights are random
(seeded), the sizes are published.
"""

import argparse
import json
import platform
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

# Run as a script this file's folder comes first on the path, and `autogaze` would be this very file.
sys.path[:] = [entry for entry in sys.path if Path(entry or ".").resolve() != Path(__file__).resolve().parent]

import torch
import torch.nn.functional as F
from torch import Tensor

from autogaze.config import AutoGazeConfig
from autogaze.gaze import Gaze
from autogaze.model import AutoGaze
from autogaze.network import Layer, _rotate_half, rope_frequencies

Timed = Callable[[], Any]


class ReferenceLoop:
    """The published steps, written down plainly."""

    def __init__(self, model: AutoGaze) -> None:
        self.config, self.network = model.config, model.gazing_model
        self.decoder = model.gazing_model.gaze_decoder
        self.cache: list[tuple[Tensor, Tensor]] = []

    @torch.no_grad()
    def gaze(self, video: Tensor, budget: int, loss: float | None) -> list[Tensor]:
        """Tokens (B, n) of each frame; -1 where padded."""
        features, _ = self.network.features(video)
        self.cache, frames = [], []
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
            hidden = self._layers(rows, places, attended)
            # The published generate() copies its whole cache after every step.
            self.cache = [(k.clone(), v.clone()) for k, v in self.cache]
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

    def _layers(self, x: Tensor, places: Tensor, attended: Tensor) -> Tensor:
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


def count_flops(config: AutoGazeConfig, gaze: Gaze) -> float:
    """Multiply-adds times two that our loop needs for this gaze: convolutions, projections, attention, heads."""
    C, layers, n = config.hidden_size, config.layers, config.features
    pixels = n * gaze.frames * gaze.batch
    kernel = config.trunk_temporal_kernel * config.trunk_spatial_kernel**2
    macs = float(pixels * config.vision_dim * (3 * config.patch_size**2 + kernel * config.vision_dim + C))
    for counts in gaze.counts().tolist():
        seen = left = 0
        for count in counts:
            groups = -(-count // config.heads_ahead)
            steps = [left + n] + [config.heads_ahead] * (groups - 1)
            for rows in steps:
                seen += rows
                inner = rows * (4 * C * C + 3 * C * config.intermediate_size + 2 * C * seen) * (layers - 1)
                final = rows * 2 * C * C + 2 * C * C + 3 * C * config.intermediate_size + 2 * C * seen
                macs += inner + final + C * config.heads_ahead * (config.eos + 2)
            left = count - config.heads_ahead * (groups - 1)
    return 2 * macs


def fastest(runs: dict[str, Timed], rounds: int) -> dict[str, float]:
    """Seconds of each callable, the best of `rounds`, in turn."""
    best = dict.fromkeys(runs, float("inf"))
    for _ in range(rounds):
        for name, run in runs.items():
            start = time.perf_counter()
            run()
            best[name] = min(best[name], time.perf_counter() - start)
    return best


def machine_rates() -> dict[str, float]:
    """FLOP/s of a large matrix product and bytes/s of a large sum: the two limits."""
    a = torch.randn(1024, 1024)
    big = torch.randn(1 << 25)
    spent = fastest({"multiply": lambda: a @ a, "read": lambda: big.sum()}, rounds=15)
    return {"flops": 2 * 1024**3 / spent["multiply"], "bytes": big.nbytes / spent["read"]}


def equal_tokens_fraction(model: AutoGaze, video: Tensor, ratio: float) -> float:
    """Share of slots in which bfloat16 chooses the token that float32 chooses."""
    exact = model.gaze(video, ratio=ratio).positions
    rough = AutoGaze(model.config).eval()
    rough.load_state_dict(model.state_dict())
    return float((rough.to(torch.bfloat16).gaze(video, ratio=ratio).positions == exact).float().mean())


def measure(model: AutoGaze, video: Tensor, ratio: float, loss: float | None, rounds: int) -> dict[str, Any]:
    """One row of the table: seconds of both, and whether they chose the same."""
    reference = ReferenceLoop(model)
    gaze = model.gaze(video, ratio=ratio, loss=loss)
    budget = max(1, int(torch.tensor(ratio) * model.config.eos))
    theirs = [frame.clone() for frame in reference.gaze(video[:1], budget, loss)]
    alone = model.gaze(video[:1], ratio=ratio, loss=loss)
    same = torch.equal(torch.cat(theirs, 1) != -1, ~alone.padded) and torch.equal(
        torch.cat([frame % model.config.eos for frame in theirs], 1)[~alone.padded],
        (alone.positions % model.config.eos)[~alone.padded],
    )
    spent = fastest(
        {
            "ours": lambda: model.gaze(video, ratio=ratio, loss=loss),
            "reference": lambda: reference.gaze(video, budget, loss),
        },
        rounds,
    )
    return {
        "batch": len(video),
        "ratio": ratio,
        "loss": loss,
        "gazed": gaze.ratio(),
        "seconds": spent,
        "speedup": spent["reference"] / spent["ours"],
        "tiles_per_second": len(video) / spent["ours"],
        "gflop": count_flops(model.config, gaze) / 1e9,
        "equal_to_reference": same,
        "peak_memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def stopping_loss(model: AutoGaze, video: Tensor) -> float:
    """A requirement that stops frames early whatever the weights: low among the losses the model predicts."""
    forced = model.teacher_forced(video, model.gaze(video, ratio=0.3))
    return float(forced.losses.detach().quantile(0.02))


def main() -> None:
    """Measure and print one line a setting; with --out also write everything as JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--checkpoint", help="folder or hub id; random weights without it")
    parser.add_argument("--batches", type=int, nargs="+", default=[1, 8])
    parser.add_argument("--ratios", type=float, nargs="+", default=[0.1, 0.75])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    torch.manual_seed(0)
    model = AutoGaze.from_pretrained(options.checkpoint) if options.checkpoint else AutoGaze().eval()
    clips = torch.rand(max(options.batches), 16, 3, 224, 224) * 4 - 3
    rates = machine_rates()
    print(
        f"{torch.get_num_threads()} threads, {rates['flops'] / 1e9:.0f} GFLOP/s, {rates['bytes'] / 1e9:.0f} GB/s"
    )
    stop = stopping_loss(model, clips[:1])
    rows = []
    for batch in options.batches:
        for ratio, loss in [*((ratio, None) for ratio in options.ratios), (max(options.ratios), stop)]:
            row = measure(model, clips[:batch], ratio, loss, options.rounds)
            row["share_of_floor"] = row["gflop"] * 1e9 / rates["flops"] / row["seconds"]["ours"]
            rows.append(row)
            print(
                f"batch {batch:3d}  ratio {ratio:.2f}{' stop' if loss is not None else '     '}  "
                f"ours {row['seconds']['ours']:7.2f} s  reference {row['seconds']['reference']:7.2f} s  "
                f"x{row['speedup']:5.2f}  {row['share_of_floor']:4.0%} of the floor  "
                f"peak {row['peak_memory_mb']:.0f} MB  equal {row['equal_to_reference']}",
                flush=True,
            )
    fraction = equal_tokens_fraction(model, clips[:1], options.ratios[0])
    print(f"bfloat16 chooses {fraction:.1%} of float32's tokens")
    if options.out:
        options.out.parent.mkdir(parents=True, exist_ok=True)
        about = {
            "machine": platform.processor() or platform.machine(),
            "torch": torch.__version__,
            "rates": rates,
        }
        report = {
            **about,
            "threads": torch.get_num_threads(),
            "rows": rows,
            "bfloat16_equal_tokens": fraction,
        }
        options.out.write_text(json.dumps(report, indent=2) + "\n")


if __name__ == "__main__":
    main()
