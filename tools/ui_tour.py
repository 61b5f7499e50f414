"""Make docs/ui.webp: the browser test of `ganvas ui` takes pictures as it goes, this puts them together.

    python tools/ui_tour.py [FOLDER_OF_PICTURES]

Without a folder the test is run first: two trainings of MINUTES each, on cores that should have nothing else to do.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image

ROOT = Path(__file__).parents[1]
OUT = ROOT / "docs" / "ui.webp"
MINUTES = 4
WIDTH, MOST_BYTES = 960, 1_500_000
SCENES = {"start-0": (1, 1600), "grow": (6, 700), "scrub": (12, 350), "compare": (1, 2000),
          "play": (4, 900), "learn": (17, 220)}  # fmt: skip
"""Beginning of a picture's name -> pictures of it at most, ms of each."""


def frames(folder: Path) -> list[tuple[Image.Image, int]]:
    """The pictures in the order of the tour, each with its time."""
    found = []
    for name, (most, duration) in SCENES.items():
        paths = sorted(folder.glob(f"{name}*.png"))
        for path in (paths[round(i * (len(paths) - 1) / max(most - 1, 1))] for i in range(min(most, len(paths)))):
            with Image.open(path) as picture:
                height = round(picture.height * WIDTH / picture.width)
                found.append((picture.convert("RGB").resize((WIDTH, height), Image.Resampling.LANCZOS), duration))
    return found


def main() -> None:
    """Write the animation; an error where a picture is missing or it is too large."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(sys.argv[1] if len(sys.argv) > 1 else name)
        if len(sys.argv) < 2:
            test = ["tests/ui/test_browser.py", "-m", "slow", "-k", "train_watch or playground_to_learn"]
            environment = {**os.environ, "GANVAS_UI_FRAMES": name, "GANVAS_UI_MINUTES": str(MINUTES)}
            subprocess.run([sys.executable, "-m", "pytest", *test], cwd=ROOT, env=environment, check=True)
        pictures = frames(folder)
    first, *rest = [picture for picture, _ in pictures]
    first.save(
        OUT, save_all=True, append_images=rest, duration=[ms for _, ms in pictures], loop=0, quality=72, method=6
    )
    assert OUT.stat().st_size < MOST_BYTES, OUT.stat().st_size
    print(f"{OUT.relative_to(ROOT)}: {len(pictures)} pictures, {OUT.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
