"""hlvid.download against a stand-in of HLVid: whole, subset, corrupted, hostile. Kills: test_hlvid_kill.py."""

import io
import shutil
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from hlvid.download import guards
from hlvid.download.archives import WINDOW, archives_of, entries_of
from hlvid.download.catalogue import FILES, NAME, fetched, read_catalogue
from hlvid.download.fetch import Report
from hlvid.download.fetch import get as download
from hlvid.download.remote import FolderRemote
from hlvid.errors import DownloadError
from hlvid.files import locked


@pytest.fixture
def standin(make_standin: Callable):
    return make_standin()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "root"


class Counting(FolderRemote):
    """A folder that counts the bytes read from it."""

    count = 0

    def read(self, path: str, start: int, length: int) -> bytes:
        Counting.count += length
        return super().read(path, start, length)


def get(standin, root: Path, **choice) -> Report:
    return download("hlvid", out=root, source=standin.folder, progress=False, **choice)


def came(report: Report) -> list[str]:
    """The videos that came, by name."""
    return sorted(Path(name).name for name in report.fetched if name.startswith("videos/"))


def on_disk(root: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (root / "videos").iterdir() if path.is_file()}


def test_everything_arrives_bit_for_bit_and_every_part_is_verified(standin, root):
    report = get(standin, root)
    assert on_disk(root) == standin.videos
    assert came(report) == sorted(standin.videos)
    assert report.verified == tuple(f"videos_part_{i:04d}.tar" for i in (1, 2, 3))
    assert report.questions == 6
    questions = (standin.folder / "data" / "test-00000-of-00001.csv").stat().st_size
    assert report.fetched_bytes == sum(map(len, standin.videos.values())) + questions
    assert not (root / "videos" / ".partial").exists()
    assert not list(root.rglob("*.tar")), "no tar is ever stored"


def test_second_run_fetches_nothing(standin, root):
    get(standin, root)
    again = get(standin, root)
    assert again.fetched == () and again.fetched_bytes == 0
    assert (again.videos, again.missing) == (len(standin.videos), ())


def test_manifest_records_revision_and_hashes(standin, root):
    report = get(standin, root)
    manifest = read_catalogue(root)
    assert manifest is not None
    assert manifest.revision == report.revision == FolderRemote(standin.folder).revision
    sums = dict(
        reversed(line.split("  ")) for line in (standin.folder / "SHA256SUMS").read_text().splitlines()
    )
    assert manifest.tables["data/test-00000-of-00001.csv"] == sums["data/test-00000-of-00001.csv"]
    assert {name: part.sha256 for name, part in manifest.archives.items()} == {
        name: digest for name, digest in sums.items() if name.endswith(".tar")
    }


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        ({"videos": ["clip_av_video_1_001.mp4"]}, {"clip_av_video_1_001.mp4"}),
        ({"videos": ["clip_av_video_1_001"]}, {"clip_av_video_1_001.mp4"}),
        ({"questions": ["0", "3"]}, {"clip_household_video_0_000.mp4", "clip_av_video_1_001.mp4"}),
        ({"category": "av"}, {"clip_av_video_1_000.mp4", "clip_av_video_1_001.mp4"}),
        ({"questions": ["0", "2"], "category": "av"}, {"clip_av_video_1_000.mp4"}),
        (
            {"videos": ["clip_household_video_2_000"], "questions": ["0"]},
            {"clip_household_video_2_000.mp4", "clip_household_video_0_000.mp4"},
        ),
    ],
)
def test_subset(standin, root, choice, expected):
    get(standin, root, **choice)
    assert on_disk(root) == {name: standin.videos[name] for name in expected}


def test_subset_reads_little_more_than_itself(make_standin, root):
    standin = make_standin(parts=2, per_part=3, size=2_000_000)
    Counting.count = 0
    download(
        "hlvid", out=root, source=Counting(standin.folder), videos=["clip_av_video_1_001"], progress=False
    )
    assert Counting.count < 2_000_000 + 2 * 4 * 2**16 + 10_000


def test_subset_completed_later_is_verified_then(standin, root):
    assert get(standin, root, videos=["clip_av_video_1_001"]).verified == ()
    assert get(standin, root, videos=["clip_av_video_1_000"]).verified == ("videos_part_0002.tar",)


@pytest.mark.parametrize(
    ("choice", "message"),
    [
        ({"videos": ["clip_av_video_1_01.mp4"]}, "do you mean 'clip_av_video_1_0"),
        ({"questions": ["99"]}, "question '99'"),
        ({"category": "kitchen"}, "--category kitchen: is none of av, household"),
        ({"videos": ["clip_av_video_1_001"], "category": "household"}, "nothing to download"),
    ],
)
def test_unknown_choice(standin, root, choice, message):
    with pytest.raises(DownloadError, match=message):
        get(standin, root, **choice)


def test_no_space_is_found_before_the_first_byte(standin, root, monkeypatch):
    usage = shutil.disk_usage("/")._replace(free=guards.SPARE_BYTES + 1_000_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage)
    with pytest.raises(DownloadError, match=r"1\.8 MB to fetch, 269 MB free"):
        get(standin, root)
    assert not (root / "videos").exists()
    get(standin, root, category="av")  # a part of it fits
    assert len(on_disk(root)) == 2


def test_wrong_hash_of_a_part_costs_its_videos_and_is_named(standin, root):
    part = standin.folder / "videos_part_0002.tar"
    good = part.read_bytes()
    part.write_bytes(good[:100_000] + b"\0" * 10 + good[100_010:])
    with pytest.raises(DownloadError, match=r"videos_part_0002\.tar: wrong sha256"):
        get(standin, root)
    assert {name for name in standin.videos if "av" in name}.isdisjoint(on_disk(root))
    part.write_bytes(good)
    get(standin, root)
    assert on_disk(root) == standin.videos


def test_wrong_hash_of_the_questions(standin, root):
    with (standin.folder / "data/test-00000-of-00001.csv").open("a") as file:
        file.write("99,av,x,A,y.mp4\n")
    with pytest.raises(DownloadError, match="came with another checksum"):
        get(standin, root)
    assert not list((root / "data").glob("*.csv"))


def test_damaged_video_is_fetched_again(standin, root):
    get(standin, root)
    victim = root / "videos" / "clip_av_video_1_000.mp4"
    victim.write_bytes(b"short")
    assert get(standin, root).fetched == ("videos/clip_av_video_1_000.mp4",)
    assert on_disk(root) == standin.videos


def test_video_renamed_but_not_yet_noted_is_kept(standin, root):
    get(standin, root)
    path, name = root / FILES, "videos/clip_av_video_1_000.mp4"
    before = fetched(root)
    path.write_text("\n".join(line for line in path.read_text().splitlines() if name not in line) + '\n{"pa')
    assert name not in fetched(root)
    assert get(standin, root).fetched == ()
    assert fetched(root) == before


def test_other_questions_are_not_mixed_in(standin, root):
    get(standin, root, category="av")
    (standin.folder / "README.md").write_text("changed")
    assert came(get(standin, root, videos=["clip_household_video_0_000"])) == [
        "clip_household_video_0_000.mp4"
    ]
    with (standin.folder / "data" / "test-00000-of-00001.csv").open("a") as file:
        file.write("\n")
    standin.sign()
    with pytest.raises(DownloadError, match=r"holds folder at revision folder-.*another with --out"):
        get(standin, root)


@pytest.mark.parametrize("content", ["{", '{"repo": "bfshi/HLVid", "revision": "x", "parts": {}}'])
def test_a_note_that_cannot_be_read_costs_a_look_only(standin, root, content):
    get(standin, root)
    (root / NAME).write_text(content)
    report = get(standin, root)
    assert came(report) == [] and on_disk(root) == standin.videos


def test_two_downloads_into_one_folder(standin, root):
    root.mkdir()
    lock = root / ".hlvid-download.lock"
    with (
        locked(lock),
        pytest.raises(DownloadError, match="root: another download is running into this folder"),
    ):
        get(standin, root)


def test_question_without_video_is_reported(standin, root):
    (standin.folder / "videos_part_0002.tar").unlink()
    report = get(standin, root)
    assert report.missing == ("videos/clip_av_video_1_000.mp4", "videos/clip_av_video_1_001.mp4")
    assert "not in the repository: videos/clip" in report.summary()


def test_no_question_file(standin, root):
    shutil.move(standin.folder / "data", standin.folder / "elsewhere")
    with pytest.raises(DownloadError, match=r"no data/test\* at revision"):
        get(standin, root)


def bad_tar(path: Path, kind: str) -> None:
    """A tar of one good video and one member that must not be taken."""
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as archive:
        good = tarfile.TarInfo("clip_av_video_9_000.mp4")
        good.size = 100
        archive.addfile(good, io.BytesIO(b"x" * 100))
        names = {"climbing": "../evil.mp4", "absolute": "/tmp/evil.mp4", "inner": "a/../../evil.mp4"}
        info = tarfile.TarInfo(names.get(kind, "evil.mp4"))
        if kind in ("symlink", "hardlink"):
            info.type = tarfile.SYMTYPE if kind == "symlink" else tarfile.LNKTYPE
            info.linkname = "/etc/passwd"
        if kind == "device":
            info.type = tarfile.CHRTYPE
        if kind == "twice":
            info.name = "clip_av_video_9_000.mp4"
        archive.addfile(info)


@pytest.mark.parametrize("kind", ["climbing", "absolute", "inner", "symlink", "hardlink", "device", "twice"])
def test_hostile_member_is_refused_before_anything_is_written(standin, root, kind):
    bad_tar(standin.folder / "videos_part_0004.tar", kind)
    standin.sign()
    with pytest.raises(DownloadError, match=r"videos_part_0004\.tar(: refusing member|; refusing to)"):
        get(standin, root)
    assert not (root / "videos").exists()


def test_same_video_in_two_parts(standin, root):
    shutil.copy(standin.folder / "videos_part_0001.tar", standin.folder / "videos_part_0009.tar")
    standin.sign()
    with pytest.raises(DownloadError, match=r"lies in videos_part_0001\.tar and in videos_part_0009\.tar"):
        get(standin, root)


@pytest.mark.parametrize("cut", [100, 200_000])
def test_part_that_is_no_whole_tar(standin, root, cut):
    part = standin.folder / "videos_part_0001.tar"
    part.write_bytes(part.read_bytes()[:cut])
    standin.sign()
    with pytest.raises(
        DownloadError, match=r"videos_part_0001\.tar: (not a readable archive|member .* past the end)"
    ):
        get(standin, root)


def test_part_that_is_a_slice_of_a_bigger_tar(standin, root):
    part = standin.folder / "videos_part_0001.tar"
    part.write_bytes(part.read_bytes()[1000:])
    standin.sign()
    with pytest.raises(DownloadError, match="not a readable archive"):
        get(standin, root)


def test_hidden_files_are_passed_over_and_long_names_read(tmp_path):
    long = "clip_av_video_" + "1" * 150 + "_000.mp4"
    for format in (tarfile.GNU_FORMAT, tarfile.PAX_FORMAT):
        with tarfile.open(tmp_path / "p.tar", "w", format=format) as archive:
            for name, size in [
                ("README.md", 10),
                ("._clip.mp4", 20),
                (f"./videos/{long}", 5000),
                ("d.mp4", 0),
            ]:
                info = tarfile.TarInfo(name)
                info.size = size
                archive.addfile(info, io.BytesIO(bytes([size % 251]) * size))
        path = tmp_path / "p.tar"
        remote = FolderRemote(tmp_path)
        entries = entries_of(archives_of(remote, remote.files())["p.tar"])
        assert [(one.path, one.size) for one in entries] == [
            ("README.md", 10),
            (f"videos/{long}", 5000),
            ("d.mp4", 0),
        ]
        assert path.read_bytes()[entries[1].offset :][:5000] == bytes([5000 % 251]) * 5000


def test_failure_of_one_video_keeps_the_others_progress(standin, root):
    class Failing(FolderRemote):
        def read(self, path, start, length):
            if path == "videos_part_0003.tar" and start > 200_000 and length > WINDOW:
                raise DownloadError("line cut")
            return super().read(path, start, length)

    with pytest.raises(DownloadError, match="line cut"):
        download("hlvid", out=root, source=Failing(standin.folder), workers=1, progress=False)
    done = on_disk(root)
    assert done and all(standin.videos[name] == content for name, content in done.items())
    report = get(standin, root)
    assert set(came(report)) == set(standin.videos) - set(done) and on_disk(root) == standin.videos
    assert report.verified == tuple(f"videos_part_{i:04d}.tar" for i in (1, 2, 3))
