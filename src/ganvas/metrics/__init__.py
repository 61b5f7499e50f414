"""Pure functions over features. Each file registers its metrics; what makes the features is in extractors/."""

import sys

from ganvas.plugins import discover

discover(sys.modules[__name__])
