"""A room to come."""

from ganvas.ui.rooms.learn.routes import ROUTES

__all__ = ["ROUTES"]
