"""Learn: a toy in the plane, trained live by the code that trains on images."""

from ganvas.ui.rooms.learn.routes import ROUTES

__all__ = ["ROUTES"]
