"""Los listados del libro construido: cada enlace llega a algo."""

import posixpath
import re
from functools import cache
from pathlib import Path

import pytest

BOOK = Path(__file__).resolve().parents[2] / "build" / "html"
LISTING = re.compile(r'<div class="dl-listing docutils container">.*?</pre>', re.DOTALL)

pytestmark = pytest.mark.skipif(not (BOOK / "index.html").is_file(), reason="el libro no está construido: make libro")


@cache
def ids(page):
    path = BOOK / page
    return set(re.findall(r'\bid="([^"]+)"', path.read_text(encoding="utf-8"))) if path.is_file() else set()


def test_every_link_of_a_listing_leads_to_something():
    dead, total = set(), 0
    for path in sorted(BOOK.rglob("*.html")):
        page = path.relative_to(BOOK).as_posix()
        if page.startswith(("_modules/", "_static/", "reports/")):
            continue
        for listing in LISTING.findall(path.read_text(encoding="utf-8")):
            for href in re.findall(r'<a [^>]*href="([^"]+)"', listing):
                target, _, anchor = href.partition("#")
                there = posixpath.normpath(posixpath.join(posixpath.dirname(page), target)) if target else page
                total += 1
                if anchor not in ids(there):
                    dead.add(f"{page}: {href}")
    assert total > 0
    assert sorted(dead) == []
