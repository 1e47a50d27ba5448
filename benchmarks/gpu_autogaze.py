"""AutoGaze on an accelerator: tiles a second, peak memory, a profile; the plain loop and transformers' Llama beside it.

    python -m benchmarks.gpu_autogaze --device cuda --out autogaze.json
    python -m benchmarks.gpu_autogaze --device cpu --small --out autogaze.json       # the static loop, rehearsed

Random weights of the published sizes: time depends on the values only where a loss stops clips. The most telling comes
first and is written as it comes, so that a run cut short keeps what it has; a cell that is out of memory says so.
"""

import argparse
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.profiler import ProfilerActivity, profile
from torch.utils._python_dispatch import TorchDispatchMode

from autogaze.model import decoders
from autogaze.model.autogaze import AutoGaze
from autogaze.model.static import StaticDecoder
from evaluators.profiling.latency.schema import hardware
from hlvid.files import write_json

# The references are launch-bound and hold no more at once, so they are timed at so many tiles at most.
REFERENCE_TILES = 32
SYNCS = (
    "cudaStreamSynchronize",
    "cudaDeviceSynchronize",
    "cudaEventSynchronize",
    "aten::_local_scalar_dense",
)
Cell = tuple[torch.dtype | None, int, float]


def seconds(run: Callable[[], object], device: str, rounds: int, warm: int = 2) -> float:
    """The fastest of `rounds` after some to warm up, the second of which records the steps."""
    best = float("inf")
    for turn in range(rounds + (warm if device == "cuda" else 0)):
        start = time.perf_counter()
        run()
        if device == "cuda":
            torch.cuda.synchronize()
        if device != "cuda" or turn >= warm:
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


@contextmanager
def torchs_attention(device: str) -> Iterator[None]:
    """The loop without our kernel for few rows, which a GPU alone has."""
    if device != "cuda":
        yield
        return
    from autogaze.model import attending_kernel

    rows, attending_kernel.ROWS = attending_kernel.ROWS, 0
    decoders._kept.clear()
    try:
        yield
    finally:
        attending_kernel.ROWS = rows
        decoders._kept.clear()


def reference(model: AutoGaze, video: Tensor, ratio: float) -> dict[str, Any]:
    """Tiles a second of ours and of both references, in float32."""
    # Here, so that a machine whose transformers does not import loses no more than this.
    from benchmarks.autogaze_loops import PlainLoop, TransformersLoop

    budget = max(1, int(torch.tensor(ratio) * model.config.eos))
    model.compute_dtype = None
    loops: dict[str, Callable[[], object]] = {
        "ours": lambda: model.gaze(video, ratio=ratio),
        "plain": lambda: PlainLoop(model).gaze(video, budget, None),
        "transformers": lambda: TransformersLoop(model).gaze(video, budget, None),
    }
    kind = video.device.type
    spent = {name: seconds(run, kind, 1, 2 if name == "ours" else 0) for name, run in loops.items()}
    return {
        "tiles": len(video),
        "ratio": ratio,
        **{name: len(video) / value for name, value in spent.items()},
    }


class Operations(TorchDispatchMode):
    """Counts what torch is asked to compute; views compute nothing."""

    count = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.count += not func.is_view
        return func(*args, **(kwargs or {}))


def counted(model: AutoGaze, video: Tensor, groups: int) -> dict[str, int]:
    """Of a gaze of so many groups a frame: kernels, launches and host syncs; on a CPU operations."""
    ratio = (groups * model.config.heads_ahead + 0.5) / model.config.eos
    if video.device.type != "cuda":
        video = video[:1]  # more would go on threads of their own, where nobody counts
    for _ in range(2):  # weights are fused at the first call, steps recorded at the second
        model.gaze(video, ratio=ratio)
    if video.device.type != "cuda":
        with Operations() as seen:
            model.gaze(video, ratio=ratio)
        return {"operations": seen.count}
    with profile(activities=[ProfilerActivity.CPU, ProfilerActivity.CUDA]) as log:
        model.gaze(video, ratio=ratio)
    names = {event.key: event.count for event in log.key_averages()}
    return {
        "kernels": sum(1 for event in log.events() if event.device_type.name == "CUDA"),
        "launches": sum(count for name, count in names.items() if "Launch" in name),
        "syncs": sum(count for name, count in names.items() if name.startswith(SYNCS)),
    }


def profiled(model: AutoGaze, video: Tensor) -> dict[str, float]:
    """What one more group a frame adds: 5 groups less 3, so that what a frame costs once falls out."""
    few, many = counted(model, video, 3), counted(model, video, 5)
    return {f"{name}_a_group": (many[name] - few[name]) / 2 / video.shape[1] for name in few}


def busiest(model: AutoGaze, video: Tensor, ratio: float, most: int = 12) -> dict[str, Any]:
    """Where a gaze's time goes: milliseconds and launches of the kernels that take longest (operations on a CPU)."""
    kind = video.device.type
    for _ in range(2):
        model.gaze(video, ratio=ratio)
    activity = ProfilerActivity.CUDA if kind == "cuda" else ProfilerActivity.CPU
    with profile(activities=[activity]) as log:
        model.gaze(video, ratio=ratio)
    spent = [
        (event.self_device_time_total if kind == "cuda" else event.self_cpu_time_total, event)
        for event in log.key_averages()
    ]
    spent.sort(key=lambda pair: -pair[0])
    return {
        "tiles": len(video),
        "ratio": ratio,
        "dtype": str(model.compute_dtype or model.dtype).removeprefix("torch."),
        "milliseconds": sum(time for time, _ in spent) / 1e3,
        "kernels": [[event.key[:100], time / 1e3, event.count] for time, event in spent[:most]],
    }


def agreement(model: AutoGaze, video: Tensor, ratio: float) -> float:
    """Share of slots in which bfloat16 products choose what float32 chooses."""
    model.compute_dtype = None
    exact = model.gaze(video, ratio=ratio).positions
    model.compute_dtype = torch.bfloat16
    return float((model.gaze(video, ratio=ratio).positions == exact).float().mean())


def cells(small: bool) -> Iterator[Cell]:
    """Precision, tiles and ratio, the most telling first."""
    if small:
        yield from ((torch.bfloat16, 3, 0.1), (None, 3, 0.1), (None, 1, 0.1))
        return
    for count in (256, 32, 1):
        for dtype in (torch.bfloat16, None):
            yield from ((dtype, count, ratio) for ratio in (0.1, 0.75))
    yield from ((dtype, 1024, ratio) for ratio in (0.1, 0.75) for dtype in (torch.bfloat16, None))


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
    asked, frames, rounds = list(cells(options.small)), 2 if options.small else 16, 1 if options.small else 2
    most = max(count for _, count, _ in asked)
    video = torch.rand(most, frames, 3, 224, 224, device=options.device) * 4 - 3
    report: dict[str, Any] = {
        "hardware": hardware(options.device),
        "torch": torch.__version__,
        "cuda": torch.version.cuda,
        "frames": frames,
        "rows": [],
        "torch_attention": [],
        "references": [],
        "profile": {},
        "kernels": [],
    }

    def keep(found: Any) -> None:
        write_json(options.out, report)  # whole or not at all: a part may be ended while it writes
        print(json.dumps(found), flush=True)

    def measure(which: list[Cell]) -> None:
        for dtype, count, ratio in which:
            model.compute_dtype = dtype
            report["rows"].append(cell(model, video[:count], ratio, rounds))
            keep(report["rows"][-1])

    few = video[: min(REFERENCE_TILES, most)]
    first = [one for one in asked if one[1] <= 256]
    with torchs_attention(options.device):
        for dtype, count, ratio in first[:4]:
            model.compute_dtype = dtype
            report["torch_attention"].append(cell(model, video[:count], ratio, rounds))
            keep(report["torch_attention"][-1])
    measure(first)
    for dtype in (torch.bfloat16, None):
        model.compute_dtype = dtype
        report["profile"][str(dtype or model.dtype).removeprefix("torch.")] = profiled(model, few)
    report["bfloat16_equal_tokens"] = agreement(model, video[:1], 0.1)
    keep([report["profile"], report["bfloat16_equal_tokens"]])
    for dtype, count, ratio in first[:4]:
        model.compute_dtype = dtype
        report["kernels"].append(busiest(model, video[:count], ratio))
        keep(report["kernels"][-1])
    for ratio in sorted({ratio for _, _, ratio in asked}):
        report["references"].append(reference(model, few, ratio))
        keep(report["references"][-1])
    measure([one for one in asked if one not in first])


if __name__ == "__main__":
    main()
