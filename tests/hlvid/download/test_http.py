"""Run with: pytest tests/hlvid/sources/test_http.py. huggingface_hub talking to a server that answers like the hub."""

import hashlib
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from hlvid.benchmarks import locate, registry
from hlvid.benchmarks.egoschema import recordings
from hlvid.download import fetch
from hlvid.download import remote as hub_source
from hlvid.download.fetch import get as prepare
from hlvid.download.remote import FolderRemote, HubRemote
from hlvid.errors import DownloadError

BENCHMARK = registry.get("egoschema")
COMMIT = "c0ffee" + "0" * 34


class Server(BaseHTTPRequestHandler):
    """What the hub says about one repository, and bytes of its files by range; archives are LFS, the rest git."""

    folder: Path
    gated = False
    cut_next = 0
    asked: list[str]
    mapping = b""

    def do_GET(self) -> None:
        path = self.path.split("?")[0]
        if Server.gated:
            self.answer(403, b"{}", **{"X-Error-Code": "GatedRepo"})
        elif path == "/authors/uid_to_ego4d.json":
            self.answer(206 if Server.cut_next else 200, Server.mapping)
        elif path in {f"/api/datasets/{BENCHMARK.repo}/revision/{name}" for name in ("main", COMMIT)}:
            self.answer(200, json.dumps(self.info()).encode())
        elif match := re.fullmatch(rf"/datasets/{BENCHMARK.repo}/resolve/{COMMIT}/(.+)", path):
            Server.asked.append(match[1])
            start, end = self.headers["Range"].removeprefix("bytes=").split("-")
            data = (self.folder / match[1]).read_bytes()
            self.answer(206, data[int(start) : int(end) + 1 if end else len(data)])
        else:
            self.answer(404, b"{}", **{"X-Error-Code": "RepoNotFound"})

    def info(self) -> dict[str, Any]:
        """Sizes and hashes of all files, as `files_metadata` asks for them."""
        siblings = []
        for file in FolderRemote(self.folder).files():
            data = (self.folder / file.path).read_bytes()
            about: dict[str, Any] = {"rfilename": file.path, "size": len(data)}
            about["blobId"] = hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()
            if file.path.endswith(".zip"):
                about["lfs"] = {
                    "sha256": hashlib.sha256(data).hexdigest(),
                    "size": len(data),
                    "pointerSize": 134,
                }
            siblings.append(about)
        facts = {"disabled": False, "downloads": 0, "likes": 0, "tags": [], "private": False, "gated": False}
        return {"id": BENCHMARK.repo, "sha": COMMIT, "siblings": siblings, **facts}

    def answer(self, status: int, body: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if status == 206 and Server.cut_next:
            Server.cut_next -= 1
            body = body[: len(body) // 2]
            self.close_connection = True
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Quiet."""


@pytest.fixture
def hub(make_hub: Callable[[str], Any]) -> Any:
    """EgoSchema's stand-in."""
    return make_hub("egoschema")


@pytest.fixture
def source(hub: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[HubRemote]:
    Server.folder, Server.gated, Server.cut_next, Server.asked = hub.folder, False, 0, []
    monkeypatch.setattr(hub_source.time, "sleep", lambda seconds: None)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)  # this server is on this machine
    server = ThreadingHTTPServer(("127.0.0.1", 0), Server)
    Thread(target=server.serve_forever, daemon=True).start()
    yield HubRemote(BENCHMARK.repo, BENCHMARK.revision, f"http://127.0.0.1:{server.server_address[1]}")
    server.shutdown()
    server.server_close()


def videos() -> dict[str, bytes]:
    root = locate.home(BENCHMARK)
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*.mp4")}


def test_members_of_a_zip_come_through_the_hubs_client(hub: Any, source: HubRemote) -> None:
    report = prepare("egoschema", source=source, progress=False)
    assert videos() == hub.needed
    assert (report.repo, report.revision) == ("lmms-eval/egoschema", COMMIT)
    assert prepare("egoschema", source=source, progress=False).fetched == ()


def test_cut_lines_are_survived(hub: Any, source: HubRemote) -> None:
    Server.cut_next = 3
    prepare("hlvid_egoschema_subset", source=source, progress=False, workers=1)
    assert videos() == {"videos/uid1.mp4": hub.needed["videos/uid1.mp4"]}
    assert Server.cut_next == 0


def test_a_question_file_with_another_hash_is_refused(
    hub: Any, source: HubRemote, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Server, "info", lambda self, real=Server.info: spoilt(real(self)))
    with pytest.raises(DownloadError, match="came with another hash than lmms-eval/egoschema states"):
        prepare("hlvid_egoschema_subset", source=source, progress=False)
    assert locate.tables(BENCHMARK, "hlvid_egoschema_subset") == []


def spoilt(info: dict[str, Any]) -> dict[str, Any]:
    return {**info, "siblings": [{**file, "blobId": "0" * 40} for file in info["siblings"]]}


def test_terms_that_were_not_accepted_are_named(source: HubRemote) -> None:
    Server.gated = True
    with pytest.raises(DownloadError, match=r"lmms-eval/egoschema: gated; accept its terms on the hub"):
        prepare("egoschema", source=source, progress=False)


def test_no_network_but_everything_here_is_no_failure(hub: Any, source: HubRemote) -> None:
    prepare("egoschema", source=source, progress=False)
    unreachable = HubRemote(BENCHMARK.repo, "main", "http://127.0.0.1:9")
    assert prepare("egoschema", source=unreachable, progress=False).fetched == ()
    (locate.home(BENCHMARK) / "videos" / "uid1.mp4").unlink()
    with pytest.raises(DownloadError, match="the hub cannot be reached"):
        prepare("egoschema", source=unreachable, progress=False)


MAPPING = {  # three lines of the authors' file, with the clips of the stand-in
    "uid0": {"video_uid": "2fa72a4f-b318-4e04-97b8-efdc3b039258", "starting_sec": 240, "ending_sec": 420},
    "uid1": {"video_uid": "7aa79be1-ea25-4bda-a722-be65b1892236", "starting_sec": 1140, "ending_sec": 1320},
    "uid2": {"video_uid": "7aa79be1-ea25-4bda-a722-be65b1892236", "starting_sec": 360, "ending_sec": 540},
}


@pytest.fixture
def authors(source: HubRemote, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The hub and the authors' own pages, both on this server; returns where their mapping belongs."""
    (name, _), *_ = BENCHMARK.companions
    here = replace(BENCHMARK, companions=((name, f"{source._endpoint}/authors/{name}"),))
    monkeypatch.setattr(registry, "get", lambda _: here)
    monkeypatch.setattr(fetch, "HubRemote", lambda *_: source)
    return locate.home(BENCHMARK) / name


def test_the_authors_mapping_comes_with_the_data(authors: Path) -> None:
    """As its authors publish it; clips of one recording then cluster together (`test_prepare`)."""
    Server.mapping = json.dumps(MAPPING).encode()
    report = prepare("egoschema", progress=False)
    assert authors.name in report.fetched and report.notes == ()
    recordings.cache_clear()
    assert recordings(authors) == {name: cut["video_uid"] for name, cut in MAPPING.items()}
    assert prepare("egoschema", progress=False).fetched == ()


@pytest.mark.parametrize("fault", ["cut", "a page", "no server"])
def test_a_mapping_that_cannot_be_had_is_noted_and_tried_again(
    fault: str, authors: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Server.mapping = b"<html>" if fault == "a page" else json.dumps(MAPPING).encode()
    prepare("egoschema", progress=False)
    authors.unlink(missing_ok=True)
    Server.cut_next = 1 if fault == "cut" else 0
    if fault == "no server":
        gone = replace(registry.get("egoschema"), companions=((authors.name, "http://127.0.0.1:9/x.json"),))
        monkeypatch.setattr(registry, "get", lambda _: gone)
    report = prepare("egoschema", progress=False)
    (note,) = report.notes
    assert f"{authors.name} could not be fetched from http://127.0.0.1:" in note and not authors.exists()
    assert note in report.summary()
    if fault == "cut":
        assert prepare("egoschema", progress=False).fetched == (authors.name,)
