"""analysis: every figure and table of the paper from one command each."""
