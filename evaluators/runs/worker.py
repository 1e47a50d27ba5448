"""The process that runs the model: `python -m evaluators.runs.worker FOLDER`, started by `execute`.

It reads the folder's `spec.json`, runs our strict `lmms_eval` on it and writes samples, results and record. A
process of its own, so that running out of memory, a hanging decoder or a kill ends only this one run; it
ends as soon as its standard input does, so that it does not outlive whoever started it.
"""

import os
import resource
import sys
import threading
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NoReturn

from evaluators.core.outcomes import classify
from evaluators.core.share import Share
from evaluators.runs.files import JOURNAL, RAW, RECORD, RESULTS, SPEC, read_json, write_samples
from evaluators.runs.identity import asked_of, shaped_by
from evaluators.runs.scoring import failed, metrics_of, results_of, samples_of
from evaluators.runs.spec import RunSpec
from hlvid.errors import HlvidError
from hlvid.files import Lines, locked, write_json
from hlvid.threads import wait_passively


def main() -> None:
    """Exit code 0 where `results.json` was written, whatever its status; 1 where nothing could be."""
    folder = Path(sys.argv[1])
    threading.Thread(target=_end_with_parent, daemon=True).start()
    wait_passively()
    spec = RunSpec.from_json(read_json(folder / SPEC))
    if share := Share.here():
        _answer(spec, folder, share)
    started = time.monotonic()
    with locked(folder / ANSWERING):  # who started an earlier one was killed, and it has not noticed yet
        _evaluate(spec, folder, started)


def _evaluate(spec: RunSpec, folder: Path, started: float) -> None:
    try:
        results = _run(spec, folder)
    except Exception as error:
        if not isinstance(error, HlvidError):
            sys.excepthook(*sys.exc_info())
        message = str(error) if isinstance(error, HlvidError) else f"{type(error).__name__}: {error}"
        print(f"hlvid eval: {message}", file=sys.stderr, flush=True)
        results = failed(spec, classify(message), message)
        _record(spec, folder, {})
    results["seconds"] = round(time.monotonic() - started, 2)
    if results["peak_memory_bytes"] is None:
        results["peak_memory_bytes"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    write_json(folder / RESULTS, {**results, **shaped_by(spec, folder / JOURNAL)})


ANSWERING = ".answering.lock"


def _answer(spec: RunSpec, folder: Path, share: Share) -> NoReturn:
    """Answer this process's share into the journal; the model ends the process, with 0, when it is done."""
    from hlvid.tasks.command import run

    run(spec.argv(folder / RAW / f"share-{share.number}"))
    raise SystemExit(f"hlvid eval: model {spec.model} does not know shares; leave out --processes and --gpus")


def _run(spec: RunSpec, folder: Path) -> dict[str, Any]:
    """Evaluate, and write all but the results."""
    from hlvid.tasks.command import run

    returned = run(spec.argv(folder / RAW))
    rows = samples_of(returned)
    write_samples(folder, rows)
    entry = returned.get("record") or {}
    _record(spec, folder, entry)
    datasets = entry.get("datasets", {})
    asked = {task: info["fingerprint"] for task, info in datasets.items()}
    left_out = {task: len(info["left_out"]) for task, info in datasets.items() if info.get("left_out")}
    metrics = metrics_of(returned)
    return {**results_of(spec, rows), "metrics": metrics, "dataset": asked, "left_out": left_out}


def _record(spec: RunSpec, folder: Path, entry: Mapping[str, Any]) -> None:
    """`record.json`: where the numbers come from."""
    from hlvid.tasks.record import environment

    around = entry.get("environment") or environment()
    write_json(
        folder / RECORD,
        {
            "spec": spec.to_json(),
            "command": ["hlvid", "eval", *spec.command()],
            "made": datetime.now(UTC).isoformat(timespec="seconds"),
            "environment": around,
            "decoder": around.get("decoder"),
            "datasets": entry.get("datasets", {}),
            "identities": _identities(folder / JOURNAL),
            "variables": entry.get("variables", {}),
        },
    )


def _identities(folder: Path) -> list[dict[str, Any]]:
    """What gave the answers, from the first line of each journal in use: settings, weights, code, libraries."""
    found = []
    for path in sorted(asked_of(folder)[0]):
        (_, header), *_ = Lines(path).read()
        if header is not None:
            found.append({"journal": path.name, "key": header["key"], **header["identity"]})
    return found


def _end_with_parent() -> None:
    """Wait for standard input to end, then end at once: whoever started this process is gone."""
    while os.read(0, 4096):  # not sys.stdin: its lock, held here, would break the interpreter's own ending
        pass
    os._exit(1)


if __name__ == "__main__":
    main()
