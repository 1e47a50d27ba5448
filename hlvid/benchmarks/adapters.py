"""Which row reads which task, and what else sets the task apart.

Example::

    ADAPTERS["hlvid_mlvu_dev"].row           # the class that reads a row of MLVU's file
    ADAPTERS["hlvid_egoschema"].hidden       # True: its answers are not public
"""

from dataclasses import dataclass

from hlvid.benchmarks.egoschema import EgoSchema, EgoSchemaHidden
from hlvid.benchmarks.longvideobench import LongVideoBench
from hlvid.benchmarks.mlvu import MLVU
from hlvid.benchmarks.mvbench import MVBench
from hlvid.benchmarks.nextqa import NextQA
from hlvid.benchmarks.rows import Row
from hlvid.benchmarks.videomme import VideoMME, VideoMMEWithSubtitles

SCORED = ("accuracy", "accuracy_low", "accuracy_high", "unparsed")
AVERAGED = ("average", "average_low", "average_high", *SCORED)


@dataclass(frozen=True)
class Adapter:
    """`metrics` are what the task's YAML lists; `hidden` where answers are not public."""

    row: type[Row]
    metrics: tuple[str, ...] = SCORED
    hidden: bool = False


ADAPTERS = {
    "hlvid_videomme": Adapter(VideoMME),
    "hlvid_videomme_w_subtitle": Adapter(VideoMMEWithSubtitles),
    "hlvid_mvbench": Adapter(MVBench, AVERAGED),
    "hlvid_nextqa_mc": Adapter(NextQA),
    "hlvid_longvideobench_val": Adapter(LongVideoBench),
    "hlvid_egoschema": Adapter(EgoSchemaHidden, ("submission", "unparsed"), hidden=True),
    "hlvid_egoschema_subset": Adapter(EgoSchema),
    "hlvid_mlvu_dev": Adapter(MLVU, AVERAGED),
    "hlvid_mlvu_test": Adapter(MLVU, AVERAGED),
}
