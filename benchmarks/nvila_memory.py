"""Host memory of looking at a 4K video through NVILA-HD's real tiles, by the number of frames.

    python -m benchmarks.nvila_memory                        # 64 and 1,024 frames, 48 tiles of 392 px at most
    python -m benchmarks.nvila_memory --frames 64 128 --tiles 8

Weights are tiny (`--shape tiny` has the published tower's grid): what is left is what frames and tiles take. The frames
are a generated film's own, all different: decoded, tiled, gazed at and encoded. Each count is a process of its own.
Writes benchmarks/results/nvila_memory-<hardware>.json.
"""

import argparse
import json
import re
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

HEIGHT, WIDTH = 2160, 3840


def film(path: Path, frames: int) -> None:
    """So many different frames of 4K, H.264: a texture that drifts."""
    import av

    ground = np.random.default_rng(0).integers(0, 255, (HEIGHT // 8, WIDTH // 8)).repeat(8, 0).repeat(8, 1)
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream("libx264", rate=30, options={"preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for index in range(frames):
            planes = np.full((HEIGHT * 3 // 2, WIDTH), 128, np.uint8)
            planes[:HEIGHT] = np.roll(ground, 4 * index, 1)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(planes, format="yuv420p")))
        container.mux(stream.encode())


def measure(path: Path, frames: int, tiles: int) -> dict[str, Any]:
    """Peak bytes of this process and seconds, and what was seen."""
    import torch

    from autogaze.nvila.answering import Answerer
    from autogaze.nvila.model import NVILAHD
    from autogaze.nvila.presets import README, shape
    from autogaze.nvila.tokenizer import byte_tokenizer
    from autogaze.selectors import get
    from evaluators.core.memory import Peak
    from hlvid.video import Video

    torch.set_num_threads(1)
    model, started = NVILAHD.from_config(replace(shape("tiny"), context=10**9)), time.monotonic()
    settings = replace(
        README, num_video_frames=frames, num_video_frames_thumbnail=frames // 2, max_tiles_video=tiles,
        gazing_ratio_tile=0.02, gazing_ratio_thumbnail=0.02, task_loss_requirement_tile=None,
    )  # fmt: skip
    with Video.open(path) as video, Peak(torch.device("cpu")) as peak:
        look = Answerer(model, byte_tokenizer(), get("centre"), settings).look(video, None)
    assert peak.bytes and not peak.since_start, "this system does not tell a process's peak"
    return {
        "frames": len(set(look.plan.indices)),
        "tiles": look.plan.grid.tiles,
        "pixels": list(look.plan.grid.size),
        "patches_gazed": look.seen.gazed,
        "tokens_video": len(look.seen.embeddings),
        "peak_gb": round(peak.bytes / 1e9, 3),
        "seconds": round(time.monotonic() - started, 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--frames", type=int, nargs="+", default=[64, 1024])
    parser.add_argument("--tiles", type=int, default=48)
    parser.add_argument("--of", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.of:
        print(json.dumps(measure(given.of, given.frames[0], given.tiles)))
        return
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "film.mp4"
        film(path, max(given.frames))
        for frames in given.frames:
            command = [sys.executable, "-m", "benchmarks.nvila_memory", "--of", str(path)]
            command += ["--frames", str(frames), "--tiles", str(given.tiles)]
            rows.append(json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout))
    from benchmarks.encoder import hardware

    row = {"rows": rows, "growth": round(rows[-1]["peak_gb"] / rows[0]["peak_gb"] - 1, 3)}
    row |= {"hardware": hardware("cpu")}
    name = re.sub(r"[^a-z0-9]+", "-", str(row["hardware"]).lower())
    out = Path(__file__).parent / "results" / f"nvila_memory-{name}.json"
    out.write_text(json.dumps(row, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(row, indent=2))


if __name__ == "__main__":
    main()
