"""leaderboard: prediction submissions that can be checked, rescoring, the public page.

Example::

    from leaderboard.validate import check_folder
    report = check_folder(Path("leaderboard/submissions/hlvid_mini/blind-hash"))
    report.faults   # every fault at once: file, line, field, remedy

A submission is a folder with `submission.yaml` (who and how) and `predictions.jsonl` (what). Git is the
database: scores are recomputed from the predictions each time and never accepted from a submitter.
"""
