"""What a run's own records say about how its answers were made, as fields of `submission.yaml`.

Example::

    fields = run_fields(find_run(Path("demo/runs/detail-896-r0.10")))
    fields["settings"]                 # {"selector": "detail", "frames": 12, "resolution": 896, ...}

From lmms-eval's results file (model and arguments), our `record.json` (versions, hardware, prompts, command) and
the `details` that our models record for each answer. What is not recorded is left out, never assumed.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from leaderboard.benchmarks import MINI
from leaderboard.format.reading import JSONL_BYTES, read_objects, read_text
from leaderboard.submit.runs import Row, Run, are_numbers, mapping

OURS = ("blind", "gaze_reader")  # models of this project


def run_fields(run: Run) -> dict[str, Any]:
    """The fields of submission.yaml that the run's records state; the texts are still unchecked."""
    environment = mapping(run.record.get("environment"))
    fields = {
        "benchmark": run.benchmark,
        "dataset_revision": _dataset_revision(run),
        "model": _stated(_model(mapping(run.results.get("config")), environment)),
        "settings": _stated(_settings(run)),
        "cost": _stated({"hardware": _hardware(environment)}),
        "notes": _command(run.record),
    }
    return {name: value for name, value in fields.items() if value}


def _dataset_revision(run: Run) -> str | None:
    """The revision on record; of HLVid-Mini the name of the set, whose parquet bytes differ between machines."""
    if run.benchmark == MINI:
        root = run.dataset.get("root")
        return root.rstrip("/\\").replace("\\", "/").rpartition("/")[2] if isinstance(root, str) else None
    revision = run.dataset.get("revision")
    return revision if isinstance(revision, str) else None


def _model(config: Row, environment: Row) -> dict[str, Any]:
    engine = config.get("model")
    if engine in OURS:
        return {"name": engine, "openness": "open_source", "revision": _our_revision(environment)}
    arguments = _arguments(config.get("model_args"))
    name = arguments.get("pretrained") or arguments.get("model") or engine
    if isinstance(name, str) and name.startswith(("/", "~", ".")):
        name = name.rstrip("/").rpartition("/")[2]  # a folder of somebody's machine says nothing to others
    return {"name": name, "revision": arguments.get("revision")}


def _settings(run: Run) -> dict[str, Any]:
    """What the model saw: the most frames and pixels of any answer, the mean ratio."""
    text, _ = read_text(run.samples, JSONL_BYTES)
    rows = [row for _, row in read_objects(run.samples.name, text, nan=True) if isinstance(row, dict)]
    details = [mapping(row.get("details")) for row in rows]
    ratios = _values(details, "ratio_of_valid")
    decoders = [one["decoder"] for one in details if isinstance(one.get("decoder"), str)]
    selectors = [mapping(one.get("selector")).get("name") for one in details]
    return {
        "frames": max(_values(details, "frames"), default=None),
        "resolution": max(
            (max(one["pixels"]) for one in details if are_numbers(one.get("pixels"))), default=None
        ),
        "selector": next((name for name in selectors if name is not None), None),
        "gazing_ratio": round(sum(ratios) / len(ratios), 4) if ratios else None,
        "decoder": decoders[0][:120] if decoders else None,
        "prompt_sha256": run.dataset.get("prompts"),
    }


def _values(details: Sequence[Row], name: str) -> list[float]:
    return [one[name] for one in details if are_numbers([one.get(name)])]


def _stated(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}


def _arguments(text: object) -> Mapping[str, Any]:
    """lmms-eval's "a=1,b=2", or the mapping it is in other versions."""
    if isinstance(text, str):
        return dict(part.split("=", 1) for part in text.split(",") if "=" in part)
    return mapping(text)


def _our_revision(environment: Mapping[str, Any]) -> str | None:
    commit = mapping(environment.get("git")).get("commit")
    version = environment.get("hlvid")
    return None if version is None else f"hlvid {version}" + (f" {str(commit)[:12]}" if commit else "")


def _items(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _hardware(environment: Mapping[str, Any]) -> str | None:
    gpus = [str(mapping(gpu).get("name")) for gpu in _items(environment.get("gpus"))]
    if gpus:
        return ", ".join(f"{gpus.count(name)} x {name}" for name in dict.fromkeys(gpus))[:120]
    return (
        f"{environment.get('cores')} cores of {environment['cpu']}"[:120] if environment.get("cpu") else None
    )


def _command(record: Mapping[str, Any]) -> str:
    """How to run it again, without the folders of the machine it ran on."""
    command = [str(part) for part in _items(record.get("command"))]
    kept, skip = [], False
    for part in command:
        if (
            not skip
            and part not in ("--output_path", "--log_samples")
            and not part.startswith("--output_path=")
        ):
            kept.append(part)
        skip = part == "--output_path"
    return f"Run again: {' '.join(kept)}"[:2000] if kept else ""
