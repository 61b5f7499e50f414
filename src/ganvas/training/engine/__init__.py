"""The engine's switches: what makes a GPU wait less, each held against the readable step by a test."""
