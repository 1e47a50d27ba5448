"""A second reader of the answers in which no rule found a letter: a model of the user's choice, counted apart.

It is shown an answer's text (thinking taken away) and the options, never the question or the video: it cannot answer
in the model's stead. Nothing of the run changes; what it said lies beside the samples in `second_reader.json`, and is
not asked again for the same text by the same reader.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from evaluators.models.openai.budget import Budget
from evaluators.models.openai.calls import Caller
from evaluators.models.openai.pictures import asking
from evaluators.models.openai.replies import GaveUpError
from evaluators.models.openai.settings import ApiSettings
from evaluators.runs.spec import parse_model_args
from hlvid.errors import RunError
from hlvid.files import write_json
from hlvid.scoring.accuracy import Accuracy, accuracy_of
from hlvid.scoring.answers import parse_answer
from hlvid.scoring.answers.texts import clean
from hlvid.scoring.collapse import collapse
from hlvid.scoring.samples import Sample, find_samples, read_samples

FILE = "second_reader.json"
KEY = ("question_id", "repeat", "raw_output")
"""Fields by which what was said of a sample is found again."""
PROMPT = """\
Somebody was asked a multiple-choice question with these options:
{options}

Their whole reply, between the lines:
-----
{reply}
-----

Which option does the reply choose? Do not answer the question yourself. Say only the option's letter, or NONE if the
reply chooses none of them, or several."""


@dataclass(frozen=True)
class SecondReading:
    """`asked` answers had no letter and a text; in `read` of these the reader found one.

    `alone` is the run's accuracy as it is, `apart` what it would be with the reader's letters.
    """

    reader: str
    asked: int
    read: int
    right: int
    alone: Accuracy
    apart: Accuracy
    path: Path


def reader_settings(arguments: str) -> ApiSettings:
    """Arguments of `openai_frames` without those of frames. Raises RunError as `ApiSettings.read`."""
    given = parse_model_args(arguments)
    if seen := {"frames", "resolution", "sampling", "fps", "send", "batch"} & set(given):
        raise RunError(
            f"--reader: {sorted(seen)[0]} is of frames, which the reader does not see; leave it out"
        )
    return ApiSettings.read({**given, "frames": 1, "resolution": 2})


def read_again(run: Path, api: ApiSettings, task: str | None = None) -> SecondReading:
    """Ask the reader about every answer without a letter, and score the run with and without what it found.

    Args:
        run: a run's folder or samples, as for `hlvid compare`.
        api: the reader; see `reader_settings`.
        task: which, where the run holds several.

    Raises:
        AnswerError: no samples, or samples without their options.
        RunError: the endpoint refuses, or some answers could not be asked about; all others are kept.
    """
    path = find_samples(run, task).with_name(FILE)
    samples = read_samples(run, task)
    silent = [one for one in samples if one.parsed is None and one.options and _shown(one)]
    reader = {name: value for name, value in api.shaping().items() if name not in ("frames", "resolution")}
    kept = _kept(path, reader)
    missing = [one for one in silent if _key(one) not in kept]

    def keep() -> None:
        said = [
            {**{name: getattr(one, name) for name in KEY}, **kept[_key(one)]}
            for one in silent
            if _key(one) in kept
        ]
        write_json(path, {"reader": reader, "prompt": PROMPT, "answers": said})

    keep()
    lost = _ask(missing, api, kept, keep)
    if lost:
        raise RunError(
            f"{len(lost)} of {len(missing)} answers could not be asked about, the others are kept in {path}; run the "
            f"same command again. First: {lost[0]}"
        )
    return _reading(api.model, samples, {_key(one): kept[_key(one)]["letter"] for one in silent}, path)


def _reading(
    reader: str, samples: Sequence[Sample], letters: Mapping[str, str | None], path: Path
) -> SecondReading:
    after = [
        replace(one, parsed=letter, correct=letter == one.answer)
        if (letter := letters.get(_key(one))) is not None
        else one
        for one in samples
    ]
    alone, apart = (accuracy_of(collapse(one.to_row() for one in side)) for side in (samples, after))
    found = [one for one, letter in zip(after, map(letters.get, map(_key, after)), strict=True) if letter]
    return SecondReading(
        reader, len(letters), len(found), sum(one.correct for one in found), alone, apart, path
    )


def _ask(
    missing: Sequence[Sample], api: ApiSettings, kept: dict[str, dict[str, Any]], keep: Callable[[], None]
) -> list[str]:
    """Fills `kept`, which `keep` writes to disk after every answer; returns why some could not be asked about."""
    if not missing:
        return []
    caller = Caller(api, Budget(api.price_in, api.price_out, api.max_cost, api.max_tokens_total))
    lost = []
    with ThreadPoolExecutor(api.concurrency) as pool:
        futures: dict[Future[dict[str, Any]], Sample] = {
            pool.submit(_one, caller, one): one for one in missing
        }
        try:
            for future in as_completed(futures):
                one = futures[future]
                try:
                    kept[_key(one)] = future.result()
                    keep()
                except GaveUpError as error:
                    lost.append(f"question {one.question_id}: {error}")
        except BaseException:
            caller.stopped.set()
            pool.shutdown(wait=True, cancel_futures=True)
            raise
    return lost


def _one(caller: Caller, sample: Sample) -> dict[str, Any]:
    options = "\n".join(f"{letter}. {text}" for letter, text in sample.options.items())
    prompt = PROMPT.format(options=options, reply=_shown(sample))
    reply, _ = caller.ask(asking(caller.settings, [{"type": "text", "text": prompt}], {}, {}))
    return {
        "said": reply.text,
        "letter": parse_answer(reply.text, sample.options).letter,
        "outcome": reply.outcome,
        "served_by": reply.served_by,
    }


def _shown(sample: Sample) -> str:
    return clean(sample.raw_output)[0]


def _key(sample: Sample) -> str:
    return json.dumps([getattr(sample, name) for name in KEY])


def _kept(path: Path, reader: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """What this reader said earlier; another reader's file is made anew."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        if data["reader"] != reader or data["prompt"] != PROMPT:
            return {}
        return {json.dumps([one.pop(name) for name in KEY]): one for one in data["answers"]}
    except (OSError, ValueError, KeyError, TypeError):
        return {}
