"""Pictures with a known answer to "where is the detail?"."""

import pytest
import torch
from torch import Tensor


@pytest.fixture(scope="session")
def noise() -> Tensor:
    """Six tiles of two frames of seeded noise, float (6, 2, 3, 224, 224) in [0, 1]."""
    return torch.rand(6, 2, 3, 224, 224, generator=torch.Generator().manual_seed(0))


@pytest.fixture(scope="session")
def checkered_tile() -> Tensor:
    """Two tiles, grey but for a 32 x 16 px checkerboard at rows 48..64, columns 160..192 of the second."""
    clips = torch.full((2, 1, 3, 224, 224), 0.5)
    board = (torch.arange(16)[:, None] + torch.arange(32)[None, :]) // 2 % 2
    clips[1, 0, :, 48:64, 160:192] = board.float()
    return clips
