"""What each benchmark is: where its files lie, its columns and prompts, its subtitles and its submission file.

`registry` says what each repository holds, `locate` finds files on this machine by one rule, `adapters` lists
one adapter a benchmark (its columns, its videos, its wording), `rows` reads and checks what the hub gives.
"""
