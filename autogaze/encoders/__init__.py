"""Vision encoders that spend compute on gazed patches only."""
