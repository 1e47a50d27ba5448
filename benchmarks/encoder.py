"""Time and memory of gazed encoding: fewer tokens against all of them, and blocks against one big mask.

    python -m benchmarks.encoder                                  # SigLIP base shape, CPU, one and eight clips
    python -m benchmarks.encoder --shape so400m --device cuda --dtype bfloat16 --rounds 20

Each case of 16 frames is encoded by this project ("gazed"), by an implementation in this file that embeds every
patch, gathers and masks ("masked"), and as the bare matrix products of its linear layers ("floor": no encoder
of these tokens can be faster). Rounds are interleaved and ratios are taken within a round, so that a busy
machine slows all alike; `--clock cpu --threads 1` counts processor seconds, which bears company better still.
Peak memory is taken in a process of its own. Writes benchmarks/results/encoder-<settings>-<hardware>.json.
"""

import argparse
import json
import multiprocessing
import re
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from autogaze.encoders.config import SiglipConfig
from autogaze.encoders.patches import position_table, resize
from autogaze.encoders.siglip import GazedSiglip, Layer
from autogaze.gaze import Gaze
from hlvid.tasks.record import cpu

SHAPES: dict[str, dict[str, Any]] = {
    "tiny": {"hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2, "num_attention_heads": 4},
    "base": {},
    "so400m": {
        "hidden_size": 1152,
        "intermediate_size": 4304,
        "num_hidden_layers": 27,
        "num_attention_heads": 16,
        "patch_size": 14,
        "image_size": 384,
        "scales": (56, 112, 196, 392),
    },
}
FRAMES = 16
# Seconds on a quiet 2-core CPU, base shape, one clip: the mask-free prototype this has to match (issue 4).
PROTOTYPE = {"all": 7.1, "10x": 0.46, "100x": 0.09, "framewise": 3.4, "348 slots, 213 real": 0.24}
Case = tuple[Gaze, str]


def cases(config: SiglipConfig, clips: int) -> dict[str, Case]:
    """Gaze and attention mode by name."""
    tokens, finest = config.grid.tokens, config.grid.sides[-1] ** 2
    everything = torch.ones(clips, FRAMES, tokens, dtype=torch.bool)
    fine = everything.clone()
    fine[..., : tokens - finest] = False
    found: dict[str, Case] = {"framewise": (_gaze(fine, config), "frame_independent")}
    found["all"] = (_gaze(everything, config), "block_causal")
    for times in (4, 10, 100):
        found[f"{times}x"] = (_gaze(_random(clips, tokens, times), config), "block_causal")
    if tokens == 265:
        found["348 slots, 213 real"] = (_readme_gaze(clips), "block_causal")
    return found


def _gaze(masks: Tensor, config: SiglipConfig) -> Gaze:
    return Gaze.from_masks(masks, config.scales, config.patch_size)


def _random(clips: int, tokens: int, times: int) -> Tensor:
    """Bool (clips, T, tokens) with exactly 1 in `times` set in every clip."""
    generator = torch.Generator().manual_seed(times)
    order = torch.rand(clips, FRAMES * tokens, generator=generator).argsort(1)
    return (order < FRAMES * tokens // times).view(clips, FRAMES, tokens)


def _readme_gaze(clips: int) -> Gaze:
    """The published example: 198 slots in the first frame, 10 in each other, of which 213 hold a token."""
    slots = torch.cat([torch.arange(198), (265 * torch.arange(1, 16)[:, None] + torch.arange(10)).flatten()])
    padded = torch.cat([torch.zeros(198), (torch.arange(150) % 10 > 0)]).bool()
    return Gaze(slots.expand(clips, -1).clone(), (198, *[10] * 15), padded.expand(clips, -1).clone())


def masked(model: GazedSiglip, video: Tensor, gaze: Gaze) -> Tensor:
    """Embed every patch at every scale, pick the gazed ones, one attention under a (B, 1, N, N) mask."""
    tower, grid = model.vision_model, model.config.grid
    patch = tower.embeddings.patch_embedding
    frames = video.flatten(0, 1)
    parts = [patch(resize(frames, scale)).flatten(2).transpose(1, 2) for scale in grid.scales]
    table = position_table(tower.embeddings.position_embedding.weight, grid.sides)
    every = (torch.cat(parts, 1) + table).view(len(video), -1, table.shape[-1])
    at = gaze.positions.masked_fill(gaze.padded, 0)
    x = every.gather(1, at[..., None].expand(-1, -1, every.shape[-1]))
    frame = torch.arange(gaze.frames).repeat_interleave(torch.tensor(gaze.per_frame)).to(video.device)
    sees = (
        frame[:, None] == frame if model.config.attn_type == "frame_independent" else frame[:, None] >= frame
    )
    mask = (sees & ~gaze.padded[:, None]) | torch.eye(len(frame), dtype=torch.bool, device=video.device)
    for layer in tower.encoder.layers:
        assert isinstance(layer, Layer)
        attention, h = layer.self_attn, layer.layer_norm1(x)
        q, k, v = (
            project(h).unflatten(-1, (attention.heads, -1)).transpose(1, 2)
            for project in (attention.q_proj, attention.k_proj, attention.v_proj)
        )
        y = F.scaled_dot_product_attention(q, k, v, attn_mask=mask[:, None]).transpose(1, 2).flatten(2)
        x = x + attention.out_proj(y)
        h = layer.layer_norm2(x)
        x = x + layer.mlp.fc2(F.gelu(layer.mlp.fc1(h), approximate="tanh"))
    out: Tensor = tower.post_layernorm(x)
    return out


def floor(model: GazedSiglip, tokens: int) -> Callable[[], None]:
    """The linear layers on that many tokens, and nothing else."""
    weight = model.vision_model.post_layernorm.weight
    narrow = torch.randn(tokens, model.config.hidden_size).to(weight)
    wide = torch.randn(tokens, model.config.intermediate_size).to(weight)

    def products() -> None:
        for layer in model.vision_model.encoder.layers:
            assert isinstance(layer, Layer)
            attention, mlp = layer.self_attn, layer.mlp
            for linear in (attention.q_proj, attention.k_proj, attention.v_proj, attention.out_proj, mlp.fc1):
                linear(narrow)
            mlp.fc2(wide)

    return products


def build(shape: str, mode: str, device: str, dtype: str) -> GazedSiglip:
    """The encoder with random weights."""
    torch.manual_seed(0)
    model = GazedSiglip(SiglipConfig.from_json(SHAPES[shape], attn_type=mode))
    return model.to(device, getattr(torch, dtype)).eval().requires_grad_(False)


def variants(args: argparse.Namespace, name: str, clips: int) -> dict[str, Callable[[], object]]:
    """What is timed for a case, by name."""
    gaze, mode = cases(SiglipConfig.from_json(SHAPES[args.shape]), clips)[name]
    model = build(args.shape, mode, args.device, args.dtype)
    side = model.config.scales[-1]
    video = torch.randn(clips, FRAMES, 3, side, side).to(args.device, getattr(torch, args.dtype))
    gaze = gaze.to(args.device)
    return {
        "gazed": lambda: model(video, gaze),
        "masked": lambda: masked(model, video, gaze),
        "floor": floor(model, int((~gaze.padded).sum())),
    }


def seconds(run: Callable[[], object], args: argparse.Namespace) -> float:
    """Time of one run by the clock asked for."""
    clock = time.process_time if args.clock == "cpu" else time.perf_counter
    start = clock()
    run()
    if args.device == "cuda":
        torch.cuda.synchronize()
    return clock() - start


def measure(args: argparse.Namespace, name: str, clips: int) -> dict[str, Any]:
    """One row: best and median seconds a clip of every variant, ratios within rounds."""
    runs = variants(args, name, clips)
    skipped = () if args.masked else ("masked",)
    runs = {key: run for key, run in runs.items() if key not in skipped}
    for run in runs.values():
        seconds(run, args)
    times = [{key: seconds(run, args) / clips for key, run in runs.items()} for _ in range(args.rounds)]
    row: dict[str, Any] = {"case": name, "clips": clips, "rounds": args.rounds}
    for key in runs:
        values = [each[key] for each in times]
        row[f"{key}_s_per_clip"] = {"best": min(values), "median": statistics.median(values)}
    for other in runs.keys() - {"gazed"}:
        row[f"gazed_over_{other}"] = statistics.median(each["gazed"] / each[other] for each in times)
    comparable = (args.shape, args.device, args.clock, args.threads) == ("base", "cpu", "wall", 2)
    if comparable and clips == 1 and name in PROTOTYPE:
        row["prototype_s"] = PROTOTYPE[name]
    return row


def peak(args: argparse.Namespace, name: str, clips: int, variant: str, out: Any) -> None:
    """Put into `out` the bytes that a run adds to what model and input hold; runs in a process of its own."""
    torch.set_grad_enabled(False)
    torch.set_num_threads(args.threads)
    run = variants(args, name, clips)[variant]
    if args.device == "cuda":
        before = torch.cuda.memory_allocated()
        torch.cuda.reset_peak_memory_stats()
        run()
        out.put(torch.cuda.max_memory_allocated() - before)
        return
    Path("/proc/self/clear_refs").write_text("5")  # Linux: the high-water mark of resident memory starts anew
    before = resident("VmRSS")
    run()
    out.put(resident("VmHWM") - before)


def resident(field: str) -> int:
    """Bytes of this process's memory as /proc/self/status has it."""
    found = re.search(rf"{field}:\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert found, f"/proc/self/status has no {field}"
    return int(found.group(1)) * 1024


def peaks(args: argparse.Namespace, name: str, clips: int) -> dict[str, int]:
    """Bytes of working memory by variant."""
    context, found = multiprocessing.get_context("spawn"), {}
    for variant in ("gazed", "masked") if args.masked else ("gazed",):
        queue = context.Queue()
        process = context.Process(target=peak, args=(args, name, clips, variant, queue))
        process.start()
        found[f"{variant}_peak_bytes"] = queue.get(timeout=600)
        process.join()
    return found


def hardware(device: str) -> str:
    """What it ran on."""
    if device == "cuda":
        return torch.cuda.get_device_name()
    return f"{cpu()} x{torch.get_num_threads()}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shape", choices=SHAPES, default="base")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--dtype", choices=("float32", "bfloat16"), default="float32")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--clock", choices=("wall", "cpu"), default="wall", help="cpu: on a busy machine")
    parser.add_argument("--clips", type=int, nargs="+", default=[1, 8])
    parser.add_argument("--cases", nargs="+", help="by name; all of them by default")
    parser.add_argument(
        "--no-masked", dest="masked", action="store_false", help="leave out the masked variant"
    )
    parser.add_argument("--no-memory", dest="memory", action="store_false", help="leave out peak memory")
    parser.add_argument("--out", type=Path, help="where to write the JSON")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    torch.set_grad_enabled(False)
    names = args.cases or list(cases(SiglipConfig.from_json(SHAPES[args.shape]), 1))
    rows = []
    for clips in args.clips:
        for name in names:
            row = measure(args, name, clips)
            if args.memory:
                row |= peaks(args, name, clips)
            print(json.dumps(row), flush=True)
            rows.append(row)
    title = f"encoder-{args.shape}-{args.dtype}-{hardware(args.device)}-{args.clock}"
    name = re.sub(r"[^A-Za-z0-9]+", "-", title).strip("-").lower()
    path = args.out or Path(__file__).parent / "results" / f"{name}.json"
    settings = {k: str(v) if isinstance(v, Path) else v for k, v in vars(args).items()}
    report = {
        "hardware": hardware(args.device),
        "torch": torch.__version__,
        "settings": settings,
        "rows": rows,
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(report, indent=1) + "\n")
    print(f"written: {path}")


if __name__ == "__main__":
    main()
