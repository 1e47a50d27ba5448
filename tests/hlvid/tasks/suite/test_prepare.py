"""Run with: pytest tests/hlvid/tasks/suite/test_prepare.py. Wrong rows and videos are named before a run."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hlvid.benchmarks import registry
from hlvid.benchmarks.adapters import ADAPTERS
from hlvid.benchmarks.egoschema import recordings
from hlvid.benchmarks.mvbench import source_of
from hlvid.download.catalogue import Catalogue
from hlvid.errors import DatasetError
from hlvid.tasks.doc import question_of
from hlvid.tasks.folder import INFO
from hlvid.tasks.suite.prepare import TASKS, asked, prepare

Make = Callable[..., Any]

TABLE = {
    "hlvid_videomme": "videomme/test-00000-of-00001.parquet",
    "hlvid_videomme_w_subtitle": "videomme/test-00000-of-00001.parquet",
    "hlvid_mvbench": "json/moving_count.json",
    "hlvid_nextqa_mc": "MC/test-00000-of-00001.parquet",
    "hlvid_longvideobench_val": "validation-00000-of-00001.parquet",
    "hlvid_egoschema": "GENERATION/test-00000-of-00001.parquet",
    "hlvid_egoschema_subset": "Subset/test-00000-of-00001.parquet",
    "hlvid_mlvu_dev": "mlvu/test-00000-of-00001.parquet",
    "hlvid_mlvu_test": "mlvu_test/test-00000-of-00001.parquet",
}


def change(bench: Any, task: str, edit: Callable[[dict[str, Any]], None], row: int = 0) -> None:
    rows = bench.rows(TABLE[task])
    edit(rows[row])
    bench.write(TABLE[task], rows)


def docs_of(task: str) -> list[dict[str, Any]]:
    from datasets import load_from_disk

    return list(load_from_disk(str(prepare(task)))["test"])


def test_every_task_is_registered_once() -> None:
    assert sorted(TASKS) == sorted(
        one.name for one in registry.TASKS if one.name not in ("hlvid", "hlvid_mini")
    )


@pytest.mark.parametrize("task", ADAPTERS)
def test_questions_come_whole(task: str, make_bench: Make) -> None:
    make_bench(registry.get(task).name)
    docs = docs_of(task)
    assert len({doc["question_id"] for doc in docs}) == len(docs)
    for doc in docs:
        question = question_of(doc)
        assert question.prompt() == doc["text"]
        assert question.video_path is not None and question.video_path.is_file()
        assert (question.answer is None) is registry.task(task).hidden
        assert question.answer is None or question.answer in question.options
        assert all(text in question.prompt() for text in question.options.values())
        assert not any(text.startswith(("A.", "(A)")) for text in question.options.values())


@pytest.mark.parametrize(
    ("task", "ids", "sources"),
    [
        ("hlvid_videomme", ["001-1", "001-2", "002-1", "002-2"], 2),
        ("hlvid_nextqa_mc", ["4010069381_6", "4010069381_7", "4136485862_0"], 2),
        ("hlvid_longvideobench_val", ["86CxyhFV9MI_0", "86CxyhFV9MI_1", "@chef-7310_0"], 2),
        ("hlvid_egoschema", ["0074f737-11cb", "00b9a0de-c59e"], 2),
        ("hlvid_mlvu_dev", ["plotQA-1", "plotQA-2", "count-3"], 2),
    ],
)
def test_ids_are_the_benchmarks_and_clusters_its_videos(
    task: str, ids: list[str], sources: int, make_bench: Make
) -> None:
    make_bench(registry.get(task).name)
    docs = docs_of(task)
    assert [doc["question_id"] for doc in docs] == ids
    assert len({doc["source"] for doc in docs}) == sources


@pytest.mark.parametrize(
    ("task", "column"),
    [
        ("hlvid_videomme", "videoID"),
        ("hlvid_videomme", "options"),
        ("hlvid_mvbench", "candidates"),
        ("hlvid_nextqa_mc", "a4"),
        ("hlvid_longvideobench_val", "correct_choice"),
        ("hlvid_egoschema", "option"),
        ("hlvid_egoschema_subset", "answer"),
        ("hlvid_mlvu_dev", "task_type"),
        ("hlvid_mlvu_test", "video_name"),
    ],
)
def test_a_missing_column_is_named_with_file_and_row(task: str, column: str, make_bench: Make) -> None:
    bench = make_bench(registry.get(task).name)
    rows = [{key: value for key, value in row.items() if key != column} for row in bench.rows(TABLE[task])]
    bench.write(TABLE[task], rows[:1])
    text = rf"{TABLE[task]}: row 1: {column}: no such column among .*question"
    with pytest.raises(DatasetError, match=text):
        prepare(task)


@pytest.mark.parametrize(
    ("task", "column", "value", "text"),
    [
        ("hlvid_videomme", "answer", "E", "row 1: answer: 'E' is none of the options"),
        ("hlvid_videomme", "options", ["A. one"], r"row 1: options: \['A. one'\]: .*at least two"),
        ("hlvid_mvbench", "answer", "seven", "row 1: answer: 'seven' is none of the options 2, 3, 1, 0"),
        ("hlvid_nextqa_mc", "answer", 5, "row 1: answer: 5 is no option; allowed: 0 to 4"),
        ("hlvid_longvideobench_val", "correct_choice", -1, "row 1: correct_choice: -1 is no option"),
        ("hlvid_longvideobench_val", "option1", "N/A", "row 1: option2: an option after N/A"),
        ("hlvid_egoschema_subset", "answer", "C", "row 1: answer: 'C' is not a number from 0 to 4"),
        ("hlvid_egoschema_subset", "answer", None, "row 1: answer: None is not a number from 0 to 4"),
        ("hlvid_mlvu_dev", "answer", "G", "row 1: answer: 'G' is none of the options"),
        ("hlvid_mlvu_dev", "question", "", "row 1: question: None: Input should be a valid string"),
    ],
)
def test_a_wrong_value_is_named_with_file_row_and_field(
    task: str, column: str, value: Any, text: str, make_bench: Make
) -> None:
    bench = make_bench(registry.get(task).name)
    change(bench, task, lambda row: row.update({column: value}))
    with pytest.raises(DatasetError, match=f"{TABLE[task]}: {text}"):
        prepare(task)


@pytest.mark.parametrize("name", ["../../etc/passwd", "/etc/passwd", "..\\\\..\\\\x.mp4"])
def test_a_video_outside_the_folder_is_refused(name: str, make_bench: Make) -> None:
    bench = make_bench("mlvu_dev")
    change(bench, "hlvid_mlvu_dev", lambda row: row.update(video_name=name))
    with pytest.raises(DatasetError, match=r"row 1: video: .* leads outside"):
        prepare("hlvid_mlvu_dev")


def test_all_faults_of_a_file_are_told_at_once(make_bench: Make) -> None:
    bench = make_bench("nextqa")
    for number in (0, 2):
        change(bench, "hlvid_nextqa_mc", lambda row: row.update(answer=9), number)
    with pytest.raises(DatasetError, match=r"2 faults\n  row 1: answer: 9 .*\n  row 3: answer: 9"):
        prepare("hlvid_nextqa_mc")


def test_an_id_twice_is_told(make_bench: Make) -> None:
    bench = make_bench("videomme")
    change(bench, "hlvid_videomme", lambda row: row.update(question_id="001-1"), row=3)
    with pytest.raises(DatasetError, match="row 4: id: '001-1' again; first in row 1"):
        prepare("hlvid_videomme")


def test_mlvu_takes_options_from_the_text_or_the_column(make_bench: Make) -> None:
    bench = make_bench("mlvu_dev")
    whole = docs_of("hlvid_mlvu_dev")
    rows = [
        {**row, "question": row["question"].partition("\n")[0]} for row in bench.rows(TABLE["hlvid_mlvu_dev"])
    ]
    bench.write(TABLE["hlvid_mlvu_dev"], rows)
    apart = docs_of("hlvid_mlvu_dev")
    assert [doc["text"] for doc in apart] == [doc["text"] for doc in whole]
    assert [doc["options"] for doc in apart] == [doc["options"] for doc in whole]
    bench.write(
        TABLE["hlvid_mlvu_dev"], [{key: row[key] for key in row if key != "candidates"} for row in rows]
    )
    with pytest.raises(DatasetError, match="row 1: question: holds no options"):
        prepare("hlvid_mlvu_dev")


def test_mvbench_answers_are_texts_even_where_they_look_like_letters(make_bench: Make) -> None:
    bench = make_bench("mvbench")
    change(bench, "hlvid_mvbench", lambda row: row.update(candidates=["C", "B", "A"], answer="A"))
    (doc,) = [doc for doc in docs_of("hlvid_mvbench") if doc["question_id"] == "moving_count-1"]
    assert doc["answer"] == "C"


@pytest.mark.parametrize(
    ("damage", "text"),
    [
        (lambda path: path.write_bytes(b""), "is an empty file"),
        (lambda path: path.write_bytes(path.read_bytes()[:700]), "does not decode"),
        (lambda path: path.write_text("<html>404</html>" * 99), "does not decode"),
    ],
)
def test_a_broken_video_stops_the_run(damage: Callable[[Path], object], text: str, make_bench: Make) -> None:
    path = make_bench("nextqa").root / "NExTVideo" / "4136485862.mp4"
    damage(path)
    with pytest.raises(DatasetError, match=rf"1 broken videos: {path} {text}.*hlvid data prepare nextqa"):
        prepare("hlvid_nextqa_mc")


def test_a_half_unpacked_video_stops_the_run(make_bench: Make) -> None:
    path = make_bench("nextqa").root / "NExTVideo" / "4136485862.mp4"
    whole = faststart(path)
    path.write_bytes(whole)
    prepare("hlvid_nextqa_mc")
    path.write_bytes(whole[:-200])  # its index and first picture are there: it plays
    with pytest.raises(DatasetError, match=rf"is cut short: {len(whole) - 200} of {len(whole)} bytes"):
        prepare("hlvid_nextqa_mc")


def faststart(path: Path) -> bytes:
    """The same video with its index in front, as the web serves them."""
    import av

    fast = path.with_name("fast.mp4")
    with av.open(str(path)) as source, av.open(str(fast), "w", options={"movflags": "faststart"}) as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(video=0):
            if packet.dts is not None:
                packet.stream = stream
                target.mux(packet)
    data = fast.read_bytes()
    fast.unlink()
    assert data.index(b"moov") < data.index(b"mdat")
    return data


def test_a_part_of_a_benchmark_runs_when_asked_for(make_bench: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    bench = make_bench("nextqa")
    (bench.root / "NExTVideo" / "4136485862.mp4").unlink()
    monkeypatch.setenv("HLVID_PARTIAL", "1")
    folder = prepare("hlvid_nextqa_mc")
    assert json.loads((folder / INFO).read_text())["questions"] == 2
    (bench.root / "NExTVideo" / "4010069381.mp4").unlink()
    with pytest.raises(DatasetError, match="2 of its videos not found"):
        prepare("hlvid_nextqa_mc")


def test_questions_and_videos_may_lie_in_different_places(make_bench: Make, tmp_path: Path) -> None:
    bench = make_bench("egoschema")
    (bench.root / "videos").rename(tmp_path / "kept")
    theirs = tmp_path / "hf" / "egoschema"
    theirs.mkdir(parents=True)
    (tmp_path / "kept").rename(theirs / "videos")
    (doc,) = docs_of("hlvid_egoschema_subset")
    assert doc["video_path"] == str(theirs / "videos" / "0074f737-11cb.mp4")


def test_other_spellings_of_a_videos_name_are_found(make_bench: Make) -> None:
    bench = make_bench("videomme")
    (bench.root / "data" / "vid2.mp4").rename(bench.root / "data" / "vid2.MP4")
    (bench.root / "data" / "vid1.mp4").rename(bench.root / "data" / "vid1.mkv")
    assert {Path(doc["video_path"]).suffix for doc in docs_of("hlvid_videomme")} == {".MP4", ".mkv"}


def test_settings_and_questions_key_the_folder(make_bench: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    bench = make_bench("nextqa")
    ours = prepare("hlvid_nextqa_mc")
    monkeypatch.setenv("HLVID_PARSER", "lmms_eval")
    parser = prepare("hlvid_nextqa_mc")
    assert parser.name.startswith("hlvid_nextqa_mc-lmms_eval_parser-") and parser.is_dir()
    monkeypatch.setenv("HLVID_PROMPT", "lmms_eval")
    assert prepare("hlvid_nextqa_mc").name.rpartition("-")[2] != ours.name.rpartition("-")[2]
    monkeypatch.delenv("HLVID_PROMPT")
    monkeypatch.delenv("HLVID_PARSER")
    change(bench, "hlvid_nextqa_mc", lambda row: row.update(answer=1))
    assert prepare("hlvid_nextqa_mc") != ours


def info_of(task: str) -> dict[str, Any]:
    return dict(json.loads((prepare(task) / INFO).read_text()))


def test_a_set_is_known_by_its_content_wherever_it_lies(
    make_bench: Make, clean_home: Path, tmp_path: Path
) -> None:
    bench = make_bench("mvbench")
    here = info_of("hlvid_mvbench")
    (tmp_path / "hf").mkdir()
    bench.root.rename(tmp_path / "hf" / "mvbench_video")
    there = info_of("hlvid_mvbench")
    assert here == there and str(tmp_path) not in json.dumps(there)
    (tmp_path / "hf" / "mvbench_video").rename(bench.root)
    change(bench, "hlvid_mvbench", lambda row: row.update(question="How many?"))
    other = info_of("hlvid_mvbench")
    assert other["set"] != here["set"] and other["tables"] != here["tables"]


def test_the_commit_that_was_fetched_is_told(make_bench: Make, clean_home: Path, tmp_path: Path) -> None:
    bench = make_bench("nextqa")
    assert info_of("hlvid_nextqa_mc")["commit"] is None
    known = Catalogue(repo="lmms-eval/NExTQA", revision="c0ffee")
    known.save(bench.root)
    assert info_of("hlvid_nextqa_mc")["commit"] == "c0ffee"


def test_what_nobody_can_answer_is_named_and_left_out_when_asked(
    make_bench: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = make_bench("mlvu_dev")
    whole = info_of("hlvid_mlvu_dev")
    change(bench, "hlvid_mlvu_dev", lambda row: row.update(answer="nonsense"))
    with pytest.raises(DatasetError, match=r"row 1: answer: 'nonsense' is none of the options"):
        prepare("hlvid_mlvu_dev")
    monkeypatch.setenv("HLVID_PARTIAL", "1")
    info = info_of("hlvid_mlvu_dev")
    (reason,) = info["left_out"].values()
    assert "'nonsense' is none of the options" in reason
    assert (info["questions"], info["set_questions"]) == (whole["questions"] - 1, whole["set_questions"])
    assert whole["left_out"] == {}
    assert [one.id for one in asked("hlvid_mlvu_dev")] == ["plotQA-2", "count-3"]


def test_videos_left_out_are_named(make_bench: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    bench = make_bench("longvideobench")
    whole = info_of("hlvid_longvideobench_val")
    (bench.root / "videos" / "@chef-7310.mp4").write_bytes(b"not a video")
    monkeypatch.setenv("HLVID_PARTIAL", "1")
    with pytest.warns(UserWarning, match="1 videos left out"):
        broken = info_of("hlvid_longvideobench_val")
    ((row, why),) = broken["left_out"].items()
    assert row.startswith("validation-00000-of-00001.parquet row 3") and why.startswith(
        "videos/@chef-7310.mp4 "
    )
    (bench.root / "videos" / "@chef-7310.mp4").unlink()
    absent = info_of("hlvid_longvideobench_val")
    assert list(absent["left_out"].values()) == ["videos/@chef-7310.mp4 is not here"]
    assert absent["set"] == whole["set"] and absent["fingerprint"] != whole["fingerprint"]


@pytest.mark.parametrize(
    ("place", "source"),
    [
        ("star/Charades_segment/USNP1_1.2999999999999998_15.4.mp4", "Charades/USNP1"),
        ("sta/sta_video_segment/NBMH9_21.4_37.6.mp4", "Charades/NBMH9"),
        ("sta/sta_video_segment/USNP1_2_15.mp4", "Charades/USNP1"),
        ("tvqa/video_fps3_hq_segment/met_s03e04_seg02_clip_01_3.5_9.0.mp4", "TVQA/met_s03e04_seg02_clip_01"),
        ("tvqa/video_fps3_hq_segment/met_s03e04_seg02_clip_01.mp4", "TVQA/met_s03e04_seg02_clip_01"),
        ("perception/videos/video_1_2.mp4", "perception/videos/video_1_2.mp4"),
    ],
)
def test_segments_of_one_video_cluster_together(place: str, source: str) -> None:
    assert source_of(place) == source


def test_clips_of_one_recording_cluster_together(make_bench: Make) -> None:
    bench = make_bench("egoschema")
    with pytest.warns(UserWarning, match=r"uid_to_ego4d.json is not here.*hlvid data prepare egoschema"):
        assert "the clip" in info_of("hlvid_egoschema")["clusters"]
    clips = [row["video_idx"] for row in bench.rows(TABLE["hlvid_egoschema"])]
    mapping = {clip: {"video_uid": "one", "starting_sec": 0, "ending_sec": 180} for clip in clips}
    (bench.root / "uid_to_ego4d.json").write_text(json.dumps(mapping))
    assert {doc["source"] for doc in docs_of("hlvid_egoschema")} == {"one"}
    assert info_of("hlvid_egoschema")["clusters"] == registry.get("egoschema").clusters
    (bench.root / "uid_to_ego4d.json").write_text("<html>")
    with pytest.raises(DatasetError, match="not the authors' mapping"):
        recordings.cache_clear()
        prepare("hlvid_egoschema")


def test_no_number_with_subtitles_without_any(make_bench: Make) -> None:
    bench = make_bench("videomme")
    info = info_of("hlvid_videomme_w_subtitle")
    assert (info["videos"], info["videos_without_subtitles"]) == (2, 1)
    (bench.root / "subtitle" / "vid1.srt").unlink()
    with pytest.raises(DatasetError, match=r"not one of 2 videos has subtitles \(subtitle/vid1.srt"):
        prepare("hlvid_videomme_w_subtitle")
    assert "videos_without_subtitles" not in info_of("hlvid_videomme")
