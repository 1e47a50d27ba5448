"""Run with: pytest tests/hlvid/download/test_archives.py. Hostile archives are refused, odd ones read right."""

import io
import stat
import tarfile
import zipfile
from pathlib import Path

import pytest

from hlvid.download import transfer
from hlvid.download.archives import Archive, Entry, archives_of, entries_of, open_entry
from hlvid.download.remote import FolderRemote
from hlvid.download.transfer import Job, fetch_all
from hlvid.errors import DownloadError

TEXT = b"The quick brown fox jumps over the lazy dog. " * 4000


def look(folder: Path) -> tuple[list[Entry], Archive]:
    remote = FolderRemote(folder)
    (archive,) = archives_of(remote, remote.files()).values()
    return entries_of(archive), archive


def content(archive: Archive, entry: Entry, start: int = 0, step: int = 10**9) -> bytes:
    """From `start` on, read in steps."""
    found = b""
    with open_entry(archive, entry) as file:
        file.seek(start)
        while data := file.read(step):
            found += data
    return found


def bring(archive: Archive, entry: Entry, folder: Path) -> bytes:
    """Through `fetch_all`, which turns what zipfile says into our errors."""
    job = Job(
        folder / "x", entry.size, lambda: open_entry(archive, entry), lambda sums: None, f"{archive.path}: x"
    )
    fetch_all([job], 1, False, lambda job, sums: None)
    return (folder / "x").read_bytes()


def make_zip(folder: Path, *members: tuple[zipfile.ZipInfo | str, bytes], method: int = 8) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / "a.zip"
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, data in members:
            archive.writestr(name, data)
    return path


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
@pytest.mark.parametrize("step", [1000, 64 * 1024, 10**9])
def test_members_read_back_in_any_steps(method: int, step: int, tmp_path: Path) -> None:
    make_zip(tmp_path / "hub", ("a/b.srt", TEXT), ("empty.srt", b""), method=method)
    (entry, empty), archive = look(tmp_path / "hub")
    assert [(one.path, one.size) for one in (entry, empty)] == [("a/b.srt", len(TEXT)), ("empty.srt", 0)]
    assert content(archive, entry, step=step) == TEXT
    assert content(archive, entry, start=100_000, step=step) == TEXT[100_000:]
    assert content(archive, empty) == b""


def make_tar(*names: str) -> bytes:
    whole = io.BytesIO()
    with tarfile.open(fileobj=whole, mode="w") as archive:
        for name in names:
            info = tarfile.TarInfo(name)
            info.size = 3000
            archive.addfile(info, io.BytesIO(name[-8:].encode() * 375))
    return whole.getvalue()


def cut(folder: Path, data: bytes, piece: int) -> None:
    folder.mkdir()
    for number, start in enumerate(range(0, len(data), piece)):
        (folder / f"v.tar.part.{number:03d}").write_bytes(data[start : start + piece])


@pytest.mark.parametrize("piece", [512, 700, 10_000, 10**6])
def test_a_tar_in_pieces_is_one(piece: int, tmp_path: Path) -> None:
    cut(tmp_path / "hub", make_tar("videos/a.mp4", "videos/" + "long" * 40 + ".mp4"), piece)
    entries, archive = look(tmp_path / "hub")
    assert [entry.size for entry in entries] == [3000, 3000]
    assert content(archive, entries[1], start=1000) == (b"long.mp4" * 375)[1000:]


@pytest.mark.parametrize("piece", [700, 10**6])
def test_tars_that_were_joined_are_read_to_the_last(piece: int, tmp_path: Path) -> None:
    cut(tmp_path / "hub", make_tar("videos/a.mp4") + make_tar("videos/b.mp4", "videos/c.mp4"), piece)
    entries, archive = look(tmp_path / "hub")
    assert [entry.path for entry in entries] == ["videos/a.mp4", "videos/b.mp4", "videos/c.mp4"]
    assert content(archive, entries[2]) == b"os/c.mp4" * 375


def test_the_given_joined_tar(shared: Path, tmp_path: Path) -> None:
    entries, archive = look(shared / "cases" / "archives")
    assert len(entries) == 2
    assert all(len(content(archive, entry)) == entry.size for entry in entries)


def link() -> zipfile.ZipInfo:
    info = zipfile.ZipInfo("videos/link.mp4")
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    return info


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("../../etc/passwd", "its path leads outside"),
        ("/etc/passwd", "its path leads outside"),
        ("videos/../../x.mp4", "its path leads outside"),
        ("C:/x.mp4", "its path leads outside"),
        (".", "its path leads outside"),
        (link(), "a link"),
    ],
    ids=str,
)
def test_hostile_zips_are_refused_whole(name: zipfile.ZipInfo | str, text: str, tmp_path: Path) -> None:
    make_zip(tmp_path / "hub", ("good.mp4", b"x"), (name, b"evil"))
    with pytest.raises(DownloadError, match=rf"a.zip: refusing member .*{text}"):
        look(tmp_path / "hub")


def test_other_packing_and_encryption_are_refused(tmp_path: Path) -> None:
    path = make_zip(tmp_path / "hub", ("x.mp4", TEXT), method=zipfile.ZIP_LZMA)
    with pytest.raises(DownloadError, match=r"refusing member 'x\.mp4'"):
        look(tmp_path / "hub")
    make_zip(tmp_path / "hub", ("x.mp4", TEXT))
    data = bytearray(path.read_bytes())
    data[data.index(b"PK\x01\x02") + 8] |= 1  # the flag in the directory
    path.write_bytes(data)
    with pytest.raises(DownloadError, match="encrypted"):
        look(tmp_path / "hub")


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE])
def test_tars_with_links_and_devices_are_refused(kind: bytes, tmp_path: Path) -> None:
    (tmp_path / "hub").mkdir()
    with tarfile.open(tmp_path / "hub" / "a.tar", "w") as archive:
        info = tarfile.TarInfo("videos/x.mp4")
        info.type, info.linkname = kind, "/etc/passwd"
        archive.addfile(info)
    with pytest.raises(DownloadError, match="not a plain file"):
        look(tmp_path / "hub")


def test_a_bomb_stops_at_the_size_it_states(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = make_zip(tmp_path / "hub", ("x.srt", b"\0" * 50_000_000))
    data = bytearray(path.read_bytes())
    at = data.index(b"PK\x01\x02") + 24
    data[at : at + 4] = (1000).to_bytes(4, "little")
    path.write_bytes(data)
    (entry,), archive = look(tmp_path / "hub")
    assert entry.size == 1000
    with pytest.raises(DownloadError, match="does not unpack: Bad CRC"):
        bring(archive, entry, tmp_path)
    assert not list(tmp_path.rglob(".partial/*"))
    monkeypatch.setattr(transfer, "PIECE", 100)
    with pytest.raises(DownloadError, match="does not unpack"):
        bring(archive, entry, tmp_path)


@pytest.mark.parametrize(("at", "size"), [(24, 200_000_000), (20, 10)], ids=["says more", "packed cut"])
def test_a_member_shorter_than_it_states_is_told(at: int, size: int, tmp_path: Path) -> None:
    path = make_zip(tmp_path / "hub", ("x.srt", TEXT))
    data = bytearray(path.read_bytes())
    place = data.index(b"PK\x01\x02") + at
    data[place : place + 4] = size.to_bytes(4, "little")
    path.write_bytes(data)
    (entry,), archive = look(tmp_path / "hub")
    with pytest.raises(DownloadError, match=r"is shorter than it states|does not unpack"):
        bring(archive, entry, tmp_path)
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize("content", [b"", b"<html>404</html>", b"PK\x03\x04" + b"x" * 100])
@pytest.mark.parametrize("name", ["a.zip", "a.tar"])
def test_what_is_no_archive_is_told(name: str, content: bytes, tmp_path: Path) -> None:
    (tmp_path / "hub").mkdir()
    (tmp_path / "hub" / name).write_bytes(content)
    with pytest.raises(DownloadError, match=rf"{name}: not a readable archive"):
        look(tmp_path / "hub")
