"""leaderboard: prediction submissions that can be checked, rescoring, the public page.

Example::

    from leaderboard.board import load_board
    for section in load_board().sections:                 # a benchmark in one version of its questions
        for entry in section.entries:                     # best first
            print(section.title, entry.name, entry.trust, entry.accuracy, entry.rank)

A submission is a folder with `submission.yaml` (who and how) and `predictions.jsonl` (what). Git is the
database: scores are recomputed from the predictions each time and never accepted from a submitter.

| module | what it does |
|---|---|
| schema, schema_docs | the two files' pydantic models; JSON Schema and docs made from them |
| faults, yaml_loader, reading, validate | untrusted files in, every fault or sound rows out |
| questions, rescore, standing, entries | answer keys, scores and trust, ranks; all of it for the page |
| drafts, submit, branch, cli | `hlvid submit`: from a run to a folder, a branch and a pull request's text |
| ci | what the results repository runs on a pull request |
"""
