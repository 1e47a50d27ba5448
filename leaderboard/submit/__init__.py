"""From a run or a table of answers to a checked, scored folder and the branch that publishes it."""
