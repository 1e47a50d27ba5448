"""How fast AutoGaze gazes, against a straightforward loop and against the machine's own limit.

    OMP_NUM_THREADS=2 python benchmarks/autogaze.py --batches 1 8 32 --out results/autogaze.json

Ours and two references run in turn in the same process on the same clips, and the fastest of several rounds
counts: machines are noisy. The references follow the published steps and recompute nothing (`autogaze_loops`):
`transformers` takes transformers' own Llama, as the published model does, and stands in for it; `plain` is the
same in bare torch. `floor` is the counted work of ours at the rate this machine multiplies large matrices,
measured in the same run. Without --checkpoint the weights are random (seeded), the sizes are published. Run it
with OMP_WAIT_POLICY=PASSIVE too: our commands let threads sleep (`hlvid.threads`), and sleeping costs.
"""

import argparse
import json
import os
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

# Run as a script this file's folder comes first on the path, and `autogaze` would be this very file.
HERE = Path(__file__).resolve().parent
sys.path[:] = [str(HERE.parent), *(entry for entry in sys.path if Path(entry or ".").resolve() != HERE)]

import torch
from torch import Tensor

from autogaze.gaze import Gaze
from autogaze.model.autogaze import AutoGaze
from autogaze.model.config import AutoGazeConfig
from benchmarks.autogaze_loops import PlainLoop, TransformersLoop
from benchmarks.encoder import hardware

Timed = Callable[[], Any]


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
    """One row of the table: seconds of all, and whether they chose the same."""
    references = {"plain": PlainLoop(model), "transformers": TransformersLoop(model)}
    gaze = model.gaze(video, ratio=ratio, loss=loss)
    budget = max(1, int(torch.tensor(ratio) * model.config.eos))
    alone = model.gaze(video[:1], ratio=ratio, loss=loss)
    runs: dict[str, Timed] = {"ours": lambda: model.gaze(video, ratio=ratio, loss=loss)}
    for name, loop in references.items():
        runs[name] = lambda loop=loop: loop.gaze(video, budget, loss)  # type: ignore[misc]
    spent = fastest(runs, rounds)
    return {
        "batch": len(video),
        "ratio": ratio,
        "loss": loss,
        "gazed": gaze.ratio(),
        "seconds": spent,
        "speedup": {name: spent[name] / spent["ours"] for name in references},
        "tiles_per_second": len(video) / spent["ours"],
        "gflop": count_flops(model.config, gaze) / 1e9,
        "equal": {
            name: _equal(loop.gaze(video[:1], budget, loss), alone) for name, loop in references.items()
        },
        "peak_memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def _equal(theirs: list[Tensor], alone: Gaze) -> float:
    """Share of the slots of one clip in which a reference chose, or padded, as ours."""
    chosen = torch.cat(theirs, 1)
    ours = (alone.positions % alone.tokens).masked_fill(alone.padded, -1)
    return float((chosen == ours).float().mean()) if chosen.shape == ours.shape else 0.0


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
                f"ours {row['seconds']['ours']:6.2f} s  "
                + "".join(
                    f"{name} {row['seconds'][name]:6.2f} s x{times:.2f} (equal {row['equal'][name]:.1%})  "
                    for name, times in row["speedup"].items()
                )
                + f"{row['share_of_floor']:4.0%} of the floor  peak {row['peak_memory_mb']:.0f} MB",
                flush=True,
            )
    fraction = equal_tokens_fraction(model, clips[:1], options.ratios[0])
    print(f"bfloat16 chooses {fraction:.1%} of float32's tokens")
    if options.out:
        options.out.parent.mkdir(parents=True, exist_ok=True)
        about = {
            "machine": hardware("cpu"),
            "omp_wait_policy": os.environ.get("OMP_WAIT_POLICY"),
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
