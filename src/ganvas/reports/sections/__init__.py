"""The sections of the report: one file each, registered when it is imported."""
