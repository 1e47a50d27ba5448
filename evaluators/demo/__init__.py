"""The demo: real 4K videos through lmms-eval, one table, one figure, one report.

`grid` says what runs, `run` runs it, `table`, `figure` and `report` show it.
"""
