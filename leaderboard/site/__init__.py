"""The public page: a static site made from the submissions, and a local server that adds an upload form.

| module | what it does |
|---|---|
| identity, history | which sections and pages there are; when a submission was recorded |
| facts | an entry or section as plain data, without any answer of the key |
| paired | the constants with which the browser repeats `hlvid.scoring`'s comparison to the last digit |
| exports | CSV, JSON and RSS; the hub's `.eval_results` |
| pages, build | Jinja templates (autoescape on), and writing all files |
| server, uploads | `hlvid board serve`: the page with a form that checks, scores and hands back a submission |

`static/` holds our scripts and styles; `static/vendor/` Tabulator with its licence. A page loads nothing from
elsewhere, which its Content-Security-Policy also forbids.
"""
