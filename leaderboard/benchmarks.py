"""The answer key that a submission is scored against: a benchmark's questions and the version they have.

Keys of the suite's benchmarks come from the adapters of their tasks: the same files, ids, wording. A key without all
answers, or of another version than a submission states, is refused: both would give a wrong score without a word.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from hlvid.benchmarks import registry
from hlvid.dataset import Question, dataset_revision, load
from hlvid.dataset.identity import set_hash
from hlvid.errors import DatasetError
from hlvid.scoring.table import MeanOf

MINI = "hlvid_mini"
MINI_SETS = ("mini-default-0", "mini-full-0", "mini-tiny-0")
_SETS = {one.board: one for one in registry.TASKS}
TITLES = {name: one.title for name, one in _SETS.items()}
MEANS = frozenset(name for name, one in _SETS.items() if one.mean)
"""Benchmarks whose number is the mean of their categories' accuracies, not the share of right answers."""
WITHHELD = {"egoschema": "https://egoschema.github.io"}
"""Benchmarks whose answers nobody but their authors has, with where those take submissions."""
SAME_QUESTIONS = {"videomme_w_subtitle": "videomme"}
"""Asked with more beside them: ids, options and answers are the other's, the prompts are not."""
QUESTIONS = {name: one.questions for name, one in _SETS.items()}  # as published, where known
SIZES = {"hlvid": QUESTIONS["hlvid"] or 0}  # of reported numbers that are known to be about all of them
_TASKS = {task: name for name, one in _SETS.items() for task in (name, one.name, *one.aliases)}

_MINI_NAME = re.compile(r"mini-([a-z]{1,20})-(\d{1,9})")
_REVISION = re.compile(r"(?:(?P<name>[\w.-]+)@)?(?P<hash>(?:sha256:)?[0-9a-f]{64})|(?P<alone>[\w.-]+)")


def mean_of(benchmark: str) -> MeanOf:
    """What a benchmark's number is the mean of: its questions or its categories."""
    return "categories" if benchmark in MEANS else "questions"


def fetched_as(benchmark: str) -> str | None:
    """What `hlvid data prepare` calls the set whose question files are a key; None where nothing is fetched."""
    if benchmark in (MINI, *WITHHELD):
        return None
    return _SETS[SAME_QUESTIONS.get(benchmark, benchmark)].name


@dataclass(frozen=True)
class AnswerKey:
    """All questions of one version of a benchmark, each with its answer.

    `revision` is what a new submission states. `hashes` are all SHA-256 that name this version: over the
    content (the same for parquet, csv or jsonl) and over the question file's bytes. `worded`: the prompts are those
    that the task asks by default; where they depend on what lies beside the questions (subtitles), they are not.
    """

    benchmark: str
    revision: str
    questions: tuple[Question, ...]
    hashes: frozenset[str]
    worded: bool = True

    @property
    def title(self) -> str:
        """For people: "HLVid", "HLVid-Mini (full, seed 0)"."""
        name = _MINI_NAME.match(self.revision) if self.benchmark == MINI else None
        other = name is not None and name[0] != MINI_SETS[0]
        return TITLES[self.benchmark] + (f" ({name[1]}, seed {name[2]})" if name and other else "")

    def question(self, name: str) -> Question | None:
        """The question of this id, or None."""
        return self._by_id.get(name)

    @cached_property
    def _by_id(self) -> dict[str, Question]:
        return {one.id: one for one in self.questions}

    def matches(self, stated: str | None) -> bool:
        """Whether a submission that states this revision (or none) was made with these questions."""
        if stated is None:
            return True
        match = _REVISION.fullmatch(stated.strip())
        if match is None:
            return False
        if match["alone"] is not None:
            return match["alone"] == self.revision.partition("@")[0]
        named = match["name"] in (None, self.revision.partition("@")[0])
        return named and match["hash"].removeprefix("sha256:") in self.hashes


class Keys:
    """Answer keys by benchmark and version, each read once; `given` ones are used as they are."""

    def __init__(self, given: Iterable[AnswerKey] = ()) -> None:
        self._known = {(key.benchmark, key.revision.partition("@")[0]): key for key in given}

    def get(self, benchmark: str, revision: str | None = None) -> AnswerKey:
        """The key for what a submission states; raises DatasetError as `answer_key` does."""
        name = mini_set(revision) if benchmark == MINI else ""
        for (one, version), key in self._known.items():
            if one == benchmark and (benchmark != MINI or version == name):
                return key
        key = answer_key(benchmark, revision)
        self._known[benchmark, key.revision.partition("@")[0]] = key
        return key


def answer_key(benchmark: str, revision: str | None = None) -> AnswerKey:
    """The questions and answers of a benchmark.

    Args:
        benchmark: one of `leaderboard.format.schema.Benchmark`.
        revision: what the submission states; of HLVid-Mini it chooses preset and seed.

    Raises:
        DatasetError: not on this machine (with the command that fetches it), or answers are withheld.
    """
    if benchmark == MINI:
        name = mini_set(revision)
        questions = _mini_questions(name)
        content = set_hash(questions)
        return AnswerKey(benchmark, f"{name}@{content}", questions, _bare(content))
    if benchmark in WITHHELD:
        raise DatasetError(
            f"{benchmark}: its authors withhold the answers and score submissions themselves: {WITHHELD[benchmark]}; "
            "what they answer is 'reported' here, in a folder without predictions"
        )
    if benchmark != "hlvid":
        questions = _suite_questions(SAME_QUESTIONS.get(benchmark, benchmark))
        content = set_hash(questions)
        worded = benchmark not in SAME_QUESTIONS
        return AnswerKey(benchmark, content, questions, _bare(content), worded)
    questions = tuple(load("hlvid"))
    secret = next((one.id for one in questions if one.answer is None), None)
    if secret is not None:
        raise DatasetError(f"hlvid: question {secret}: its answer is withheld; scoring needs all answers")
    file = dataset_revision("hlvid")
    return AnswerKey(benchmark, file, questions, _bare(file, set_hash(questions)))


def benchmark_of(task: str) -> str | None:
    """The board's name of an lmms-eval task: "hlvid_nextqa_mc", "nextqa_mc_test" -> "nextqa_mc"."""
    return _TASKS.get(task) or _TASKS.get(task.removeprefix("hlvid_"))


def task_names() -> frozenset[str]:
    """Every task that `benchmark_of` knows."""
    return frozenset(_TASKS)


def mini_set(revision: str | None) -> str:
    """Which HLVid-Mini a stated revision means: "mini-full-0@sha256:…" -> "mini-full-0"; None: the default.

    Only the sets in `MINI_SETS` are on the board: with seeds of their own, no two runs could be compared.
    """
    if revision is None:
        return MINI_SETS[0]
    name = revision.strip().partition("@")[0]
    if name not in MINI_SETS:
        raise DatasetError(f"dataset_revision is {revision!r:.120}; allowed: {', '.join(MINI_SETS)}")
    return name


def mini_revision(content: str) -> str:
    """The revision of the HLVid-Mini set with this `set_hash`; an unknown one is given back as it is."""
    keys = (answer_key(MINI, name) for name in MINI_SETS)
    return next((key.revision for key in keys if key.revision.endswith(f"@{content}")), content)


def _bare(*hashes: str) -> frozenset[str]:
    return frozenset(one.removeprefix("sha256:") for one in hashes)


def _suite_questions(benchmark: str) -> tuple[Question, ...]:
    """What the benchmark's task asks, in its order."""
    from hlvid.tasks.suite.prepare import asked

    return tuple(asked(_SETS[benchmark].name))


def _mini_questions(name: str) -> tuple[Question, ...]:
    """HLVid-Mini's questions from its plan, which decides them before any pixel is drawn."""
    from hlvid.mini.manifest import question_text
    from hlvid.mini.plan import plan

    match = _MINI_NAME.fullmatch(name)
    assert match is not None  # one of MINI_SETS
    return tuple(
        Question(
            id=asked.id,
            video=video.name,
            source=video.clip.recording,
            category=video.clip.category,
            text=question_text(asked),
            stem=asked.stem,
            options=asked.options,
            answer=asked.answer,
            tier=asked.tier,
        )
        for video in plan(match[1], int(match[2]))
        for asked in video.questions
    )
