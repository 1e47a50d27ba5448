"""Seconds for one second of video, by frame rate and resolution, gazed and not (paper Sec. 4.2, Fig. 8, 12)."""
