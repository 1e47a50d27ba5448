"""Grids of evaluations: frames x resolution x ratio x selector x model x task, each cell one run of `hlvid eval`."""
