"""Which row reads which task, and what else sets the task apart."""

from dataclasses import dataclass

from hlvid.benchmarks import registry
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


def _adapter(name: str, row: type[Row]) -> Adapter:
    """As the table of benchmarks says."""
    task = registry.task(name)
    metrics = ("submission", "unparsed") if task.hidden else AVERAGED if task.mean else SCORED
    return Adapter(row, metrics, task.hidden)


ROWS: dict[str, type[Row]] = {
    "hlvid_videomme": VideoMME,
    "hlvid_videomme_w_subtitle": VideoMMEWithSubtitles,
    "hlvid_mvbench": MVBench,
    "hlvid_nextqa_mc": NextQA,
    "hlvid_longvideobench_val": LongVideoBench,
    "hlvid_egoschema": EgoSchemaHidden,
    "hlvid_egoschema_subset": EgoSchema,
    "hlvid_mlvu_dev": MLVU,
    "hlvid_mlvu_test": MLVU,
}
ADAPTERS = {name: _adapter(name, row) for name, row in ROWS.items()}
