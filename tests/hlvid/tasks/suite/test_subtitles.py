"""Run with: pytest tests/hlvid/tasks/suite/test_subtitles.py. Odd .srt files, and frames of odd videos."""

from pathlib import Path

import pytest

from hlvid.benchmarks.subtitles import Line, frame_times, read, subtitles_of
from hlvid.errors import DatasetError


def write(path: Path, text: str, encoding: str = "utf-8") -> Path:
    path.write_bytes(text.encode(encoding))
    return path


@pytest.mark.parametrize(
    "text",
    [
        "1\n00:00:01,500 --> 01:00:02,250\nHello <i>there</i>\nyou\n\n",
        "1\r\n00:00:01,500 --> 01:00:02,250\r\nHello there\r\nyou\r\n",
        "\ufeff1\n00:00:01.500 --> 01:00:02.250\n<font color='x'>Hello</font>   there you",
        "00:00:01,5 --> 01:00:02,25\nHello there you\n\n\n2\n00:00:05,000 --> 00:00:06,000\n\n",
    ],
    ids=["tags", "carriage returns", "mark and points", "no number, an empty cue"],
)
def test_one_cue_however_it_is_written(text: str, tmp_path: Path) -> None:
    assert read(write(tmp_path / "a.srt", text)) == (Line(1.5, 3602.25, "Hello there you"),)


@pytest.mark.parametrize(
    ("times", "start"),
    [("00:00:03,000 --&gt; 00:00:04,000", 3), ("00:00:03,000 -- > 00:00:04,000", 3), ("00:00:03 \u2192 00:00:04", 3),
     ("\ufeff00:00:03,000 --> 00:00:04,000", 3), ("\u200b0:3.0 --> 0:4.0", 3), ("00\uff1a03\uff0c0 --> 00\uff1a04", 3),
     ("00:00:03;000 --> 00:00:04;000", 3)],
)  # fmt: skip
def test_odd_times_open_a_cue(times: str, start: int, tmp_path: Path) -> None:
    text = f"1\n00:00:01,000 --> 00:00:02,000\nHi\n\n2\n{times}\nBye\n"
    assert read(write(tmp_path / "a.srt", text)) == (Line(1, 2, "Hi"), Line(start, start + 1, "Bye"))


@pytest.mark.parametrize(
    ("said", "kept"),
    [("press -> next\nand 5 --> 6", "press -> next and 5 --> 6"), ("{laughs} Hi {\\an8}there", "{laughs} Hi there"),
     ("1 < 2 and <b>3</b> > 2", "1 < 2 and 3 > 2"), ("AT&amp;T", "AT&amp;T"), ("B\0ye\u2028now", "Bye now")],
)  # fmt: skip
def test_what_is_said_is_kept(said: str, kept: str, tmp_path: Path) -> None:
    text = f"1\n00:00:01,000 --> 00:00:02,000\n{said}\n\n2\n00:00:03,000 --> 00:00:04,000\nBye\n"
    assert [line.text for line in read(write(tmp_path / "a.srt", text))] == [kept, "Bye"]


def test_times_within_cues_and_entities_of_webvtt_and_other_formats(tmp_path: Path) -> None:
    vtt = "WEBVTT\n\n00:01.000 --> 00:02.000\n<00:00:01.439><c> hello</c> <v Bob>x</v> &amp; y"
    assert read(write(tmp_path / "a.srt", vtt)) == (Line(1, 2, "hello x & y"),)
    ass = "[Script Info]\n[Events]\nDialogue: 0,0:00:01.00,0:00:02.00,Default,,0,0,0,,{\\i1}Hi\\Nyou"
    assert read(write(tmp_path / "b.srt", ass)) == (Line(1, 2, "Hi you"),)
    with pytest.raises(DatasetError, match=r"c.srt: is no subtitle file \(.*fetch it again"):
        read(write(tmp_path / "c.srt", ass.replace("0:00:02.00", "soon")))


def test_an_empty_file_says_nothing(tmp_path: Path) -> None:
    assert read(write(tmp_path / "a.srt", " \n")) == ()


@pytest.mark.parametrize("text", ["no cues at all", "<html><body>404 not found</body></html>"])
def test_what_holds_no_cue_is_no_subtitle_file(text: str, tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"a.srt: holds no cue.*fetch it again"):
        read(write(tmp_path / "a.srt", text))


def test_other_encodings_are_read_and_named(tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match=r"a.srt: not valid UTF-8; read as Windows-1252"):
        (line,) = read(write(tmp_path / "a.srt", "1\n00:00:01,000 --> 00:00:02,000\nCafé", "latin-1"))
    assert line.text == "Café"
    for number, encoding in enumerate(("utf-16", "utf-16-le", "utf-16-be", "utf-32")):
        file = write(tmp_path / f"{number}.srt", "1\n00:00:01,000 --> 00:00:02,000\nCafé", encoding)
        assert read(file) == (line,)


def test_a_cue_that_cannot_be_shown_is_named(tmp_path: Path) -> None:
    text = "1\n100:00:00 --> 100:00:01\nlost\n\n2\n00:05,0 --> 00:03,0\nback\n\n3\n00:00:06 -> 00:00:07\nkept\n42"
    with pytest.warns(UserWarning) as heard:
        assert read(write(tmp_path / "a.srt", text)) == (Line(6.0, 7.0, "kept 42"),)
    told = [str(one.message) for one in heard]
    assert "line 2: times cannot be read" in told[0] and "ends before it starts" in told[1]


def test_notes_styles_and_names_of_webvtt_are_not_said(tmp_path: Path) -> None:
    text = (
        "WEBVTT - a title\n\nSTYLE\n::cue { color: red }\n\nintro\n00:01.000 --> 00:02.000 align:left\n"
        "<v Ann>Is x < y?</v>\n\nNOTE not said\nnor this\n\n00:03.000 --> 00:04.000\nYes"
    )
    assert read(write(tmp_path / "a.srt", text)) == (Line(1.0, 2.0, "Is x < y?"), Line(3.0, 4.0, "Yes"))


GIVEN = {
    1: [(1.5, 1.9, "first"), (2.0, 3.0, "second"), (62.5, 63.0, "third")],
    2: [(1.5, 1.9, "first"), (2.0, 3.0, "second")],
    3: [(1.5, 1.9, "first"), (2.0, 3.0, "second")],
    4: [(1.5, 1.9, "café")],
    5: [(1.5, 1.9, "café")],
    7: [(1.5, 1.9, "first"), (2.0, 3.0, "second")],
    8: [(1.5, 1.9, "first"), (6.0, 7.0, "no ms"), (8.0, 9.0, "arrow")],
    9: [(1.5, 1.9, "first second para"), (2.0, 3.0, "I said 1 < 2 and 3 > 2")],
}


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("number", GIVEN)
def test_the_given_files_are_read_cue_by_cue(number: int, shared: Path) -> None:
    found = read(shared / "cases" / "subtitles" / f"odd_{number}.srt")
    assert [(line.start, line.end, line.text) for line in found] == GIVEN[number]


def test_the_given_error_page_is_told(shared: Path) -> None:
    with pytest.raises(DatasetError, match="holds no cue"):
        read(shared / "cases" / "subtitles" / "odd_11.srt")


def test_frames_are_placed_by_what_is_visible(shared: Path) -> None:
    times = frame_times(shared / "cases" / "video" / "trimmed.mp4", 3)
    assert (
        times[0] == 0.0 and 0.3 < times[-1] < 0.5
    )  # 12 of 93 frames are shown, from 3.1 s of the file to its end: 0.4 s


def test_a_cue_counts_once_and_in_order(tmp_path: Path, two_seconds: bytes) -> None:
    (tmp_path / "v.mp4").write_bytes(two_seconds)
    cues = [f"{n}\n00:00:0{n},000 --> 00:00:0{n},990\nline {n}" for n in range(4)]
    path = write(tmp_path / "a.srt", "\n\n".join(cues))
    video = tmp_path / "v.mp4"
    assert subtitles_of(path, video, 20) == ["line 0", "line 1"]  # the video ends after two seconds
    assert subtitles_of(path, video, None) == ["line 0", "line 1", "line 2", "line 3"]


def test_frames_are_the_first_the_last_and_evenly_between(tmp_path: Path, two_seconds: bytes) -> None:
    (tmp_path / "v.mp4").write_bytes(two_seconds)
    assert frame_times(tmp_path / "v.mp4", 3) == pytest.approx((0.0, 1.0, 1.9), abs=0.11)
