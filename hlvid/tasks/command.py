"""`lmms_eval`: lmms-eval's own command line, except that it fails when something failed.

lmms-eval exits with 0 after a missing task, a crashed model or a bad dataset. Here each of these ends with
one line on standard error that says which, and with exit code 1. All arguments are lmms-eval's and mean the
same, but for one of our own, `--task_args` (`hlvid.tasks.arguments`). With `--output_path`, a
`record_<results name>.json` beside the results says what they were made with (`hlvid.tasks.record`).
"""

import os
import sys
import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hlvid.errors import HlvidError, RunError, of_path
from hlvid.tasks import plugin, record
from hlvid.tasks.arguments import in_environment
from hlvid.tasks.failures import (
    check_arguments,
    check_examples,
    check_model,
    check_output,
    check_results,
    explain,
    is_defect,
)
from hlvid.threads import wait_passively


def main() -> None:
    """The console script: `sys.argv` in, exit code out."""
    wait_passively()
    argv = sys.argv[1:]
    try:
        if _is_evaluation(argv):
            run(argv)
        else:
            _dispatch(argv)
    except HlvidError as error:
        print(f"lmms_eval: {error}", file=sys.stderr)
        sys.exit(1)
    except OSError as error:
        message = of_path(error)
        if message is None:
            raise
        print(f"lmms_eval: {message}", file=sys.stderr)
        sys.exit(1)


def run(argv: Sequence[str]) -> dict[str, Any]:
    """Run an evaluation in this process.

    Args:
        argv: arguments of `lmms_eval`, without the program's name.

    Returns:
        lmms-eval's results: "results" ({task: {"accuracy,none": …}}), "configs", …; "samples" ({task:
        rows}) with `--log_samples`; "record" (see `hlvid.tasks.record`) and "files" (where they lie) with
        `--output_path`. Of several runs in a `--config` file: those of the last. Empty on every process but
        the first of several.

    Raises:
        RunError: anything failed; one line that says what, for which task, model or question.
    """
    engine = _engine()
    argv, task_args = _without_task_args(argv)
    arguments = [argument for argument in argv if argument != "eval"] if argv[:1] == ["eval"] else list(argv)
    given = ["--task_args", task_args] if task_args else []
    failures: list[str] = []
    finished: list[dict[str, Any]] = []

    def guarded(args: Any) -> tuple[Any, Any]:
        try:
            check_model(args.model, args.tasks)
            check_output(args.output_path)
            check_arguments(args.tasks)
            check_examples(args.tasks, args.num_fewshot)
            results, samples = original(args)
            if results is not None:
                finished.append(_finish([*arguments, *given], args, {**results, "samples": samples or {}}))
        except Exception as error:
            if is_defect(error):
                traceback.print_exc()
            failures.append(explain(error, args))
            return None, None
        return results, samples

    original, engine.cli_evaluate_single = engine.cli_evaluate_single, guarded
    try:
        with _as_sys_argv(arguments), in_environment(task_args):
            engine.cli_evaluate()
    except ValueError as error:  # a --config file that lmms-eval refuses
        raise RunError(str(error)) from error
    finally:
        engine.cli_evaluate_single = original
    if failures:
        raise RunError("; ".join(failures))
    if not finished and int(os.environ.get("RANK", "0")) == 0:
        raise RunError("lmms-eval returned no results")
    return finished[-1] if finished else {}


def _without_task_args(argv: Sequence[str]) -> tuple[list[str], str | None]:
    """The arguments that are lmms-eval's, and ours: `--task_args prompt=normalised,shuffle=3`."""
    rest = list(argv)
    at = next((at for at, one in enumerate(rest) if one.partition("=")[0] == "--task_args"), None)
    if at is None:
        return rest, None
    _, sign, value = rest.pop(at).partition("=")
    if not sign:
        if at == len(rest):
            raise RunError("--task_args: give name=value,…, as in prompt=normalised,shuffle=3")
        value = rest.pop(at)
    return rest, value


def _finish(argv: Sequence[str], args: Any, results: dict[str, Any]) -> dict[str, Any]:
    """Check what came out, and write its record beside it; a record that fails takes no result with it."""
    check_results(results, args)
    if args.output_path:
        saved = _saved(Path(args.output_path), results)
        results["files"] = {"results": str(saved)}
        try:
            results["record"] = record.record(argv, results)
            results["files"]["record"] = str(record.write(saved, results["record"]))
        except Exception as error:
            said = f"{type(error).__name__}: {error}"
            print(
                f"lmms_eval: {saved}: no record could be written ({said}); the results are whole",
                file=sys.stderr,
            )
    return results


def _saved(folder: Path, results: Mapping[str, Any]) -> Path:
    """The results file that lmms-eval has just written; it only warns when it could not."""
    name = f"{str(results.get('date', '')).replace(':', '-')}_results.json"
    found = sorted(folder.rglob(name), key=lambda path: path.stat().st_mtime)
    if not found:
        raise RunError(f"no results were saved under {folder}: is the disk full, or the folder read-only?")
    return found[-1]


def _engine() -> Any:
    """lmms-eval's command module, with our tasks known and our models registered."""
    plugin.register()
    from importlib.metadata import entry_points

    import lmms_eval.__main__ as engine
    from lmms_eval.models import MODEL_REGISTRY_V2

    # lmms-eval gives up on all entry points when another package's is broken: load ours again by itself.
    for entry in entry_points(group="lmms_eval.models", name="hlvid"):
        for manifest in entry.load()():
            MODEL_REGISTRY_V2.register_manifest(manifest, overwrite=True)
    _index_once(engine.TaskManager)
    return engine


def _index_once(manager: Any) -> None:
    """lmms-eval parses some 1,900 YAML files for every run; a sweep does it once."""
    ordinary = manager._get_task_and_group
    if hasattr(ordinary, "seen"):
        return
    seen: dict[str, Any] = {}

    def remembered(self: Any, task_dir: str) -> Any:
        if task_dir not in seen:
            seen[task_dir] = ordinary(self, task_dir)
        return seen[task_dir]

    remembered.seen = seen  # type: ignore[attr-defined]
    manager._get_task_and_group = remembered


def _is_evaluation(argv: Sequence[str]) -> bool:
    """Whether lmms-eval would evaluate: flags first, or `eval` with flags; not its lists and wizards."""
    if "--tui" in argv or not argv or list(argv) in (["-h"], ["--help"], ["eval"]):
        return False
    if argv[0] != "eval" and not argv[0].startswith("-"):
        return False
    if "--config" in argv or any(argument.startswith("--config=") for argument in argv):
        return True
    if not any(argument == "--tasks" or argument.startswith("--tasks=") for argument in argv):
        if {"-h", "--help", "--power-analysis"} & set(argv):
            return True
        raise RunError(f"--tasks is missing; ours are {', '.join(plugin.task_names())}")
    return True


def _dispatch(argv: Sequence[str]) -> None:
    """lmms-eval's other commands (`tasks list`, `models`, …), which otherwise would not see our tasks."""
    plugin.register()
    from lmms_eval.cli import dispatch

    with _as_sys_argv(argv):
        dispatch.main()


@contextmanager
def _as_sys_argv(argv: Sequence[str]) -> Iterator[None]:
    """lmms-eval reads `sys.argv`, whoever calls it."""
    before = sys.argv
    sys.argv = ["lmms_eval", *argv]
    try:
        yield
    finally:
        sys.argv = before


if __name__ == "__main__":
    main()
