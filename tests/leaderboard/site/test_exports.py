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
    (scored,) = parse(yaml.safe_load((site / "eval_results" / "hlvid" / "all-right.yaml").read_text()))
    assert (scored.dataset_id, scored.task_id, scored.value) == ("bfshi/HLVid", "default", 100)
    assert scored.source_url == f"{URL}/models/hlvid/all-right.html"


def test_the_hub_gets_scored_numbers_of_hlvid_alone(site: Path) -> None:
    """A paper's number is for its authors to put there, and other benchmarks are others' to register."""
    made = {
        path.relative_to(site / "eval_results").as_posix() for path in site.rglob("eval_results/**/*.yaml")
    }
    assert made == {"hlvid/all-right.yaml", "hlvid/all-wrong.yaml", "hlvid/hostile.yaml"}
    assert "eval_results" not in (site / "models" / "hlvid" / "paper.html").read_text()


def _has_parser() -> bool:
    import huggingface_hub

    return hasattr(huggingface_hub, "parse_eval_result_entries")
