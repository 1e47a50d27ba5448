"""Launchers run the same cells: processes here with their GPUs, submitit's local cluster, a real Ray cluster.

Run: pytest tests/evaluators/sweeps/test_launch.py        # and -m slow for Ray
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from evaluators.core.device import cards
from evaluators.sweeps import records
from evaluators.sweeps.cells import Cell
from evaluators.sweeps.launch import local, on_ray, on_slurm
from evaluators.sweeps.runner import Options
from hlvid.errors import RunError

WORKER = """
import json, os, sys, time
from pathlib import Path
given = dict(zip(sys.argv[1::2], sys.argv[2::2]))
out = Path(given["--out"]); out.mkdir(parents=True, exist_ok=True)
time.sleep(float(os.environ.get("LASTS", "0")))
(out / "results.json").write_text(json.dumps({"status": "ok", "device": os.environ.get("CUDA_VISIBLE_DEVICES")}))
"""


@pytest.fixture
def options(tmp_path: Path) -> Options:
    script = tmp_path / "worker.py"
    script.write_text("import sys; sys.argv.remove('--no-report')\n" + WORKER)
    return Options(command=(sys.executable, str(script)))


@pytest.fixture
def cells() -> list[Cell]:
    return [Cell("hlvid_mini", "blind", {"seed": number}) for number in range(4)]


def test_each_job_has_a_gpu_of_its_own(
    cells: list[Cell], options: Options, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3,5")
    assert cards() == ["3", "5"]
    assert {status for _, status in local(2)(tmp_path / "sweep", cells, options)} == {"ok"}
    seen = {record["results"]["device"] for record in records.latest(tmp_path / "sweep")}
    assert seen <= {"3", "5"} and seen


def test_no_gpu_is_hidden_or_invented(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert cards() == []


def test_slurm_jobs_through_submitit(cells: list[Cell], options: Options, tmp_path: Path) -> None:
    pytest.importorskip("submitit")
    launch = on_slurm(tmp_path / "slurm", cluster="local", timeout_min=2)
    ended = list(launch(tmp_path / "sweep", cells[:2], options))
    assert [status for _, status in ended] == ["ok", "ok"]
    assert len(records.latest(tmp_path / "sweep")) == 2


def test_no_ray_cluster_is_one_line(cells: list[Cell], options: Options, tmp_path: Path) -> None:
    pytest.importorskip("ray")
    with pytest.raises(RunError, match="no Ray cluster at 'auto'; start one"):
        list(on_ray()(tmp_path / "sweep", cells, options))


@pytest.fixture
def cluster() -> Iterator[object]:
    """A head without room for cells, and two nodes with room for one each."""
    pytest.importorskip("ray")
    import ray
    from ray.cluster_utils import Cluster

    made = Cluster(initialize_head=True, head_node_args={"num_cpus": 0})
    nodes = [made.add_node(num_cpus=1) for _ in range(2)]
    ray.init(address=made.address, log_to_driver=False)
    yield made, nodes
    ray.shutdown()
    made.shutdown()


@pytest.mark.slow
def test_a_ray_node_that_dies_gives_its_cells_to_the_other(
    cluster: tuple, cells: list[Cell], options: Options, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, nodes = cluster
    slow = Options(command=options.command, environment={"LASTS": "2"})
    running = on_ray()(tmp_path / "sweep", cells, slow)
    ended = [next(running)]
    made.remove_node(nodes[0], allow_graceful=False)
    ended += running
    assert {status for _, status in ended} == {"ok"} and len(ended) == 4
    lines = (tmp_path / "sweep" / records.FILE).read_text().splitlines()
    assert len(lines) == 4 == len({json.loads(line)["identity"] for line in lines})
