"""evaluators: lmms-eval models, journalled runs, sweeps and latency profiling."""
