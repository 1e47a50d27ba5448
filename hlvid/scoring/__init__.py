"""Scoring: from raw model output to letters, accuracies with intervals, and comparisons that mean something.

| module | question it answers |
|---|---|
| answers | which option did the model mean? |
| collapse | which rows are one question: rotations, repetitions |
| accuracy, intervals, clusters | how many are right, and how sure is that? |
| rule, paired, multiple, table | when is one system better than another? |
| compare, report, ranks, power | verdicts, all of `hlvid compare`, possible places; what could be found at all? |
| samples, correctness | the answers of a finished run, whatever wrote them |
"""
