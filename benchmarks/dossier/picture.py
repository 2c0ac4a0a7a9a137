"""The picture of a dossier in README.md.

    stance classify seeds/statements --out labels.jsonl
    stance attribute labels.jsonl --out who.jsonl
    stance report labels.jsonl --attributions who.jsonl --out dossier.html
    python -m benchmarks.dossier.picture dossier.html --to docs/dossier.png

Needs Debian's `chromium` and `chromium-driver`.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from benchmarks.ui.browser import browser, shows
from benchmarks.ui.screenshots import picture
from pipeline.output import whole_file

WIDTH, HEIGHT = 1200, 1357
"""Pixels: overview and holders, as far as a reader of the README wants to scroll."""


def main() -> None:
    """Take the picture."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("dossier", type=Path)
    parser.add_argument("--to", type=Path, required=True)
    options = parser.parse_args()
    with browser(WIDTH, HEIGHT) as driver:
        frame = driver.execute_script("return window.outerHeight - window.innerHeight")
        driver.set_window_size(WIDTH, HEIGHT + frame)
        driver.get(options.dossier.resolve().as_uri())
        shows(driver, "Who says what")
        content = picture(driver)
    with whole_file(options.to) as file:
        file.write(content)
    print(f"{options.to}: {len(content) / 1000:.0f} kB")


if __name__ == "__main__":
    main()
