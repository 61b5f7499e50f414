"""`python -m ganvas` is `ganvas`."""

from ganvas.cli.main import entry

if __name__ == "__main__":
    entry()
