"""Seconds in the vision encoder and in the language model with token reduction, against all tokens and against gazing.

    python -m benchmarks.token_reduction                                   # a small real shape, 4 frames, CPU
    python -m benchmarks.token_reduction --shape 8b --frames 16 --tiles 8 --device cuda --dtype bfloat16

One clip batch is encoded, reduced to `--keep` of its visual tokens and prefilled together with a short prompt.
"none" keeps all patches of the finest scale; "gazed" encodes that share of all scales' patches, drawn at random, which
is what AutoGaze saves, without the time of AutoGaze itself. "fastv" is pruned inside the language model, so its prefill
counts the layers run for the ranking, too. Rounds are interleaved. The clock counts processor seconds on a CPU, which
bear company better, and wall seconds on a GPU. Weights are random: times do not depend on them.
Writes benchmarks/results/token_reduction-<shape>-<hardware>.json.
"""

import argparse
import json
import re
import statistics
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from autogaze.gaze import Gaze
from autogaze.nvila.config import NVILAConfig
from autogaze.nvila.gazing import everything
from autogaze.nvila.model import NVILAHD, Seen
from autogaze.nvila.presets import SHAPES
from autogaze.nvila.processing import ClipBatch
from autogaze.nvila.reduction import Reduction, names
from hlvid.tasks.record import cpu

PROMPT = 64
PLACEHOLDER = 1


def models(args: argparse.Namespace) -> tuple[NVILAHD, NVILAHD]:
    """The same sizes twice: one scale, for the methods; and all scales, for gazing. They share the language model."""
    config: NVILAConfig = SHAPES[args.shape]
    if args.layers:
        small = replace(config.vision, num_hidden_layers=args.layers)
        config = replace(config, vision=small, llm={**config.llm, "num_hidden_layers": args.layers})
    kind = {"dtype": getattr(torch, args.dtype), "device": args.device}
    one = NVILAHD.from_config(config.single_scale(config.tile), **kind)
    many = NVILAHD.from_config(replace(config, llm={**config.llm, "num_hidden_layers": 1}), **kind)
    many.llm = one.llm
    return one, many


def batches(args: argparse.Namespace, one: NVILAHD, many: NVILAHD) -> tuple[ClipBatch, ClipBatch]:
    """All patches of the finest scale, and a random share of all scales'."""
    side = one.config.tile
    pixels = torch.rand(args.tiles, args.frames, 3, side, side).to(args.device)
    whole = everything(args.tiles, args.frames, one.config.vision.scales, one.config.vision.patch_size, "cpu")
    vision = many.config.vision
    count = max(1, round(args.keep * vision.grid.tokens))
    order = torch.rand(args.tiles, args.frames, vision.grid.tokens).argsort(-1)
    some = Gaze.from_masks(order < count, vision.scales, vision.patch_size)
    return ClipBatch("tile", 0, 0, pixels, whole), ClipBatch("tile", 0, 0, pixels, some)


def timed(run: Callable[[], Any], device: str) -> tuple[float, Any]:
    """Seconds by the clock that fits the device, and what came out."""
    cuda = device == "cuda"
    clock = time.perf_counter if cuda else time.process_time
    if cuda:
        torch.cuda.synchronize()
    start = clock()
    out = run()
    if cuda:
        torch.cuda.synchronize()
    return clock() - start, out


def once(model: NVILAHD, batch: ClipBatch, device: str) -> dict[str, float]:
    """Encode, reduce, prefill."""
    encode, embeddings = timed(lambda: model.encode(batch), device)
    ids = [*[2] * (PROMPT // 2), PLACEHOLDER, *[2] * (PROMPT // 2)]
    seen = Seen(embeddings, 0, 0)

    def prefill() -> int:
        embeds = model.embed(ids, PLACEHOLDER, seen)
        model.generate(embeds, 1, allowed=[2])
        return int(embeds.shape[1])

    seconds, tokens = timed(prefill, device)
    return {"vit_s": encode, "llm_s": seconds, "llm_tokens": tokens - PROMPT}


def measure(args: argparse.Namespace) -> list[dict[str, Any]]:
    """A row a method: median and range over the rounds."""
    one, many = models(args)
    whole, some = batches(args, one, many)
    cases: dict[str, tuple[NVILAHD, ClipBatch]] = {"none": (one, whole), "gazed": (many, some)}
    cases |= dict.fromkeys(names(), (one, whole))
    rounds: dict[str, list[dict[str, float]]] = {name: [] for name in cases}
    for number in range(args.rounds + 1):
        for name, (model, batch) in cases.items():
            one.reduction = Reduction(name, args.keep) if name in names() else None
            found = once(model, batch, args.device)
            if number:  # the first round warms up
                rounds[name].append(found)
    return [_row(name, found) for name, found in rounds.items()]


def _row(name: str, found: list[dict[str, float]]) -> dict[str, Any]:
    row: dict[str, Any] = {"method": name, "llm_tokens": int(found[0]["llm_tokens"])}
    for stage in ("vit_s", "llm_s"):
        values = [one[stage] for one in found]
        row[stage] = {"median": statistics.median(values), "low": min(values), "high": max(values)}
    return row


def hardware(device: str) -> str:
    """What it ran on."""
    if device == "cuda":
        return torch.cuda.get_device_name()
    return f"{cpu()} x{torch.get_num_threads()}"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--shape", choices=SHAPES, default="base")
    parser.add_argument(
        "--layers", type=int, default=0, help="of encoder and language model; 0: the shape's own"
    )
    parser.add_argument("--frames", type=int, default=4)
    parser.add_argument("--tiles", type=int, default=1)
    parser.add_argument("--keep", type=float, default=0.1)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--dtype", choices=("float32", "bfloat16"), default="float32")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    torch.set_grad_enabled(False)
    torch.manual_seed(0)
    rows = measure(args)
    where = hardware(args.device)
    asked = {
        name: getattr(args, name)
        for name in ("shape", "layers", "frames", "tiles", "keep", "rounds", "dtype")
    }
    clock = "wall" if args.device == "cuda" else "processor seconds"
    data = {"hardware": where, "torch": torch.__version__, "clock": clock, **asked, "rows": rows}
    name = re.sub(r"\W+", "-", f"{args.shape}-{where}".lower()).strip("-")
    out = args.out or Path(__file__).parent / "results" / f"token_reduction-{name}.json"
    out.write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")
    for row in rows:
        print(f"{row['method']:15} {row['llm_tokens']:6} tokens  vit {row['vit_s']['median']:8.3f} s  "
              f"llm {row['llm_s']['median']:8.3f} s")  # fmt: skip
    print(out)


if __name__ == "__main__":
    main()
