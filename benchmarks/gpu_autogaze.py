"""AutoGaze on an accelerator: tiles a second, peak memory, a profile; the plain loop and transformers' Llama beside it.

    python -m benchmarks.gpu_autogaze --device cuda --out autogaze.json
    python -m benchmarks.gpu_autogaze --device cpu --small --out autogaze.json       # the static loop, rehearsed

Random weights of the published sizes: time depends on the values only where a loss stops clips. Rows are written as
they come, so that a run cut short keeps what it has; a cell that is out of memory is a row that says so.
"""

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.profiler import ProfilerActivity, profile

from autogaze.model import decoders
from autogaze.model.autogaze import AutoGaze
from autogaze.model.static import StaticDecoder
from benchmarks.autogaze_loops import PlainLoop, TransformersLoop
from evaluators.profiling.latency.schema import hardware

REFERENCE_TILES = (
    32  # the references are launch-bound and hold no more at once, so they are timed at so many at most
)
SYNCS = (
    "cudaStreamSynchronize",
    "cudaDeviceSynchronize",
    "cudaEventSynchronize",
    "aten::_local_scalar_dense",
)


def seconds(run: Callable[[], object], device: str, rounds: int) -> float:
    """The fastest of `rounds` after two to warm up, the second of which records the steps."""
    best = float("inf")
    for turn in range(rounds + (2 if device == "cuda" else 0)):
        start = time.perf_counter()
        run()
        if device == "cuda":
            torch.cuda.synchronize()
        if device != "cuda" or turn >= 2:
            best = min(best, time.perf_counter() - start)
    return best


def cell(model: AutoGaze, video: Tensor, ratio: float, rounds: int) -> dict[str, Any]:
    """One row: ours at this many tiles, precision and ratio."""
    kind = video.device.type
    row: dict[str, Any] = {
        "tiles": len(video),
        "ratio": ratio,
        "dtype": str(model.compute_dtype or model.dtype).removeprefix("torch."),
    }
    if kind == "cuda":
        torch.cuda.reset_peak_memory_stats()
    try:
        spent = seconds(lambda: model.gaze(video, ratio=ratio), kind, rounds)
    except torch.OutOfMemoryError:
        torch.cuda.empty_cache()
        return {**row, "status": "out of memory"}
    peak = torch.cuda.max_memory_allocated() if kind == "cuda" else None
    return {
        **row,
        "status": "ok",
        "seconds": spent,
        "tiles_per_second": len(video) / spent,
        "peak_bytes": peak,
    }


def references(model: AutoGaze, video: Tensor, ratio: float) -> dict[str, float]:
    """Tiles a second of both references, in float32."""
    budget = max(1, int(torch.tensor(ratio) * model.config.eos))
    loops = {"plain": PlainLoop(model), "transformers": TransformersLoop(model)}
    spent = {
        name: seconds(lambda loop=loop: loop.gaze(video, budget, None), video.device.type, 1)  # type: ignore[misc]
        for name, loop in loops.items()
    }
    return {name: len(video) / value for name, value in spent.items()}


def profiled(model: AutoGaze, video: Tensor, ratio: float) -> dict[str, Any]:
    """Kernels, launches and host syncs of one gaze, and a group's share of them."""
    activities = [ProfilerActivity.CPU]
    if video.device.type == "cuda":
        activities.append(ProfilerActivity.CUDA)
    with profile(activities=activities) as seen:
        model.gaze(video, ratio=ratio)
    counts = {event.key: event.count for event in seen.key_averages()}
    groups = video.shape[1] * -(-max(1, int(ratio * model.config.eos)) // model.config.heads_ahead)
    on_device = sum(1 for event in seen.events() if event.device_type.name == "CUDA")
    numbers = {
        "kernels": on_device or sum(count for name, count in counts.items() if name.startswith("aten::")),
        "launches": sum(count for name, count in counts.items() if "Launch" in name),
        "syncs": sum(count for name, count in counts.items() if name.startswith(SYNCS)),
    }
    return {
        **numbers,
        "groups": groups,
        "counted": "kernels on the device" if on_device else "operations, no device",
        **{f"{name}_a_group": round(value / groups, 2) for name, value in numbers.items()},
    }


def agreement(model: AutoGaze, video: Tensor, ratio: float) -> float:
    """Share of slots in which bfloat16 products choose what float32 chooses."""
    model.compute_dtype = None
    exact = model.gaze(video, ratio=ratio).positions
    model.compute_dtype = torch.bfloat16
    share = (model.gaze(video, ratio=ratio).positions == exact).float().mean()
    model.compute_dtype = None
    return float(share)


def main() -> None:
    """Measure, printing and writing a row at a time."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--small", action="store_true", help="few tiles of two frames: a rehearsal")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    # On a CPU the same loop as on a GPU, or the rehearsal would rehearse another program.
    decoders.Decoder = StaticDecoder  # type: ignore[misc, assignment]
    torch.manual_seed(0)
    torch.set_grad_enabled(False)
    model = AutoGaze().eval().to(options.device)
    frames, tiles, ratios, rounds = (
        (2, [1, 3], [0.1], 1) if options.small else (16, [1, 32, 256, 1024], [0.1, 0.75], 2)
    )
    video = torch.rand(max(tiles), frames, 3, 224, 224, device=options.device) * 4 - 3
    report: dict[str, Any] = {
        "hardware": hardware(options.device),
        "torch": torch.__version__,
        "cuda": torch.version.cuda,
        "frames": frames,
        "rows": [],
    }

    def keep(**found: Any) -> None:
        report.update(found)
        options.out.write_text(json.dumps(report, indent=1) + "\n")
        print(json.dumps(found or report["rows"][-1]), flush=True)

    for dtype in (torch.bfloat16, None):
        for count in tiles:
            for ratio in ratios:
                model.compute_dtype = dtype
                report["rows"].append(cell(model, video[:count], ratio, rounds))
                keep()
    keep(bfloat16_equal_tokens=agreement(model, video[:1], ratios[0]))
    few = video[: min(REFERENCE_TILES, max(tiles))]
    keep(references={str(ratio): references(model, few, ratio) for ratio in ratios}, reference_tiles=len(few))
    model.compute_dtype = torch.bfloat16
    # Clips on a CPU go on threads of their own, of which the profiler would not know; one does not.
    seen = few if options.device == "cuda" else few[:1]
    keep(profile={str(ratio): profiled(model, seen, ratio) for ratio in ratios})


if __name__ == "__main__":
    main()
