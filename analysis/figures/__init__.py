"""One module a figure or table, each with `make(inputs) -> Made`; names in `analysis.figure`."""
