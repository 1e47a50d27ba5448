"""Where a sweep's cells run: in processes here, on a Ray cluster, or on Slurm. Each runs `run_cell`, which is safe."""
