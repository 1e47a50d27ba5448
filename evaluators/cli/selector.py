"""`hlvid selector list | check`: which selectors there are, and whether one keeps the protocol's promises."""

from typing import Annotated

import typer

selector = typer.Typer(
    no_args_is_help=True, help="Who decides which patches are looked at: list them, check yours."
)


@selector.command("list")
def show() -> None:
    """Every installed selector: where its class is, and what it needs beside pixels."""
    from autogaze.selectors.registry import kind_of, places

    for name, place in sorted(places().items()):
        try:
            kind = kind_of(name)
            wants = getattr(kind, "needs", ())
            needs = ", ".join(wants) or "pixels"
            role = "  (a teacher: sees all before it chooses)" if getattr(kind, "teacher", False) else ""
            role += "  (query-aware: looks anew for each question)" if "question" in wants else ""
        except ValueError as error:  # another package's; the others are there all the same
            typer.echo(f"hlvid: warning: {error}", err=True)
            continue
        typer.echo(f"{name:14} {needs:10} {place}{role}")


@selector.command()
def check(
    name: Annotated[str, typer.Argument(help="An installed selector, or package.module:Class.")],
    seed: Annotated[int, typer.Option(help="Of the generated picture.")] = 0,
) -> None:
    """Check one on a generated picture: budget, padding, repeatability, streaming; exit 1 where a rule is broken."""
    from autogaze.selectors import get
    from autogaze.selectors.conformance import check as findings_of
    from hlvid.errors import RunError

    try:
        found = findings_of(get(name), seed)
    except (ValueError, TypeError) as error:
        raise RunError(f"selector {name}: {error}") from error
    for finding in found:
        typer.echo(f"{'ok  ' if finding.ok else 'FAIL'} {finding.rule}: {finding.said}")
    if not all(finding.ok for finding in found):
        raise typer.Exit(1)
