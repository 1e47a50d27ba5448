"""CSV, JSON, RSS and the two formats of others, read back by readers that are not ours."""

import csv
import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import yaml

from leaderboard.board import load_board
from leaderboard.site.build import build
from leaderboard.site.exports import script

URL = "https://example.org/board"


@pytest.fixture(scope="module")
def site(boards: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("exports") / "site"
    build(out, boards.submissions, boards.keys, url=URL)
    return out


def test_csv_has_every_entry_and_no_formula(site: Path, boards: Any) -> None:
    with (site / "board.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    entries = {
        entry.name: entry
        for section in load_board(boards.submissions, boards.keys).sections
        for entry in section.entries
    }
    assert {row["name"] for row in rows} == set(entries)
    for row in rows:
        assert float(row["accuracy"]) == entries[row["name"]].accuracy
        assert not any(value[:1] in ("=", "+", "@", "-") for value in row.values())


@pytest.mark.parametrize("name", ["=1+1", "+cmd", "-2", "@SUM(A1)"])
def test_csv_defuses_formulas(boards: Any, name: str) -> None:
    from leaderboard.site.exports import COLUMNS, board_csv

    text = board_csv([{**dict.fromkeys(COLUMNS), "model": name}])
    assert next(csv.DictReader(text.splitlines()))["model"] == f"'{name}"


def test_json_says_what_the_table_says(site: Path) -> None:
    board = json.loads((site / "board.json").read_text())
    assert board["schema"] == 1 and len(board["entries"]) == 12
    paper = next(row for row in board["entries"] if row["name"] == "paper")
    assert (paper["method"], paper["rank"], paper["trust"]) == ("wilson", None, "reported")
    assert {row["method"] for row in board["entries"] if row["name"] != "paper"} == {"clustered"}


def test_a_script_holds_no_markup() -> None:
    text = script("X", {"name": "</script><!--\u2028"})
    assert "<" not in text and "\u2028" not in text
    assert json.loads(text.removeprefix("globalThis.X = ").removesuffix(";\n")) == {
        "name": "</script><!--\u2028"
    }


def test_rss_is_xml_with_links(site: Path) -> None:
    channel = ElementTree.parse(site / "feed.xml").getroot().find("channel")
    assert channel is not None and channel.findtext("link") == URL + "/"
    items = channel.findall("item")
    assert len(items) == 12
    assert any("<script>alert(1)</script>" in str(item.findtext("title")) for item in items)
    for item in items:
        page = str(item.findtext("link")).removeprefix(URL + "/")
        assert (site / page).is_file()
    assert len({item.findtext("guid") for item in items}) == 12


def test_the_hubs_own_reader_takes_our_yaml(site: Path) -> None:
    parse = pytest.importorskip("huggingface_hub").parse_eval_result_entries if _has_parser() else None
    if parse is None:
        pytest.skip("this huggingface_hub has no reader of .eval_results")
    (paper,) = parse(yaml.safe_load((site / "eval_results" / "hlvid" / "paper.yaml").read_text()))
    assert (paper.dataset_id, paper.task_id, paper.value) == ("bfshi/HLVid", "default", 52.6)
    assert paper.source_url == "https://arxiv.org/abs/2603.12254v1"
    assert "Wilson, unclustered" in paper.notes
    (scored,) = parse(yaml.safe_load((site / "eval_results" / "hlvid" / "all-right.yaml").read_text()))
    assert scored.value == 100 and scored.source_url == f"{URL}/models/hlvid/all-right.html"


def test_every_eval_ever_has_what_its_schema_requires(site: Path) -> None:
    """Fields and values of schema 0.3.0 that a reader relies on; details are strings alone."""
    for path in (site / "every_eval_ever").rglob("*.json"):
        record = json.loads(path.read_text())
        assert record["schema_version"] == "0.3.0" and record["retrieved_timestamp"].isdecimal()
        assert record["source_metadata"]["source_type"] in ("documentation", "evaluation_run")
        details = record["model_info"]["additional_details"]
        assert details["model_availability"] in ("open_weights", "closed_weights")
        assert all(isinstance(value, str) for value in details.values())
        for result in record["evaluation_results"]:
            low, high = (
                result["score_details"]["uncertainty"]["confidence_interval"][end]
                for end in ("lower", "upper")
            )
            assert low <= result["score_details"]["score"] <= high
            assert result["metric_config"]["lower_is_better"] is False
            assert result["source_data"]["source_type"] in ("hf_dataset", "other")
    names = [
        result["evaluation_name"]
        for result in json.loads(_record(site, "mvbench", "sys-0"))["evaluation_results"]
    ]
    assert names == ["MVBench", "MVBench, category c0", "MVBench, category c1", "MVBench, category c2"]


def test_hlvid_mini_is_on_no_hub(tmp_path: Path) -> None:
    build(tmp_path / "site")
    assert not (tmp_path / "site" / "eval_results" / "hlvid_mini").exists()
    assert "eval_results" not in (tmp_path / "site" / "models" / "hlvid_mini" / "blind.html").read_text()


def _record(site: Path, benchmark: str, name: str) -> str:
    return (site / "every_eval_ever" / benchmark / f"{name}.json").read_text()


def _has_parser() -> bool:
    import huggingface_hub

    return hasattr(huggingface_hub, "parse_eval_result_entries")
