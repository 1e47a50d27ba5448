"""Which row reads which task's question files."""

from hlvid.benchmarks.egoschema import EgoSchema, EgoSchemaHidden
from hlvid.benchmarks.longvideobench import LongVideoBench
from hlvid.benchmarks.mlvu import MLVU
from hlvid.benchmarks.mvbench import MVBench
from hlvid.benchmarks.nextqa import NextQA
from hlvid.benchmarks.rows import Row
from hlvid.benchmarks.videomme import VideoMME, VideoMMEWithSubtitles

ADAPTERS: dict[str, type[Row]] = {
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
