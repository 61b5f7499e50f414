"""The command line: verbs only. What they do lives elsewhere and is imported when a verb runs."""
