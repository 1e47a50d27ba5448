"""An identity changes with whatever shapes an answer, says what changed, and with nothing else.

Run: pytest tests/evaluators/core/test_identity.py
"""

import ast
import json
import os
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from evaluators.core import closure as closures
from evaluators.core import weights
from evaluators.core.closure import closure, code_of
from evaluators.core.identity import differences, hash_of, versions
from evaluators.core.weights import content, named_in, weigh
from hlvid.errors import RunError
from hlvid.memo import Memo


def checkpoint(folder: Path, middle: bytes = b"m" * 1000) -> Path:
    """Two files of three MiB and a half; `middle` stands far from both ends of the first."""
    folder.mkdir(parents=True)
    for name in ("model-1.safetensors", "model-2.safetensors"):
        part = middle if name.startswith("model-1") else b"m" * 1000
        (folder / name).write_bytes(b"a" * (3 << 19) + part + b"z" * (3 << 19))
        (folder / name).touch()
    (folder / "config.json").write_text("{}")
    return folder


def aged(folder: Path) -> None:
    """As if written a minute ago, so that hashes are remembered; the inode's own time cannot be set."""
    for path in folder.rglob("*"):
        os.utime(path, (time.time() - 60, time.time() - 60))


def test_one_byte_in_the_middle_of_any_file_counts(tmp_path: Path) -> None:
    one = content(checkpoint(tmp_path / "a"))
    for name in ("model-1.safetensors", "model-2.safetensors"):
        for offset in (0, 3 << 19, (3 << 19) + 500):
            copy = checkpoint(tmp_path / f"{name}-{offset}")
            with (copy / name).open("r+b") as file:
                file.seek(offset)
                file.write(b"!")
            assert content(copy) != one, (name, offset)


def test_place_times_and_hidden_files_do_not_count(tmp_path: Path) -> None:
    here, there = checkpoint(tmp_path / "a"), checkpoint(tmp_path / "deep" / "b")
    aged(here)
    (there / ".cache").mkdir()
    (there / ".cache" / "note").write_text("downloaded")
    assert content(here) == content(there)
    (there / "more.json").write_text("{}")
    assert content(here) != content(there)


def test_a_hash_is_remembered_until_the_file_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weights, "SETTLED", -1.0)
    folder = checkpoint(tmp_path / "a")
    first = content(folder)
    read: list[Path] = []
    ordinary = weights._sha256
    monkeypatch.setattr(weights, "_sha256", lambda path: read.append(path) or ordinary(path))
    assert content(folder) == first and read == []
    changed = folder / "model-2.safetensors"
    times = changed.stat()
    with changed.open("r+b") as file:
        file.seek(100)
        file.write(b"!")
    os.utime(changed, ns=(times.st_atime_ns, times.st_mtime_ns))  # a tool that puts the time back
    assert content(folder) != first and read == [changed]


def test_a_file_written_just_now_is_not_remembered(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    path.write_bytes(b"one")
    first = content(path)
    assert Memo("hashes.json").get(weights._key(path.resolve())) is None
    path.write_bytes(b"two")  # within one tick of a coarse clock: same size, same time
    assert content(path) != first


def test_a_state_folder_that_cannot_be_written_costs_time_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("HLVID_STATE", str(tmp_path / "file"))
    assert content(checkpoint(tmp_path / "a")).startswith("sha256:")
    assert "hlvid.errors" in closure(["hlvid.errors"])


def test_hub_ids_count_by_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    refs = tmp_path / "models--owner--name" / "refs"
    refs.mkdir(parents=True)
    (refs / "main").write_text("a" * 40)
    (refs / "v2").write_text("b" * 40)
    weights.commit_of.cache_clear()
    assert named_in({"pretrained": "owner/name", "model": "owner/other", "frames": 8, "x": "auto"}) == {
        "pretrained": ("owner/name", None)
    }
    assert weigh({"p": ("owner/name", None)}) == {"p": f"hub:owner/name@{'a' * 40}"}
    assert weigh({"p": ("owner/name", "v2")}) == {"p": f"hub:owner/name@{'b' * 40}"}
    assert weigh({"p": ("owner/name", "c" * 40)}) == {"p": f"hub:owner/name@{'c' * 40}"}
    assert weigh({"p": ("owner/other", None)}) == {"p": "hub:owner/other@unknown"}


def test_what_a_checkpoint_names_itself_counts_too(tmp_path: Path) -> None:
    """An adapter's base, a tower of its own: retrained under the same path, the answers change."""
    base, tower = checkpoint(tmp_path / "base"), checkpoint(tmp_path / "tower")
    lora = tmp_path / "lora"
    lora.mkdir()
    (lora / "adapter_model.safetensors").write_bytes(b"small")
    (lora / "adapter_config.json").write_text(json.dumps({"base_model_name_or_path": str(base)}))
    nested = {"vision": {"mm_vision_tower": str(tower)}, "_name_or_path": str(tmp_path / "elsewhere")}
    (lora / "config.json").write_text(json.dumps(nested))
    (tmp_path / "elsewhere").mkdir()
    before = weigh({"pretrained": (str(lora), None)})
    assert sorted(before) == [
        "pretrained",
        "pretrained: adapter_config.json: base_model_name_or_path",
        "pretrained: config.json: mm_vision_tower",
    ]
    for changed in (base, tower):
        (changed / "model-1.safetensors").write_bytes(b"retrained")
        after = weigh({"pretrained": (str(lora), None)})
        (argument,) = [name for name in before if before[name] != after[name]]
        assert argument.endswith("base_model_name_or_path" if changed == base else "mm_vision_tower")
        before = after


def test_links_are_followed_to_what_they_name_now(tmp_path: Path) -> None:
    """As the hub's cache has it: a snapshot of links to blobs; and a link to a folder above, which has no end."""
    blobs, snapshot = tmp_path / "blobs", tmp_path / "snapshots" / ("a" * 40)
    blobs.mkdir()
    snapshot.mkdir(parents=True)
    for name in ("one", "two"):
        (blobs / name).write_bytes(name.encode())
    link = snapshot / "model.safetensors"
    link.symlink_to(blobs / "one")
    before = content(snapshot)
    (snapshot / "again").symlink_to(snapshot)
    (snapshot / "once_more").symlink_to(snapshot)
    assert content(snapshot) == before
    link.unlink()
    link.symlink_to(blobs / "two")
    assert content(snapshot) != before


def test_a_word_that_is_a_folder_s_name_too_stays_a_setting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("detail", "centre", "ck"):
        (tmp_path / name).mkdir()
    (tmp_path / "ck" / "config.json").write_text("{}")
    assert named_in({"selector": "detail", "other": "centre", "pretrained": "ck"}) == {
        "pretrained": ("ck", None)
    }


def test_a_hub_that_is_asked_to_be_offline_with_0_is_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """HF_HUB_OFFLINE=0 loads what the hub has now: so does the identity; a slow answer is waited for."""
    import huggingface_hub

    asked: list[float] = []

    class Hub:
        def model_info(self, repository: str, revision: str | None, timeout: float) -> Any:
            asked.append(timeout)
            if timeout < 20:
                raise TimeoutError
            return SimpleNamespace(sha="d" * 40)

    monkeypatch.setattr(huggingface_hub, "HfApi", Hub)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setenv("HF_HUB_OFFLINE", "0")
    weights.commit_of.cache_clear()
    assert weigh({"p": ("owner/slow", None)}) == {"p": f"hub:owner/slow@{'d' * 40}"} and asked == [5, 20]
    weights.commit_of.cache_clear()


SOURCES = {
    "__init__.py": "",
    "top.py": "from . import near\nfrom .deep.inner import thing\n\n\ndef late():\n    import toy_package.lazy\n",
    "near.py": "NAMES = ['autogaze.gaze:Gaze']\n",
    "lazy.py": "import numpy, toy_beside\n",
    "deep/__init__.py": "",
    "deep/inner.py": "from .. import far as thing\n",
    "far.py": "",
    "unused.py": "",
}


@pytest.fixture
def toy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user's package beside a module of the user's, on sys.path."""
    for name, text in SOURCES.items():
        path = tmp_path / "toy_package" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (tmp_path / "toy_beside.py").write_text("")
    monkeypatch.syspath_prepend(str(tmp_path))
    closures._is_file.cache_clear()
    return tmp_path


def test_imports_are_followed_wherever_they_stand(toy: Path) -> None:
    found = set(closure(["toy_package.top"]))
    ours = {name for name in found if name.startswith("toy_")}
    inner = {"top", "near", "lazy", "deep", "deep.inner", "far"}
    assert ours == {"toy_package", "toy_beside", *(f"toy_package.{name}" for name in inner)}
    assert {"autogaze", "autogaze.gaze"} <= found  # named in a registry's string
    assert not any(name.startswith("numpy") for name in found)
    assert "autogaze.gaze" not in closure(["toy_package.top"], without=["toy_package.near"])


def test_any_module_of_the_closure_changes_the_code_and_no_other(toy: Path) -> None:
    before = code_of(["toy_package.top"])
    for name, path in closure(["toy_package.top"]).items():
        if not name.startswith("toy_"):
            continue
        kept = path.read_text()
        path.write_text(kept + "\nx = 1\n")
        after = code_of(["toy_package.top"])
        assert {one for one in after if after[one] != before[one]} == {name}
        path.write_text(kept)
    (toy / "toy_package" / "unused.py").write_text("x = 1")
    assert code_of(["toy_package.top"]) == before


def test_a_module_without_a_source_is_refused() -> None:
    with pytest.raises(RunError, match="code of sys: no source file"):
        closure(["sys"])
    with pytest.raises(RunError, match="no_such_module_here"):
        closure(["no_such_module_here"])


def test_a_model_in_a_script_can_be_named(tmp_path: Path) -> None:
    script = tmp_path / "mine.py"
    script.write_text(
        "import json\nimport helper\nfrom evaluators.core.closure import closure\n"
        "print(json.dumps(sorted(closure(['__main__', 'evaluators.core.base']))))\n"
    )
    (tmp_path / "helper.py").write_text("")
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, check=True)
    assert {"__main__", "helper", "evaluators.core.base"} <= set(json.loads(done.stdout))


def test_what_changed_is_told_by_field() -> None:
    then = {
        "weights": {"pretrained": "sha256:1", "autogaze_model_id": "sha256:2"},
        "libraries": {"torch": "2.6.0", "av": "15"},
        "code": {"hlvid.video.reader": "a", "hlvid.errors": "b"},
        "device": "cpu",
    }
    now = {
        "weights": {"pretrained": "sha256:1", "autogaze_model_id": "sha256:3"},
        "libraries": {"torch": "2.7.0", "av": "15"},
        "code": {"hlvid.video.reader": "c", "hlvid.errors": "b"},
        "device": "cuda",
    }
    assert differences(then, now) == [
        "weights of autogaze_model_id changed",
        'libraries: torch "2.6.0", now "2.7.0"',
        "code of hlvid.video.reader changed",
        'device: "cpu", now "cuda"',
    ]
    assert differences(then, dict(reversed(then.items()))) == []
    assert hash_of(then) == hash_of(dict(reversed(then.items()))) != hash_of(now)


def test_versions_of_what_is_and_is_not_installed() -> None:
    found = versions(["numpy", "no-such-distribution"])
    assert found["no-such-distribution"] == "absent"
    assert found["numpy"][0].isdigit()


def test_two_threads_never_parse_at_a_time(toy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inside, parse = threading.Lock(), ast.parse

    def alone(source: bytes) -> ast.AST:
        assert inside.acquire(blocking=False), (
            "another thread parses: Python 3.11 ends such a run in a SystemError"
        )
        try:
            time.sleep(0.002)
            return parse(source)
        finally:
            inside.release()

    monkeypatch.setattr(closures, "ast", SimpleNamespace(**{**vars(ast), "parse": alone}))
    with ThreadPoolExecutor(2) as pool:
        one, other = pool.map(code_of, [["toy_package.top"]] * 2)
    assert one == other
