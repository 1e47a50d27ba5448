"""The demo: real 4K videos through lmms-eval, one table, one figure, one report.

Bundled grids of `hlvid sweep` say what runs, `run` runs it, `table`, `figure` and `report` show it.
"""
