"""The doctor's rules, one file a subject."""
