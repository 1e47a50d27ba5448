"""Run with: pytest tests/evaluators/models/test_base.py. A toy model stands for a real one."""

import multiprocessing
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import av
import cv2
import numpy as np
import pytest
import torch

from evaluators.core.base import Answer, JournalledModel
from hlvid.dataset.question import Question
from hlvid.errors import RunError, VideoError
from hlvid.tasks import costs
from hlvid.video import Video, VideoWarning


class Toy(JournalledModel):
    """Answers with the question's id, and remembers whom it was asked about."""

    name: ClassVar[str] = "toy"

    def __init__(
        self,
        runs: Path,
        frames: int = 4,
        failing: dict[str, Exception] | None = None,
        outcomes: dict[str, str] | None = None,
        drawing: bool = False,
        slow: float = 0.0,
    ) -> None:
        super().__init__(runs=str(runs))
        self.frames, self.failing, self.outcomes = frames, failing or {}, outcomes or {}
        self.drawing, self.slow = drawing, slow
        if drawing:
            self.obeys = frozenset({"temperature"})  # type: ignore[misc]
        self.asked: list[str] = []
        self.prompts: list[str] = []
        self.generations: list[dict[str, Any]] = []

    def settings(self) -> dict[str, Any]:
        return {"frames": self.frames}

    def answer(self, question: Question) -> Answer:
        self.asked.append(question.id)
        self.prompts.append(question.prompt())
        self.generations.append(self.generation)
        time.sleep(self.slow)
        if question.id in self.failing:
            raise self.failing[question.id]
        details: dict[str, Any] = {"tokens_selected": 10 + int(question.id)}
        if question.id in self.outcomes:
            details["outcome"] = self.outcomes[question.id]
        drawn = f" {torch.rand(1).item()}" if self.drawing else ""
        return Answer(f"answer {question.id}{drawn}", details)


Requests = Callable[..., list[Any]]


@pytest.mark.parametrize("chat", [False, True])
def test_order_of_requests_is_kept_though_videos_are_grouped(
    chat: bool, tmp_path: Path, questions: list[Question], requests_for: Requests
) -> None:
    model = Toy(tmp_path)
    results = model.generate_until(requests_for(model, questions, chat))
    assert [result.text for result in results] == [f"answer {index}" for index in range(6)]
    assert model.asked == ["0", "2", "4", "1", "3", "5"]
    assert results[3].token_counts.input_tokens == 13


def test_simple_and_chat_requests_share_one_journal(
    tmp_path: Path, questions: list[Question], requests_for: Requests
) -> None:
    first, second = Toy(tmp_path), Toy(tmp_path)
    first.generate_until(requests_for(first, questions))
    second.generate_until(requests_for(second, questions, chat=True))
    assert second.asked == []


def test_details_reach_the_ledger_also_from_the_journal(
    tmp_path: Path, questions: list[Question], requests_for: Requests
) -> None:
    model = Toy(tmp_path)
    model.generate_until(requests_for(model, questions))
    costs.clear()
    again = Toy(tmp_path)
    again.generate_until(requests_for(again, questions))
    assert again.asked == []
    assert costs.lookup("5") == {"tokens_selected": 15}


def test_only_what_is_missing_is_computed(
    tmp_path: Path, questions: list[Question], requests_for: Requests
) -> None:
    part = Toy(tmp_path)
    part.generate_until(requests_for(part, questions)[:2])
    whole = Toy(tmp_path)
    results = whole.generate_until(requests_for(whole, questions))
    assert sorted(whole.asked) == ["2", "3", "4", "5"]
    assert [result.text for result in results] == [f"answer {index}" for index in range(6)]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda model: setattr(model, "frames", 8), ""),  # another setting was asked for: nothing to explain
        (
            lambda model: setattr(model, "sources", lambda: ["hlvid.video.sampling"]),
            "code of ",
        ),
        (lambda model: setattr(model, "libraries", ("numpy",)), "libraries: numpy null, now"),
        (lambda model: setattr(model, "device", "cuda:1"), 'device: "cpu", now "cuda"'),
    ],
)
def test_another_setting_or_version_starts_over_and_says_why(
    change: Callable[[Toy], None],
    said: str,
    tmp_path: Path,
    questions: list[Question],
    requests_for: Requests,
    capsys: pytest.CaptureFixture[str],
) -> None:
    first, second = Toy(tmp_path), Toy(tmp_path)
    first.generate_until(requests_for(first, questions))
    change(second)
    second.generate_until(requests_for(second, questions))
    assert len(second.asked) == 6
    assert len(list(tmp_path.glob("toy-*.jsonl"))) == 2
    err = capsys.readouterr().err
    assert said in err and ("asked anew" in err) == bool(said)


def test_another_text_or_generation_asks_anew_in_the_same_journal(
    tmp_path: Path, questions: list[Question], requests_for: Requests
) -> None:
    first, prompted, longer = Toy(tmp_path), Toy(tmp_path), Toy(tmp_path)
    first.generate_until(requests_for(first, questions))
    requests = requests_for(prompted, questions)
    for request in requests:
        request.arguments = ("Think first. " + request.arguments[0], *request.arguments[1:])
    prompted.generate_until(requests)
    assert (
        prompted.prompts[0] == "Think first. " + questions[0].prompt()
    )  # what is sent is what lmms-eval says
    requests = requests_for(longer, questions)
    for request in requests:
        request.arguments[1]["max_new_tokens"] = 512
    longer.generate_until(requests)
    assert len(prompted.asked) == len(longer.asked) == 6
    assert longer.generations[0]["max_new_tokens"] == 512
    assert len(list(tmp_path.glob("toy-*.jsonl"))) == 1


def test_place_order_and_company_of_a_question_do_not_count(
    tmp_path: Path, questions: list[Question], requests_for: Requests
) -> None:
    part, whole = Toy(tmp_path / "runs"), Toy(tmp_path / "runs")
    here, there = tmp_path / "here", tmp_path / "there"
    for home in (here, there):
        home.mkdir()
        for question in questions:
            (home / question.video).write_bytes(b"a video")
    part.generate_until(requests_for(part, [_at(one, here) for one in questions[:2]]))
    moved = [_at(one, there) for one in reversed(questions)]
    whole.generate_until(requests_for(whole, moved))
    assert sorted(whole.asked) == ["2", "3", "4", "5"]
    (there / questions[1].video).write_bytes(b"another film")
    renewed = Toy(tmp_path / "runs")
    renewed.generate_until(requests_for(renewed, moved))
    assert sorted(renewed.asked) == ["1", "3", "5"]


def _at(question: Question, home: Path) -> Question:
    return replace(question, video_path=home / question.video)


def test_repeats_are_asked_anew_and_kept_apart(
    tmp_path: Path, questions: list[Question], requests_for: Requests
) -> None:
    model = Toy(tmp_path, drawing=True)
    five = [request for request in requests_for(model, questions[:2]) for _ in range(5)]
    for request in five:
        request.arguments[1].update(temperature=1)  # which says enough: tasks say do_sample=False
    texts = [result.text for result in model.generate_until(five)]
    assert len(set(texts)) == len(model.asked) == 10 and model.generations[0]["do_sample"] is True
    again = Toy(tmp_path, drawing=True)
    requests_for(again, questions[:2])
    assert [result.text for result in again.generate_until(five)] == texts
    assert again.asked == []
    (path,) = tmp_path.glob("*.jsonl")
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join([lines[0], *lines[4:]]))  # killed, and started with the same seed
    after = Toy(tmp_path, drawing=True)
    requests_for(after, questions[:2])
    assert [result.text for result in after.generate_until(five)] == texts, "none draws what another drew"
    assert len(after.asked) == 3
    with torch.random.fork_rng():
        torch.manual_seed(17)
        other = Toy(tmp_path, drawing=True)
        requests_for(other, questions[:2])
        assert not {result.text for result in other.generate_until(five)} & set(texts), "another seed"


def test_a_rank_asked_for_company_asks_nothing_anew(
    tmp_path: Path, questions: list[Question], requests_for: Requests
) -> None:
    model = Toy(tmp_path)
    requests = requests_for(model, questions)
    (company,) = requests_for(model, questions)[-1:]
    company.metadata["__padding_only__"] = True
    assert len(model.generate_until([*requests, company, company])) == 8
    assert len(model.asked) == 6


@pytest.mark.parametrize(
    ("generation", "said"),
    [
        (
            {"temperature": 1, "top_p": 0.5},
            r"top_p=0.5 cannot be obeyed \(obeyed: max_new_tokens, temperature\)",
        ),
        ({"temperature": "warm"}, "temperature='warm'; allowed: numbers from 0"),
        ({"max_new_tokens": 0}, "max_new_tokens=0; allowed: numbers from 1"),
        ({"do_sample": True}, "do_sample=True cannot"),
    ],
)
def test_what_would_do_nothing_or_is_no_number_is_refused(
    generation: dict[str, Any], said: str, tmp_path: Path, questions: list[Question], requests_for: Requests
) -> None:
    model = Toy(tmp_path, drawing=True)
    requests = requests_for(model, questions)
    requests[-1].arguments[1].update(generation)
    with pytest.raises(RunError, match=f"^model toy: generation setting {said}"):
        model.generate_until(requests)
    assert model.asked == []


@pytest.mark.parametrize(
    ("generation", "said"),
    [
        ({"temperature": 0.7, "do_sample": True}, "generation setting (temperature=0.7|do_sample=True)"),
        ({"num_beams": 4}, "num_beams=4"),
        ({"until": ["."]}, r"until=\['.'\]"),
        ({"top_quark": 3}, "top_quark=3"),
        ({"do_sample": True}, "do_sample=True"),
    ],
)
def test_what_a_model_cannot_obey_is_refused_before_the_first_question(
    generation: dict[str, Any], said: str, tmp_path: Path, questions: list[Question], requests_for: Requests
) -> None:
    model = Toy(tmp_path)
    requests = requests_for(model, questions)
    requests[-1].arguments[1].update(generation)
    with pytest.raises(RunError, match=rf"^model toy: .*{said}.*leave it out"):
        model.generate_until(requests)
    assert model.asked == []


def test_a_model_that_reads_options_alone_refuses_words_around_them(
    tmp_path: Path, questions: list[Question], requests_for: Requests
) -> None:
    model = Toy(tmp_path)
    model.reads_text = False  # type: ignore[misc]
    requests = requests_for(model, questions)
    model.generate_until(requests)
    requests[3].arguments = ("You are an expert. " + requests[3].arguments[0], *requests[3].arguments[1:])
    with pytest.raises(RunError, match=r"reads the options alone.*question 3"):
        model.generate_until(requests)


def test_outcomes_are_asked_again_on_request_alone(
    tmp_path: Path, questions: list[Question], requests_for: Requests, monkeypatch: pytest.MonkeyPatch
) -> None:
    poor = Toy(tmp_path, outcomes={"2": "out_of_memory", "5": "timeout"})
    poor.generate_until(requests_for(poor, questions))
    same = Toy(tmp_path)
    same.generate_until(requests_for(same, questions))
    assert same.asked == []
    monkeypatch.setenv("HLVID_AGAIN", "out_of_memory,error")
    rich = Toy(tmp_path)
    rich.generate_until(requests_for(rich, questions))
    assert rich.asked == ["2"]
    monkeypatch.delenv("HLVID_AGAIN")
    costs.clear()
    after = Toy(tmp_path)
    after.generate_until(requests_for(after, questions))
    assert after.asked == [] and "outcome" not in costs.lookup("2")


def test_no_answer_is_kept_under_weights_that_nobody_can_tell(
    tmp_path: Path, questions: list[Question], requests_for: Requests, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The hub does not answer now, and does when the model is loaded: another commit would find the answers."""
    model = Toy(tmp_path)
    monkeypatch.setattr(model, "checkpoints", lambda: {"pretrained": ("no-such-owner/no-such-model", None)})
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(
        RunError, match="pretrained: the commit of no-such-owner/no-such-model cannot be told"
    ):
        model.generate_until(requests_for(model, questions))
    assert model.asked == []


def _run(folder: Path, questions: list[Question], requests_for: Requests, queue: Any) -> None:
    model = Toy(folder, slow=0.005)
    results = model.generate_until(requests_for(model, questions))
    queue.put((model.asked, [result.text for result in results]))


def test_processes_share_the_work_and_ask_each_question_once(
    tmp_path: Path, questions: list[Question], requests_for: Requests
) -> None:
    context = multiprocessing.get_context("fork")
    queue = context.Queue()
    many = [replace(questions[n % 6], id=str(n), video=f"{n // 4}.mp4", video_path=None) for n in range(40)]
    workers = [context.Process(target=_run, args=(tmp_path, many, requests_for, queue)) for _ in range(3)]
    for worker in workers:
        worker.start()
    ended = [queue.get(timeout=60) for _ in workers]
    for worker in workers:
        worker.join(60)
    asked = [one for part, _ in ended for one in part]
    assert sorted(asked, key=int) == [str(n) for n in range(40)]
    assert all(texts == [f"answer {n}" for n in range(40)] for _, texts in ended)
    assert not list(tmp_path.glob("*.claims/*"))


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (VideoError("frame 7 does not decode"), r"question 4 \(clip_av_video_0_000.mp4\): frame 7 does not"),
        (ZeroDivisionError("division by zero"), r"question 4 .*: ZeroDivisionError: division by zero"),
    ],
)
def test_a_failure_names_the_question_and_keeps_the_rest(
    error: Exception, text: str, tmp_path: Path, questions: list[Question], requests_for: Requests
) -> None:
    model = Toy(tmp_path, failing={"4": error})
    with pytest.raises(RunError, match=text):
        model.generate_until(requests_for(model, questions))
    again = Toy(tmp_path)
    again.generate_until(requests_for(again, questions))
    assert again.asked == ["4", "1", "3", "5"]


def _numpys_own() -> MemoryError:
    with pytest.raises(MemoryError) as caught:
        np.empty(1 << 62, np.uint8)
    return caught.value


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB"),
        RuntimeError(
            "[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"
        ),
        _numpys_own(),
        cv2.error("OpenCV: error: (-4:Insufficient memory) Failed to allocate 9 bytes"),
    ],
)
def test_a_question_without_memory_is_recorded_and_the_others_go_on(
    error: Exception, tmp_path: Path, questions: list[Question], requests_for: Requests
) -> None:
    costs.clear()
    model = Toy(tmp_path, failing={"4": error})
    results = model.generate_until(requests_for(model, questions))
    details = [costs.lookup(question.id) for question in questions]
    assert [one.get("outcome") for one in details] == [None] * 4 + ["out_of_memory", None]
    assert results[4].text == "" and details[4]["message"]
    again = Toy(tmp_path)
    again.generate_until(requests_for(again, questions))
    assert again.asked == [], "an answer, not asked again unless that is wanted"


def test_damage_found_while_answering_is_in_the_sample_and_in_the_journal(
    tmp_path: Path, questions: list[Question], requests_for: Requests
) -> None:
    path = tmp_path / "cut.mp4"
    with av.open(str(path), "w", options={"movflags": "faststart"}) as out:
        stream: Any = out.add_stream("libx264", rate=10, width=64, height=48, pix_fmt="yuv420p")
        for level in range(60):
            picture = np.random.default_rng(level).integers(0, 255, (48, 64, 3), np.uint8)
            out.mux(stream.encode(av.VideoFrame.from_ndarray(picture, "rgb24")))
        out.mux(stream.encode())
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])

    class Reads(Toy):
        def answer(self, question: Question) -> Answer:
            if question.video_path == path:
                with pytest.warns(VideoWarning), Video.open(path) as video:
                    video.frames([0], size=(18, 32))
            return super().answer(question)

    asked = [replace(one, video_path=path) if one.id in "02" else one for one in questions]
    for model in (Reads(tmp_path / "runs"), Reads(tmp_path / "runs")):
        costs.clear()
        model.generate_until(requests_for(model, asked))
        damaged = {one.id: costs.lookup(one.id, "hlvid").get("video_damage") for one in asked}
        assert [one for one, said in damaged.items() if said] == ["0", "2"]
        assert "cut short" in damaged["0"][0]
    assert model.asked == []  # the second one took all from the journal
