"""Scoring: from raw model output to letters, accuracies with intervals, and comparisons that mean something.

Example::

    from hlvid.scoring.answers import parse_answer
    from hlvid.scoring.accuracy import summarize
    from hlvid.scoring.compare import compare

| module | question it answers |
|---|---|
| answers | which option did the model mean? |
| accuracy, intervals, resampling | how many are right, and how sure is that? |
| compare, table, paired, multiple | is one system better than another? |
| ranks, power | which places are possible; what difference could be seen at all? |
| difficulty, breakdown | which questions are hard or mislabelled; where do systems differ? |
"""
