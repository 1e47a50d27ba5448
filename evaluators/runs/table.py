"""The summary of a run on the terminal: accuracy with both intervals, by category and by tier, and its cost."""

from collections.abc import Mapping
from typing import Any

from rich.table import Table

Numbers = Mapping[str, Any]


def build_table(results: Numbers) -> Table:
    """One row a task, category and tier; rows without an answer key say so."""
    table = Table(
        title=f"{results['task']}, {results['model']}: {cost(results)}", title_justify="left", box=None
    )
    for column in ("", "right", "of", "unparsed", "accuracy", "95 % by video", "95 % Wilson"):
        table.add_column(column, justify="right" if column else "left", no_wrap=True)
    for task, numbers in results["tasks"].items():
        table.add_row(*_cells(task, numbers), style="bold")
        if left_out := (results.get("left_out") or {}).get(task):
            table.add_row(f"  {left_out} not asked", *[""] * 6)
        mean = category_mean(results, task)
        if mean is not None:
            text = percent({"accuracy": mean["average"]})
            table.add_row(
                "  mean of categories", "", "", "", text, interval(mean["clustered"]), "", style="bold"
            )
        if repeats := numbers.get("repeats"):
            table.add_row(f"  {len(repeats['accuracies'])} repetitions", *[""] * 3, *_spread(repeats))
        for kind in ("by_category", "by_tier"):
            for name, part in numbers[kind].items():
                table.add_row(*_cells(f"  {name}", part))
    return table


def category_mean(results: Numbers, task: str) -> dict[str, Any] | None:
    """`average` and its `clustered` interval where the benchmark's number is one: MVBench's, MLVU's M-avg."""
    found = (results.get("metrics") or {}).get(task, {})
    if not {"average", "average_low", "average_high"} <= found.keys():
        return None
    return {"average": found["average"], "clustered": (found["average_low"], found["average_high"])}


def cost(results: Numbers) -> str:
    """Seconds, tokens and memory of a question in one line, as far as they are known."""
    seconds = sum((results.get("seconds_per_question") or {}).values())
    parts = [f"{seconds:.2f} s a question"] if seconds else []
    for name, what in (("tokens_per_question", "visual tokens"), ("llm_tokens_per_question", "LLM tokens")):
        if results.get(name) is not None:
            parts.append(f"{results[name]:,.0f} {what}")
    if results.get("peak_memory_bytes"):
        parts.append(f"{results['peak_memory_bytes'] / 1e9:.1f} GB at most")
    return ", ".join(parts) or "no costs recorded"


def percent(numbers: Numbers) -> str:
    """ "52.6 %", or "hidden" without an answer key."""
    return "hidden" if numbers["accuracy"] is None else f"{numbers['accuracy']:.1%}".replace("%", " %")


def interval(ends: tuple[float, float] | None) -> str:
    """ "41.0 to 63.2", in percent."""
    return "" if ends is None else f"{100 * ends[0]:.1f} to {100 * ends[1]:.1f}"


def _spread(repeats: Numbers) -> tuple[str, str, str]:
    """What sampling alone moves: the accuracies' standard deviation, and the lowest to the highest."""
    ends = min(repeats["accuracies"]), max(repeats["accuracies"])
    return f"± {100 * repeats['deviation']:.1f} %", interval(ends), ""


def _cells(name: str, numbers: Numbers) -> list[str]:
    if numbers["accuracy"] is None:
        return [name, "", "", "", "hidden", "", ""]
    counts = [f"{numbers[key]:g}" for key in ("correct", "n", "unparsed")]
    return [name, *counts, percent(numbers), interval(numbers["clustered"]), interval(numbers["wilson"])]
