"""leaderboard: prediction submissions that can be checked, rescoring, the public page.

A submission is a folder with `submission.toml` (who and how) and `predictions.jsonl` (what). Git is the
database: scores are recomputed from the predictions each time and never accepted from a submitter.

| module | what it does |
|---|---|
| benchmarks | the board's view of `hlvid.benchmarks`; answer keys |
| format | untrusted files in, every fault or sound rows out; the schema and its docs |
| scores, maintainers, board, lock | numbers and places; trust that people granted; all of it for the page; what moved |
| submit | `hlvid submit`: from a run or table to a folder, a branch and a pull request's text; what may be published |
| ci, changes | what the results repository runs on a pull request; what one changes, read from git |
| site | the page and the server with the upload form |
| cli, board_cli | `hlvid submit`, `hlvid board` |
"""
