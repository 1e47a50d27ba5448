"""Settings are refused with the argument's name and what is allowed."""

import pytest

from evaluators.models.gaze_reader.settings import ReaderSettings
from hlvid.errors import RunError


def test_default_ratio_depends_on_the_selector() -> None:
    assert ReaderSettings(selector="detail").ratio == 0.25
    assert ReaderSettings(selector="everything").ratio is None
    assert ReaderSettings(selector="autogaze").ratio == 0.25
    assert ReaderSettings(selector="autogaze", loss=0.7).ratio is None, "the predicted loss ends a frame"


def test_a_budget_is_recorded_where_there_is_one() -> None:
    assert ReaderSettings(selector="detail").selector_settings() == {"budget": "picture"}
    assert ReaderSettings(selector="autogaze", budget="tile").selector_settings()["budget"] == "tile"
    assert ReaderSettings(selector="everything").budget is None


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"selector": "detial"}, "selector is 'detial'; allowed: .*detail"),
        ({"sampling": "first"}, "sampling is 'first'; allowed: 'uniform_linspace' or 'uniform_midpoint'"),
        ({"budget": "clip"}, "budget is 'clip'; allowed: 'tile', 'picture' or 'frame'"),
        ({"selector": "everything", "budget": "tile"}, "budget is 'tile'; selector 'everything' has none"),
        ({"selector": "detail", "seed": 3}, "seed is 3; selector 'detail' draws nothing; leave it out"),
        ({"selector": "greedy", "budget": "picture"}, "budget is 'picture'; selector 'greedy' has none"),
        ({"selector": "nowhere:It"}, "selector 'nowhere:It': nowhere:It cannot be imported"),
        ({"resolution": 0}, "resolution is 0; allowed: greater than or equal to 32"),
        ({"resolution": "3584"}, "resolution is '3584'; allowed"),
        ({"frames": 2.5}, "frames is 2.5; allowed: a valid integer"),
        ({"frames": True}, "frames is True; allowed"),
        ({"seed": -1}, "seed is -1; allowed"),
        ({"ratio": 0}, "ratio is 0; allowed: greater than 0"),
        ({"ratio": float("nan")}, "ratio is nan; allowed"),
        ({"ratio": "half"}, "ratio is 'half'; allowed"),
        ({"selector": "everything", "ratio": 0.5}, "ratio is 0.5; .*allowed: 1 or none"),
        ({"selector": "detail", "loss": 0.7}, "loss is of selector 'autogaze'; leave it out with 'detail'"),
        ({"selector": "random", "checkpoint": "w"}, "checkpoint is of selector 'autogaze'"),
        ({"selector": "autogaze", "loss": 0}, "loss is 0; allowed: greater than 0"),
    ],
)
def test_bad_values_are_named(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(RunError, match=message):
        ReaderSettings.read(arguments)
