"""Networks that turn images into features, one file each."""
