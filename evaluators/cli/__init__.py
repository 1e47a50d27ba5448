"""The commands of this package, one file a command; each imports what it needs when it runs."""

import typer

from evaluators.cli.audit import audit
from evaluators.cli.convert import convert
from evaluators.cli.demo import demo
from evaluators.cli.doctor import doctor
from evaluators.cli.eval import evaluate
from evaluators.cli.gaze import gaze
from evaluators.cli.latency import latency
from evaluators.cli.make_checkpoint import make_checkpoint
from evaluators.cli.plan import plan
from evaluators.cli.recipes import recipes
from evaluators.cli.report import report
from evaluators.cli.results import results
from evaluators.cli.second_reader import second_reader
from evaluators.cli.selector import selector
from evaluators.cli.sweep import sweep

COMMANDS = {
    "Get data": (convert,),
    "Evaluate": (demo, evaluate, recipes, sweep),
    "Compare": (second_reader,),
    "Look": (audit, gaze, latency, report, results),
    "Train": (make_checkpoint,),
    "This machine": (doctor, plan),
}
"""By their group in `hlvid --help`."""


def mount(app: typer.Typer) -> None:
    """Add them to the roof."""
    for group, commands in COMMANDS.items():
        for command in commands:
            name = "eval" if command is evaluate else command.__name__.replace("_", "-")
            app.command(name, rich_help_panel=group)(command)
    app.add_typer(selector, name="selector", rich_help_panel="Look")
