"""The other video benchmarks of the paper's Table 1 as lmms-eval tasks, all by one engine.

`hlvid.benchmarks.adapters` know one benchmark each: its columns, where its videos lie, its prompt;
`hlvid.benchmarks.submission` writes the file for a hidden test. `placed` finds the videos, `prepare` does the rest.
"""
