"""Each detail tier is read at its designed width and hardly at half of it (OCR on the encoded default set)."""

import importlib.util
from pathlib import Path

import pytest

BENCHMARK = Path(__file__).resolve().parents[3] / "benchmarks" / "mini_tiers.py"


@pytest.mark.slow
def test_a_tier_becomes_readable_at_its_width(tmp_path: Path) -> None:
    pytest.importorskip("rapidocr")
    spec = importlib.util.spec_from_file_location("mini_tiers", BENCHMARK)
    assert spec is not None and spec.loader is not None
    mini_tiers = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(mini_tiers)
    from hlvid.mini import make
    from hlvid.mini.plan import TIERS

    widths = list(mini_tiers.RESOLUTIONS)
    table, counts = mini_tiers.readable(make(tmp_path / "mini", progress=False), widths)
    assert set(counts.values()) == {12}
    for place, cap in enumerate(TIERS):
        shares = [table[f"{cap:02d}px"][width] for width in widths]
        assert min(shares[place:]) >= 0.85, (cap, shares)
        assert all(share <= 0.5 for share in shares[:place]), (cap, shares)
        assert all(share <= 0.1 for share in shares[: max(0, place - 1)]), (cap, shares)
