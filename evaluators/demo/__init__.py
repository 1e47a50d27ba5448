"""The demo: real 4K videos through lmms-eval, one table, one figure, one report.

Example::

    hlvid demo --out demo    # what `make demo` runs

`grid` says what runs, `run` runs it, `table`, `figure` and `report` show it.
"""
