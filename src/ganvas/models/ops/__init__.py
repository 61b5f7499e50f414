"""Convolutions as Keras pads them, and the algorithms that compute them."""
