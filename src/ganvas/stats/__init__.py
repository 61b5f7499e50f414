"""Statistics that know nothing of images: intervals, tests over seeds, trends."""
