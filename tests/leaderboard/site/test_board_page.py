"""The first page in a browser: sorting, filtering, sections, themes, phones, hostile names."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from leaderboard.board import SUBMISSIONS
from leaderboard.site.build import build

Open = Callable[..., Any]
HOSTILE = "<script>alert(1)</script>{{ 7*7 }}\" onmouseover='x'"
WIDE = "index.html#section=mvbench"


UNNAMED = """[...document.querySelectorAll('a, button, input, select')]
  .filter((node) => node.offsetParent !== null && !node.closest('.tabulator-footer'))
  .filter((node) => !(node.innerText ?? node.textContent).trim())
  .filter((node) => !(node.getAttribute('aria-label') || node.labels?.length))
  .map((node) => node.outerHTML)"""


def names(page: Any) -> list[str]:
    page.wait_for_selector("#table .model a")
    found: list[str] = page.locator("#table .model a").all_inner_texts()
    return found


def settled(found: Any, count: int) -> None:
    """Waits until a locator finds `count` elements."""
    from playwright.sync_api import expect

    expect(found).to_have_count(count)


def test_best_first_then_sorted_by_click_and_by_key(open_page: Open) -> None:
    page = open_page(WIDE)
    by_accuracy = names(page)
    assert len(by_accuracy) == 8
    shares = [float(text) for text in page.locator("#table .accuracy strong").all_inner_texts()]
    assert shares == sorted(shares, reverse=True)
    header = page.locator(".tabulator-col[tabulator-field=seconds]")
    header.click()
    assert names(page) == [f"sys-{number}" for number in reversed(range(8))]
    header.focus()
    page.keyboard.press("Enter")
    assert names(page) == [f"sys-{number}" for number in range(8)]
    assert header.get_attribute("aria-sort") == "ascending"
    assert page.locator(".tabulator-col[tabulator-field=accuracy]").get_attribute("aria-sort") == "none"


def test_what_is_not_stated_is_last_in_both_directions(open_page: Open) -> None:
    page = open_page("index.html#section=hlvid")
    header = page.locator(".tabulator-col[tabulator-field=tokens]")
    names(page)
    for first in ("all-right", "all-wrong"):  # 500 tokens, 100 tokens; the others state none
        header.click()
        assert names(page)[0] == first
        assert set(names(page)[:2]) == {"all-right", "all-wrong"}


def test_filters_narrow_the_table_and_the_figures(open_page: Open) -> None:
    page = open_page(WIDE)
    assert len(names(page)) == 8
    page.fill("input[name=resolution]", "1000")
    assert sorted(names(page)) == ["sys-0", "sys-2", "sys-4", "sys-6"]
    page.fill("input[name=parameters]", "3")
    assert sorted(names(page)) == ["sys-0", "sys-2"]
    settled(page.locator("#front-seconds .point"), 2)
    page.click("button[type=reset]")
    settled(page.locator("#table .model a"), 8)
    page.fill("input[type=search]", "SYS-3")
    assert names(page) == ["sys-3"]
    page.select_option("select[name=trust]", "reported")
    page.wait_for_selector(".tabulator-placeholder")
    assert "text=SYS-3" in page.url and "trust=reported" in page.url


def test_an_address_restores_its_view(open_page: Open) -> None:
    page = open_page(f"{WIDE}&frames=40&openness=open_weights")
    assert sorted(names(page)) == ["sys-4", "sys-5", "sys-6", "sys-7"]
    assert page.input_value("input[name=frames]") == "40"


def test_sections_change_the_table(open_page: Open) -> None:
    page = open_page("index.html")
    assert "Paper-8B" in names(page)
    page.locator("label", has_text="MVBench").click()
    settled(page.locator("#table .model a"), 8)
    assert "90 questions about 14 recordings" in page.inner_text("#summary")
    assert "Wilson" not in page.inner_text("#legend")


def test_reported_intervals_are_labelled_unclustered(open_page: Open) -> None:
    page = open_page("index.html")
    names(page)
    assert "unclustered" in page.inner_text("#legend")
    row = page.locator(".tabulator-row", has_text="Paper-8B")
    assert row.locator("svg.bar.loose").count() == 1
    assert "unclustered" in (row.locator(".accuracy").get_attribute("title") or "")
    assert page.locator(".tabulator-row", has_text="all-right").locator("svg.bar.loose").count() == 0


def test_hostile_texts_are_shown_as_texts(open_page: Open) -> None:
    """On the table, the entry's page, in lists to choose from and in the picture's read-out."""
    page = open_page("index.html")
    assert HOSTILE in names(page)
    assert HOSTILE in page.locator("#table .setting").all_inner_texts()
    page.locator("#table .model a", has_text="alert").click()
    page.wait_for_selector("h1.name")
    assert page.inner_text("h1.name") == page.inner_text(".lead") == page.inner_text(".notes") == HOSTILE
    stated = page.locator("dl.facts dd").all_inner_texts()
    assert stated.count(HOSTILE) == 5  # revision, selector, decoder, hardware, training data
    assert page.get_attribute("text=own page", "href") == "https://example.org/?a=1&b=%3C2"
    assert page.locator("main script, main [onmouseover]").count() == 0
    page.click("text=Compare with another")
    page.wait_for_selector("#verdict")
    assert f"{HOSTILE} ({HOSTILE})" in page.locator("select[name=a] option").all_inner_texts()
    page.goto(page.url.partition("compare.html")[0] + "questions.html#section=hlvid")
    page.wait_for_selector("#difficulty table")
    page.focus("#matrix")
    page.keyboard.press("ArrowDown")
    assert HOSTILE in page.inner_text("#readout")
    assert page.locator("main script").count() == 0


def test_the_front_holds_what_nothing_cheaper_beats(open_page: Open) -> None:
    page = open_page(WIDE)
    names(page)
    points = page.evaluate(
        "HLVID_BOARD.entries.filter((e) => e.section === 'mvbench').map((e) => [e.seconds, e.accuracy])"
    )
    ahead = [one for one in points if not any(o[0] <= one[0] and o[1] >= one[1] and o != one for o in points)]
    settled(page.locator("#front-seconds .point.ahead"), len(ahead))
    assert len(ahead) > 1
    assert (
        page.locator("#front-tokens svg[role=img]").get_attribute("aria-label").startswith("Accuracy against")
    )


def test_seconds_of_different_hardware_make_no_front(open_page: Open) -> None:
    page = open_page(WIDE)
    names(page)
    draw = """(hardware) => {
      const rows = HLVID_BOARD.entries.filter((one) => one.section === "mvbench");
      rows.forEach((one, at) => { one.hardware = hardware[at % hardware.length]; });
      for (const cost of ["seconds", "tokens"])
        HlvidFronts.draw(document.getElementById(`front-${cost}`), rows, cost, `${cost} a question`);
    }"""
    for hardware, seconds in (
        (["1 x H200"], True),
        (["1 x H200", "2 cores"], False),
        (["1 x H200", None], False),
    ):
        page.evaluate(draw, hardware)
        assert (page.locator("#front-seconds .point.ahead").count() > 1) == seconds
        assert ("no front is drawn" in page.inner_text("#front-seconds")) != seconds
        assert page.locator("#front-tokens .point.ahead").count() > 1


def test_theme_follows_the_system_until_chosen(open_page: Open) -> None:
    page = open_page(WIDE, theme="dark")
    background = "getComputedStyle(document.body).backgroundColor"
    dark = page.evaluate(background)
    page.click("[data-theme-toggle]")
    light = page.evaluate(background)
    assert (dark, light) == ("rgb(20, 23, 27)", "rgb(251, 251, 250)")
    page.reload()
    assert page.evaluate(background) == light
    assert page.get_attribute("[data-theme-toggle]", "aria-pressed") == "false"


@pytest.mark.parametrize("width", [320, 375, 768])
def test_no_page_scrolls_sideways(open_page: Open, width: int) -> None:
    pages = [
        "index.html", WIDE, "compare.html#section=mvbench", "questions.html#section=mvbench", "datasets.html",
        "submit.html", "method.html", "models/hlvid/hostile.html", "models/hlvid/paper.html",
        "models/mvbench/sys-1.html",
    ]  # fmt: skip
    page = open_page(pages[0], width=width)
    base = page.url.removesuffix("index.html")
    for address in pages:
        page.goto("about:blank")  # so that "#" alone reloads
        page.goto(base + address)
        page.wait_for_load_state("load")
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert wide <= width, f"{address} is {wide} px wide"


def test_a_phone_unfolds_what_does_not_fit(open_page: Open) -> None:
    page = open_page(WIDE, width=375)
    names(page)
    assert page.locator(".tabulator-col[tabulator-field=tokens]").is_hidden()
    unfolded = page.locator("dl.collapsed").first
    for _ in range(60):  # on a busy machine the table may be laid out once more, folded, after a click
        page.locator(".tabulator-responsive-collapse-toggle").first.click()
        page.wait_for_timeout(500)
        if unfolded.is_visible():
            break
    assert "Tokens" in unfolded.inner_text() and "Trust" in unfolded.inner_text()


def test_keyboard_reaches_content_first_and_everything_is_named(open_page: Open) -> None:
    page = open_page(WIDE)
    names(page)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    unnamed = page.evaluate(UNNAMED)
    assert unnamed == []


def test_without_scripts_the_table_is_there(chromium: Any, boards: Any) -> None:
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto((Path(boards.site) / "index.html").as_uri())
    page.click("noscript a")
    assert page.locator("table tbody tr").count() == 12
    context.close()


def test_too_few_recordings_for_places_are_told_and_filters_wait_on_a_phone(open_page: Open) -> None:
    """Three entries make three pairs: on four recordings the corrected p cannot fall below 0.375."""
    page = open_page("index.html#section=hlvid", width=390)
    page.wait_for_selector("text=no places of 3 entries can be told apart (it takes 7)")
    assert not page.locator("#more").evaluate("(details) => details.open")
    assert page.locator("#table").bounding_box()["y"] < 900
    page.goto(page.url.replace("section=hlvid", "section=mvbench&trust=rescored"))
    page.reload()
    page.wait_for_selector("#table .model a")
    assert page.locator("#more").evaluate("(details) => details.open")
    assert "told apart" not in page.inner_text("#summary")


def test_a_model_on_many_benchmarks_fits_a_phone(open_page: Open, boards: Any, tmp_path: Path) -> None:
    name, benchmarks = "nvila-8b-hd-video-paper", ("hlvid", "mvbench", "egoschema", "videomme")
    for benchmark in benchmarks:
        shutil.copytree(SUBMISSIONS / benchmark / name, tmp_path / "all" / benchmark / name)
    build(tmp_path / "site", tmp_path / "all", boards.keys)
    page = open_page(f"models/hlvid/{name}.html", width=390, base=(tmp_path / "site").as_uri() + "/")
    assert page.locator("table.cards tbody tr").count() == len(benchmarks)
    assert page.evaluate(
        "[...document.querySelectorAll('.scroll')].every((e) => e.scrollWidth <= e.clientWidth)"
    )
    page.set_viewport_size({"width": 1000, "height": 900})
    assert page.locator("table.cards thead").is_visible()
