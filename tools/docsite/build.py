"""Building: each language is a site of Zensical with warnings as errors, put together and checked."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from docsite import links
from docsite.pages import gather, navigation, place, write

THEME = Path(__file__).parent / "theme"
WORDS = {
    "en": {"dark": "Dark", "light": "Light", "about": "Train, evaluate, compare and debug GANs on small images"},
    "ko": {"dark": "어둡게", "light": "밝게", "about": "작은 이미지로 GAN을 학습하고 평가하고 비교합니다"},
}


def config(lang: str) -> dict[str, object]:
    """Zensical's settings of one language: no fonts, scripts or anything else of another host."""
    say = WORDS[lang]
    schemes = (("light", "default", "dark", "weather-night"), ("dark", "slate", "light", "weather-sunny"))
    palette = [
        {
            "media": f"(prefers-color-scheme: {mode})",
            "scheme": scheme,
            "toggle": {"icon": f"material/{icon}", "name": say[other]},
        }
        for mode, scheme, other, icon in schemes
    ]
    up = "" if lang == "en" else "ko/"
    return {
        "site_name": "ganvas",
        "site_description": say["about"],
        "docs_dir": lang,
        "site_dir": f"site-{lang}",
        "use_directory_urls": False,
        "nav": [
            "index.md",
            *({group: [place(path).removeprefix(up) for path in paths]} for group, paths in navigation()[lang].items()),
        ],
        "theme": {
            "language": lang,
            "font": False,
            "custom_dir": "theme",
            "palette": palette,
            "icon": {"logo": "material/grid"},
            "features": [
                "navigation.sections",
                "navigation.top",
                "navigation.footer",
                "content.code.copy",
                "toc.follow",
            ],
        },
        "extra_css": ["assets/site.css"],
        "extra": {"generator": False, "alternate": True},  # shown by theme/partials/alternate.html
        "plugins": [{"search": {}}, "offline"],
        "markdown_extensions": [
            "admonition",
            "attr_list",
            "md_in_html",
            "tables",
            "footnotes",
            {"toc": {"permalink": True, "slugify": {"object": "pymdownx.slugs.slugify", "kwds": {"case": "lower"}}}},
            {"pymdownx.highlight": {"anchor_linenums": False}},
            "pymdownx.inlinehilite",
            "pymdownx.superfences",
        ],
    }


def build(out: Path, work: Path) -> None:
    """The whole site. Raises SystemExit with what Zensical or the check of links says."""
    shutil.rmtree(work, ignore_errors=True)
    write(gather(), work)
    shutil.copytree(THEME, work / "theme")
    for lang in ("en", "ko"):
        settings = work / f"{lang}.yml"
        settings.write_text(json.dumps(config(lang), ensure_ascii=False, indent=1), "utf-8")  # JSON is YAML
        command = [sys.executable, "-m", "zensical", "build", "--strict", "--config-file", str(settings)]
        environment = os.environ | {"NO_COLOR": "1", "TERM": "dumb"}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            said = re.sub(r"\x1b\[[0-9;]*m", "", done.stdout + done.stderr.partition("Traceback")[0])
            said += done.stderr.splitlines()[-1]
            raise SystemExit(f"the {lang} pages have faults:\n{said}")
    shutil.rmtree(out, ignore_errors=True)
    shutil.copytree(work / "site-en", out)
    shutil.copytree(work / "site-ko", out / "ko")
    for leftover in out.rglob("sitemap.xml*"):
        leftover.unlink()  # of a site without an address
    if faults := [*links.faults(out)]:
        raise SystemExit("\n".join(faults))
