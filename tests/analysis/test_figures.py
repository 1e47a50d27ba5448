"""Figures: all files of each, honest columns, texts that do not overlap, and what is missing said aloud."""

import dataclasses
import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import matplotlib
import pandas as pd
import pytest

from analysis import figure, reference, tables
from analysis.figure import Made, produce, produce_all, write_index
from analysis.inputs import Inputs
from analysis.style import house
from autogaze.weights import bundled
from hlvid.errors import RunError

COMPUTED = ("motion", "detail", "ood", "ratio_vs_loss", "agreement", "gaze_examples", "selectors", "camera")
FROM_RECORDS = ("latency", "scaling", "streaming", "main_table", "token_reduction", "training_stages", "multi_token",
                "loss_threshold")  # fmt: skip


def overlapping(made: Made) -> list[tuple[str, str]]:
    """Pairs of texts whose boxes overlap in the drawn figure."""
    from matplotlib import pyplot as plt
    from matplotlib.text import Text

    with house():
        figure = made.draw()
        figure.canvas.draw()
        hidden = {id(text) for axes in figure.axes for text in _undrawn(axes)}
        texts = [t for t in figure.findobj(Text) if t.get_visible() and t.get_text().strip()]
        # The box of a slanted label is upright and far larger than the label.
        texts = [t for t in texts if t.get_rotation() in (0, 90)]
        shown = [(t.get_text(), t.get_window_extent()) for t in texts if id(t) not in hidden]
        plt.close(figure)
    # Boxes hold room for ascenders and descenders: a touch of a few per cent is none of ink.
    return [
        (a, b)
        for i, (a, one) in enumerate(shown)
        for b, two in shown[i + 1 :]
        if one.shrunk(0.9, 0.7).overlaps(two.shrunk(0.9, 0.7))
    ]


def _undrawn(axes: Any) -> Iterator[Any]:
    """Tick labels that exist and are not drawn: outside the view, or of an axis switched off."""
    for axis in (axes.xaxis, axes.yaxis):
        drawn = {id(tick) for tick in axis._update_ticks()} if axes.axison else set()
        for tick in [*axis.majorTicks, *axis.minorTicks]:
            if id(tick) not in drawn:
                yield from (tick.label1, tick.label2)


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache for all figures of one set of clips: two of them draw the same curves."""
    return tmp_path_factory.mktemp("measured")


@pytest.mark.parametrize("name", COMPUTED)
def test_figures_from_generated_clips(name: str, inputs: Inputs, measured: Path, tmp_path: Path) -> None:
    inputs = dataclasses.replace(inputs, cache=measured)
    outcome = produce(name, inputs, tmp_path / "out")
    assert {path.suffix for path in outcome.files} >= {".pdf", ".png", ".csv", ".txt"}
    assert all(path.stat().st_size > 0 for path in outcome.files)
    assert "detail" in outcome.caption and outcome.missing is None
    table = pd.read_csv(tmp_path / "out" / f"{name}.csv")
    assert set(table.whose) <= {"ours", "paper"} and "ours" in set(table.whose)
    assert set(table[table.whose == "paper"].precision) <= {"printed", "read"}
    assert overlapping(figure.find(name).load().make(inputs)) == []


@pytest.mark.parametrize("name", ["selectors", "agreement", "teaser", "gaze_examples"])
@pytest.mark.parametrize("looker", ["codec", "question", "autogaze.selectors.centre:Centre"])
def test_any_selector_stands_beside_the_others(
    name: str, looker: str, inputs: Inputs, film: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("analysis.inputs.COMPARED", ("detail", "centre"))
    asked = "What does the white text say?"
    mine = dataclasses.replace(inputs, selector=looker, videos=(film,), question=asked)
    made = figure.find(name).load().make(mine)
    shown = looker.rpartition(":")[2].lower()  # of the class in the module: it stands in for ours of its name
    assert shown in made.caption or shown in made.numbers.to_csv()
    with house():
        drawn = made.draw()
    if name == "selectors":
        assert shown in [text.get_text() for text in drawn.legends[0].get_texts()]
    assert overlapping(made) == []


@pytest.mark.parametrize("name", [name for name in FROM_RECORDS if name != "training_stages"])
def test_without_records_the_paper_stands_alone_and_the_command_is_named(name: str, inputs: Inputs) -> None:
    made = figure.find(name).load().make(inputs)
    assert set(made.numbers.whose) == {"paper"}
    assert made.missing is not None and made.missing.command.startswith("hlvid ")
    assert "Nothing of ours" in made.caption
    assert overlapping(made) == []


def test_every_registered_figure_has_a_module() -> None:
    for entry in figure.ENTRIES:
        assert callable(entry.load().make), entry.name
    with pytest.raises(RunError, match="motion"):
        figure.find("motoin")


def test_measurements_are_kept(inputs: Inputs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    produce("motion", inputs, tmp_path / "out")
    monkeypatch.setattr("analysis.figures.motion.measure", lambda *_, **__: pytest.fail("measured again"))
    produce("motion", inputs, tmp_path / "out")
    with pytest.raises(pytest.fail.Exception, match="measured again"):
        produce("motion", dataclasses.replace(inputs, seed=5), tmp_path / "out")


def test_the_key_of_a_measurement_knows_all_that_decides() -> None:
    from analysis.cache import DRAWING
    from evaluators.core.closure import closure

    found = set(closure(["analysis.figures.camera"], without=DRAWING))
    assert found >= {
        "analysis.figures.camera", "analysis.studies.scenes", "analysis.stats", "autogaze.model.network",
        "autogaze.model.kvcache", "autogaze.model.processing", "autogaze.reconstruction.paste",
        "hlvid.video.reader", "hlvid.video.pyav", "hlvid.scoring.clusters", "autogaze.selectors.autogaze",
    }  # fmt: skip
    assert "analysis.style" not in found


def test_changed_code_is_measured_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    from analysis import cache

    digest = cache.code_digest.__wrapped__
    before = digest("analysis.figures.camera")
    assert digest("analysis.figures.camera") == before
    ordinary = cache.code_of
    monkeypatch.setattr(
        cache, "code_of", lambda *a, **k: {**ordinary(*a, **k), "hlvid.video.reader": "changed"}
    )
    assert digest("analysis.figures.camera") != before


@pytest.mark.parametrize("name", ["detail", "motion"])
def test_captions_say_what_was_measured(name: str, inputs: Inputs, film: Path, tmp_path: Path) -> None:
    """Two films of one name: two clusters, and no word of generated clips or of planned counts."""
    (tmp_path / "b").mkdir()
    shutil.copyfile(film, tmp_path / "b" / film.name)
    videos = (film, tmp_path / "b" / film.name)
    caption = produce(name, dataclasses.replace(inputs, videos=videos, clips=4), tmp_path / "out").caption
    assert "clustered, 2 videos" in caption and "generated" not in caption


def test_one_clip_is_refused_before_anything_is_measured(
    inputs: Inputs, film: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("analysis.figures.ood.measure", lambda *_: pytest.fail("measured"))
    short = dataclasses.replace(inputs, videos=(film,), clips=1)
    monkeypatch.setattr("analysis.figures.ood.load_clips", lambda *_: [None])
    with pytest.raises(RunError, match=r"one clip.*--videos"):
        produce("ood", short, tmp_path / "out")


def test_main_table_holds_our_runs(inputs: Inputs, write_run: Callable[..., Path]) -> None:
    write_run("good")
    write_run("failed", status="out_of_memory", accuracy=None)
    made = figure.find("main_table").load().make(inputs)
    ours = made.numbers[made.numbers.whose == "ours"]
    assert ours.value.tolist() == [50.0] and made.missing is None
    assert "50.0 [40, 60] n=268" in made.texts[".md"]
    assert r"\begin{tabular}" in made.texts[".tex"]


def test_long_names_of_runs_do_not_overlap(inputs: Inputs, write_run: Callable[..., Path]) -> None:
    for tiles in (4, 8):
        arguments = {
            "pretrained": "a",
            "gazing": "off",
            "reduction": "visionzip",
            "keep": 0.0625,
            "max_tiles_video": tiles,
        }
        write_run(f"run{tiles}", model_args=arguments, limit=8)
        write_run(f"other{tiles}", model_args=arguments, task="hlvid_mvbench", limit=8)
    assert overlapping(figure.find("main_table").load().make(inputs)) == []


def test_tables_with_our_runs(inputs: Inputs, write_run: Callable[..., Path]) -> None:
    write_run("tome", model_args={"reduction": "tome"})
    write_run("stopped", model_args={"selector": "autogaze", "loss": 0.7})
    reduction = figure.find("token_reduction").load().make(inputs)
    assert "| tome | hlvid | 268 | 50.0 [40, 60] | 1.50 | 0.50 |" in reduction.texts[".md"]
    stopped = figure.find("loss_threshold").load().make(inputs)
    assert stopped.missing is None and overlapping(stopped) == []


def test_training_stages_of_the_bundled_checkpoint_where_nothing_is_given(inputs: Inputs) -> None:
    made = figure.find("training_stages").load().make(inputs)
    report = json.loads((bundled() / "evaluation.json").read_text())
    assert made.missing is None and f"{report['clips']} held-out clips" in made.caption
    assert {"ntp", "coarse_first"} <= set(made.numbers[made.numbers.whose == "ours"].series)
    assert overlapping(made) == []


def test_training_tables_with_a_report(inputs: Inputs, tmp_path: Path) -> None:
    point = {"loss": 0.2, "low": 0.18, "high": 0.22, "seconds_a_clip": 0.3}
    names = ["both", "both, 5 a step", "both, 1 a step", "untrained"]
    report = {
        "clips": 24,
        "recordings": {"a": 12, "b": 12},
        "curves": {name: {"0.05": point, "0.1": point} for name in names},
        "ratio_for_loss": {"loss": 0.2, "ratios": dict(zip(names, (0.1, 0.09, 0.08, None), strict=True))},
    }
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "training.json").write_text(json.dumps(report))
    for name in ("training_stages", "multi_token"):
        made = figure.find(name).load().make(inputs)
        assert made.missing is None and "24 held-out clips" in made.caption
        assert overlapping(made) == []


def test_latency_rows_stand_beside_the_papers(inputs: Inputs, tmp_path: Path) -> None:
    row = {
        "kind": "vit", "fps": 10, "resolution": 224, "gazed": True, "ratio": 0.1, "dtype": "float32",
        "attention": "math", "status": "ok", "hardware": "a CPU", "median_s": 2.0, "low_s": 1.9,
        "high_s": 2.2, "n": 3, "max_fps": 5.0,
    }  # fmt: skip
    failed = row | {
        "gazed": False,
        "status": "out_of_memory",
        "median_s": None,
        "low_s": None,
        "high_s": None,
    }
    (tmp_path / "runs").mkdir()
    content = {"hardware": "a CPU", "shape": "tiny", "rows": [row, failed, row | {"kind": "streaming"}]}
    (tmp_path / "runs" / "latency.json").write_text(json.dumps(content))
    latency = figure.find("latency").load().make(inputs)
    ours = latency.numbers[latency.numbers.whose == "ours"]
    assert ours.status.tolist() == ["ok", "out_of_memory"] and "a CPU" in latency.caption
    assert overlapping(latency) == []
    assert figure.find("streaming").load().make(inputs).missing is None


def test_a_sweep_stands_below_the_papers_scaling(inputs: Inputs, tmp_path: Path) -> None:
    from evaluators.sweeps.records import append

    for frames in (4, 12):
        for resolution in (448, 1792):
            failed = (frames, resolution) == (12, 1792)
            results = {
                "n": 48,
                "accuracy": 0.5,
                "wilson": [0.4, 0.6],
                "clustered": [0.3, 0.7],
                "tokens_per_question": 99,
            }
            record = {
                "identity": f"{frames}-{resolution}", "task": "hlvid_mini", "model": "gaze_reader",
                "status": "out_of_memory" if failed else "ok", "results": {} if failed else results,
                "labels": {"selector": "detail", "frames": frames, "resolution": resolution, "ratio": 0.1},
            }  # fmt: skip
            append(tmp_path / "runs" / "sweep", record)
    whole = {"identity": "whole", "model": "nvila_video", "labels": {"frames": 4, "resolution": 448}}
    append(tmp_path / "runs" / "sweep", {**record, "status": "ok", "results": results, **whole})
    made = figure.find("scaling").load().make(inputs)
    ours = made.numbers[made.numbers.whose == "ours"]
    assert len(ours) == 5 and ours.value.notna().sum() == 4 and made.missing is None
    assert set(ours.series) == {"detail, ratio 0.1", "nvila_video"}, (
        "one without a selector has its model's name"
    )
    assert "5 cells of hlvid_mini, n = 48" in made.caption
    assert overlapping(made) == []


def test_all_goes_on_after_a_failure(inputs: Inputs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(figure, "ENTRIES", tuple(figure.find(name) for name in ("multi_token", "latency")))
    monkeypatch.setattr("analysis.figures.multi_token.make", lambda _: 1 / 0)
    outcomes = produce_all(inputs, tmp_path / "out")
    assert "ZeroDivisionError" in (outcomes[0].error or "") and outcomes[1].files
    page = write_index(outcomes, tmp_path / "out").read_text()
    assert "hlvid latency vit" in page and 'src="latency.png"' in page


def test_paper_values_are_marked() -> None:
    assert reference.precision("fig9_scaling") == "read"
    assert reference.precision("fig7_ratio_for_loss_0_7", 0.205) == "printed"
    assert reference.precision("fig7_ratio_for_loss_0_7", 0.164) == "read"
    with pytest.raises(KeyError, match="table1"):
        reference.entry("table9")


def test_shipped_paper_values_equal_the_given_ones(shared: Path) -> None:
    given = json.loads((shared / "reference" / "paper.json").read_text())
    for key, content in given.items():
        if isinstance(content, dict):
            assert {k: v for k, v in reference.entry(key).items() if k in content and k != "precision"} == {
                k: v for k, v in content.items() if k != "precision"
            }


def test_latex_escapes() -> None:
    assert tables.escape("50 % & a_b {x}") == r"50 \% \& a\_b \{x\}"


def test_drawing_needs_no_screen() -> None:
    with house():
        assert matplotlib.get_backend().lower() == "agg"
