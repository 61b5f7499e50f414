"""A room to come."""

from ganvas.ui.rooms.play.routes import ROUTES

__all__ = ["ROUTES"]
