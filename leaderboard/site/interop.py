"""Results in two formats of others: the hub's `.eval_results/*.yaml` and the every_eval_ever schema.

Example::

    hub_yaml(entry, url)                      # for a pull request to the model's repository on the hub
    every_eval_ever(entry, section, built)    # one JSON object, schema version 0.3.0

The hub lists a result only if the dataset is a registered benchmark there; HLVid-Mini is on no hub, so there is
none for it. Both carry the interval: in the hub's format, which has no field for it, in `notes`.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import yaml

from hlvid import __version__
from hlvid.scoring.accuracy import Accuracy, Interval
from leaderboard.board import Entry, Section
from leaderboard.format.schema import Submission
from leaderboard.site.identity import model_page, settings_text

HUB = {
    "hlvid": ("bfshi/HLVid", "test"),
    "videomme": ("lmms-lab/Video-MME", "test"),
    "videomme_w_subtitle": ("lmms-lab/Video-MME", "test"),
    "mvbench": ("OpenGVLab/MVBench", "train"),
    "nextqa_mc": ("lmms-lab/NExTQA", "test"),
    "longvideobench_val": ("longvideobench/LongVideoBench", "validation"),
    "egoschema": ("lmms-lab/egoschema", "test"),
    "egoschema_subset": ("lmms-lab/egoschema", "test"),
    "mlvu_dev": ("sy1998/MLVU_dev", "test"),
    "mlvu_test": ("sy1998/MLVU_Test", "test"),
}  # benchmark -> dataset and split, as in lmms-eval's tasks
SCHEMA_VERSION = "0.3.0"

_ARXIV = re.compile(r"arXiv[: ]\s*(\d{4}\.\d{4,5}(?:v\d+)?)")


def hub_yaml(entry: Entry, url: str | None = None) -> str | None:
    """The content of `.eval_results/hlvid.yaml` (accuracy in %), or None where the hub has no such dataset.

    Args:
        entry: reported or scored.
        url: the site's address, to link what stands behind a scored number.
    """
    if entry.benchmark not in HUB:
        return None
    result: dict[str, Any] = {
        "dataset": {"id": HUB[entry.benchmark][0], "task_id": "default"},
        "value": round(100 * entry.accuracy, 2),
    }
    link, name = _source(entry.submission, url and url + model_page(entry))
    if link:
        result["source"] = {"url": link, "name": name}
    result["notes"] = _notes(entry)
    return str(yaml.safe_dump([result], sort_keys=False, allow_unicode=True, width=100))


def every_eval_ever(
    entry: Entry, section: Section, built: datetime, url: str | None = None
) -> dict[str, Any]:
    """One entry in the schema of evaleval/every_eval_ever; each group (category, tier) is a result of its own."""
    submission, seconds = entry.submission, str(int(built.timestamp()))
    model = submission.model
    return {
        "schema_version": SCHEMA_VERSION,
        "evaluation_id": f"{entry.benchmark}/{entry.name}/{seconds}",
        "retrieved_timestamp": seconds,
        "source_metadata": {
            "source_name": "HLVid leaderboard",
            "source_type": "evaluation_run" if entry.scored else "documentation",
            "source_organization_name": "hlvid",
            **({"source_organization_url": url} if url else {}),
            "evaluator_relationship": "other",  # a submission does not say whether its author made the model
            "additional_details": _stated(trust=entry.trust, contact=submission.contact),
        },
        "model_info": {
            "name": model.name,
            "id": model.name,
            "additional_details": _stated(
                deployment_type="unknown",
                model_availability="closed_weights" if model.openness == "closed" else "open_weights",
                revision=model.revision,
                openness=model.openness,
                parameters_billions=model.parameters_b,
            ),
        },
        "eval_library": {"name": "hlvid", "version": __version__},
        "evaluation_results": _results(entry, section),
    }


def _results(entry: Entry, section: Section) -> list[dict[str, Any]]:
    """Overall first, then the groups that have an interval of their own."""
    overall = _uncertainty(entry.interval, entry.summary.overall.n if entry.summary else None, entry.scored)
    found = [_result(section.title, entry, section, entry.accuracy, overall)]
    for kind, groups in _groups(entry).items():
        for name, accuracy in groups.items():
            known = _uncertainty(accuracy.clustered, accuracy.n, True)
            found.append(_result(f"{section.title}, {kind} {name}", entry, section, accuracy.value, known))
    return found


def _groups(entry: Entry) -> dict[str, Mapping[str, Accuracy]]:
    if entry.summary is None:
        return {}
    return {"category": entry.summary.by_category, "tier": entry.summary.by_tier}


def _result(
    name: str, entry: Entry, section: Section, score: float, uncertainty: dict[str, Any]
) -> dict[str, Any]:
    settings = entry.submission.settings.model_dump(mode="json")
    return {
        "evaluation_name": name,
        "source_data": _dataset(entry, section),
        "metric_config": {
            "evaluation_description": "Share of multiple-choice questions answered right; no letter is wrong.",
            "lower_is_better": False,
            "score_type": "continuous",
            "min_score": 0.0,
            "max_score": 1.0,
        },
        "score_details": {"score": score, **({"uncertainty": uncertainty} if uncertainty else {})},
        "generation_config": {"additional_details": _stated(**settings)},
    }


def _dataset(entry: Entry, section: Section) -> dict[str, Any]:
    details = {"additional_details": _stated(revision=section.revision)} if section.revision else {}
    if entry.benchmark not in HUB:
        return {"dataset_name": section.title, "source_type": "other", **details}
    repo, split = HUB[entry.benchmark]
    count = {"samples_number": len(section.questions)} if section.questions else {}
    return {
        "dataset_name": section.title,
        "source_type": "hf_dataset",
        "hf_repo": repo,
        "hf_split": split,
        **count,
        **details,
    }


def _uncertainty(interval: Interval | None, n: int | None, scored: bool) -> dict[str, Any]:
    if interval is None:
        return {}
    bounds = {
        "lower": interval.low,
        "upper": interval.high,
        "confidence_level": interval.level,
        "method": interval.method + ("" if scored else ", unclustered"),
    }
    return {"confidence_interval": bounds, **({} if n is None else {"num_samples": n})}


def _source(submission: Submission, page: str | None) -> tuple[str | None, str]:
    """Where a reader finds what stands behind the number."""
    if submission.reported is None:
        return page, "HLVid leaderboard"
    paper = _ARXIV.search(submission.reported.source)
    return (f"https://arxiv.org/abs/{paper[1]}" if paper else page), submission.reported.source


def _notes(entry: Entry) -> str:
    settings = settings_text(entry)
    if entry.interval is None:
        parts = ["no interval: n is not stated"]
    else:
        kind = "recordings resampled" if entry.scored else "Wilson, unclustered"
        parts = [f"95 % interval {100 * entry.interval.low:.1f} to {100 * entry.interval.high:.1f} ({kind})"]
    return "; ".join([entry.trust, *([settings] if settings else []), *parts])


def _stated(**values: object) -> dict[str, str]:
    """Texts of what is stated; the schema wants strings alone."""
    return {name: str(value) for name, value in values.items() if value is not None}
