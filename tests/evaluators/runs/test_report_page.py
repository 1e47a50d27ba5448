"""The report in a real browser, opened from disk; any error, dialog or request to elsewhere fails the test.

Run: pytest tests/evaluators/runs/test_report_page.py
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from evaluators.runs.report import write_report
from hlvid.errors import RunError


@pytest.fixture(scope="session")
def report(finished: Path) -> Path:
    return write_report(finished)


@pytest.fixture
def open_page(chromium: Any, report: Path) -> Iterator[Callable[..., Any]]:
    """`open_page(hash="", width=1280, theme="light")`."""
    problems: list[str] = []
    contexts = []

    def refuse(dialog: Any) -> None:
        problems.append(dialog.message)
        dialog.dismiss()

    def open_it(address: str = "", width: int = 1280, theme: str = "light") -> Any:
        context = chromium.new_context(viewport={"width": width, "height": 900}, color_scheme=theme)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("console", lambda m: problems.append(m.text) if m.type in ("error", "warning") else None)
        page.on("requestfailed", lambda request: problems.append(f"failed: {request.url}"))
        page.on("dialog", refuse)
        inside = report.parent.as_uri()
        page.on("request", lambda r: problems.extend([] if r.url.startswith(inside) else [r.url]))
        page.goto(report.as_uri() + address)
        return page

    yield open_it
    for context in contexts:
        context.close()
    assert problems == []


def listed(page: Any) -> list[str]:
    """By text content: the list's `content-visibility` leaves the inner text of what is not yet drawn empty."""
    return [str(text) for text in page.locator("#list small").all_text_contents()]


def test_all_questions_with_frames_gaze_options_and_texts(open_page: Callable[..., Any]) -> None:
    page = open_page("#hlvid/1")
    article = page.locator("#question")
    assert "What does sign 1 say?" in article.inner_text()
    assert page.locator(".options li").all_inner_texts()[1].split() == ["B", "EXIT", "12", "right"]
    assert page.locator(".options .said").inner_text().split() == ["A", "DL3", "answered"]
    assert page.locator("#question pre").inner_text() == "A"
    page.wait_for_function("[...document.querySelectorAll('.shot img')].every(i => i.complete)")
    loaded = page.evaluate("[...document.querySelectorAll('.shot img')].map(i => i.naturalWidth)")
    assert loaded == [960] * 8, "four frames, each with its gaze"
    assert page.locator("#score strong").inner_text() == "50.0 %"
    page.locator("#groups summary").click()
    whole = page.locator("#numbers tr.whole td").all_inner_texts()
    assert whole[:4] == ["hlvid", "3 of 6", "1", "50.0 %"]
    assert whole[6:11] == ["mean of categories", "", "", "45.0 %", "20.0 % to 70.0 %"]


def test_filters_and_search(open_page: Callable[..., Any]) -> None:
    page = open_page()
    counts = page.locator("#verdicts span").all_inner_texts()
    assert counts == ["6", "3", "2", "1"]
    for name, ids in (("Wrong", ["1", "5"]), ("Unparseable", ["2"]), ("Right", ["0", "3", "4"])):
        page.get_by_role("radio", name=name).click()
        assert [line.split(" · ")[0] for line in listed(page)] == ids
    page.get_by_role("radio", name="All").click()
    page.locator("#tier").select_option("54px")
    assert len(listed(page)) == 3 and page.locator("#verdicts span").first.inner_text() == "3"
    page.locator("#tier").select_option("")
    page.locator("#search").fill("SIGN 4")
    assert [line.split(" · ")[0] for line in listed(page)] == ["4"]
    page.locator("#search").fill("no such text")
    assert "No question fits" in page.locator("#question").inner_text()


def test_keys(open_page: Callable[..., Any]) -> None:
    page = open_page()
    title = page.locator("#question h2")
    page.keyboard.press("j")
    assert "sign 1" in title.inner_text() and page.url.endswith("#hlvid%2F1")
    page.keyboard.press("j")
    page.keyboard.press("k")
    assert "sign 1" in title.inner_text()
    page.keyboard.press("u")
    assert page.locator("#list li").count() == 1 and "?" in page.locator("#list .sign").text_content()
    page.keyboard.press("a")
    layer = page.locator(".shot .layer").first
    assert layer.is_visible()
    page.keyboard.press("g")
    assert not layer.is_visible()
    page.keyboard.press("/")
    page.keyboard.type("jjww")
    assert page.locator("#search").input_value() == "jjww", "letters typed in the search are no commands"


def test_a_frame_is_enlarged(open_page: Callable[..., Any]) -> None:
    page = open_page("#hlvid/3")
    page.locator(".shot").first.click()
    dialog = page.locator("#large")
    assert dialog.is_visible() and "frame 0," in dialog.inner_text()
    page.keyboard.press("ArrowRight")
    assert "frame 3," in dialog.inner_text()
    page.keyboard.press("Escape")
    assert not dialog.is_visible()


def test_hostile_texts_are_text(open_page: Callable[..., Any]) -> None:
    page = open_page("#hlvid/0")
    assert "<script>alert(1)</script>" in page.locator("#question h2").inner_text()
    assert "{{ 7*7 }}" in page.locator("#question pre").inner_text()
    assert page.locator("#question img[src=x]").count() == 0
    page.locator("#question summary").click()
    assert "alert(2)" in page.locator("#question .raw").inner_text()
    page.locator("footer summary").click()
    assert "alert(1)" in page.locator("#record").inner_text()
    assert "note=<b>bold</b>" in page.locator("#settings").inner_text()


@pytest.mark.parametrize(("width", "theme"), [(360, "dark"), (1280, "light"), (2200, "dark")])
def test_nothing_sticks_out_and_themes_apply(open_page: Callable[..., Any], width: int, theme: str) -> None:
    page = open_page("#hlvid/0", width=width, theme=theme)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    colour = "getComputedStyle(document.body).backgroundColor"
    before = page.evaluate(colour)
    assert before == ("rgb(20, 23, 27)" if theme == "dark" else "rgb(250, 250, 248)")
    page.locator("#theme").click()
    assert page.evaluate(colour) != before


def test_a_question_whose_video_is_gone_is_shown_without_frames(open_page: Callable[..., Any]) -> None:
    page = open_page("#hlvid/5")
    assert (
        page.locator("#question .shot").count() == 0 and "What does sign 5" in page.locator("h2").inner_text()
    )


def test_an_unfinished_folder_has_no_report(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"results\.json"):
        write_report(tmp_path)
