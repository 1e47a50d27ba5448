"""The other video benchmarks of the paper's Table 1 as lmms-eval tasks, all by one engine.

`adapters` know one benchmark each: its columns, where its videos lie, its prompt. `prepare` does the rest,
`settings` are the switches, `theirs` asks lmms-eval's own code, `submission` writes the file for a hidden test.
"""
