"""The UI through a real server."""
