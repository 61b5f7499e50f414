"""Run directories: the only thing that training leaves and that everything after it reads."""
