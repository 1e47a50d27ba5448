"""How long, and in how much memory, uniform frames of a 4K video are read: ours against libav and decord.

Run::

    .venv/bin/python benchmarks/video_reader.py                      # 60 s clips, GOP 250 and 30, 64 and 256 frames
    .venv/bin/python benchmarks/video_reader.py --seconds 10 --rounds 1 --gops 250 --counts 11
    .venv/bin/python benchmarks/video_reader.py --against ../before  # and beside another checkout's reader

Each reader runs in a process of its own, the contestants take turns round after round, and medians are reported as
ratios to a plain decode of every frame by libav (none is kept) in the same run: ratios travel, seconds do not.
The readers hand out full-size RGB frames one after another. "hlvid" opens a file that it has never seen, "hlvid again"
one whose index is in the state folder. decord is measured both ways it can be used, frame by frame and in one batch
(its usual way); it is left out, and said to be, if it is not installed.
Results go to benchmarks/results/video_reader-<hardware>.json.
"""

import argparse
import json
import os
import platform
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

WIDTH, HEIGHT, FPS = 3840, 2160, 30
Measure = dict[str, float]


def main() -> None:
    """Parse the command line, measure, print a table and write the JSON file."""
    args = _arguments()
    if args.worker == "make":
        make_clip(args.clip, args.seconds, args.gops[0])
        return
    if args.worker:
        _work(args.worker, args.clip, args.counts[0])
        return
    results = []
    for gop in args.gops:
        clip = args.folder / f"clip_{args.seconds}s_gop{gop}.mp4"
        if not clip.exists():
            # In a process of its own: a child's peak memory starts at its parent's, which has to stay small.
            make = [sys.executable, __file__, "--worker", "make", "--clip", str(clip)]
            subprocess.run([*make, "--seconds", str(args.seconds), "--gops", str(gop)], check=True)
        for count in args.counts:
            results.append(compare(clip, gop, count, args.rounds, args.against))
            _print(results[-1])
    write(results, args)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--gops", type=int, nargs="+", default=[250, 30])
    parser.add_argument("--counts", type=int, nargs="+", default=[64, 256])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "hlvid-benchmarks")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results")
    parser.add_argument("--against", type=Path, help="another checkout, whose reader runs beside this one")
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    parser.add_argument("--clip", type=Path, help=argparse.SUPPRESS)
    return parser.parse_args()


def make_clip(path: Path, seconds: int, gop: int) -> None:
    """Encode the clip: texture at many scales under a moving camera, with moving objects."""
    import av

    path.parent.mkdir(parents=True, exist_ok=True)
    print(f"making {path}", file=sys.stderr)
    part, world = path.with_suffix(".part.mp4"), _texture()
    with av.open(str(part), "w") as out:
        stream: Any = out.add_stream("libx264", rate=FPS)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.options = {"preset": "veryfast", "crf": "26", "g": str(gop), "sc_threshold": "0"}
        for i in range(seconds * FPS):
            out.mux(stream.encode(_frame(world, i)))
        out.mux(stream.encode())
    part.rename(path)


def _texture() -> np.ndarray:
    """(2400, 4400) uint8: noise summed over octaves, as natural pictures have it."""
    from scipy.ndimage import zoom

    rng = np.random.default_rng(0)
    total = np.zeros((2400, 4400), np.float32)
    for step in (2, 4, 16, 64):
        noise = rng.normal(size=(2400 // step + 4, 4400 // step + 4)).astype(np.float32)
        total += zoom(noise, step, order=1)[:2400, :4400] * step**0.7 * 6
    return np.clip(128 + total, 16, 235).astype(np.uint8)


def _frame(world: np.ndarray, i: int) -> Any:
    import av

    x, y = int(200 + 180 * np.sin(i / 40)), int(100 + 90 * np.cos(i / 55))
    luma = world[y : y + HEIGHT, x : x + WIDTH].copy()
    left = i * 17 % 3000
    luma[600:1400, left : left + 700] = world[:800, i % 64 : i % 64 + 700][::-1]
    frame = av.VideoFrame(WIDTH, HEIGHT, "yuv420p")
    chroma = (world[y // 2 :, x // 2 :][: HEIGHT // 2, : WIDTH // 2] // 4 + 96, world[:1080, :1920] // 4 + 96)
    for plane, values in zip(frame.planes, (luma, *chroma), strict=True):
        padding = plane.line_size - values.shape[1]
        plane.update(np.ascontiguousarray(np.pad(values, ((0, 0), (0, padding)))).tobytes())
    frame.pts = i
    return frame


def compare(clip: Path, gop: int, count: int, rounds: int, against: Path | None) -> dict[str, Any]:
    """Medians over rounds in which every contestant runs once, and ratios to libav's full decode."""
    ours = Path(__file__).parent.parent
    contestants: dict[str, Callable[[], Measure]] = {
        "libav": lambda: _reader("libav", clip, count),
        "hlvid": lambda: _fresh("hlvid", clip, count, ours),
        "hlvid again": lambda: _reader("hlvid", clip, count),
        "hlvid 504x896": lambda: _fresh("hlvid_small", clip, count, ours),
    }
    if against:
        contestants["before"] = lambda: _fresh("hlvid", clip, count, against)
        contestants["before 504x896"] = lambda: _fresh("hlvid_small", clip, count, against)
    if find_spec("decord"):
        contestants["decord one by one"] = lambda: _reader("decord", clip, count)
        contestants["decord batch"] = lambda: _reader("decord_batch", clip, count)
    runs: dict[str, list[Measure]] = {name: [] for name in contestants}
    for _ in range(rounds):
        for name, measure in contestants.items():
            runs[name].append(measure())
    medians = {
        name: {key: float(np.median([m[key] for m in taken])) for key in taken[0]}
        for name, taken in runs.items()
    }
    return {"gop": gop, "frames": count, "readers": medians, **_ratios(medians)}


def _ratios(medians: dict[str, Measure]) -> dict[str, Any]:
    floor, ours = medians["libav"], medians["hlvid"]
    decords = {name: m["wall_s"] / ours["wall_s"] for name, m in medians.items() if name.startswith("decord")}
    return {
        "wall_to_libav": {name: m["wall_s"] / floor["wall_s"] for name, m in medians.items()},
        "cpu_to_libav": {name: m["cpu_s"] / floor["cpu_s"] for name, m in medians.items()},
        "times_faster_than": decords,
    }


def _fresh(name: str, clip: Path, count: int, checkout: Path) -> Measure:
    """By the reader of `checkout`, which has not seen the file before."""
    with tempfile.TemporaryDirectory() as state:
        return _reader(name, clip, count, HLVID_STATE=state, PYTHONPATH=str(checkout.resolve()))


def _reader(name: str, clip: Path, count: int, **environment: str) -> Measure:
    command = [sys.executable, __file__, "--worker", name, "--clip", str(clip), "--counts", str(count)]
    return _run(command, environment)


def _run(command: list[str], environment: dict[str, str]) -> Measure:
    """Wall seconds, CPU seconds and peak resident MB of a command, start to end."""
    begin = time.perf_counter()
    process = subprocess.Popen(command, env=os.environ | environment)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    wall = time.perf_counter() - begin
    if process.returncode:
        raise SystemExit(f"video_reader: failed with {process.returncode}: {' '.join(command)}")
    return {"wall_s": wall, "cpu_s": usage.ru_utime + usage.ru_stime, "peak_mb": usage.ru_maxrss / 1024}


def _work(name: str, clip: Path, count: int) -> None:
    """What a worker process does: touch every frame that it was told to read."""
    if name == "libav":
        import av

        with av.open(str(clip)) as container:
            container.streams.video[0].thread_type = "AUTO"
            assert sum(1 for _ in container.decode(video=0))
        return
    if name.startswith("hlvid"):
        from hlvid.video import Video, sampling

        video = Video.open(clip)
        size = (504, 896) if name == "hlvid_small" else None
        for _, picture in video.stream(sampling.uniform_linspace(video.frame_count, count), size):
            picture[::64, ::64].sum()
        return
    import decord

    reader = decord.VideoReader(str(clip), num_threads=os.cpu_count() or 1)
    picked = np.round(np.linspace(0, len(reader) - 1, count)).astype(int).tolist()
    batch = reader.get_batch(picked).asnumpy() if name == "decord_batch" else None
    for k, i in enumerate(picked):
        (reader[i].asnumpy() if batch is None else batch[k])[::64, ::64].sum()


def _print(result: dict[str, Any]) -> None:
    print(f"GOP {result['gop']}, {result['frames']} frames")
    for name, m in result["readers"].items():
        print(
            f"  {name:18} wall {m['wall_s']:6.2f} s ({result['wall_to_libav'][name]:.2f}x)  "
            f"cpu {m['cpu_s']:6.2f} s ({result['cpu_to_libav'][name]:.2f}x)  peak {m['peak_mb']:5.0f} MB"
        )
    for name, times in result["times_faster_than"].items():
        print(f"  hlvid is {times:.2f}x as fast as {name}")
    if not result["times_faster_than"]:
        print("  decord is not installed: not compared")


def write(results: list[dict[str, Any]], args: argparse.Namespace) -> None:
    """Write everything needed to read the numbers, and to get them again, under the hardware's name."""
    from hlvid.tasks.record import cpu
    from hlvid.video.pyav import describe

    slug = re.sub(r"[^a-z0-9]+", "-", f"{cpu()} {os.cpu_count()} cores".lower()).strip("-")
    record = {
        "command": " ".join(["python", "benchmarks/video_reader.py", *sys.argv[1:]]),
        "hardware": {"cpu": cpu(), "cores": os.cpu_count()},
        "software": {
            "decoder": describe(),
            "python": platform.python_version(),
        },
        "clip": {"seconds": args.seconds, "width": WIDTH, "height": HEIGHT, "fps": FPS, "codec": "h264"},
        "rounds": args.rounds,
        "load_at_end": os.getloadavg()[0],
        "results": results,
    }
    args.out.mkdir(parents=True, exist_ok=True)
    path = args.out / f"video_reader-{slug}.json"
    path.write_text(json.dumps(record, indent=1) + "\n")
    print(f"written: {path}")


if __name__ == "__main__":
    main()
