"""The colours of a gaze's scales, in every picture of one."""

COLOURS = ((230, 159, 0), (86, 180, 233), (0, 158, 115), (204, 121, 167))
"""RGB, coarse to fine, of the Okabe-Ito set: told apart with red-green blindness too."""
