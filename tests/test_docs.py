"""Commands that the docs show are commands that there are: every `hlvid …` line is parsed, option by option."""

import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer

from hlvid.cli import app, mount_all

ROOT = Path(__file__).parents[1]
PAGES = sorted(
    [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md"), *ROOT.glob("*/*/README.md")]
)
STANDS_FOR = re.compile(r"…|\.\.\.|\[")
"""Lines with an ellipsis or an optional part describe, and are not meant to be typed."""


def commands() -> Iterator[tuple[str, str]]:
    """Page and command of each line in a code block that starts with `hlvid`, continued lines joined."""
    for page in PAGES:
        for block in re.findall(r"^```\w*\n(.*?)^```", page.read_text(), re.M | re.S):
            for line in block.replace("\\\n", "").splitlines():
                found = re.match(r"(?:\$ )?(?:\w+=\S+ )*(hlvid .*)", line.strip())
                if found and not STANDS_FOR.search(found[1].partition(" #")[0]):
                    yield page.relative_to(ROOT).as_posix(), found[1]


@pytest.fixture(scope="module")
def roof() -> object:
    roof = typer.Typer()
    roof.registered_commands, roof.registered_groups = (
        list(app.registered_commands),
        list(app.registered_groups),
    )
    mount_all(roof)
    return typer.main.get_command(roof)


@pytest.mark.parametrize(("page", "line"), sorted(set(commands())))
def test_a_command_of_the_docs_is_parsed(page: str, line: str, roof: object) -> None:
    words = shlex.split(line, comments=True)[1:]
    command, name = roof, "hlvid"
    while words and hasattr(command, "commands"):
        name, words = words[0], words[1:]
        assert name in command.commands or name.startswith("-"), f"{page}: no command {name!r}"
        if name.startswith("-"):
            return
        command = command.commands[name]
    for pipe in ("|", ">", "&&"):
        words = words[: words.index(pipe)] if pipe in words else words
    command.make_context(name, words)  # type: ignore[attr-defined]


def mentioned() -> set[tuple[str, str]]:
    """Page and first words of each command named in running text: `hlvid board build`, `hlvid train …`."""
    return {
        (page.relative_to(ROOT).as_posix(), name)
        for page in PAGES
        for name in re.findall(r"`hlvid ([a-z][a-z-]*)", page.read_text())
    }


def test_a_command_that_the_text_names_exists(roof: object) -> None:
    there = set(roof.commands)  # type: ignore[attr-defined]
    assert not {(page, name) for page, name in mentioned() if name not in there}


def test_ci_runs_the_test_command_of_the_readme_and_targets_that_exist() -> None:
    run = (ROOT / ".ci/run").read_text().splitlines()
    assert run[-2:] == ['cd "$(dirname "$0")/.."', "make test"]
    assert re.search(r"^make test .*\(what CI runs\)", (ROOT / "README.md").read_text(), re.M)
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.M))
    workflow = (ROOT / ".github/workflows/versions.yml").read_text()
    assert re.search(r"^  push:$", workflow, re.M)
    pushed, weekly = (json.loads(one) for one in re.findall(r"'(\[.*?\])'", workflow))
    assert pushed == ["transformers"] and set(weekly) <= targets and set(pushed) <= set(weekly)
