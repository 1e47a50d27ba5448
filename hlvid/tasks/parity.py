"""lmms-eval's own tasks, asked as they are: their prompt, their parser, their number.

Nothing is copied: the functions of the installed lmms-eval run on the row as the hub has it, so `parser=lmms_eval`
means that version's parser. Where theirs guesses (an unreadable answer becomes a random letter) its numbers
differ from run to run, here as there. What is wrong with them stands in docs/tasks.md.
"""

import importlib
import json
import os
import random
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest import mock

from hlvid.dataset.text import LETTERS
from hlvid.scoring.answers import Parsed
from hlvid.tasks.arguments import model_name

NAME = "lmms_eval"
METRIC = "lmms_eval_score"
THINKING = [
    ["<think>", "</think>"],
    ["<analysis>", "</analysis>"],
]  # what its --reasoning_tags takes away by default

Values = Mapping[str, Any]


@dataclass(frozen=True)
class Judgement:
    """What their parser took an answer for, and what their `process_results` returned for its metric."""

    parsed: Parsed
    result: Any


@dataclass(frozen=True)
class Task:
    """Names inside `lmms_eval.tasks.<folder>.utils`; `letter` gets (module, row, output, result)."""

    folder: str
    yaml: str
    text: str
    process: str
    metric: str
    aggregate: str | None
    letter: Callable[[ModuleType, Values, str, Any], str | None]


def prompt(task: str, row: Values, video: Path) -> str:
    """The text that lmms-eval's own task asks this run's model about a row: with the model's own entry of its YAML."""
    theirs = TASKS[task]
    module = _module(theirs.folder)
    if theirs.folder == "videomme":  # finds subtitles below a folder fixed at import
        module.base_cache_dir = str(video.parent.parent.parent)  # type: ignore[attr-defined]
        module.cache_name = video.parent.parent.name  # type: ignore[attr-defined]
    return str(getattr(module, theirs.text)(dict(row), _keywords(theirs)))


def generation(task: str) -> dict[str, Any] | None:
    """The generation settings of lmms-eval's own task for this run's model; None: it states none."""
    stated = _yaml(TASKS[task])
    own = _entry(stated.get("model_specific_generation_kwargs") or {})
    settings = stated.get("generation_kwargs")
    return None if settings is None and not own else {**(settings or {}), **own}


def judge(doc: Mapping[str, Any], output: str) -> Judgement:
    """What lmms-eval's own task makes of an output; `doc` carries the hub's row as JSON."""
    theirs = TASKS[doc["task"]]
    from lmms_eval.api.reasoning import strip_reasoning_tags

    module, row = _module(theirs.folder), json.loads(doc["row"])
    output = strip_reasoning_tags(output, THINKING)
    before = random.getstate()
    result = getattr(module, theirs.process)(row, [output])[theirs.metric]
    after = random.getstate()
    random.setstate(before)  # a parser that draws letters draws the same again
    letter = theirs.letter(module, row, output, result)
    random.setstate(after)
    return Judgement(Parsed(letter if letter in json.loads(doc["options"]) else None, NAME), result)


def aggregate(rows: Sequence[Sequence[Any]]) -> float:
    """Their number for [task, result] pairs of one task."""
    theirs = TASKS[rows[0][0]]
    results = [result for _, result in rows]
    if theirs.aggregate is None:
        return sum(map(float, results)) / len(results)
    function = getattr(_module(theirs.folder), theirs.aggregate)
    return float(function(results, None) if theirs.folder == "egoschema" else function(results))


def _stated(module: ModuleType, row: Values, output: str, result: Any) -> str | None:
    return str(result.get("pred_answer") or result.get("parsed_pred") or "") or None


def _by_index(module: ModuleType, row: Values, output: str, result: Any) -> str | None:
    index = result["pred"] if "pred" in result else next(iter(result.values()))
    return LETTERS[index] if index >= 0 else None


def _mvbench(module: ModuleType, row: Values, output: str, result: Any) -> str | None:
    """It keeps the letter to itself: the one that it would have called right."""
    letters = LETTERS[: len(row["candidates"])]
    return next((letter for letter in letters if output and module.mcq_acc(letter, output)), None)


def _nextqa(module: ModuleType, row: Values, output: str, result: Any) -> str | None:
    texts, letters = module.get_multi_choice_info(row)
    return str(module.parse_multi_choice_response(output, letters, texts))


def _videomme(yaml: str, text: str) -> Task:
    score, total = "videomme_perception_score", "videomme_aggregate_results"
    return Task("videomme", yaml, text, "videomme_process_results", score, total, _stated)


def _mlvu(split: str) -> Task:
    score, total = "mlvu_percetion_score", f"mlvu_aggregate_results_{split}"
    return Task(
        "mlvu", f"mlvu_{split}.yaml", "mlvu_doc_to_text", "mlvu_process_results", score, total, _stated
    )


def _egoschema(yaml: str, score: str, total: str | None) -> Task:
    process = "egoschema_process_results_generation"
    return Task("egoschema", yaml, "egoschema_doc_to_text", process, score, total, _by_index)


TASKS = {
    "hlvid_videomme": _videomme("videomme.yaml", "videomme_doc_to_text"),
    "hlvid_videomme_w_subtitle": _videomme("videomme_w_subtitle.yaml", "videomme_doc_to_text_subtitle"),
    "hlvid_mvbench": Task(
        folder="mvbench",
        yaml="mvbench_action_count.yaml",  # the twenty differ in their folder of videos only
        text="mvbench_doc_to_text",
        process="mvbench_process_results",
        metric="mvbench_accuracy",
        aggregate="mvbench_aggregate_results",
        letter=_mvbench,
    ),
    "hlvid_nextqa_mc": Task(
        folder="nextqa",
        yaml="nextqa_mc_test.yaml",
        text="nextqa_doc_to_text_mc",
        process="nextqa_mc_process_results",
        metric="exact_match",
        aggregate=None,
        letter=_nextqa,
    ),
    "hlvid_longvideobench_val": Task(
        folder="longvideobench",
        yaml="longvideobench_val_v.yaml",
        text="longvideobench_doc_to_text",
        process="longvideobench_process_results",
        metric="lvb_acc",
        aggregate="longvideobench_aggregate_results",
        letter=_stated,
    ),
    "hlvid_egoschema": _egoschema("egoschema.yaml", "submission", None),
    "hlvid_egoschema_subset": _egoschema("egoschema_subset.yaml", "score", "egoschema_aggregate_score"),
    "hlvid_mlvu_dev": _mlvu("dev"),
    "hlvid_mlvu_test": _mlvu("test"),
}


def _keywords(task: Task) -> dict[str, Any]:
    """`lmms_eval_specific_kwargs` of their YAML file for this run's model, {} where it has none."""
    return _entry(_yaml(task).get("lmms_eval_specific_kwargs") or {})


def _entry(by_model: Mapping[str, Any]) -> dict[str, Any]:
    """The model's own entry, else the default one, as lmms-eval picks it."""
    return dict(by_model.get(model_name() or "") or by_model.get("default") or {})


@lru_cache
def _yaml(task: Task) -> dict[str, Any]:
    """Their YAML file and what it includes, without the functions that it names."""
    import yaml

    folder = Path(str(_module(task.folder).__file__)).parent
    found: dict[str, Any] = {}
    name = task.yaml
    while name:
        lines = (folder / name).read_text(encoding="utf-8").splitlines()
        stated = yaml.safe_load("\n".join(line for line in lines if "!function" not in line))
        name = str(stated.pop("include", ""))
        found = {**stated, **found}
    return found


@lru_cache
def _module(folder: str) -> ModuleType:
    with _importable():
        return importlib.import_module(f"lmms_eval.tasks.{folder}.utils")


@contextmanager
def _importable() -> Iterator[None]:
    """Their modules want HF_HOME set, download word lists and need decord, none of it for what we ask."""
    with ExitStack() as stack:
        home = os.environ.get("HF_HOME", "~/.cache/huggingface")
        stack.enter_context(mock.patch.dict(os.environ, {"HF_HOME": home}))
        if find_spec("decord") is None:
            sys.modules["decord"] = mock.MagicMock()
            stack.callback(sys.modules.pop, "decord")
        if find_spec("nltk") is not None:
            stack.enter_context(mock.patch("nltk.download"))
        yield
