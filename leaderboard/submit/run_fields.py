"""What a run's own records say about how its answers were made, as fields of `submission.toml`.

From lmms-eval's results file (model and arguments), our `record.json` (versions, hardware, prompts, command) and
the `details` that our models record for each answer. What is not recorded is left out, never assumed; what could
be private is left out, too (`public`).
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from leaderboard.benchmarks import MINI, mini_revision
from leaderboard.format.reading import read_objects, read_text
from leaderboard.submit import public
from leaderboard.submit.public import command
from leaderboard.submit.runs import Row, Run, are_numbers, mapping

NATIVE = ("blind", "gaze_reader")  # whose whole model is this project's code


def run_fields(run: Run) -> dict[str, Any]:
    """The fields of submission.toml that the run's records state; the texts are still unchecked."""
    environment = mapping(run.record.get("environment"))
    fields = {
        "benchmark": run.benchmark,
        "dataset_revision": _dataset_revision(run),
        "model": _stated(_model(mapping(run.results.get("config")), environment)),
        "settings": _stated(_settings(run)),
        "cost": _stated({"hardware": _hardware(environment)}),
        "notes": _notes(run.record),
    }
    return {name: value for name, value in fields.items() if value}


def _dataset_revision(run: Run) -> str | None:
    """The revision on record; of HLVid-Mini that of its set, found by its content: parquet bytes differ."""
    name = "set" if run.benchmark == MINI else "revision"
    revision = run.dataset.get(name)
    if not isinstance(revision, str):
        return None
    return mini_revision(revision) if run.benchmark == MINI else revision


def _model(config: Row, environment: Row) -> dict[str, Any]:
    engine = config.get("model")
    if engine in NATIVE:
        return {"name": engine, "openness": "open_source", "revision": _our_revision(environment)}
    arguments = _arguments(config.get("model_args"))
    named = [arguments.get(name) for name in ("pretrained", "model", "model_version")]
    name = next((one for one in named if one), engine)
    return {"name": public.model_name(name), "revision": public.revision(arguments.get("revision"))}


def _settings(run: Run) -> dict[str, Any]:
    """What the model saw: the most frames and pixels of any answer, the mean ratio."""
    text, _ = read_text(run.samples)
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
        "selector": public.plain(next((name for name in selectors if name is not None), None)),
        "gazing_ratio": round(sum(ratios) / len(ratios), 4) if ratios else None,
        "decoder": public.plain(decoders[0]) if decoders else None,
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
    git, version = mapping(environment.get("git")), public.revision(environment.get("hlvid"))
    commit = public.revision(git.get("commit"))
    dirty = " with uncommitted changes" if git.get("dirty") else ""
    return None if version is None else f"hlvid {version}" + (f" {commit[:12]}{dirty}" if commit else "")


def _items(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _hardware(environment: Mapping[str, Any]) -> str | None:
    gpus = [str(mapping(gpu).get("name")) for gpu in _items(environment.get("gpus"))]
    if gpus:
        return public.plain(", ".join(f"{gpus.count(name)} x {name}" for name in dict.fromkeys(gpus)))
    cpu = environment.get("cpu")
    return public.plain(re.sub(r"\s*@.*", "", f"{environment.get('cores')} cores of {cpu}")) if cpu else None


def _notes(record: Mapping[str, Any]) -> str:
    """How to run it again, without anything private; see `public`."""
    variables = mapping(record.get("variables"))
    shown = command([str(part) for part in _items(record.get("command"))], variables)
    return f"Run again: {shown}"[:2000] if shown else ""
