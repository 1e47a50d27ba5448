"""`hlvid board serve`: what may be uploaded, what comes back, what stays."""

import io
import json
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from leaderboard.benchmarks import AnswerKey
from leaderboard.format.validate import check_folder
from leaderboard.site import server
from leaderboard.site.build import build
from leaderboard.site.uploads import KEPT, Pending

pytest.importorskip("fastapi")

FORM = {
    "model.name": "dropped <b>",
    "benchmark": "mvbench",
    "model.openness": "closed",
    "settings.frames": "8",
}


def table(key: AnswerKey, letter: str | None = None) -> bytes:
    lines = [f"{one.id},{letter or one.answer}" for one in key.questions]
    return ("question_id,answer\n" + "\n".join(lines) + "\n").encode()


@pytest.fixture
def pending(tmp_path: Path, boards: Any) -> Pending:
    (tmp_path / "pending").mkdir()
    return Pending(tmp_path / "pending", boards.submissions, boards.keys)


@pytest.fixture(scope="module")
def served_site(tmp_path_factory: pytest.TempPathFactory, boards: Any) -> Path:
    out = tmp_path_factory.mktemp("served") / "site"
    build(out, boards.submissions, boards.keys, served=True)
    return out


@pytest.fixture
def client(served_site: Path, pending: Pending) -> Any:
    testclient = pytest.importorskip("fastapi.testclient")
    return testclient.TestClient(server.create_app(served_site, pending), base_url="http://127.0.0.1")


def send(client: Any, *files: tuple[str, bytes], form: dict[str, str] = FORM, **more: Any) -> Any:
    return client.post("/api/check", data=form, files=[("files", file) for file in files], **more)


def test_a_good_table_comes_back_as_a_sound_submission(
    client: Any, pending: Pending, wide: AnswerKey, boards: Any, tmp_path: Path
) -> None:
    answer = send(client, ("table.csv", table(wide))).json()
    assert answer["ok"] and "90 of 90 right, 100.0 %" in answer["headline"]
    assert "place 1 of 9" in answer["place"] and answer["comparisons"]
    reply = client.get("/" + answer["download"])
    archive = zipfile.ZipFile(io.BytesIO(reply.content))
    archive.extractall(tmp_path / "taken")
    (folder,) = (tmp_path / "taken" / "mvbench").iterdir()
    report = check_folder(folder, boards.keys, placed=True)
    assert report.faults == () and report.submission is not None
    assert (report.submission.model.name, report.submission.settings.frames) == ("dropped <b>", 8)
    assert answer["file"] in reply.headers["content-disposition"]
    assert [path.name for path in pending.root.iterdir()] == [answer["download"].rpartition("/")[2][:-4]]


def test_every_fault_comes_back_and_nothing_stays(client: Any, pending: Pending, wide: AnswerKey) -> None:
    data = table(wide).replace(b"q0,A", b"q0,F").replace(b"q5,", b"q999,")
    reply = send(client, ("table.csv", data), form={**FORM, "settings.frames": "-1"})
    answer = reply.json()
    assert reply.status_code == 200 and not answer["ok"]
    assert {fault["field"] for fault in answer["faults"]} == {"answer", "question_id", "settings.frames"}
    assert {fault["line"] for fault in answer["faults"] if fault["field"] == "answer"} == {2}
    assert list(pending.root.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("image.png", b"\x89PNG", "not a run folder"),
        ("table.csv", b"\xff\xfe\x00", "UTF-16"),
        ("table.csv", b"", "question_id"),
        ("samples.jsonl", b"[" * 100_000, "nested too deep"),
        ("x.jsonl", b'{"question_id": NaN}\n', "NaN"),
    ],
)
def test_broken_files_end_in_a_message_without_our_paths(
    client: Any, pending: Pending, name: str, data: bytes, words: str
) -> None:
    answer = send(client, (name, data)).json()
    assert not answer["ok"] and words in json.dumps(answer)
    assert str(pending.root) not in json.dumps(answer)
    assert list(pending.root.iterdir()) == []


@pytest.mark.parametrize(
    "name", ["../../evil.csv", "/etc/passwd", "a\x00.csv", ".hidden", "a\nb.csv", "x" * 300]
)
def test_names_cannot_leave_the_folder(pending: Pending, name: str) -> None:
    answer = pending.check([(name, b"question_id,answer\n")], {})
    assert not answer["ok"] and "name" in answer["message"]
    assert list(pending.root.iterdir()) == []


def test_a_submission_folder_as_two_files(client: Any, boards: Any) -> None:
    folder = boards.submissions / "mvbench" / "sys-3"
    files = [(path.name, path.read_bytes()) for path in sorted(folder.iterdir())]
    answer = send(client, *files, form={"contact": "me"}).json()
    assert answer["ok"] and answer["headline"].startswith("sys-3")


def test_too_much_is_cut_off_while_it_arrives(
    client: Any, pending: Pending, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "MOST_BYTES", 100_000)
    reply = send(client, ("table.csv", b"x" * 200_000))
    assert reply.status_code == 413 and not reply.json()["ok"]
    assert list(pending.root.iterdir()) == []
    files = [(f"t{number}.csv", b"x") for number in range(12)]
    assert not send(client, *files).json()["ok"]


def test_other_sites_reach_nothing(client: Any, wide: AnswerKey) -> None:
    assert send(client, ("t.csv", table(wide)), headers={"Origin": "http://evil.example"}).status_code == 403
    assert send(client, ("t.csv", table(wide)), headers={"Origin": "null"}).status_code == 403
    assert send(client, ("t.csv", table(wide)), headers={"Origin": "http://["}).status_code == 403
    assert client.get("/", headers={"Host": "evil.example"}).status_code == 400
    assert send(client, ("t.csv", table(wide)), headers={"Origin": "http://127.0.0.1"}).status_code == 200


@pytest.mark.parametrize("token", ["0" * 32, "..", "%2e%2e%2fsite", "x"])
def test_unknown_tokens(client: Any, token: str) -> None:
    assert client.get(f"/api/pending/{token}.zip").status_code == 404


@pytest.mark.parametrize(
    "path", ["/../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "/static/%2e%2e/%2e%2e/x"]
)
def test_no_file_outside_the_site(client: Any, path: str) -> None:
    assert client.get(path).status_code == 404


def test_only_the_newest_stay(pending: Pending, wide: AnswerKey) -> None:
    fields = server.form_fields(FORM)
    tokens = [pending.check([("t.csv", table(wide, "A"))], fields)["token"] for _ in range(KEPT + 2)]
    assert len(list(pending.root.iterdir())) == KEPT
    assert pending.archive(tokens[0]) is None and pending.archive(tokens[-1]) is not None


def test_fields_of_the_form() -> None:
    form = {
        "model.name": "m",
        "model.parameters_b": "7",
        "settings.frames": "8",
        "settings.resolution": "many",
    }
    assert server.form_fields({**form, "contact": "c", "reported": "99", "branch": "yes", "x.y": "1"}) == {
        "model": {"name": "m", "parameters_b": 7},
        "settings": {"frames": 8, "resolution": "many"},
        "contact": "c",
    }


def test_every_field_of_a_submission_is_in_the_form(served_site: Path) -> None:
    text = (served_site / "submit.html").read_text()
    of_owners = {"superseded_by", "withdrawn"}  # changed in the entry's file, later
    assert [name for name in server.FIELDS if f'name="{name}"' not in text and name not in of_owners] == []
    assert len(server.FIELDS) >= 20 and '<option value="egoschema">' not in text


def test_a_groups_server_wants_its_token_and_tells_no_score(
    served_site: Path, pending: Pending, wide: AnswerKey
) -> None:
    testclient = pytest.importorskip("fastapi.testclient")
    pending.scores = False
    app = server.create_app(served_site, pending, ("*",), "correct horse")
    client = testclient.TestClient(app, base_url="http://board.example")
    for auth in (None, ("ann", "wrong"), ("correct horse", "")):
        assert client.get("/", auth=auth).status_code == 401
        assert send(client, ("t.csv", table(wide)), auth=auth).status_code == 401
    assert client.get("/", headers={"Authorization": "Basic %%%"}).status_code == 401
    client.auth = ("ann", "correct horse")
    good, bad = (send(client, ("t.csv", table(wide, letter))).json() for letter in (None, "A"))
    for answer in (good, bad):
        answer.pop("token", None), answer.pop("download")
    assert good == bad and good["ok"] and "right" not in json.dumps(good)
    token = pending.check([("t.csv", table(wide))], server.form_fields(FORM))["token"]
    archive = pending.archive(token)
    assert archive is not None
    assert not [name for name in zipfile.ZipFile(io.BytesIO(archive[1])).namelist() if name.endswith(".md")]


@pytest.mark.parametrize("token", [None, "", "short"])
def test_others_reach_it_with_a_token_alone(boards: Any, token: str | None) -> None:
    from hlvid.errors import RunError

    with pytest.raises(RunError, match="give --token"):
        server.run(boards.submissions, "0.0.0.0", 0, token)


def test_a_branch_beside_the_download(
    served_site: Path, pending: Pending, wide: AnswerKey, git_repo: Callable[..., str], tmp_path: Path
) -> None:
    testclient = pytest.importorskip("fastapi.testclient")
    pending.repository = tmp_path / "repo"
    client = testclient.TestClient(server.create_app(served_site, pending), base_url="http://127.0.0.1")
    assert send(client, ("t.csv", table(wide))).json()["branch"] is None
    answer = send(client, ("t.csv", table(wide)), form={**FORM, "branch": "yes"}).json()
    assert answer["branch"] in git_repo("branch", "--format=%(refname:short)")


def test_more_bodies_than_can_be_read_are_sent_away(
    client: Any, wide: AnswerKey, monkeypatch: pytest.MonkeyPatch, served_site: Path, pending: Pending
) -> None:
    monkeypatch.setattr(server, "AT_ONCE", 0)
    testclient = pytest.importorskip("fastapi.testclient")
    full = testclient.TestClient(server.create_app(served_site, pending), base_url="http://127.0.0.1")
    assert send(full, ("t.csv", table(wide))).status_code == 503


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_the_command_leaves_nothing_behind(boards: Any, tmp_path: Path, ending: signal.Signals) -> None:
    code = "from hlvid.cli import main; main()"
    command = [
        sys.executable,
        "-c",
        code,
        "board",
        "serve",
        "--port",
        "0",
        "--submissions",
        str(boards.submissions),
    ]
    environment = {**os.environ, "TMPDIR": str(tmp_path), "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    ) as run:
        assert run.stdout is not None
        address = run.stdout.readline().split()[1]
        assert address.startswith("http://127.0.0.1:") and len(list(tmp_path.iterdir())) == 1
        for _ in range(100):
            try:
                with urllib.request.urlopen(address, timeout=10) as page:
                    assert b"<h1>" in page.read()
                break
            except urllib.error.URLError:
                time.sleep(0.1)
        run.send_signal(ending)
        _, errors = run.communicate(timeout=20)
    assert run.returncode == {signal.SIGINT: 130, signal.SIGTERM: 143}[ending]
    assert list(tmp_path.iterdir()) == [] and "Traceback" not in errors


def test_a_port_in_use_is_one_line(served_site: Path) -> None:
    from hlvid.errors import RunError

    with server._listening("127.0.0.1", 0) as listener, pytest.raises(RunError, match="--port"):
        server._listening("127.0.0.1", listener.getsockname()[1])


@pytest.fixture
def address(served_site: Path, pending: Pending) -> Iterator[str]:
    """The server on a free port of the loopback address."""
    uvicorn = pytest.importorskip("uvicorn")
    with server._listening("127.0.0.1", 0) as listener:
        running = uvicorn.Server(uvicorn.Config(server.create_app(served_site, pending), log_level="error"))
        thread = threading.Thread(target=running.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        while not running.started:
            time.sleep(0.01)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/"
        running.should_exit = True
        thread.join(10)


def test_the_form_in_a_browser(
    open_page: Callable[..., Any], address: str, wide: AnswerKey, tmp_path: Path
) -> None:
    page = open_page("submit.html", base=address)
    bad, good = tmp_path / "bad.csv", tmp_path / "good.csv"
    bad.write_bytes(table(wide).replace(b"q0,A", b"q0,<img src=x onerror=alert(1)>"))
    good.write_bytes(table(wide))
    page.click("text=Check and score")
    page.wait_for_selector("text=Choose a file first")
    page.set_input_files("input[name=files]", str(bad))
    page.fill("input[name='model.name']", FORM["model.name"])
    page.select_option("select[name=benchmark]", "mvbench")
    page.select_option("select[name='model.openness']", "closed")
    page.click("text=Check and score")
    page.wait_for_selector("ul.faults")
    assert "<img src=x" in page.inner_text("ul.faults") and page.locator("ul.faults img").count() == 0
    page.set_input_files("input[name=files]", str(good))
    page.click("text=Check and score")
    page.wait_for_selector(".verdict-box.good")
    assert "90 of 90 right" in page.inner_text(".verdict-box h3")
    with page.expect_download() as download:
        page.click(".verdict-box.good a.button")
    assert zipfile.is_zipfile(download.value.path())


def test_files_can_be_dropped(open_page: Callable[..., Any], address: str, wide: AnswerKey) -> None:
    page = open_page("submit.html", base=address)
    drop = """(text) => {
        const dataTransfer = new DataTransfer();
        dataTransfer.items.add(new File([text], 'dropped.csv'));
        const event = new DragEvent('drop', {dataTransfer, bubbles: true, cancelable: true});
        document.getElementById('drop').dispatchEvent(event);
    }"""
    page.evaluate(drop, table(wide).decode())
    assert "dropped.csv" in page.inner_text("#chosen")
    page.fill("input[name='model.name']", "m")
    page.select_option("select[name=benchmark]", "mvbench")
    page.select_option("select[name='model.openness']", "closed")
    page.click("text=Check and score")
    page.wait_for_selector(".verdict-box.good")
