"""Run with: pytest tests/hlvid/sources/test_fetching.py. Whole, in part, from pieces, from several places."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hlvid.benchmarks import locate, registry
from hlvid.benchmarks.needed import needed
from hlvid.download.fetch import get as prepare
from hlvid.download.guards import SPARE_BYTES
from hlvid.download.remote import FolderRemote
from hlvid.errors import DatasetError, DownloadError
from hlvid.files import locked
from hlvid.tasks.suite.prepare import asked

Make = Callable[[str], Any]


def fetch(name: str, hub: Any, **options: Any) -> Any:
    return prepare(name, source=options.pop("source", hub.folder), progress=False, **options)


def files_of(name: str) -> dict[str, bytes]:
    """Everything in the benchmark's folder but questions and notes."""
    root = locate.home(registry.get(name))
    paths = [path for path in root.rglob("*") if path.suffix in (".mp4", ".srt")]
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in paths}


class Counting(FolderRemote):
    """Counts the bytes read of each file."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.bytes: dict[str, int] = {}

    def read(self, path: str, start: int, length: int) -> bytes:
        self.bytes[path] = self.bytes.get(path, 0) + length
        return super().read(path, start, length)


@pytest.mark.parametrize("name", ["videomme", "longvideobench", "mvbench", "egoschema"])
def test_what_is_needed_comes_and_nothing_else(name: str, make_hub: Make) -> None:
    hub = make_hub(name)
    report = fetch(name, hub)
    assert files_of(name) == hub.needed
    assert report.missing == ()
    assert report.videos == len([path for path in hub.needed if path.endswith(".mp4")])
    assert not list(locate.home(registry.get(name)).rglob(".partial"))


def test_a_second_run_reads_nothing(make_hub: Make) -> None:
    hub = make_hub("videomme")
    fetch("videomme", hub)
    source = Counting(hub.folder)
    report = fetch("videomme", hub, source=source)
    assert source.bytes == {}
    assert report.fetched == ()
    assert "4 of 4 videos are here; 0 files" in report.summary()


def test_one_task_fetches_its_own_videos(make_hub: Make) -> None:
    hub = make_hub("egoschema")
    fetch("hlvid_egoschema_subset", hub)
    assert set(files_of("egoschema")) == {"videos/uid1.mp4"}
    assert [
        path.parent.name for path in locate.tables(registry.get("egoschema"), "hlvid_egoschema_subset")
    ] == ["Subset"]


@pytest.mark.parametrize("name", ["videomme", "mvbench"])
def test_question_files_alone_are_enough_to_score(name: str, make_hub: Make) -> None:
    report = fetch(name, make_hub(name), no_videos=True)
    assert report.videos == 0 and not report.missing
    assert {Path(one).suffix for one in report.fetched} <= {".parquet", ".json"}
    assert len(asked(f"hlvid_{name}")) == report.questions


def test_what_lies_in_lmms_evals_folder_is_not_fetched(make_hub: Make, tmp_path: Path) -> None:
    hub = make_hub("egoschema")
    theirs = tmp_path / "hf" / "egoschema" / "videos"
    theirs.mkdir(parents=True)
    (theirs / "uid0.mp4").write_bytes(hub.needed["videos/uid0.mp4"])
    report = fetch("egoschema", hub)
    assert set(files_of("egoschema")) == {"videos/uid1.mp4", "videos/uid2.mp4"}
    assert report.videos == 3


def test_archives_are_listed_once(make_hub: Make) -> None:
    hub = make_hub("longvideobench")
    fetch("longvideobench", hub)
    (locate.home(registry.get("longvideobench")) / "videos" / "v1.mp4").unlink()
    source = Counting(hub.folder)
    fetch("longvideobench", hub, source=source)
    assert sum(source.bytes.values()) == len(hub.needed["videos/v1.mp4"])


def test_another_revision_is_listed_anew(make_hub: Make) -> None:
    hub = make_hub("egoschema")
    fetch("hlvid_egoschema_subset", hub)
    hub.zip("videos_chunked_01.zip", {"moved/uid0.mp4": b"new", "videos/uid2.mp4": b"newer"})
    fetch("egoschema", hub)
    assert files_of("egoschema")["videos/uid2.mp4"] == b"newer"
    assert files_of("egoschema")["videos/uid0.mp4"] == b"new"  # by its name, put where it belongs


def test_videos_that_the_repository_lacks_are_named(make_hub: Make) -> None:
    hub = make_hub("egoschema")
    hub.zip("videos_chunked_01.zip", {"videos/uid0.mp4": b"x"})
    report = fetch("egoschema", hub)
    assert report.missing == ("videos/uid1.mp4", "videos/uid2.mp4")
    assert "not in the repository: videos/uid1.mp4, videos/uid2.mp4" in report.summary()


def test_a_wrong_checksum_leaves_no_file(make_hub: Make) -> None:
    hub = make_hub("videomme")
    path = hub.folder / "videos_chunked_01.zip"
    data = bytearray(path.read_bytes())
    at = data.index(hub.needed["data/vid1.mp4"]) + 30_000
    data[at] ^= 1
    path.write_bytes(data)
    with pytest.raises(
        DownloadError, match=r"videos_chunked_01.zip: member 'data/vid1.mp4': does not unpack: Bad CRC"
    ):
        fetch("videomme", hub, workers=1)
    assert "data/vid1.mp4" not in files_of("videomme")


def test_packed_data_that_are_damaged_are_told(make_hub: Make) -> None:
    hub = make_hub("videomme")
    path = hub.folder / "videos_chunked_02.zip"
    data = bytearray(path.read_bytes())
    start = data.index(b"data/vid2.mp4") + 20
    data[start : start + 20_000] = b"\xff" * 20_000
    path.write_bytes(data)
    with pytest.raises(
        DownloadError, match=r"videos_chunked_02.zip: member 'data/vid2.mp4': does not unpack"
    ):
        fetch("videomme", hub)
    assert "data/vid2.mp4" not in files_of("videomme")


def test_a_repository_without_questions_is_named(make_hub: Make) -> None:
    hub = make_hub("mvbench")
    (hub.folder / "json" / "state_change.json").unlink()
    with pytest.raises(DownloadError, match=r"OpenGVLab/MVBench: no json/state_change.json at revision"):
        fetch("mvbench", hub)


def test_half_of_the_question_files_count_as_none(make_hub: Make) -> None:
    hub = make_hub("mvbench")
    fetch("mvbench", hub)
    root = locate.home(registry.get("mvbench"))
    (root / "json" / "state_change.json").unlink()
    assert locate.tables(registry.get("mvbench"), "hlvid_mvbench") == []
    with pytest.raises(DatasetError, match=r"not on this machine.*hlvid data prepare mvbench"):
        needed("hlvid_mvbench")
    fetch("mvbench", hub)
    assert len(locate.tables(registry.get("mvbench"), "hlvid_mvbench")) == 20


def test_shards_of_questions_come_all_or_not_at_all(make_hub: Make) -> None:
    hub = make_hub("egoschema")
    table = hub.folder / "Subset" / "test-00000-of-00001.parquet"
    root = locate.home(registry.get("egoschema")) / "Subset"
    root.mkdir(parents=True)
    shutil.copy(table, root / "test-00000-of-00002.parquet")
    assert locate.tables(registry.get("egoschema"), "hlvid_egoschema_subset") == []


def test_no_space_is_told_before_the_first_video(make_hub: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    hub = make_hub("egoschema")
    usage = shutil.disk_usage("/")
    monkeypatch.setattr(
        "hlvid.download.guards.shutil.disk_usage", lambda path: usage._replace(free=SPARE_BYTES + 100_000)
    )
    with pytest.raises(DownloadError, match=r"180 kB to fetch, 269 MB free; .* HLVID_DATA"):
        fetch("egoschema", hub)
    assert files_of("egoschema") == {}


def test_two_downloads_do_not_meet(make_hub: Make) -> None:
    hub = make_hub("egoschema")
    lock = locate.home(registry.get("egoschema")) / ".hlvid-download.lock"
    with locked(lock), pytest.raises(DownloadError, match="another download is running"):
        fetch("egoschema", hub)


def test_unknown_names_list_the_known(make_hub: Make) -> None:
    with pytest.raises(
        DatasetError, match=r"benchmark 'video-mme' is unknown; allowed: hlvid, videomme, mvbench"
    ):
        prepare("video-mme")
