"""leaderboard: prediction submissions, rescoring and the public page."""
