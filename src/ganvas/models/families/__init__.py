"""Families of networks, one file each: a generator and its discriminator side by side."""
