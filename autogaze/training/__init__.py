"""Training AutoGaze: clips, greedy labels, next-token prediction, reinforcement, calibration, evaluation."""
