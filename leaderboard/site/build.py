"""`hlvid board build`: all files of the site from the submissions.

Each file is put in place whole, pages after what they load, and then what only the last build had goes: a reader sees
the old page or the new one, a killed build leaves a site, and files of others (`.git`, `CNAME`) stay where they are.
A folder that this command did not make is left alone. Nothing but the submissions and the answer keys is read; a
benchmark whose key is not on this machine loses its scored entries (named on the page of datasets), never the build.
"""

import shutil
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from importlib import resources
from pathlib import Path
from typing import Any

from hlvid import files
from hlvid.errors import RunError
from leaderboard.benchmarks import Keys
from leaderboard.board import SUBMISSIONS, Board, Entry, Section, load_board
from leaderboard.site import exports
from leaderboard.site.facts import (
    answers_of,
    dataset_links,
    entry_facts,
    former,
    more_fields,
    offered,
    prediction_format,
    section_facts,
)
from leaderboard.site.history import build_time, recorded
from leaderboard.site.identity import model_page, section_id
from leaderboard.site.model_page import model_values
from leaderboard.site.pages import page

MARKER = "made-by-hlvid-board.txt"
UNSHOWN = frozenset((
    "benchmark", "revision", "n", "right", "no_letter", "selector", "ratio", "claimed_percent", "second_runs",
    "identical",
))  # fmt: skip
"""What the table shows nowhere: board.json has it, the page need not load it."""
FIXED_PAGES = ("compare.html", "questions.html", "method.html")


@dataclass(frozen=True)
class Site:
    """What was built."""

    folder: Path
    pages: int
    entries: int
    refused: int
    seconds: float


@dataclass(frozen=True)
class _Content:
    """Everything that pages and exports are made from."""

    board: Board
    rows: tuple[dict[str, Any], ...]
    sections: tuple[dict[str, Any], ...]
    built: datetime
    url: str | None
    served: bool
    added: Mapping[str, datetime]
    repository: str | None


def build(
    out: Path,
    submissions: Path = SUBMISSIONS,
    keys: Keys | None = None,
    url: str | None = None,
    served: bool = False,
    repository: str | None = None,
) -> Site:
    """Write the site.

    Args:
        out: folder to make; may exist if an earlier build made it.
        submissions: folder of BENCHMARK/NAME folders.
        keys: answer keys; by default from this machine's data folder.
        url: where the site will stand ("https://example.org/board/"), for links in the feed and exports.
        served: with the upload form, for `hlvid board serve`.
        repository: address of the results repository, where pull requests go, to link it.

    Raises:
        RunError: `out` holds something else, or `url` is no http(s) address.
    """
    start = time.monotonic()
    _check_out(out)
    content = _content(load_board(submissions, keys), recorded(submissions), _checked(url, "--url"), served)
    content = replace(content, repository=_checked(repository, "--repository"))
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{out.name}-", dir=out.parent) as scratch:
        fresh = Path(scratch) / "site"
        _write(fresh, content)
        _replace(fresh, out)
    pages = sum(name.endswith(".html") for name in _made(out))
    return Site(out, pages, len(content.rows), len(content.board.refused), time.monotonic() - start)


def _content(board: Board, added: Mapping[str, datetime], url: str | None, served: bool) -> _Content:
    rows = tuple(
        entry_facts(entry, section, added.get(f"{entry.benchmark}/{entry.name}"))
        for section in board.sections
        for entry in section.entries
    )
    return _Content(
        board, rows, tuple(map(section_facts, board.sections)), build_time(), url, served, added, None
    )


def _write(out: Path, content: _Content) -> None:
    static = resources.files("leaderboard.site") / "static"
    with resources.as_file(static) as folder:
        shutil.copytree(folder, out / "static")
    _write_data(out, content)
    common: dict[str, Any] = {
        "sections": content.sections,
        "served": content.served,
        "repository": content.repository,
        "datasets": dataset_links(),
    }
    for name in FIXED_PAGES:
        _put(out / name, page(name, **common))
    _put(out / "index.html", page("index.html", built=content.built, **common))
    _put(out / "all.html", page("all.html", rows=content.rows, **common))
    _put(
        out / "datasets.html",
        page("datasets.html", refused=content.board.refused, former=former(content.board), **common),
    )
    _put(out / "submit.html", page("submit.html", benchmarks=offered(), form_fields=more_fields(), **common))
    facts = {(row["section"], row["name"]): row for row in content.rows}
    for section in content.board.sections:
        for entry in (*section.entries, *section.former):
            row = facts.get((section_id(section), entry.name)) or entry_facts(entry, section)
            _write_entry(out, content, section, entry, row)


def _write_data(out: Path, content: _Content) -> None:
    _put(out / "board.json", exports.board_json(content.sections, content.rows, content.built))
    _put(out / "board.csv", exports.board_csv(content.rows))
    titles = {section["id"]: section["title"] for section in content.sections}
    _put(out / "feed.xml", exports.feed(content.rows, titles, content.url, content.built))
    _put(out / "data" / "format.js", exports.script("HLVID_FORMAT", prediction_format()))
    shown = [{name: row[name] for name in row if name not in UNSHOWN} for row in content.rows]
    board = {"sections": content.sections, "entries": shown}
    _put(out / "data" / "board.js", exports.script("HLVID_BOARD", board))
    for section in content.board.sections:
        if answers := answers_of(section):
            _put(out / "data" / f"{section_id(section)}.js", exports.script("HLVID_ANSWERS", answers))


def _write_entry(
    out: Path, content: _Content, section: Section, entry: Entry, row: Mapping[str, Any]
) -> None:
    """The entry's page, and its file for the hub."""
    place = Path(entry.benchmark) / entry.name
    hub = exports.hub_yaml(entry, content.url)
    if hub is not None:
        _put(out / "eval_results" / f"{place}.yaml", hub)
    values = model_values(section, entry, content.board, content.added)
    values |= {"row": row, "hub": hub is not None, "served": content.served, "repository": content.repository}
    shown = page("model.html", root="../../", **values)
    _put(out / model_page(entry), shown)


def _replace(fresh: Path, out: Path) -> None:
    """Move the files of a finished build to their places, and remove those that only the one before it made."""
    names = sorted(
        (path.relative_to(fresh).as_posix() for path in fresh.rglob("*") if path.is_file()),
        key=lambda name: (name == "index.html", name.endswith(".html"), name),
    )
    old = _made(out)
    out.mkdir(exist_ok=True)
    _list(out, {*old, *names})  # should this be cut off, the next build knows what is ours
    for name in names:
        (out / name).parent.mkdir(parents=True, exist_ok=True)
        (fresh / name).replace(out / name)
    for name in sorted(old - set(names), reverse=True):
        (out / name).unlink(missing_ok=True)
        for folder in (out / name).parents:
            if folder == out or not folder.is_dir() or any(folder.iterdir()):
                break
            folder.rmdir()
    _list(out, set(names))


def _made(out: Path) -> set[str]:
    """Files that the last build wrote, relative to the folder; whatever else a list says is not ours."""
    path = out / MARKER
    lines = path.read_text(encoding="utf-8").splitlines()[1:] if path.is_file() else []
    return {name for name in lines if name and ".." not in Path(name).parts and not Path(name).is_absolute()}


def _list(out: Path, names: set[str]) -> None:
    text = "\n".join(
        ["Files that 'hlvid board build' made here; the next build replaces or removes them:", *sorted(names)]
    )
    files.write_text(out / MARKER, text + "\n")


def _put(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8", newline="\n")


def _check_out(out: Path) -> None:
    if out.is_symlink() or (out.exists() and not out.is_dir()):
        raise RunError(f"{out}: is not a folder; give --out another place")
    if out.is_dir() and any(out.iterdir()) and not (out / MARKER).is_file():
        raise RunError(f"{out}: holds files that 'hlvid board build' did not make; give --out another folder")


def _checked(url: str | None, option: str) -> str | None:
    """An address with a slash at its end."""
    if url is None:
        return None
    if not url.startswith(("https://", "http://")) or any(one.isspace() for one in url):
        raise RunError(f"{option} is {url!r}; give an address such as https://example.org/board/")
    return url.rstrip("/") + "/"
