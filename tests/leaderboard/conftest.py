"""A small benchmark with a known answer key, and submission folders made for it.

Twelve questions about four recordings; the answers are A, B, C, D in turn.
"""

import json
import os
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from hlvid.dataset import Question
from hlvid.dataset.identity import set_hash
from leaderboard.benchmarks import AnswerKey, Keys

LETTERS = "ABCD"
TOML = 'benchmark = "hlvid"\nmodel.name = "some-model"\nmodel.openness = "open_weights"\n'

MakeFolder = Callable[..., Path]


@pytest.fixture(scope="session")
def key() -> AnswerKey:
    questions = tuple(
        Question(
            id=str(number),
            video=f"clip_av_video_{number // 3}_000.mp4",
            source=f"av_video_{number // 3}",
            category="av" if number < 6 else "household",
            stem=f"What does sign {number} say?",
            options={letter: f"{letter}{number}x" for letter in LETTERS},
            answer=LETTERS[number % 4],
        )
        for number in range(12)
    )
    content = set_hash(questions)
    return AnswerKey("hlvid", content, questions, frozenset({content.removeprefix("sha256:")}))


@pytest.fixture(scope="session")
def keys(key: AnswerKey) -> Keys:
    return Keys([key])


@pytest.fixture
def answers(key: AnswerKey) -> list[dict[str, Any]]:
    """Predictions of which 9 of 12 are right: the last three questions are answered A, which is wrong."""
    letters = [question.answer for question in key.questions]
    letters[9:] = ["A", "A", "A"]
    return [
        {"question_id": one.id, "answer": letter} for one, letter in zip(key.questions, letters, strict=True)
    ]


@pytest.fixture
def make_folder(tmp_path: Path, key: AnswerKey) -> MakeFolder:
    """Writes BENCHMARK/NAME with the given texts; predictions as records or as the file's text.

    A text that names no revision of hlvid's questions gets the key's as its last line.
    """

    def make(
        predictions: Sequence[Mapping[str, Any]] | str | bytes | None,
        toml: str | bytes = TOML,
        name: str = "some-model",
        root: Path = tmp_path / "submissions",
    ) -> Path:
        folder = root / "hlvid" / name
        folder.mkdir(parents=True, exist_ok=True)
        if isinstance(toml, str) and toml.startswith('benchmark = "hlvid"\n') and "revision =" not in toml:
            toml += f'dataset_revision = "{key.revision}"\n'
        (folder / "submission.toml").write_bytes(toml.encode() if isinstance(toml, str) else toml)
        if predictions is not None:
            if not isinstance(predictions, str | bytes):
                predictions = "".join(json.dumps(record) + "\n" for record in predictions)
            data = predictions.encode() if isinstance(predictions, str) else predictions
            (folder / "predictions.jsonl").write_bytes(data)
        return folder

    return make


@pytest.fixture
def git_repo(tmp_path: Path) -> Iterator[Callable[..., str]]:
    """`git_repo("add", ".")` runs git in a fresh repository at tmp_path/"repo", without the user's settings."""
    repo = tmp_path / "repo"
    (repo / "leaderboard" / "submissions").mkdir(parents=True)
    quiet = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    with pytest.MonkeyPatch.context() as patch:
        for name, value in quiet.items():
            patch.setenv(name, value)

        def git(*arguments: str) -> str:
            done = subprocess.run(
                ["git", "-C", str(repo), *arguments], check=True, capture_output=True, text=True
            )
            return done.stdout.strip()

        git("init", "-q", "-b", "main")
        git("config", "user.name", "Ann")
        git("config", "user.email", "ann@example.org")
        (repo / "leaderboard" / "submissions" / ".keep").touch()
        git("add", ".")
        git("commit", "-q", "-m", "first")
        yield git
