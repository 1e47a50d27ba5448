"""Run with: pytest tests/hlvid/sources/test_archives.py. Hostile archives are refused, odd ones read right."""

import io
import stat
import tarfile
import zipfile
from pathlib import Path

import pytest

from hlvid.download import archives
from hlvid.download.archives import Entry, Joined, Unpacked, entries_of
from hlvid.download.remote import FolderSource
from hlvid.errors import DownloadError

TEXT = b"The quick brown fox jumps over the lazy dog. " * 4000


def look(folder: Path) -> tuple[list[Entry], Unpacked]:
    source = FolderSource(folder)
    joined = Joined(source, source.files())
    (archive,) = joined.files()
    entries = entries_of(joined, archive)
    return entries, Unpacked(joined, entries)


def make_zip(folder: Path, *members: tuple[zipfile.ZipInfo | str, bytes], method: int = 8) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / "a.zip"
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return path


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
@pytest.mark.parametrize("step", [1000, 64 * 1024, 10**9])
def test_members_read_back_in_any_steps(
    method: int, step: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archives, "PIECE", 777)
    make_zip(tmp_path / "hub", ("a/b.srt", TEXT), ("empty.srt", b""), method=method)
    entries, unpacked = look(tmp_path / "hub")
    assert [(entry.path, entry.size) for entry in entries] == [("a/b.srt", len(TEXT)), ("empty.srt", 0)]
    found = b"".join(
        unpacked.read("a/b.srt", start, min(step, len(TEXT) - start)) for start in range(0, len(TEXT), step)
    )
    assert found == TEXT
    assert unpacked.read("empty.srt", 0, 0) == b""


def test_packed_members_can_be_entered_in_the_middle(tmp_path: Path) -> None:
    make_zip(tmp_path / "hub", ("b.srt", TEXT))
    _, unpacked = look(tmp_path / "hub")
    assert unpacked.read("b.srt", 100_000, 50) == TEXT[100_000:100_050]
    assert unpacked.read("b.srt", 10, 50) == TEXT[10:60]


@pytest.mark.parametrize("piece", [512, 700, 10_000, 10**6])
def test_a_tar_in_pieces_is_one(piece: int, tmp_path: Path) -> None:
    whole = io.BytesIO()
    with tarfile.open(fileobj=whole, mode="w") as archive:
        for name in ("videos/a.mp4", "videos/" + "long" * 40 + ".mp4"):
            info = tarfile.TarInfo(name)
            info.size = 3000
            archive.addfile(info, io.BytesIO(name[-8:].encode() * 375))
    (tmp_path / "hub").mkdir()
    data = whole.getvalue()
    for number, start in enumerate(range(0, len(data), piece)):
        (tmp_path / "hub" / f"v.tar.part.{number:03d}").write_bytes(data[start : start + piece])
    entries, unpacked = look(tmp_path / "hub")
    assert [entry.size for entry in entries] == [3000, 3000]
    assert unpacked.read(entries[1].path, 1000, 80) == (b"long.mp4" * 375)[1000:1080]


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


def test_a_bomb_stops_at_the_size_it_states(tmp_path: Path) -> None:
    path = make_zip(tmp_path / "hub", ("x.srt", b"\0" * 50_000_000))
    data = bytearray(path.read_bytes())
    at = data.index(b"PK\x01\x02") + 24
    data[at : at + 4] = (1000).to_bytes(4, "little")
    path.write_bytes(data)
    (entry,), unpacked = look(tmp_path / "hub")
    assert entry.size == 1000
    assert len(unpacked.read("x.srt", 0, entry.size)) == 1000


@pytest.mark.parametrize(("at", "size"), [(24, 200_000_000), (20, 10)], ids=["says more", "packed cut"])
def test_a_member_shorter_than_it_states_is_told(at: int, size: int, tmp_path: Path) -> None:
    path = make_zip(tmp_path / "hub", ("x.srt", TEXT))
    data = bytearray(path.read_bytes())
    place = data.index(b"PK\x01\x02") + at
    data[place : place + 4] = size.to_bytes(4, "little")
    path.write_bytes(data)
    (entry,), unpacked = look(tmp_path / "hub")
    with pytest.raises(DownloadError, match=r"is shorter than it states|ends in the middle"):
        unpacked.read("x.srt", 0, entry.size)


@pytest.mark.parametrize("content", [b"", b"<html>404</html>", b"PK\x03\x04" + b"x" * 100])
@pytest.mark.parametrize("name", ["a.zip", "a.tar"])
def test_what_is_no_archive_is_told(name: str, content: bytes, tmp_path: Path) -> None:
    (tmp_path / "hub").mkdir()
    (tmp_path / "hub" / name).write_bytes(content)
    with pytest.raises(DownloadError, match=rf"{name}: not a readable archive"):
        look(tmp_path / "hub")
