"""Reconstruction losses on tiny random networks saved as the hub has them."""

from pathlib import Path

import pytest
import torch

from autogaze.reconstruction.loss import L1, FeatureLoss, ReconstructionLoss

SHAPE = {"hidden_size": 16, "num_hidden_layers": 5, "num_attention_heads": 2}


def dinov2(folder: Path) -> Path:
    """A DINOv2 with registers, 28 px in patches of 14."""
    from transformers import BitImageProcessor, Dinov2WithRegistersConfig, Dinov2WithRegistersModel

    torch.manual_seed(0)
    config = Dinov2WithRegistersConfig(**SHAPE, image_size=28, patch_size=14, num_register_tokens=4)
    Dinov2WithRegistersModel(config).save_pretrained(folder)
    side = {"height": 28, "width": 28}
    BitImageProcessor(
        size={"shortest_edge": 32},
        crop_size=side,
        do_center_crop=True,
        image_mean=[0.485, 0.456, 0.406],
        image_std=[0.229, 0.224, 0.225],
    ).save_pretrained(folder)
    return folder


def siglip2(folder: Path) -> Path:
    """A SigLIP vision tower, 32 px in patches of 16."""
    from transformers import SiglipImageProcessor, SiglipVisionConfig, SiglipVisionModel

    torch.manual_seed(0)
    SiglipVisionModel(SiglipVisionConfig(**SHAPE, intermediate_size=32, image_size=32)).save_pretrained(
        folder
    )
    SiglipImageProcessor(size={"height": 32, "width": 32}).save_pretrained(folder)
    return folder


@pytest.fixture
def pair() -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    return torch.randn(2, 3, 3, 48, 48, generator=generator), torch.randn(
        2, 3, 3, 48, 48, generator=generator
    )


def test_l1_is_the_mean_absolute_difference() -> None:
    pictures = torch.zeros(1, 2, 3, 4, 4)
    targets = torch.stack([torch.full((3, 4, 4), 0.5), torch.full((3, 4, 4), -2.0)])[None]
    assert L1()(pictures, targets).tolist() == [[0.5, 2.0]]


@pytest.mark.parametrize("build", [dinov2, siglip2])
def test_features_are_the_last_four_hidden_states_as_the_network_wants_its_pixels(
    tmp_path: Path, pair: tuple[torch.Tensor, torch.Tensor], build: object
) -> None:
    from transformers import AutoImageProcessor

    folder = build(tmp_path)  # type: ignore[operator]
    loss = FeatureLoss.from_pretrained(folder)
    processor = AutoImageProcessor.from_pretrained(folder)
    features = loss.features(pair[0])
    side = loss.size
    assert features.shape[:2] == (2, 3) and features.shape[-1] == 4 * 16
    unit = torch.nn.functional.interpolate(
        pair[0][1, 2:3] * 0.5 + 0.5, size=(side, side), mode="bicubic", align_corners=False
    )
    mean, std = (torch.tensor(v).view(3, 1, 1) for v in (processor.image_mean, processor.image_std))
    with torch.no_grad():
        states = loss.network(pixel_values=(unit - mean) / std, output_hidden_states=True).hidden_states
    torch.testing.assert_close(features[1, 2], torch.cat(states[-4:], -1)[0], atol=1e-4, rtol=1e-4)


def test_published_loss_is_the_weighted_sum(tmp_path: Path, pair: tuple[torch.Tensor, torch.Tensor]) -> None:
    d, s = dinov2(tmp_path / "d"), siglip2(tmp_path / "s")
    got = ReconstructionLoss.published(dinov2=d, siglip2=s)(*pair)
    parts = [L1()(*pair), FeatureLoss.from_pretrained(d)(*pair), FeatureLoss.from_pretrained(s)(*pair)]
    assert all((part > 0).all() for part in parts)
    torch.testing.assert_close(got, parts[0] + 0.3 * parts[1] + 0.3 * parts[2])
    assert torch.equal(ReconstructionLoss.published()(*pair), parts[0])


def test_identical_pictures_cost_nothing_and_gradients_reach_pictures_not_networks(
    tmp_path: Path, pair: tuple[torch.Tensor, torch.Tensor]
) -> None:
    loss = ReconstructionLoss.published(siglip2=siglip2(tmp_path))
    assert loss(pair[0], pair[0]).abs().max() == 0
    pictures = pair[0].clone().requires_grad_(True)
    loss(pictures, pair[1]).sum().backward()
    assert pictures.grad is not None and pictures.grad.abs().sum() > 0
    assert all(parameter.grad is None for parameter in loss.parameters())


def test_bad_input(pair: tuple[torch.Tensor, torch.Tensor]) -> None:
    with pytest.raises(ValueError, match=r"pictures \(2, 3, 3, 48, 48\), targets \(2, 1, 3, 48, 48\)"):
        L1()(pair[0], pair[1][:, :1])
    with pytest.raises(ValueError, match="terms="):
        ReconstructionLoss([])
    with pytest.raises(ValueError, match=r"mean=\(0.5,\): expected three numbers"):
        FeatureLoss(torch.nn.Identity(), size=32, mean=(0.5,), std=(1, 1, 1))
