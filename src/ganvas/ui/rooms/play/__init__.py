"""The Playground: what a trained generator has learned, by hand.

`model` loads a run's networks, `asked` says which images are wanted, `images` draws them, `directions` finds what its
sliders move along, `walk` goes from one image to another, `near` finds the training images beside a sample, `judge`
asks the discriminator, `picture` reads what a visitor gives, `routes` answers the browser.
"""

from ganvas.ui.rooms.play.routes import ROUTES

__all__ = ["ROUTES"]
