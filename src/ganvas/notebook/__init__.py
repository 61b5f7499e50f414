"""For people who work in Python and notebooks: their own networks, a live cell, objects that show themselves."""
