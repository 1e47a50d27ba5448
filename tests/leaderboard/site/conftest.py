"""A board of two benchmarks with hostile texts, its site, and a browser in which any error fails the test.

`boards` has HLVid with 12 questions about 4 recordings and MVBench with 90 about 14 recordings of unequal size.
"""

import json
import random
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from hlvid.dataset import Question
from hlvid.dataset.identity import set_hash
from leaderboard.benchmarks import AnswerKey, Keys
from leaderboard.format.toml_text import dump
from leaderboard.site.build import build

HOSTILE = "<script>alert(1)</script>{{ 7*7 }}\" onmouseover='x'"
SIZES = [21, 12, 9, 8, 7, 6, 6, 5, 4, 4, 3, 2, 2, 1]


@dataclass(frozen=True)
class Boards:
    """Submissions, the keys to score them with, and the site built from both."""

    submissions: Path
    keys: Keys
    site: Path


def wide_key() -> AnswerKey:
    recordings = [number for number, size in enumerate(SIZES) for _ in range(size)]
    questions = tuple(
        Question(
            id=f"q{number}",
            video=f"v{recording}.mp4",
            source=f"rec{recording}",
            category=f"c{number % 3}",
            stem=f"Stem {number}?",
            options={letter: f"option {letter}{number}" for letter in "ABCD"},
            answer="ABCD"[number * 7 % 4],
        )
        for number, recording in enumerate(recordings)
    )
    content = set_hash(questions)
    return AnswerKey("mvbench", content, questions, frozenset({content.removeprefix("sha256:")}))


def submit(root: Path, key: AnswerKey, name: str, skill: float, fields: dict[str, Any]) -> None:
    """A submission that is right with probability `skill` on each question, the same each time."""
    draw = random.Random(name)
    folder = root / key.benchmark / name
    folder.mkdir(parents=True)
    lines = []
    for question in key.questions:
        wrong = draw.choice([letter for letter in "ABCD" if letter != question.answer])
        answer = question.answer if draw.random() < skill else draw.choice([wrong, wrong, wrong, None])
        lines.append(json.dumps({"question_id": question.id, "answer": answer}))
    (folder / "predictions.jsonl").write_text("\n".join(lines) + "\n")
    model = {"name": name, "openness": "open_weights", **fields.pop("model", {})}
    (folder / "submission.toml").write_text(
        dump({"benchmark": key.benchmark, "dataset_revision": key.revision, "model": model, **fields})
    )


def fill(root: Path, narrow: AnswerKey, wide: AnswerKey) -> None:
    reported = {"accuracy_percent": 52.6, "source": "arXiv 2603.12254v1, Table 1"}
    folder = root / "hlvid" / "paper"
    folder.mkdir(parents=True)
    (folder / "submission.toml").write_text(
        dump(
            {"benchmark": "hlvid", "model": {"name": "Paper-8B", "openness": "closed"}, "reported": reported}
        )
    )
    hostile = {
        "model": {"name": HOSTILE, "revision": HOSTILE, "link": "https://example.org/?a=1&b=%3C2"},
        "settings": {"selector": HOSTILE, "decoder": HOSTILE},
        "cost": {"hardware": HOSTILE},
        "training_data": HOSTILE,
        "notes": HOSTILE,
        "contact": "=1+1",
    }
    submit(root, narrow, "hostile", 0.5, hostile)
    submit(
        root, narrow, "all-right", 1.0, {"cost": {"seconds_per_question": 9.5, "tokens_per_question": 500}}
    )
    submit(
        root, narrow, "all-wrong", 0.0, {"cost": {"seconds_per_question": 0.5, "tokens_per_question": 100}}
    )
    for number in range(8):
        settings = {"frames": 8 * (number + 1), "resolution": 448 if number % 2 else 3584}
        cost = {"seconds_per_question": 1.5**number, "tokens_per_question": 100 * 2**number}
        model = {"parameters_b": number + 1}
        fields = {"settings": settings, "cost": cost, "model": model}
        submit(root, wide, f"sys-{number}", 0.3 + 0.07 * number, fields)


@pytest.fixture(scope="session")
def wide() -> AnswerKey:
    return wide_key()


@pytest.fixture(scope="session")
def boards(tmp_path_factory: pytest.TempPathFactory, key: AnswerKey, wide: AnswerKey) -> Boards:
    root = tmp_path_factory.mktemp("board")
    keys = Keys([key, wide])
    fill(root / "submissions", key, wide)
    build(root / "site", root / "submissions", keys)
    return Boards(root / "submissions", keys, root / "site")


class Node:
    """The site's scripts without a browser, in one process of Node: `evaluate(code, argument)`."""

    LOOP = """
        const vm = require("vm"), fs = require("fs");
        for (const path of process.argv.slice(1)) vm.runInThisContext(fs.readFileSync(path, "utf8"));
        require("readline").createInterface({input: process.stdin}).on("line", (line) => {
          const [code, argument] = JSON.parse(line);
          let reply;
          try {
            const value = vm.runInThisContext(code);
            reply = {value: typeof value === "function" ? value(argument) : value};
          } catch (error) { reply = {error: String(error.stack)}; }
          console.log(JSON.stringify(reply));
        });"""

    def __init__(self, *scripts: Path) -> None:
        command = ["node", "-e", self.LOOP, *map(str, scripts)]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def evaluate(self, code: str, argument: Any = None) -> Any:
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.write(json.dumps([code, argument]) + "\n")
        self.process.stdin.flush()
        reply = json.loads(self.process.stdout.readline())
        assert "error" not in reply, reply
        return reply["value"]


@pytest.fixture(scope="module")
def node(boards: Boards) -> Iterator[Node]:
    """The scripts of the built site in Node, or a skip."""
    if shutil.which("node") is None:
        pytest.skip("no node on PATH; it runs the page's statistics without a browser")
    static = boards.site / "static"
    scripts = [static / name for name in ("statistics.js", "format.js")]
    found = Node(*(path for path in scripts if path.is_file()), boards.site / "data" / "format.js")
    yield found
    found.process.kill()
    found.process.communicate()


@pytest.fixture
def open_page(chromium: Any, boards: Boards) -> Iterator[Callable[..., Any]]:
    """`open_page("index.html#section=hlvid", width=375)`; fails on any console error or request to elsewhere."""
    problems: list[str] = []
    contexts = []

    def watch(page: Any, allowed: str) -> None:
        page.on("pageerror", lambda error: problems.append(f"error: {error}"))
        page.on(
            "requestfailed",  # one that a next page cuts off is no fault
            lambda request: (
                None if "ABORTED" in str(request.failure) else problems.append(f"failed: {request.url}")
            ),
        )
        page.on("console", lambda m: problems.append(m.text) if m.type == "error" else None)
        page.on("dialog", lambda dialog: (problems.append(f"dialog: {dialog.message}"), dialog.dismiss()))
        page.on(
            "request",
            lambda request: (
                None
                if request.url.startswith((allowed, "data:", "about:blank"))
                else problems.append(f"outside: {request.url}")
            ),
        )

    def open_it(address: str, *, width: int = 1280, theme: str = "light", base: str | None = None) -> Any:
        context = chromium.new_context(viewport={"width": width, "height": 900}, color_scheme=theme)
        contexts.append(context)
        page = context.new_page()
        root = base or boards.site.as_uri() + "/"
        watch(page, root)
        page.goto(root + address)
        return page

    yield open_it
    for context in contexts:
        context.close()
    assert problems == []
