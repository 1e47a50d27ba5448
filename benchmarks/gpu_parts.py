"""Small steps of `benchmarks/gpu.sh`: the name of results, how parts ended, what was planned against what was held.

python -m benchmarks.gpu_parts name --device cuda                  # nvidia-h100-80gb-hbm3-torch2.15.0-cuda13.2
python -m benchmarks.gpu_parts note parts.json autogaze 0 97       # part, exit status, seconds
python -m benchmarks.gpu_parts plan --device cuda --out plan.json
    python -m benchmarks.gpu_parts film --out film.mp4                 # what is decoded for times: 1,056 frames in 4K
"""

import argparse
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

PLANNED = {"128": ["--frames", "128"], "1024": ["--frames", "1024"]}


def name(device: str) -> str:
    """Hardware and versions, fit for a file name."""
    import torch

    from evaluators.profiling.latency.schema import hardware

    build = f"cuda{torch.version.cuda}" if device == "cuda" else "cpu"
    return re.sub(r"[^a-z0-9.]+", "-", f"{hardware(device)} torch{torch.__version__} {build}".lower()).strip(
        "-"
    )


def note(path: Path, part: str, status: int, seconds: int) -> None:
    """Add how a part ended: "passed", "out of time" or "failed"."""
    parts: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
    said = {0: "passed", 124: "out of time", 137: "out of time"}.get(status, "failed")
    parts[part] = {"outcome": said, "status": status, "seconds": seconds}
    path.write_text(json.dumps(parts, indent=1) + "\n")
    print(f"   {said} after {seconds} s")


def plan(out: Path, small: bool) -> None:
    """What `hlvid plan` foretells of the settings that `hlvid latency stages` measures, to set beside its peaks."""
    rows = {}
    for label, frames in ({"16": ["--frames", "16"]} if small else PLANNED).items():
        said = subprocess.run(
            [sys.executable, "-m", "hlvid.cli", "plan", *frames, "--shape", "tiny" if small else "8b"],
            capture_output=True,
            text=True,
            check=False,
        )
        # Status 1 is an answer: it does not fit.
        if said.returncode not in (0, 1) or not said.stdout:
            raise SystemExit(f"gpu_parts: hlvid plan of {label} frames failed: {said.stderr.strip()[-400:]}")
        rows[label] = {"fits": said.returncode == 0, "said": said.stdout.splitlines()}
    out.write_text(json.dumps(rows, indent=1) + "\n")


def film(out: Path, small: bool) -> None:
    """A film to time with: a window wandering over coloured noise, H.264. HLVid-Mini's own take minutes to render."""
    import av
    import numpy as np

    frames, width, height = (32, 640, 360) if small else (1056, 3840, 2160)
    coarse = np.random.default_rng(0).integers(
        0, 256, (height // 16 + 40, width // 16 + 40, 3), dtype=np.uint8
    )
    ground = coarse.repeat(16, 0).repeat(16, 1)
    with av.open(str(out), "w") as container:
        stream = container.add_stream("libx264", rate=30, options={"preset": "ultrafast", "g": "30"})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for index in range(frames):
            at = index * 7 % 600
            window = np.ascontiguousarray(ground[at : at + height, at : at + width])
            container.mux(stream.encode(av.VideoFrame.from_ndarray(window, format="rgb24")))
        container.mux(stream.encode())


def main() -> None:
    """See the head of this file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    steps = parser.add_subparsers(dest="step", required=True)
    for step in ("name", "plan", "film"):
        of = steps.add_parser(step)
        of.add_argument("--device", default="cuda")
        if step != "name":
            of.add_argument("--out", type=Path, required=True)
            of.add_argument("--small", action="store_true")
    of = steps.add_parser("note")
    of.add_argument("path", type=Path)
    of.add_argument("part")
    of.add_argument("status", type=int)
    of.add_argument("seconds", type=int)
    options = parser.parse_args()
    if options.step == "name":
        print(name(options.device))
    elif options.step == "note":
        note(options.path, options.part, options.status, options.seconds)
    elif options.step == "film":
        film(options.out, options.small)
    else:
        plan(options.out, options.small)


if __name__ == "__main__":
    main()
