"""The two errors that a user may see. Each message is one clear line: what, where, what to do."""


class GanvasError(Exception):
    """Something that ganvas cannot go on with; the command line prints it last and exits with 1."""


class UsageError(GanvasError):
    """A request that cannot be right, such as an unknown name; the command line exits with 2."""
