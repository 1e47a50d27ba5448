"""Small steps of `benchmarks/gpu.sh`: names, how parts ended with what they measured, and a bare machine's packages.

python -m benchmarks.gpu_parts pack                                # .gpu/: what a bare machine lacks
python -m benchmarks.gpu_parts unpack FOLDER                       # there: from .gpu/ and pyproject.toml
python -m benchmarks.gpu_parts name --device cuda                  # nvidia-h200-torch2.11.0-cu130-cuda13.0
python -m benchmarks.gpu_parts note gpu.json autogaze 0 97 rows.json   # part, exit status, seconds, what it wrote
python -m benchmarks.gpu_parts plan --out plan.json
python -m benchmarks.gpu_parts film --out film.mp4                 # what is decoded for times: 1,056 frames in 4K
"""

import argparse
import json
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

ROOT = Path(__file__).resolve().parents[1]
PACK = ROOT / ".gpu"
# What the lent machine's Python lacks of what the parts import. PyAV travels apart, being as large as golden values.
LIGHT = ("pydantic", "pydantic-core", "annotated-types", "typing-inspection")
HEAVY = ("av",)
PLATFORMS = ("manylinux_2_28_x86_64", "manylinux_2_17_x86_64", "manylinux2014_x86_64")
GOLDEN = {
    "autogaze": ("config.json", "model.safetensors", "alone_*", "case_*"),
    "siglip": ("p16_224.*",),
    "videomae": ("config.json", "model.safetensors", "case_ratio_0.10.safetensors"),
}
INPUTS = ("clip", "noise")
SAID = {0: "passed", 124: "out of time", 137: "out of time", -1: "left out, no time"}


def name(device: str) -> str:
    """Hardware and versions, fit for a file name."""
    import torch

    from evaluators.profiling.latency.schema import hardware

    build = f"cuda{torch.version.cuda}" if device == "cuda" else "cpu"
    said = f"{hardware(device)} torch{torch.__version__} {build}".lower()
    return re.sub(r"[^a-z0-9.]+", "-", said).strip("-")


def note(path: Path, part: str, status: int, seconds: int, wrote: Path | None) -> None:
    """Add how a part ended, and what it measured: also of one that failed or was cut short, as far as it came."""
    fresh: dict[str, Any] = {"name": path.stem.removeprefix("gpu-"), "parts": {}}
    report = json.loads(path.read_text()) if path.exists() else fresh
    outcome = SAID.get(status, "failed")
    report["parts"][part] = {"outcome": outcome, "status": status, "seconds": seconds, "found": found(wrote)}
    path.write_text(json.dumps(report, indent=1) + "\n")
    print(f"   {outcome} after {seconds} s", flush=True)


def found(wrote: Path | None) -> Any:
    """What a file says: JSON, JSON lines, or pytest's XML; of a folder its first JSON.

    None where there is none, or one that was cut short in the middle: how the part ended is still noted.
    """
    if wrote is not None and wrote.is_dir():
        wrote = next(iter(sorted(wrote.glob("*.json"))), None)
    if wrote is None or not wrote.is_file():
        return None
    try:
        if wrote.suffix == ".xml":
            return tests(wrote)
        if wrote.suffix == ".jsonl":
            return [json.loads(line) for line in wrote.read_text().splitlines()]
        return json.loads(wrote.read_text())
    except (ValueError, ElementTree.ParseError):
        return None


def tests(path: Path) -> dict[str, Any]:
    """Counts, what tests recorded, and which failed how."""
    suite = next(ElementTree.parse(path).iter("testsuite"))
    counts = {key: int(suite.get(key, 0)) for key in ("tests", "failures", "errors", "skipped")}
    recorded, failed = {}, {}
    for case in suite.iter("testcase"):
        title = str(case.get("name"))
        for value in case.iter("property"):
            recorded[f"{title}: {value.get('name')}"] = value.get("value")
        for kind in ("failure", "error"):
            for wrong in case.iter(kind):
                failed[title] = str(wrong.get("message"))[:400]
    return {**counts, "recorded": recorded, "failed": failed}


def film(out: Path, small: bool) -> None:
    """A film to time with: a window wandering over coarse noise, H.264. HLVid-Mini's own take minutes to render."""
    import av
    import numpy as np

    frames, width, height = (32, 640, 360) if small else (1056, 3840, 2160)
    # One plane of brightness and two of colour, one below the other, as the encoder takes them.
    coarse = np.random.default_rng(0).integers(0, 256, (height // 8 + 40, width // 16 + 40), dtype=np.uint8)
    ground = coarse.repeat(16, 0).repeat(16, 1)
    with av.open(str(out), "w") as container:
        stream = container.add_stream("libx264", rate=30, options={"preset": "ultrafast", "g": "30"})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.thread_type = "AUTO"
        for index in range(frames):
            at = index * 7 % 600
            window = np.ascontiguousarray(ground[at : at + height * 3 // 2, at : at + width])
            container.mux(stream.encode(av.VideoFrame.from_ndarray(window, format="yuv420p")))
        container.mux(stream.encode())


def pack(python: str) -> None:
    """Fill .gpu/ with wheels for the lent machine's Python and with the golden values that its tests read."""
    import shutil

    from safetensors.torch import load_file, save_file

    shutil.rmtree(PACK, ignore_errors=True)
    for folder, names in (("light", LIGHT), ("heavy", HEAVY)):
        where = [f"--platform={platform}" for platform in PLATFORMS]
        how = [
            "--no-deps",
            "--only-binary=:all:",
            f"--python-version={python}",
            "--implementation=cp",
            *where,
        ]
        pins = [f"{name}=={_version(name)}" for name in names]
        subprocess.run(
            [sys.executable, "-m", "pip", "download", "-q", *how, "-d", str(PACK / folder), *pins], check=True
        )
    source = ROOT.parent / "shared/golden"
    for room, patterns in GOLDEN.items():
        target = PACK / "golden/golden" / room
        target.mkdir(parents=True)
        for pattern in patterns:
            for file in source.joinpath(room).glob(pattern):
                shutil.copy(file, target)
    inputs = load_file(source / "autogaze/inputs.safetensors")
    save_file({key: inputs[key] for key in INPUTS}, PACK / "golden/golden/autogaze/inputs.safetensors")
    for folder in sorted(PACK.iterdir()):
        size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
        print(f"{folder.relative_to(ROOT)}: {size / 2**20:.1f} MiB")


def _version(package: str) -> str:
    from importlib.metadata import version

    return version(package)


def unpack(site: Path) -> None:
    """Wheels out of .gpu/, and the project as if installed: its commands are found by their entry points."""
    for wheel in PACK.glob("*/*.whl"):
        zipfile.ZipFile(wheel).extractall(site)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    known = site / "hlvid-0.dist-info"
    known.mkdir(parents=True, exist_ok=True)
    (known / "METADATA").write_text("Metadata-Version: 2.1\nName: hlvid\nVersion: 0\n")
    lines: list[str] = []
    for group, points in project["entry-points"].items():
        lines += [f"[{group}]", *(f"{key} = {value}" for key, value in points.items())]
    (known / "entry_points.txt").write_text("\n".join(lines) + "\n")


def main() -> None:
    """See the head of this file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    steps = parser.add_subparsers(dest="step", required=True)
    steps.add_parser("name").add_argument("--device", default="cuda")
    of = steps.add_parser("film")
    of.add_argument("--out", type=Path, required=True)
    of.add_argument("--small", action="store_true")
    of = steps.add_parser("note")
    of.add_argument("path", type=Path)
    of.add_argument("part")
    of.add_argument("status", type=int)
    of.add_argument("seconds", type=int)
    of.add_argument("wrote", type=Path, nargs="?")
    steps.add_parser("pack").add_argument("--python", default="3.12", help="the lent machine's")
    steps.add_parser("unpack").add_argument("site", type=Path)
    options = parser.parse_args()
    if options.step == "name":
        print(name(options.device))
    elif options.step == "note":
        note(options.path, options.part, options.status, options.seconds, options.wrote)
    elif options.step == "pack":
        pack(options.python)
    elif options.step == "unpack":
        unpack(options.site)
    else:
        film(options.out, options.small)


if __name__ == "__main__":
    main()
