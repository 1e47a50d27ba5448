"""What is measured, apart from how it is drawn: clips, flows, shifts, and tables of numbers from them."""
