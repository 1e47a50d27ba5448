"""`hlvid explore`: a page without a server on which one can watch what is looked at, and why an answer was wrong."""
