"""Which of several runs counts and what it is called: one row a configuration, the whole run before a limited one."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from analysis import figure
from analysis.figure import Made
from analysis.inputs import Inputs
from analysis.measured import measured, short_names

Write = Callable[..., Path]
READER = {"selector": "detail", "ratio": 0.1, "resolution": 896, "frames": 12}


def make(name: str, inputs: Inputs) -> Made:
    made: Made = figure.find(name).load().make(inputs)
    return made


def our_rows(made: Made) -> list[list[str]]:
    """The table's lines of ours, cell by cell."""
    lines = [line for line in made.texts[".md"].splitlines() if line.startswith("| ours:")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_every_configuration_has_its_row(inputs: Inputs, write_run: Write) -> None:
    nvila = {"pretrained": "/home/me/ckpt", "num_video_frames": 64, "max_tiles_video": 4}
    settings: list[tuple[str, dict[str, Any], int]] = [
        ("gaze_reader", READER, 0),
        ("gaze_reader", {**READER, "frames": 4}, 0),
        ("gaze_reader", {**READER, "resolution": 1792}, 0),
        ("gaze_reader", READER, 5),
        ("nvila_hd", nvila, 0),
        ("nvila_hd", {**nvila, "num_video_frames": 128}, 0),
        ("nvila_hd", {**nvila, "max_tiles_video": 8}, 0),
        ("nvila_hd", {**nvila, "pretrained": "/home/other/ckpt"}, 0),
        ("nvila_hd", {**nvila, "gazing": "off"}, 0),
        ("hlvid_frames", {"inner": "qwen2_5_vl", "frames": 12, "resolution": 896}, 0),
        ("hlvid_frames", {"inner": "internvl_hf", "frames": 12, "resolution": 896}, 0),
        ("openai_frames", {"model": "a", "frames": 12, "resolution": 896}, 0),
        ("openai_frames", {"model": "b", "frames": 12, "resolution": 896}, 0),
    ]
    for k, (model, arguments, seed) in enumerate(settings):
        write_run(
            f"run{k}", model=model, model_args=arguments, seed=seed, accuracy=k / 20, n=100 + k, dataset="one"
        )
    made = make("main_table", inputs)
    rows = our_rows(made)
    assert sorted(row[-1].rpartition("n=")[2] for row in rows) == [str(100 + k) for k in range(len(settings))]
    assert len({tuple(row[:3]) for row in rows}) == len(settings)  # and a reader can tell them apart
    ours = made.numbers[made.numbers.whose == "ours"]
    assert ours.series.nunique() == len(settings) and f"{len(settings)} configuration(s)" in made.caption
    assert {row[1] for row in rows if "nvila_hd" in row[0]} == {"64", "128"}


@pytest.mark.parametrize("order", ["ab", "ba"])
def test_the_whole_run_counts_and_not_the_limited_one(inputs: Inputs, write_run: Write, order: str) -> None:
    write_run(order[0], model="gaze_reader", model_args=READER, limit=8, n=8, accuracy=1.0)
    write_run(order[1], model="gaze_reader", model_args={**READER, "concurrency": 2}, limit=None, n=48)
    made = make("main_table", inputs)
    assert [row[-1] for row in our_rows(made)] == ["50.0 [40, 60] n=48"]
    assert "1 configuration(s)" in made.caption
    assert made.numbers[made.numbers.whose == "ours"].n.tolist() == [48]


@pytest.mark.parametrize("known", [True, False])
def test_two_sets_of_questions_share_no_row_and_no_column(
    inputs: Inputs, write_run: Write, known: bool
) -> None:
    """HLVid-Mini small and full of one model, and another model on the small one; older runs name no set."""
    for name, n, accuracy, ratio in (
        ("small", 48, 0.9, 0.1),
        ("full", 268, 0.4, 0.1),
        ("other", 48, 0.6, 0.05),
    ):
        more = {"dataset": {"hlvid_mini": f"mini-{'full' if n == 268 else 'small'}"}} if known else {}
        arguments = {**READER, "ratio": ratio}
        write_run(
            name, model="gaze_reader", task="hlvid_mini", model_args=arguments, n=n, accuracy=accuracy, **more
        )
    made = make("main_table", inputs)
    head = [cell.strip() for cell in made.texts[".md"].splitlines()[0].strip("|").split("|")]
    names = ("mini-full", "mini-small") if known else ("n = 268", "n = 48")
    assert head[-2:] == [f"HLVid-Mini ({name})" for name in names]
    cells = {tuple(cell[:4] for cell in row[-2:]) for row in our_rows(made)}
    assert cells == {("40.0", "90.0"), ("-", "60.0")}


def test_a_limited_run_alone_says_so(inputs: Inputs, write_run: Write) -> None:
    write_run("short", model="gaze_reader", model_args=READER, limit=4, n=4)
    write_run("longer", model="gaze_reader", model_args=READER, limit=8, n=8)
    write_run("elsewhere", model="gaze_reader", model_args=READER, task="hlvid_mini", n=48)
    rows = our_rows(make("main_table", inputs))
    assert {(row[0], row[-2][-4:], row[-1][-4:]) for row in rows} == {
        ("ours: gaze_reader detail ratio 0.1 --limit 8", " n=8", "-"),
        ("ours: gaze_reader detail ratio 0.1", "-", "n=48"),
    }


def test_a_group_has_a_row_of_all_its_tasks(inputs: Inputs, write_run: Write) -> None:
    part = {"n": 9, "accuracy": 0.5, "clustered": [0.4, 0.6]}
    tasks = {"hlvid": part, "hlvid_mlvu_dev": part}
    write_run("all", task="hlvid_paper", accuracy=None, clustered=None, tasks=tasks, model_args={"loss": 0.7})
    assert [cell for row in our_rows(make("main_table", inputs)) for cell in row if "n=9" in cell] == [
        "50.0 [40, 60] n=9", "50.0 [40, 60] n=9",
    ]  # fmt: skip
    assert make("loss_threshold", inputs).missing is None


def test_reductions_do_not_share_their_seconds(inputs: Inputs, write_run: Write) -> None:
    tome = {"reduction": "tome", "keep": 0.1}
    for name, changes in {
        "whole": {"model_args": tome, "seconds_per_question": {"encoder": 1.0, "prefill": 2.0}},
        "limited": {"model_args": tome, "limit": 2, "seconds_per_question": {"encoder": 9.0}},
        "more": {
            "model_args": tome | {"keep": 0.5},
            "seconds_per_question": {"encoder": 3.0, "prefill": 4.0},
        },
    }.items():
        write_run(name, **changes)
    text = make("token_reduction", inputs).texts[".md"]
    assert [line[2:] for line in text.splitlines() if line.startswith("| tome keep")] == [
        "tome keep 0.5 | hlvid | 268 | 50.0 [40, 60] | 3.00 | 4.00 |",
        "tome keep 0.1 | hlvid | 268 | 50.0 [40, 60] | 1.00 | 2.00 |",
    ]


def test_losses_of_two_selectors_are_two_columns(inputs: Inputs, write_run: Write) -> None:
    for k, (resolution, limit) in enumerate([(896, None), (1792, None), (896, 8)]):
        arguments = {"selector": "autogaze", "loss": 0.7, "resolution": resolution}
        write_run(f"{k}", model_args=arguments, limit=limit, accuracy=0.5 + 0.1 * k)
    made = make("loss_threshold", inputs)
    ours = made.numbers[made.numbers.whose == "ours"]
    assert sorted(ours.value) == [50.0, 60.0] and ours.series.nunique() == 2
    assert "50.0" in made.texts[".md"] and "2 run(s) on hlvid, n = 268" in made.caption


def test_a_limited_sweep_next_to_the_whole_one(inputs: Inputs, tmp_path: Path) -> None:
    from evaluators.sweeps.records import append

    for place, limit, n in (("a", None, 48), ("b", 8, 8)):
        for frames in (4, 8):
            results = {"n": n, "accuracy": 0.5, "wilson": [0.4, 0.6], "clustered": [0.3, 0.7]}
            settings = {"selector": "detail", "frames": frames, "resolution": 448}
            record = {
                "identity": f"{place}{frames}", "task": "hlvid_mini", "model": "gaze_reader", "status": "ok",
                "limit": limit, "seed": 0, "model_args": settings, "labels": settings, "results": results,
            }  # fmt: skip
            append(tmp_path / "runs" / place, record)
    made = make("scaling", inputs)
    ours = made.numbers[made.numbers.whose == "ours"]
    assert ours.n.tolist() == [48, 48] and ours.series.unique().tolist() == ["detail"]
    assert "2 cells of hlvid_mini, n = 48 questions" in made.caption


def test_two_tasks_of_a_sweep_are_two_lines(inputs: Inputs, tmp_path: Path) -> None:
    from evaluators.sweeps.records import append

    settings = {"selector": "detail", "frames": 4, "resolution": 448}
    for task in ("hlvid", "hlvid_mini"):
        results = {"n": 9, "accuracy": 0.5, "wilson": [0.4, 0.6], "clustered": [0.3, 0.7]}
        record = {"identity": task, "task": task, "model": "gaze_reader", "status": "ok", "model_args": settings,
                  "labels": settings, "results": results}  # fmt: skip
        append(tmp_path / "runs" / "sweep", record)
    ours = make("scaling", inputs).numbers.query("whose == 'ours'")
    assert ours.series.tolist() == ["detail, hlvid", "detail, hlvid_mini"]


def test_names_of_two_checkpoints_of_one_last_name(inputs: Inputs, write_run: Write) -> None:
    for home in ("one", "two"):
        write_run(home, model_args={"pretrained": f"/{home}/ckpt"})
    found = [each.run for each in measured(inputs.records)]
    assert sorted(short_names(found).values()) == ["pretrained /one/ckpt", "pretrained /two/ckpt"]


def test_a_run_that_failed_or_has_no_key_measured_nothing(inputs: Inputs, write_run: Write) -> None:
    write_run("failed", status="out_of_memory")
    write_run("hidden", accuracy=None)
    (write_run("broken") / "results.json").write_text(json.dumps({"task": "hlvid"}))
    assert measured(inputs.records) == []


def test_an_answer_given_again_under_a_limit_counts_once(
    write_run: Write, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from analysis.records import runs
    from analysis.studies import evidence
    from hlvid.dataset import Question

    asked = {"stem": "?", "options": {"A": "a", "B": "b"}}
    questions = [Question(str(k), "v.mp4", "v", "av", answer="A", **asked) for k in range(2)]  # type: ignore[arg-type]
    monkeypatch.setattr(evidence, "load_questions", lambda _: questions)
    monkeypatch.setattr(evidence, "locate", lambda _: Inputs())
    monkeypatch.setattr(Inputs, "root", tmp_path, raising=False)
    monkeypatch.setattr(evidence, "load", lambda _: {"0": [], "1": []})
    monkeypatch.setattr(evidence, "load_gaze", lambda _: None)
    for name, limit, count in (("a", 1, 1), ("b", None, 2)):
        folder = write_run(name, task="hlvid_mini", model_args=READER, limit=limit)
        (folder / "gaze").mkdir()
        (folder / "gaze" / "g").touch()
        about = {
            **asked,
            "source": "v",
            "tier": None,
            "correct": limit is None,
            "details": {"gaze_file": "g"},
        }
        lines = [json.dumps({"question_id": str(k), **about}) for k in range(count)]
        (folder / "samples.jsonl").write_text("\n".join(lines))
    table = evidence.of_runs(runs([tmp_path / "runs"]), "mini")
    assert table.question.tolist() == ["0", "1"] and table.correct.tolist() == [True, True]
