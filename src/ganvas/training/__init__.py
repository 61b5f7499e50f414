"""Training: `loop.train` runs it, `step` is one update, the other files are what the two are made of."""
