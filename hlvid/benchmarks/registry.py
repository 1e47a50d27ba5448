"""The benchmarks besides HLVid: repository, revision, question files, archives.

Example::

    get("videomme").repo        # "lmms-eval/Video-MME"
    get("hlvid_mvbench").name   # "mvbench": a task's name finds its benchmark

Repositories, revisions and splits are those of lmms-eval's own tasks, so that a machine set up for it has the
data already. Counts and sizes are what the hub's pages showed; `None` where nobody has counted. They are
shown to people and decide nothing.
"""

from dataclasses import dataclass

from hlvid.errors import DatasetError


@dataclass(frozen=True)
class Benchmark:
    """One repository of questions and videos.

    Attributes:
        name: also the folder below the data folder.
        repo, revision: of the hub. `former` are names under which older caches hold the same repository.
        unpacked: the folder below $HF_HOME where lmms-eval unpacks it.
        tables: for each task of ours, its question files in the repository, as patterns; each must match.
        archives: patterns of zip and tar files with videos; empty where the videos lie loose.
        gigabytes: all archives together.
        gated: the terms must be accepted on the hub first.
    """

    name: str
    repo: str
    unpacked: str
    tables: dict[str, tuple[str, ...]]
    archives: tuple[str, ...]
    revision: str = "main"
    former: tuple[str, ...] = ()
    gigabytes: float | None = None
    gated: bool = False

    @property
    def tasks(self) -> tuple[str, ...]:
        """Our lmms-eval tasks that ask about it."""
        return tuple(self.tables)


ABILITIES = (
    *("action_antonym", "action_count", "action_localization", "action_prediction", "action_sequence"),
    *("character_order", "counterfactual_inference", "egocentric_navigation", "episodic_reasoning"),
    *("fine_grained_action", "fine_grained_pose", "moving_attribute", "moving_count", "moving_direction"),
    *("object_existence", "object_interaction", "object_shuffle", "scene_transition", "state_change"),
    "unexpected_action",
)
_VIDEOMME = ("videomme/test-*.parquet",)

BENCHMARKS = (
    Benchmark(
        name="videomme",
        repo="lmms-eval/Video-MME",
        former=("lmms-lab/Video-MME",),
        unpacked="videomme",
        tables={"hlvid_videomme": _VIDEOMME, "hlvid_videomme_w_subtitle": _VIDEOMME},
        archives=("videos_chunked_*.zip", "subtitle.zip"),
        gigabytes=101,
    ),
    Benchmark(
        name="mvbench",
        repo="OpenGVLab/MVBench",
        revision="video",
        unpacked="mvbench_video",
        tables={"hlvid_mvbench": tuple(f"json/{ability}.json" for ability in ABILITIES)},
        archives=(),
        gigabytes=17,
    ),
    Benchmark(
        name="nextqa",
        repo="lmms-eval/NExTQA",
        former=("lmms-lab/NExTQA",),
        unpacked="nextqa",
        tables={"hlvid_nextqa_mc": ("MC/test-*.parquet",)},
        archives=("videos.zip",),
        gigabytes=6.5,
    ),
    Benchmark(
        name="longvideobench",
        repo="longvideobench/LongVideoBench",
        unpacked="datasets/longvideobench",
        tables={"hlvid_longvideobench_val": ("validation-*.parquet",)},
        archives=("videos.tar.part.*",),
        gigabytes=162,
        gated=True,
    ),
    Benchmark(
        name="egoschema",
        repo="lmms-eval/egoschema",
        former=("lmms-lab/egoschema",),
        unpacked="egoschema",
        tables={
            "hlvid_egoschema": ("GENERATION/test-*.parquet",),
            "hlvid_egoschema_subset": ("Subset/test-*.parquet",),
        },
        archives=("videos_chunked_*.zip",),
        gigabytes=106,
    ),
    Benchmark(
        name="mlvu_dev",
        repo="sy1998/MLVU_dev",
        unpacked="mlvu",
        tables={"hlvid_mlvu_dev": ("mlvu/test-*.parquet",)},
        archives=("*.zip",),
    ),
    Benchmark(
        name="mlvu_test",
        repo="sy1998/MLVU_Test",
        unpacked="mlvu_test",
        tables={"hlvid_mlvu_test": ("mlvu_test/test-*.parquet",)},
        archives=("*.zip",),
        gigabytes=75,
    ),
)


def get(name: str) -> Benchmark:
    """The benchmark of this name, or the one that a task of ours asks about.

    Raises:
        DatasetError: neither; the message lists the names.
    """
    for one in BENCHMARKS:
        if name == one.name or name in one.tasks:
            return one
    if name in ("hlvid", "hlvid_mini"):
        raise DatasetError(f"{name} has commands of its own: hlvid download, hlvid mini, hlvid verify")
    raise DatasetError(
        f"benchmark {name!r} is unknown; allowed: {', '.join(one.name for one in BENCHMARKS)}, or a task of theirs"
    )
