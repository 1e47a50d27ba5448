"""The shipped workflow, step by step as a forge's runner would, on a local bare repository."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from leaderboard.benchmarks import answer_key

ROOT = Path(__file__).resolve().parents[2]
WORKFLOW = ROOT / ".github" / "workflows" / "submission.yml"
HEAVY = (
    "yaml",
    "torch",
    "transformers",
    "av",
    "cv2",
    "lmms_eval",
    "datasets",
    "matplotlib",
    "fastapi",
    "playwright",
)


def git(folder: Path, *arguments: str) -> str:
    who = ("-c", "user.name=Ann", "-c", "user.email=a@example.org", "-c", "protocol.file.allow=always")
    command = ["git", *who, "-C", str(folder), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def forge(tmp_path: Path) -> Path:
    """A clone whose origin is a bare repository with the code of this working tree on main."""
    work = tmp_path / "work"
    skip = shutil.ignore_patterns("__pycache__", "submissions", "static")
    for package in ("hlvid", "leaderboard"):
        shutil.copytree(ROOT / package, work / package, ignore=skip)
    shutil.copy(ROOT / "constraints.txt", work)
    (work / "leaderboard" / "submissions").mkdir()
    (work / "leaderboard" / "submissions" / ".keep").touch()
    git(tmp_path, "init", "-q", "--bare", "-b", "main", "origin.git")
    git(work, "init", "-q", "-b", "main")
    git(work, "add", ".")
    git(work, "commit", "-q", "-m", "base")
    git(work, "remote", "add", "origin", str(tmp_path / "origin.git"))
    git(work, "push", "-q", "origin", "main")
    return work


def pull_request(work: Path, tmp_path: Path, author: str) -> tuple[int, str]:
    """What the workflow makes of the working tree as pull request 7: exit code and what it printed."""
    base = git(work, "rev-parse", "main")
    git(work, "switch", "-q", "-c", "pr")
    git(work, "add", "-A")
    git(work, "commit", "-q", "-m", "change")
    git(work, "push", "-q", "origin", "pr:refs/pull/7/head")
    job: dict[str, Any] = yaml.safe_load(WORKFLOW.read_text())["jobs"]["check"]
    runner = tmp_path / "runner"
    blocked = tmp_path / "blocked"
    for name in HEAVY:  # what the workflow does not install must not be needed
        (blocked / name).mkdir(parents=True)
        (blocked / name / "__init__.py").write_text(
            f"raise ImportError('{name} is not installed by the workflow')"
        )
    python = runner / "env" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(f'#!/bin/sh\nPYTHONPATH="$PWD:{blocked}" exec {sys.executable} "$@"\n')
    python.chmod(0o755)
    values = {
        "REPOSITORY": git(work, "remote", "get-url", "origin"),
        "NUMBER": "7",
        "BASE": base,
        "AUTHOR": author,
    }
    assert set(values) == set(job["env"])
    environment = {**os.environ, **values, "GITHUB_STEP_SUMMARY": str(tmp_path / "summary.md")}
    for step in job["steps"]:
        if "Install" in step["name"]:
            continue  # a network; the wrapper above stands in for env/bin/python
        folder = runner / step.get("working-directory", "")
        done = subprocess.run(
            ["bash", "-e", "-o", "pipefail", "-c", step["run"]],
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=job["timeout-minutes"] * 60,
        )
        if done.returncode:
            return done.returncode, done.stdout + done.stderr
    return 0, (tmp_path / "summary.md").read_text()


def submission(work: Path) -> Path:
    key = answer_key("hlvid_mini", "mini-tiny-0")
    folder = work / "leaderboard" / "submissions" / "hlvid_mini" / "mine"
    folder.mkdir(parents=True)
    text = f'benchmark = "hlvid_mini"\ndataset_revision = "{key.revision}"\n'
    text += 'model = {name = "m", openness = "closed"}\n'
    (folder / "submission.toml").write_text(text)
    lines = [f'{{"question_id": "{one.id}", "answer": "{one.answer}"}}\n' for one in key.questions]
    (folder / "predictions.jsonl").write_text("".join(lines))
    return folder


def test_no_token_no_privileges_a_time_limit() -> None:
    workflow = yaml.safe_load(WORKFLOW.read_text())
    assert workflow[True] == "pull_request"  # YAML 1.1 reads the key "on" as true
    assert workflow["permissions"] == {}
    (job,) = workflow["jobs"].values()
    assert job["timeout-minutes"] <= 20 and "permissions" not in job
    assert not any(
        "uses" in step or "${{" in step["run"] for step in job["steps"]
    )  # no text is pasted into a shell


def test_a_sound_submission_passes(forge: Path, tmp_path: Path) -> None:
    submission(forge)
    code, text = pull_request(forge, tmp_path, "ann")
    assert code == 0, text
    assert "100.0 %" in text and "[owners]" in text.replace("\\", "")


def test_a_hostile_pull_request_fails_by_the_bases_code(forge: Path, tmp_path: Path) -> None:
    submission(forge)
    (forge / "leaderboard" / "ci.py").write_text("print('all is well')\n")
    (forge / ".github" / "workflows").mkdir(parents=True)
    (forge / ".github" / "workflows" / "submission.yml").write_text("on: pull_request_target\n")
    (forge / "sitecustomize.py").write_text("raise SystemExit(0)\n")
    code, text = pull_request(forge, tmp_path, "mallory")
    assert code == 1 and "all is well" not in text
    assert text.count("lies outside leaderboard/submissions/") == 3
    assert [one.name for one in (tmp_path / "runner" / "pull-request").iterdir()] == [".git"]
