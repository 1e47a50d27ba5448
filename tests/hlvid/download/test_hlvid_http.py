"""HubRemote for real: huggingface_hub talking to a small HTTP server that answers like the hub."""

import json
import re
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from hlvid.benchmarks.registry import HLVID
from hlvid.download import remote as hub_source
from hlvid.download.fetch import get
from hlvid.download.remote import FolderRemote, HubRemote
from hlvid.errors import DownloadError

REPO, PINNED = HLVID.repo, HLVID.revision


def download(root, **choice):
    return get("hlvid", out=root, **choice)


class Hub(BaseHTTPRequestHandler):
    """The two endpoints we use, with the hub's redirect to a file store between them."""

    folder: Path
    fail_next: int = 0
    cut_next: int = 0
    ignore_ranges: bool = False
    ranges: list[str]

    def do_GET(self) -> None:
        if self.path.startswith(f"/api/datasets/{REPO}/revision/"):
            self.info(self.path.split("/revision/")[1].split("?")[0])
        elif match := re.fullmatch(rf"/datasets/{REPO}/resolve/{PINNED}/(.+)", self.path):
            self.answer(302, b"", Location=f"/store/{match[1]}")
        elif self.path.startswith("/store/"):
            self.file(self.folder / self.path.removeprefix("/store/"))
        else:
            self.answer(404, b"{}", **{"X-Error-Code": "RepoNotFound"})

    def info(self, revision: str) -> None:
        if revision != PINNED:
            self.answer(404, b"{}", **{"X-Error-Code": "RevisionNotFound"})
            return
        # with "blobs=" for sizes and hashes, without where only the commit is asked for
        siblings = [
            {
                "rfilename": f.path,
                "size": f.size,
                "lfs": {"sha256": f.sha256, "size": f.size, "pointerSize": 134},
            }
            for f in FolderRemote(self.folder).files()
        ]
        body = {"id": REPO, "sha": PINNED, "siblings": siblings, "private": False, "gated": False}
        self.answer(
            200, json.dumps(body | {"disabled": False, "downloads": 0, "likes": 0, "tags": []}).encode()
        )

    def file(self, path: Path) -> None:
        if Hub.fail_next:
            Hub.fail_next -= 1
            self.answer(503, b"busy")
            return
        Hub.ranges.append(self.headers["Range"])
        first, last = self.headers["Range"].removeprefix("bytes=").split("-")
        data = path.read_bytes()
        start, end = int(first), int(last) if last else len(data) - 1
        if Hub.ignore_ranges:
            self.answer(200, data)
            return
        self.answer(206, data[start : end + 1], **{"Content-Range": f"bytes {start}-{end}/{len(data)}"})

    def answer(self, status: int, body: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if Hub.cut_next and status == 206:
            Hub.cut_next -= 1
            body = body[: len(body) // 2]
            self.close_connection = True
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Quiet."""


@pytest.fixture
def standin(make_standin: Callable):
    return make_standin(parts=2, per_part=2, size=200_000)


@pytest.fixture
def endpoint(standin, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    Hub.folder, Hub.ranges, Hub.fail_next, Hub.cut_next, Hub.ignore_ranges = standin.folder, [], 0, 0, False
    monkeypatch.setattr(hub_source.time, "sleep", lambda seconds: None)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def test_download_through_the_hub_client(standin, endpoint, tmp_path):
    report = download(tmp_path / "root", source=HubRemote(REPO, PINNED, endpoint), progress=False)
    assert {path.name: path.read_bytes() for path in (tmp_path / "root/videos").iterdir()} == standin.videos
    assert (report.repo, report.revision) == (REPO, PINNED)
    assert report.verified == ("videos_part_0001.tar", "videos_part_0002.tar")
    assert "not the one reported" in report.notes[0], "a stand-in's questions are not the real ones"
    assert all(Hub.ranges), "every read asks for a range"


def test_busy_server_and_cut_lines_are_survived(standin, endpoint, tmp_path):
    Hub.fail_next, Hub.cut_next = 1, 2
    source = HubRemote(REPO, PINNED, endpoint)
    name = "clip_av_video_1_001.mp4"
    download(tmp_path / "root", source=source, videos=[name], progress=False)
    assert (tmp_path / "root/videos" / name).read_bytes() == standin.videos[name]
    assert (Hub.fail_next, Hub.cut_next) == (0, 0)


def test_server_that_ignores_ranges(endpoint, tmp_path):
    Hub.ignore_ranges = True
    with pytest.raises(DownloadError, match="ignores range requests"):
        download(tmp_path / "root", source=HubRemote(REPO, PINNED, endpoint), progress=False)


@pytest.mark.parametrize(
    ("repo", "revision", "message"),
    [(REPO, "0" * 40, "has no revision"), ("nobody/nothing", PINNED, "not on the hub, or private")],
)
def test_wrong_names(endpoint, tmp_path, repo, revision, message):
    with pytest.raises(DownloadError, match=message):
        download(tmp_path / "root", source=HubRemote(repo, revision, endpoint), progress=False)


def test_no_network(tmp_path):
    source = HubRemote(REPO, PINNED, "http://127.0.0.1:9")
    with pytest.raises(DownloadError, match=r"bfshi/HLVid: the hub cannot be reached"):
        download(tmp_path / "root", source=source, progress=False)
