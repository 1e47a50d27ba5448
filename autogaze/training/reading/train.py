"""Teaching a small NVILA-HD to read, one run after the other::

    hlvid train reading --config reading-characters --out runs/characters
    hlvid train reading --config reading-language --out runs/language
    hlvid train reading --config reading-answers --init runs/characters --init runs/language --out runs/answers

A run's folder is one of `training.loop`, and can be killed like it: pictures are drawn anew, and it goes on. At its end
it holds `taught.safetensors` for runs that begin with it, and the last one `model/`, as `--model nvila_hd` reads it.
"""

from dataclasses import replace

from autogaze.nvila.presets import shape
from autogaze.training.config import TrainingError
from autogaze.training.loop import run
from autogaze.training.processes import Team, processes
from autogaze.training.reading.answers import Answers
from autogaze.training.reading.characters import Characters
from autogaze.training.reading.config import ReadingConfig
from autogaze.training.reading.language import Language
from autogaze.training.reading.part import Part
from autogaze.training.reading.reader import Reader

NEEDED = ("model.vision", "model.llm", "table")
"""What the last run does not teach, or not from the beginning."""


def train(config: ReadingConfig, stop_after: int | None = None) -> Reader:
    """Run what the configuration teaches, or what is left of it.

    stop_after: leave after this many steps of this call, as if killed right after writing a state.
    Raises TrainingError where `init` or the run's folder does not fit.
    """
    with processes(config.device) as team:
        config = config.model_copy(update={"device": team.device})
        reader = begin(config).to(team.device)
        part = _part(config, reader, team)
        reader.teach(*part.teaches)
        run(reader, part, part if team.leads else None, config, team, stop_after)
        if team.leads:
            reader.save_taught(config.out)
            if config.part == "answers":
                reader.save(config.out / "model")
        team.wait()
    return reader.eval()


def _part(config: ReadingConfig, reader: Reader, team: Team) -> Part:
    if config.characters:
        return Characters(config, reader, team)
    return Language(config, reader) if config.language else Answers(config, reader, team)


def begin(config: ReadingConfig) -> Reader:
    """The weights of step 0."""
    reader = Reader.fresh(replace(shape(config.shape), random=False), config.seed)
    taken = {name for run in config.init for name in reader.take(run)}
    missing = [part for part in NEEDED if not any(name.startswith(part) for name in taken)]
    if config.part == "answers" and missing:
        raise TrainingError(
            f"init {', '.join(map(str, config.init)) or 'is empty'}: nobody taught {', '.join(missing)}; "
            "name a run of characters and one of language"
        )
    return reader
