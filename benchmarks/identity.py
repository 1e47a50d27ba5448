"""What it costs to know that nothing changed: the identity of a run with a checkpoint of 8B size, first and again.

Run::

    .venv/bin/python benchmarks/identity.py                  # 16 GB in four files (holes: no room on the disk)
    .venv/bin/python benchmarks/identity.py --gigabytes 1 --rounds 3

Three moments: nothing remembered (every byte of the weights is hashed, every source parsed), the first time in a
process with all of it remembered (what every start of a run pays), and once more in the same process. Processor seconds
stand beside seconds, for busy machines. Results go to benchmarks/results/identity-<hardware>.json.
"""

import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

FILES = 4


def main() -> None:
    """Measure, print, write the JSON file."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--gigabytes", type=float, default=16.0)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--worker", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    sys.path = [
        place for place in sys.path if Path(place).resolve() != Path(__file__).parent
    ]  # holds an autogaze.py
    if args.worker:
        print(json.dumps(measure(args.worker)))
        return
    with tempfile.TemporaryDirectory() as scratch:
        folder = checkpoint(Path(scratch) / "checkpoint", args.gigabytes)
        environment = {**os.environ, "HLVID_STATE": str(Path(scratch) / "state"), "HLVID_DATA": scratch}
        rounds = [run(folder, environment) for _ in range(args.rounds + 1)]
    report = {
        "hardware": hardware(),
        "gigabytes": args.gigabytes,
        "rounds": args.rounds,
        "modules": rounds[0]["modules"],
        "nothing_remembered": {name: rounds[0]["first"][name] for name in ("seconds", "cpu_seconds")},
        "remembered": median([one["first"] for one in rounds[1:]]),
        "same_process": median([one["again"] for one in rounds[1:]]),
    }
    path = Path(__file__).parent / "results" / f"identity-{slug(report['hardware'])}.json"
    path.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(report, indent=1))
    print(path)


def checkpoint(folder: Path, gigabytes: float) -> Path:
    """Files that are holes: hashing reads every byte of them, and they take no room."""
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    for number in range(FILES):
        with (folder / f"model-{number + 1:05}-of-{FILES:05}.safetensors").open("wb") as file:
            file.truncate(int(gigabytes * 1e9 / FILES))
    for path in folder.iterdir():
        os.utime(path, (time.time() - 3600,) * 2)
    time.sleep(2.1)  # younger files are not remembered: another write might show in no time
    return folder


def run(folder: Path, environment: dict[str, str]) -> dict[str, Any]:
    """One start of a process."""
    argv = [sys.executable, __file__, "--worker", str(folder)]
    done = subprocess.run(argv, capture_output=True, text=True, check=True, env=environment)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def measure(folder: Path) -> dict[str, Any]:
    """In a process of its own: the identity twice. Imports do not count, a run needs them anyhow."""
    from evaluators.runs.identity import _best, run_identity
    from evaluators.runs.spec import RunSpec

    _best()
    spec = RunSpec("hlvid", "nvila_hd", {"pretrained": str(folder), "num_video_frames": 128})
    found: dict[str, Any] = {}
    for name in ("first", "again"):
        seconds, cpu = time.perf_counter(), time.process_time()
        identity = run_identity(spec)
        cpu_seconds = round(time.process_time() - cpu, 4)
        found[name] = {"seconds": round(time.perf_counter() - seconds, 4), "cpu_seconds": cpu_seconds}
        found["modules"] = len(identity["code"])
    return found


def median(rows: list[dict[str, float]]) -> dict[str, Any]:
    """Of each number, with the extremes."""
    return {
        name: {
            "median": round(statistics.median(row[name] for row in rows), 4),
            "low": min(row[name] for row in rows),
            "high": max(row[name] for row in rows),
        }
        for name in rows[0]
    }


def hardware() -> str:
    """Processor and cores."""
    from hlvid.tasks.record import cpu

    return f"{cpu()}, {os.cpu_count()} cores"


def slug(text: str) -> str:
    """For a file's name."""
    return re.sub(r"[^a-z0-9]+", "-", re.sub(r"\(.\)|\(tm\)|@.*?ghz", "", text.lower())).strip("-")


if __name__ == "__main__":
    main()
