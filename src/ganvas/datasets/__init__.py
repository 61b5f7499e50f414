"""Where images come from, one file a source; `ganvas.data` is the door to all of them."""
