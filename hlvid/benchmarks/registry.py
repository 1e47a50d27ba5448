"""The table of benchmarks: what each is called, where it comes from, which tasks ask about it, how it is scored.

>>> get("videomme").repo
'lmms-eval/Video-MME'
>>> get("hlvid_mvbench").name        # a task's name finds its benchmark
'mvbench'

Everything that lists benchmarks, here and in the other packages, takes them from this table. Repositories,
revisions and splits are those of lmms-eval's own tasks, so that a machine set up for it has the data already.
Counts and sizes are the published ones, None where nobody has counted; they are shown and decide nothing.
"""

from dataclasses import dataclass

from hlvid.errors import DatasetError


@dataclass(frozen=True)
class Task:
    """One set of questions, asked by one lmms-eval task of ours.

    Attributes:
        name: of the task, "hlvid_videomme"; without "hlvid_" it names the set on the leaderboard.
        title: for people; `column` for a table's head.
        tables: its question files in the repository, as patterns; each must match.
        questions: how many, as published.
        mean: whether its number is the mean of its categories' accuracies, not the share of right answers.
        hidden: whether its answers are kept secret.
        split: of the repository, as lmms-eval names it; `aliases` are lmms-eval's tasks with the same questions.
    """

    name: str
    title: str
    column: str
    tables: tuple[str, ...]
    questions: int | None = None
    mean: bool = False
    hidden: bool = False
    split: str = "test"
    aliases: tuple[str, ...] = ()

    @property
    def board(self) -> str:
        """Its name on the leaderboard: "videomme"; HLVid and HLVid-Mini keep theirs."""
        return self.name if self.name in ("hlvid", "hlvid_mini") else self.name.removeprefix("hlvid_")

    @property
    def metrics(self) -> tuple[str, ...]:
        """What its task reports, as its YAML file lists it."""
        if self.hidden:
            return "submission", "unparsed"
        mean = ("average", "average_low", "average_high") if self.mean else ()
        return *mean, "accuracy", "accuracy_low", "accuracy_high", "unparsed"


@dataclass(frozen=True)
class Benchmark:
    """One repository of questions and videos.

    Attributes:
        name: also the folder below a data root.
        repo, revision: of the hub. `former` are names under which older caches hold the same repository.
        unpacked: the folder below $HF_HOME where lmms-eval unpacks it.
        sets: its tasks.
        archives: patterns of zip and tar files with videos; empty where the videos lie loose.
        clusters: which questions are drawn together when an interval is made.
        companions: files of its authors that belong to it and are not in the repository: path -> where they publish it.
        gigabytes: all archives together.
        gated: the terms must be accepted on the hub first.
        questions_sha256: of the question file at `revision`, as third parties report it.
    """

    name: str
    repo: str
    unpacked: str
    sets: tuple[Task, ...]
    archives: tuple[str, ...]
    clusters: str
    revision: str = "main"
    former: tuple[str, ...] = ()
    companions: tuple[tuple[str, str], ...] = ()
    gigabytes: float | None = None
    gated: bool = False
    questions_sha256: str | None = None

    @property
    def tasks(self) -> tuple[str, ...]:
        """Our lmms-eval tasks that ask about it."""
        return tuple(one.name for one in self.sets)

    @property
    def tables(self) -> dict[str, tuple[str, ...]]:
        """The question files of each task."""
        return {one.name: one.tables for one in self.sets}


ABILITIES = {
    "action_antonym": "ssv2_video_mp4", "action_count": "perception/videos",
    "action_localization": "sta/sta_video_segment", "action_prediction": "star/Charades_segment",
    "action_sequence": "star/Charades_segment", "character_order": "perception/videos",
    "counterfactual_inference": "clevrer/video_validation", "egocentric_navigation": "vlnqa",
    "episodic_reasoning": "tvqa/video_fps3_hq_segment", "fine_grained_action": "Moments_in_Time_Raw/videos",
    "fine_grained_pose": "nturgbd_convert", "moving_attribute": "clevrer/video_validation",
    "moving_count": "clevrer/video_validation", "moving_direction": "clevrer/video_validation",
    "object_existence": "clevrer/video_validation", "object_interaction": "star/Charades_segment",
    "object_shuffle": "perception/videos", "scene_transition": "scene_qa/video",
    "state_change": "perception/videos", "unexpected_action": "FunQA_test/test",
}  # fmt: skip
"""MVBench's twenty, each with the folder that its videos lie in."""
_EGOSCHEMA_AUTHORS = "https://raw.githubusercontent.com/egoschema/EgoSchema/main/"
_VIDEOMME = ("videomme/test-*.parquet",)
_MVBENCH = tuple(f"json/{ability}.json" for ability in ABILITIES)

HLVID = Benchmark(
    name="hlvid",
    repo="bfshi/HLVid",
    revision="4956b601aec0bb9d455bb8f57552f78cbd3f0338",
    unpacked="hlvid",
    sets=(Task("hlvid", "HLVid", "HLVid", ("data/test*",), 268),),
    archives=("videos_part_*.tar",),
    clusters="the recording that a clip was cut from",
    gigabytes=152,
    questions_sha256="ed2a1a47603fd19f5d7fae0db4f9792369f5aff6548f35e0225c3b4bd35e112a",
)
MINI = Task("hlvid_mini", "HLVid-Mini", "HLVid-Mini", ())  # made here, see `hlvid.mini`

BENCHMARKS = (
    HLVID,
    Benchmark(
        name="videomme",
        repo="lmms-eval/Video-MME",
        former=("lmms-lab/Video-MME",),
        unpacked="videomme",
        sets=(
            Task("hlvid_videomme", "VideoMME", "VideoMME", _VIDEOMME, 2700),
            Task("hlvid_videomme_w_subtitle", "VideoMME with subtitles", "w. sub.", _VIDEOMME, 2700),
        ),
        archives=("videos_chunked_*.zip", "subtitle.zip"),
        clusters="the video",
        gigabytes=101,
    ),
    Benchmark(
        name="mvbench",
        repo="OpenGVLab/MVBench",
        revision="video",
        unpacked="mvbench_video",
        sets=(Task("hlvid_mvbench", "MVBench", "MVBench", _MVBENCH, 4000, mean=True, split="train"),),
        archives=(),
        clusters="the video that segments were cut from",
        gigabytes=17,
    ),
    Benchmark(
        name="nextqa",
        repo="lmms-eval/NExTQA",
        former=("lmms-lab/NExTQA",),
        unpacked="nextqa",
        sets=(
            Task("hlvid_nextqa_mc", "NExT-QA (multiple choice)", "NExT-QA", ("MC/test-*.parquet",), 8564,
                 aliases=("nextqa_mc_test",)),
        ),
        archives=("videos.zip",),
        clusters="the video",
        gigabytes=6.5,
    ),
    Benchmark(
        name="longvideobench",
        repo="longvideobench/LongVideoBench",
        unpacked="datasets/longvideobench",
        sets=(
            Task("hlvid_longvideobench_val", "LongVideoBench (val)", "LongVid.", ("validation-*.parquet",), 1337,
                 split="validation", aliases=("longvideobench_val_v",)),
        ),
        archives=("videos.tar.part.*",),
        clusters="the video",
        gigabytes=162,
        gated=True,
    ),
    Benchmark(
        name="egoschema",
        repo="lmms-eval/egoschema",
        former=("lmms-lab/egoschema",),
        unpacked="egoschema",
        sets=(
            Task("hlvid_egoschema", "EgoSchema", "EgoSch.", ("GENERATION/test-*.parquet",), 5031, hidden=True),
            Task("hlvid_egoschema_subset", "EgoSchema (subset)", "EgoSch. (sub.)", ("Subset/test-*.parquet",), 500),
        ),
        archives=("videos_chunked_*.zip",),
        clusters="the Ego4D recording that a clip was cut from",
        companions=(("uid_to_ego4d.json", _EGOSCHEMA_AUTHORS + "uid_to_ego4d.json"),),
        gigabytes=106,
    ),
    Benchmark(
        name="mlvu_dev",
        repo="sy1998/MLVU_dev",
        unpacked="mlvu",
        sets=(Task("hlvid_mlvu_dev", "MLVU (dev, M-avg)", "MLVU", ("mlvu/test-*.parquet",), 2174, mean=True),),
        archives=("*.zip",),
        clusters="the video",
    ),
    Benchmark(
        name="mlvu_test",
        repo="sy1998/MLVU_Test",
        unpacked="mlvu_test",
        sets=(
            Task("hlvid_mlvu_test", "MLVU (test, M-avg)", "MLVU (test)", ("mlvu_test/test-*.parquet",), 502, mean=True),
        ),
        archives=("*.zip",),
        clusters="the video",
        gigabytes=75,
    ),
)  # fmt: skip
TASKS = (HLVID.sets[0], MINI, *(one for benchmark in BENCHMARKS[1:] for one in benchmark.sets))
"""Every set of questions, HLVid-Mini among them."""


def get(name: str) -> Benchmark:
    """The benchmark of this name, or the one that a task of ours asks about.

    Raises:
        DatasetError: neither; the message lists the names.
    """
    for one in BENCHMARKS:
        if name == one.name or name in one.tasks:
            return one
    if name == MINI.name:
        raise DatasetError(f"{name} is made on this machine: hlvid mini")
    raise DatasetError(
        f"benchmark {name!r} is unknown; allowed: {', '.join(one.name for one in BENCHMARKS)}, or a task of theirs"
    )


def like(name: str) -> Task | None:
    """Our task for the questions of one of lmms-eval's: "mvbench_action_sequence" -> hlvid_mvbench; None without."""
    exact = (one for one in TASKS if name in (one.board, *one.aliases))
    same = (one for one in TASKS if name.split("_")[0] == one.board.split("_")[0])
    return next(exact, None) or next(same, None)


def task(name: str) -> Task:
    """A set of questions by our task's name, its name on the leaderboard, or lmms-eval's name for it.

    Raises:
        DatasetError: none of these; the message lists the names.
    """
    for one in TASKS:
        if name in (one.name, one.board, *one.aliases):
            return one
    raise DatasetError(f"{name!r} is no set of questions; allowed: {', '.join(one.board for one in TASKS)}")
