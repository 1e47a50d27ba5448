"""Run with: pytest tests/hlvid/tasks/suite/test_end_to_end.py. Every task through lmms-eval with `blind`.

One import of lmms-eval for all; the repositories are the small ones of conftest.py.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hlvid.benchmarks import registry
from hlvid.benchmarks.adapters import ADAPTERS
from hlvid.errors import RunError
from hlvid.tasks import command
from leaderboard.format.faults import SubmissionError
from leaderboard.submit.packing import prepare

# With `blind strategy=longest`: which letters, and how many are right.
EXPECTED = {
    "hlvid_videomme": ("BBBB", 2),
    "hlvid_videomme_w_subtitle": ("BBBB", 2),
    "hlvid_mvbench": ("DDDDBDDDDDDDADDDDDDDA", 19),
    "hlvid_nextqa_mc": ("CCC", 1),
    "hlvid_longvideobench_val": ("AAA", 0),
    "hlvid_egoschema": ("CC", None),
    "hlvid_egoschema_subset": ("C", 0),
    "hlvid_mlvu_dev": ("ADA", 0),
    "hlvid_mlvu_test": ("BE", 0),
}


def evaluate(*arguments: str, task: str) -> dict[str, Any]:
    return command.run(
        ["--tasks", task, "--model", "blind", "--output_path", "out", "--log_samples", *arguments]
    )


@pytest.mark.parametrize("task", ADAPTERS)
def test_a_task_runs_offline(task: str, make_bench: Callable[..., Any]) -> None:
    make_bench(registry.get(task).name)
    results = evaluate("--model_args", "strategy=longest", task=task)
    samples, numbers = results["samples"][task], results["results"][task]
    letters, right = EXPECTED[task]
    assert "".join(sample["parsed"] for sample in samples) == letters
    for sample in samples:
        assert {"question_id", "video", "source", "category", "tier", "raw_output", "how"} <= sample.keys()
        assert sample["details"] == {"frames": 0, "tokens_selected": 0, "strategy": "longest"}
    if right is None:
        assert numbers["submission,none"] == len(letters)
        assert {sample["correct"] for sample in samples} == {None}
    else:
        assert numbers["accuracy,none"] == pytest.approx(right / len(letters))
        assert numbers["accuracy_low,none"] <= right / len(letters) <= numbers["accuracy_high,none"]
        assert "lmms_eval_score,none" not in numbers
    record = json.loads(Path(results["files"]["record"]).read_text())
    assert record["datasets"][task]["parser"] == "hlvid"
    assert record["datasets"][task]["repo"] == registry.get(task).repo
    assert (task in record["summaries"]) is (right is not None)
    if right is None:
        with pytest.raises(SubmissionError, match=r"withhold the answers .*https://egoschema\.github\.io"):
            submit()
    else:
        entry = submit()
        assert entry.summary.overall.value == pytest.approx(right / len(letters))
        assert entry.accuracy == pytest.approx(numbers.get("average,none", numbers["accuracy,none"]))
        assert entry.submission.dataset_revision.startswith("sha256:")


def submit() -> Any:
    """What `hlvid submit out` makes of the run; no video is needed for that, but where a test says so."""
    ready = prepare(Path("out"), Path("submission"), submissions=Path("none"))
    assert ready.entry.submission.model.name == "blind"
    return ready.entry


@pytest.mark.parametrize("task", ["hlvid_videomme_w_subtitle", "hlvid_mlvu_dev"])
def test_a_run_in_another_wording_is_scored_and_one_of_other_options_refused(
    task: str, make_bench: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = make_bench(registry.get(task).name)
    monkeypatch.setenv("HLVID_PROMPT", "lmms_eval")
    evaluate(task=task)
    for video in bench.root.rglob("*.mp4"):
        video.unlink()  # whoever scores has no videos
    assert submit().submission.benchmark == task.removeprefix("hlvid_")
    (table,) = registry.get(task).tables[task]
    (path,) = bench.root.glob(table)
    rows = bench.rows(str(path.relative_to(bench.root)))
    for row in rows:
        if "options" in row:
            row["options"] = ["A. Apples.", "B. A man.", "C. Candles and berries.", "D. None."]
        else:
            row["question"] = row["question"].replace("Yellow", "Ochre").replace("A dog", "A hen")
            row["candidates"] = [
                text.replace("Yellow", "Ochre").replace("A dog", "A hen") for text in row["candidates"]
            ]
    bench.write(str(path.relative_to(bench.root)), rows)
    with pytest.raises(SubmissionError, match="does not ask question"):
        submit()


def test_averages_count_categories_not_questions(make_bench: Callable[..., Any]) -> None:
    make_bench("mvbench")
    always = ["--model_args", "strategy=most_common,letter=C"]
    numbers = evaluate(*always, task="hlvid_mvbench")["results"]["hlvid_mvbench"]
    assert numbers["accuracy,none"] == pytest.approx(2 / 21)
    assert numbers["average,none"] == pytest.approx((1 / 2 + 1) / 20)  # one ability by half, one whole
    assert numbers["average_low,none"] < 1.5 / 20 < numbers["average_high,none"]


def test_a_limit_takes_some_of_every_ability(make_bench: Callable[..., Any]) -> None:
    make_bench("mvbench")
    samples = evaluate("--limit", "20", task="hlvid_mvbench")["samples"]["hlvid_mvbench"]
    assert {sample["category"] for sample in samples} == set(registry.ABILITIES)


def test_the_submission_is_what_egoschema_takes(make_bench: Callable[..., Any]) -> None:
    make_bench("egoschema")
    evaluate("--model_args", "strategy=most_common,letter=E", task="hlvid_egoschema")
    (file,) = Path("out/submissions").glob("egoschema_partial_2_of_5031_*.json")
    assert json.loads(file.read_text()) == {"0074f737-11cb": 4, "00b9a0de-c59e": 4}
    assert file.with_suffix(".csv").read_text() == "q_uid,answer\n0074f737-11cb,4\n00b9a0de-c59e,4\n"


def test_their_parser_gives_their_number(
    make_bench: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    make_bench("mvbench")
    monkeypatch.setenv("HLVID_PARSER", "lmms_eval")
    results = evaluate("--model_args", "strategy=most_common,letter=C", task="hlvid_mvbench")
    assert results["results"]["hlvid_mvbench"]["lmms_eval_score,none"] == pytest.approx(200 / 21)
    assert {sample["how"] for sample in results["samples"]["hlvid_mvbench"]} == {"lmms_eval"}
    assert "lmms_eval_parser" in results["configs"]["hlvid_mvbench"]["dataset_path"]
    record = json.loads(Path(results["files"]["record"]).read_text())
    assert record["datasets"]["hlvid_mvbench"]["parser"] == "lmms_eval"
    assert record["variables"] == {"HLVID_PARSER": "lmms_eval"}


def test_another_parser_asks_nothing_again(
    make_bench: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    make_bench("nextqa")
    evaluate(task="hlvid_nextqa_mc")
    journals = {path: path.read_bytes() for path in (tmp_path / "runs").rglob("*.jsonl")}
    monkeypatch.setenv("HLVID_PARSER", "lmms_eval")
    evaluate(task="hlvid_nextqa_mc")
    assert journals
    assert {path: path.read_bytes() for path in (tmp_path / "runs").rglob("*.jsonl")} == journals


def test_a_missing_video_stops_the_run_at_its_start(make_bench: Callable[..., Any]) -> None:
    (make_bench("nextqa").root / "NExTVideo" / "4136485862.mp4").unlink()
    text = r"task hlvid_nextqa_mc: 1 of its videos not found: NExTVideo/4136485862.mp4 .*hlvid data prepare nextqa"
    with pytest.raises(RunError, match=text):
        evaluate(task="hlvid_nextqa_mc")


def test_the_group_has_table_1s_columns(make_bench: Callable[..., Any], shared: Path) -> None:
    import yaml

    from hlvid.tasks import plugin

    group = yaml.safe_load((plugin.FOLDER / "suite" / "hlvid_paper.yaml").read_text())
    columns = json.loads((shared / "reference" / "paper.json").read_text())["table1"]["rows"][0]["accuracy"]
    endings = {"_test": "", "_m_avg": "_dev"}
    names = [f"hlvid_{name}" for name in columns]
    for old, new in endings.items():
        names = [name.replace(old, new) if name.endswith(old) else name for name in names]
    assert group["task"] == [name.replace("hlvid_hlvid", "hlvid") for name in names]


def test_the_whole_table_in_one_run(home: Path, make_bench: Callable[..., Any]) -> None:
    """All eight columns; two tasks of the same question ids keep their costs apart."""
    for benchmark in registry.BENCHMARKS:
        if benchmark.name not in ("hlvid", "mlvu_test"):
            make_bench(benchmark.name)
    results = evaluate(task="hlvid_paper")
    group = [
        "hlvid",
        *(task for task in ADAPTERS if task not in ("hlvid_egoschema_subset", "hlvid_mlvu_test")),
    ]
    assert set(results["samples"]) == set(group)
    for task in group:
        assert all(sample["details"]["strategy"] == "hash" for sample in results["samples"][task])
    assert "average,none" in results["results"]["hlvid_mlvu_dev"]
    record = json.loads(Path(results["files"]["record"]).read_text())
    assert set(record["summaries"]) == set(group) - {"hlvid_egoschema"}


def test_the_table_stops_at_the_first_benchmark_that_is_not_here(home: Path) -> None:
    with pytest.raises(RunError, match=r"is not on this machine .*run 'hlvid data prepare"):
        evaluate(task="hlvid_paper")
