"""What a run needs: `plan` foresees memory and tokens, `latency` measures seconds."""
