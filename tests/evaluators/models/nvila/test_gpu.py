"""One gazed answer on a GPU. HLVID_TEST_DEVICE=cpu pytest -m gpu rehearses."""

import os
from pathlib import Path

import pytest
import torch

from evaluators.models.nvila.model import NvilaHD
from hlvid.dataset.question import Question
from tests.evaluators.models.nvila.test_models import SMALL


@pytest.mark.gpu
def test_a_gazed_answer(checkpoint: Path, questions: list[Question], tmp_path: Path) -> None:
    device = os.environ.get("HLVID_TEST_DEVICE", "cuda")
    if device == "cuda" and not torch.cuda.is_available():
        pytest.skip("no CUDA device; HLVID_TEST_DEVICE=cpu rehearses")
    model = NvilaHD(pretrained=str(checkpoint), device=device, runs=str(tmp_path), **SMALL)  # type: ignore[arg-type]
    details = model.answer(questions[0]).details
    assert details["outcome"] == "ok" and 0 < details["tokens_selected"] < details["tokens_before"]
