"""What every model of ours shares: the journalled base, its journal, the environment, memory, gaze files."""
