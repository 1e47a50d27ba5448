"""The page of one entry, the matrix of questions, datasets and method."""

import re
from collections.abc import Callable
from typing import Any

Open = Callable[..., Any]


def test_an_entry_shows_groups_recordings_and_questions(open_page: Open) -> None:
    page = open_page("models/mvbench/sys-3.html")
    right = int(re.search(r"(\d+) of 90 questions right", page.inner_text(".score"))[1])  # type: ignore[index]
    assert page.locator(".cells .cell").count() == 90
    assert page.locator(".cells .cell.right").count() == right
    assert page.locator(".recordings section").count() == 14
    assert page.locator("table.groups tbody tr").count() == 3
    assert "Not stated: revision; " in page.inner_text("main") and "32" in page.inner_text("dl.facts")
    page.click("text=Compare with another")
    page.wait_for_selector("#verdict")
    assert page.input_value("select[name=a]") == "sys-3"


def test_a_reported_entry_says_what_its_interval_is(open_page: Open) -> None:
    page = open_page("models/hlvid/paper.html")
    text = page.inner_text(".score")
    assert "unclustered" in text and "Wilson" in text and "arXiv 2603.12254v1" in text
    assert page.locator(".score svg.bar.loose").count() == 1
    assert page.locator(".cells").count() == 0 and page.locator("text=Compare with another").count() == 0


def test_the_matrix_tells_what_is_pointed_at(open_page: Open) -> None:
    page = open_page("questions.html#section=mvbench")
    page.wait_for_selector("#difficulty table")
    assert page.locator("#difficulty tbody tr").count() == 90
    page.focus("#matrix")
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    told = page.inner_text("#readout")
    answers = page.evaluate("HlvidAnswers.load('mvbench')")
    entry, question = answers["entries"][1], answers["questions"][3]
    state = {"1": "right", "0": "wrong", "-": "no letter found"}[entry["correct"][3]]
    assert told.startswith(f"{entry['label']}, question {question['id']}") and f": {state}." in told
    box = page.locator("#matrix").bounding_box()
    page.mouse.move(box["x"] + box["width"] - 3, box["y"] + 3)
    assert f"question {answers['questions'][-1]['id']} " in page.inner_text("#readout")


def test_the_matrix_is_drawn_in_the_themes_colours(open_page: Open) -> None:
    page = open_page("questions.html#section=hlvid")
    page.wait_for_selector("#difficulty table")
    first = "Array.from(document.getElementById('matrix').getContext('2d').getImageData(195, 5, 1, 1).data)"
    assert page.evaluate(first) == [11, 92, 173, 255]  # all-right is the first row
    page.click("[data-theme-toggle]")
    assert page.evaluate(first) == [108, 178, 245, 255]


def test_questions_in_order_of_difficulty(open_page: Open) -> None:
    page = open_page("questions.html#section=mvbench")
    page.wait_for_selector("#difficulty table")
    right = [int(text.split()[0]) for text in page.locator("#difficulty td.num").all_inner_texts()]
    assert right == sorted(right)
    page.select_option("select[name=order]", "easy")
    page.wait_for_selector("#difficulty table")
    assert "order=easy" in page.url


def test_datasets_name_versions_and_what_is_not_shown(open_page: Open) -> None:
    page = open_page("datasets.html")
    assert page.locator("td.hash", has_text="sha256:").count() == 2
    assert "every submission in git is on the board" in page.inner_text("main")


def test_dark_is_legible_on_every_page(open_page: Open) -> None:
    """Text against its background, at least 4.5 to 1 as WCAG AA asks, in both themes."""
    for theme in ("light", "dark"):
        for address, drawn in (
            ("index.html", "#table .model a"),
            ("compare.html#section=mvbench", "#verdict"),
            ("models/hlvid/paper.html", "footer"),
            ("method.html", "footer"),
            ("submit.html", "footer"),
        ):
            page = open_page(address, theme=theme)
            page.wait_for_selector(drawn)
            poor = page.evaluate(CONTRAST)
            assert poor == [], f"{address}, {theme}"


CONTRAST = """(() => {
  const parse = (text) => text.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map((v) => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = (node) => { for (; node; node = node.parentElement) {
    const c = parse(getComputedStyle(node).backgroundColor);
    if (c.length < 4 || c[3] > 0) return c; } return [255, 255, 255]; };
  const poor = [];
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const node = texts.currentNode.parentElement;
    if (!texts.currentNode.data.trim() || node.closest('noscript, svg, script, :disabled, select')) continue;
    if (!node.checkVisibility()) continue;
    const [a, b] = [light(parse(getComputedStyle(node).color)), light(behind(node))].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < 4.5) poor.push([texts.currentNode.data.trim().slice(0, 30), node.className, ratio.toFixed(2)]);
  }
  return poor;
})()"""
