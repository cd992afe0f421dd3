"""El libro construido, visto en Chromium: en un teléfono, sin red, en español y de noche.

Se visita cada página una sola vez; las pruebas leen lo que se anotó en la visita.
"""

import functools
import io
import json
import re
import time

import numpy as np
import pytest
from PIL import Image

from tests.browser.conftest import BOOK, NEEDS, open_page, pages, screen, wait_for

pytestmark = NEEDS

# Lo que dirían Sphinx, el tema y las extensiones si a un letrero le faltara traducción.
ENGLISH = re.compile(
    r"(Link to|Permalink|Toggle|Click to|Show|Hide|Search|Back to|On this page|Skip to|Copy|Copied|Download|Created"
    r"|Built|Last updated|Source code for|Added in|Changed in|Alias for|Your search|Expand|Collapse|Exercise|Solution"
    r"|Figure|Fig\.|Table|Listing|Variables:) ?.*"
    r"|Next|Previous|Home|Contents|Index|Types?|Parameters?|Returns?|Return type|Raises|Yields|Examples?|Notes?"
    r"|See also|References|Attributes|Methods|Warning|Tip|Caution|Proof|Light|Dark|System Settings"
    r"|Color mode|Main|Page|Edit"
    r"|\[source\]|\[docs\]"
)

# Lo que se anota de una página, con todo lo plegado abierto. El código, y lo que se cita en inglés, no son letreros.
LOOK = r"""
document.querySelectorAll('details').forEach(e => { e.open = true });
document.querySelectorAll('.toggle-hidden').forEach(e => e.classList.remove('toggle-hidden'));

const skipped = 'script, style, noscript, pre, code, .highlight, math, svg, em, cite, [lang=en], .citation';
const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
const texts = [];
while (walker.nextNode()) {
  if (walker.currentNode.parentElement.closest(skipped)) continue;
  const text = walker.currentNode.nodeValue.trim();
  if (text) texts.push(text);
}
const labels = [];
for (const name of ['title', 'aria-label', 'placeholder', 'alt', 'data-bs-original-title', 'data-tooltip',
                    'data-toggle-hint'])
  for (const e of document.querySelectorAll(`[${name}]`))
    if (!e.closest('math, svg')) labels.push(e.getAttribute(name));

const width = document.documentElement.clientWidth;
const shown = e => e.getClientRects().length > 0;
const scrolls = e => e && (getComputedStyle(e).overflowX != 'visible' || scrolls(e.parentElement));
const sticksOut = e => shown(e) && e.getBoundingClientRect().right > width + 1 && !scrolls(e.parentElement);

const maths = [...document.querySelectorAll('.math')];
const isBroken = e => {
  const svg = e.querySelector('svg'), mathml = e.querySelector('math');
  if (!svg || !mathml || !mathml.textContent.trim()) return true;
  if (shown(e) && svg.getBoundingClientRect().width < 2) return true;
  return [...svg.querySelectorAll('use')].some(u => !document.getElementById(u.getAttribute('href').slice(1)));
};
const start = e => e.outerHTML.slice(0, 160);

// Lo que no cabe se desliza y lo dice; y el número de una ecuación no la toca.
const boxes = '.dl-formula, .dl-sliding, .pst-scrollable-table-container, .bd-article pre';
const slides = [...document.querySelectorAll(boxes)]
  .filter(e => shown(e) && e.scrollWidth > e.clientWidth + 1);
const touches = e => {
  const rectangle = selector => e.querySelector(selector)?.getBoundingClientRect();
  const [number, box, drawn] = ['.eqno', '.dl-formula', '.dl-formula > svg'].map(rectangle);
  if (!number || !box || !drawn || !shown(e)) return false;
  const apart = number.top >= box.bottom || box.top >= number.bottom;
  return !apart && number.left < Math.min(box.right, drawn.right) + 4;
};
return {
  lang: document.documentElement.lang,
  texts, labels,
  images: [...document.images].map(e => ({
    src: e.getAttribute('src'), alt: e.getAttribute('alt') || '', loaded: e.complete && e.naturalWidth > 0,
    shrunk: e.getBoundingClientRect().width / e.naturalWidth})),
  overflow: document.documentElement.scrollWidth - width,
  wide: [...document.querySelectorAll('.bd-article *')].filter(sticksOut).slice(0, 5).map(start),
  formulas: maths.length,
  broken: maths.filter(isBroken).map(start),
  touching: maths.filter(touches).map(start),
  cut: slides.filter(e => !getComputedStyle(e).backgroundImage.includes('gradient')).map(start),
};
"""
# Los enlaces del margen de los listados que no se ven: tapados o fuera de su caja, con el código en su sitio o
# deslizado hasta el final.
HIDDEN_TAGS = r"""
const hidden = [];
for (const pre of document.querySelectorAll('.dl-listing pre')) {
  for (const left of [0, pre.scrollWidth]) {
    pre.scrollLeft = left;
    const box = pre.getBoundingClientRect();
    for (const tag of pre.querySelectorAll('.linenos a')) {
      const {left, right, width} = tag.getBoundingClientRect();
      const inside = left >= Math.max(0, box.left) && right <= Math.min(box.right, innerWidth);
      tag.scrollIntoView({block: 'center', behavior: 'instant'});
      const {left: x, top: y} = tag.getBoundingClientRect();
      if (!width || !inside || !tag.contains(document.elementFromPoint(x + width / 2, y + 5)))
        hidden.push(tag.getAttribute('href'));
    }
  }
}
return hidden;
"""
TAGS = "return document.querySelectorAll('.dl-listing .linenos a').length"
TEX = re.compile(r"\\[a-zA-Z]{2,}|\$[^$\d][^$]*\$|\\[()\[\]]")


def requests(browser):
    for entry in browser.get_log("performance"):
        message = json.loads(entry["message"])["message"]
        if message["method"] == "Network.requestWillBeSent":
            yield message["params"]["request"]["url"], None
        elif message["method"] == "Network.responseReceived":
            yield message["params"]["response"]["url"], message["params"]["response"]["status"]


@pytest.fixture(scope="module")
def visits(browser, site):
    screen(browser, 390)
    seen = {}
    for page in pages():
        open_page(browser, site + page)
        look, hidden = browser.execute_script(LOOK), {}
        if tags := browser.execute_script(TAGS):
            for width in (1280, 390):
                screen(browser, width)
                hidden[width] = browser.execute_script(HIDDEN_TAGS)
        seen[page] = {
            **look,
            "tags": tags,
            "hidden tags": {width: links for width, links in hidden.items() if links},
            "console": [e["message"] for e in browser.get_log("browser") if e["level"] == "SEVERE"],
            "requests": list(requests(browser)),
        }
    return seen


def faults(visits, look):
    return {page: found for page, visit in visits.items() if (found := look(visit))}


def test_there_is_a_book(visits):
    assert "index.html" in visits
    assert sum(v["formulas"] for v in visits.values()) > 0


def test_no_script_fails(visits):
    assert faults(visits, lambda v: v["console"]) == {}


def test_nothing_is_asked_of_another_machine(visits, site):
    assert faults(visits, lambda v: [u for u, _ in v["requests"] if not u.startswith((site, "data:"))]) == {}


def test_every_file_asked_for_is_there(visits):
    assert faults(visits, lambda v: [u for u, status in v["requests"] if status and status >= 400]) == {}


def test_pages_say_they_are_in_spanish(visits):
    assert faults(visits, lambda v: v["lang"] != "es") == {}


def test_no_label_is_left_in_english(visits):
    assert faults(visits, lambda v: [t for t in [*v["texts"], *v["labels"]] if ENGLISH.fullmatch(t.rstrip(":"))]) == {}


def test_every_image_loads_and_is_described(visits):
    def poor(visit):
        return [
            i for i in visit["images"] if not (i["loaded"] and i["alt"].strip()) or i["alt"].endswith((".svg", ".png"))
        ]

    assert faults(visits, poor) == {}


def test_a_phone_never_scrolls_sideways(visits):
    assert faults(visits, lambda v: v["overflow"] > 0 and (v["overflow"], v["wide"])) == {}


def test_every_formula_is_drawn(visits):
    assert faults(visits, lambda v: v["broken"]) == {}


def test_the_number_of_an_equation_does_not_touch_it_on_a_phone(visits):
    assert faults(visits, lambda v: v["touching"]) == {}


def test_what_does_not_fit_on_a_phone_says_so(visits):
    assert faults(visits, lambda v: v["cut"]) == {}


@functools.cache
def smallest_letter(name):
    """Lo que mide, en píxeles, la letra más pequeña de una figura sin encoger; matplotlib las dibuja a 100 puntos."""
    sizes = re.findall(r"scale\(([\d.]+) -[\d.]+\)", (BOOK / "_images" / name).read_text("utf-8"))
    return min((100 * float(size) * 96 / 72 for size in sizes), default=float("inf"))


def test_every_letter_of_a_figure_can_be_read_on_a_phone(visits):
    def small(visit):
        names = {i["src"].rpartition("/")[2]: i["shrunk"] for i in visit["images"] if "_images/" in i["src"]}
        sizes = {name: shrunk * smallest_letter(name) for name, shrunk in names.items() if name.endswith(".svg")}
        return {name: round(size, 1) for name, size in sizes.items() if size < 8.95}

    assert sum(i["src"].endswith(".svg") for v in visits.values() for i in v["images"]) > 100
    assert faults(visits, small) == {}


@pytest.mark.parametrize("selector", [".dl-formula", ".bd-article div.highlight > pre", ".dl-sliding"])
def test_a_shadow_tells_where_there_is_more(browser, site, selector):
    wide = f"""
    const e = [...document.querySelectorAll('{selector}')].find(
      e => e.scrollWidth > e.clientWidth + 40 && !e.closest('.dropdown, details'));
    e?.scrollIntoView({{block: 'center', behavior: 'instant'}});
    return e;
    """
    screen(browser, 390)
    for page in pages():
        open_page(browser, site + page)
        if element := browser.execute_script(wide):
            break

    def edge():
        picture = Image.open(io.BytesIO(element.screenshot_as_png)).convert("L")
        column = np.asarray(picture)[:, -3].astype(int)
        # Lo de en medio: arriba y abajo puede haber un borde.
        return np.median(column[len(column) // 4 : -len(column) // 4])

    before = edge()
    browser.execute_script("arguments[0].scrollLeft = arguments[0].scrollWidth", element)
    assert abs(edge() - before) > 25


def test_a_link_opens_the_box_where_it_leads(browser, site):
    inside = "return [...document.querySelectorAll('.toggle-hidden [id^=equation]')].map(e => e.id)"
    folded = (page for page in pages() if " dropdown " in (BOOK / page).read_text("utf-8"))
    for page in folded:
        open_page(browser, site + page)
        if found := browser.execute_script(inside):
            break
    opened = f"return !document.getElementById('{found[0]}').closest('.toggle-hidden')"
    assert not browser.execute_script(opened)
    browser.execute_script(f"location.hash = '{found[0]}'")
    assert wait_for(browser, opened)
    open_page(browser, site + "index.html")
    open_page(browser, f"{site}{page}#{found[0]}")
    assert wait_for(browser, opened)


def test_the_marks_of_the_courses_show_on_demand_and_that_is_remembered(browser, site):
    marked = [page for page in pages() if 'class="dl-items"' in (BOOK / page).read_text("utf-8")]
    shown = "return [...document.querySelectorAll('.dl-items')].some(e => e.getClientRects().length > 0)"
    screen(browser, 1280)
    for page, before in ((marked[0], False), (marked[1], True), (marked[0], False)):
        open_page(browser, site + page)
        assert browser.execute_script(shown) is before
        browser.find_element("css selector", "[onclick='alternarTemas()']").click()
        assert browser.execute_script(shown) is not before


def test_without_javascript_the_marks_show(browser, site):
    marked = next(page for page in pages() if 'class="dl-items"' in (BOOK / page).read_text("utf-8"))
    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        browser.get(site + marked)
        root = browser.execute_cdp_cmd("DOM.getDocument", {})["root"]["nodeId"]
        mark = browser.execute_cdp_cmd("DOM.querySelector", {"nodeId": root, "selector": ".dl-items"})
        assert browser.execute_cdp_cmd("DOM.getBoxModel", mark)["model"]["width"] > 0
    finally:
        browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})


def test_every_tag_of_a_listing_is_in_sight_at_any_width(visits):
    assert sum(v["tags"] for v in visits.values()) > 0
    assert faults(visits, lambda v: v["hidden tags"]) == {}


def test_the_tags_and_numbers_of_a_listing_are_not_copied(browser, site):
    page = next(p for p in pages() if "dl-tagged" in (BOOK / p).read_text("utf-8"))
    open_page(browser, site + page)
    copied = """
    const box = [...document.querySelectorAll('.dl-listing .highlight')].find(e => e.querySelector('.dl-tagged'));
    let text = null;
    navigator.clipboard.writeText = t => { text = t; return Promise.resolve() };
    document.execCommand = () => { text = text ?? getSelection().toString() ?? document.activeElement.value };
    box.querySelector('.copybtn').click();
    return text ?? [...document.querySelectorAll('textarea')].map(e => e.value).join('');
    """
    text = wait_for(browser, copied)
    assert re.match(r"(#|@|def |class |[A-Z_]+ = )", text)
    assert not re.search(r"^ *\d+ |\[ec-|\(\d+\.\d+\)", text, re.MULTILINE)


def test_the_tag_of_a_listing_is_reached_with_the_keyboard(browser, site):
    page = next(p for p in pages() if "dl-tagged" in (BOOK / p).read_text("utf-8"))
    open_page(browser, site + page)
    focused = """
    const tag = document.querySelector('.dl-listing .linenos a');
    tag.focus();
    return document.activeElement === tag && tag.tabIndex === 0 && tag.getAttribute('href').includes('#equation-');
    """
    assert browser.execute_script(focused)


def test_no_raw_tex_is_left(visits):
    assert faults(visits, lambda v: [t for t in v["texts"] if TEX.search(t)]) == {}


@pytest.mark.parametrize(("query", "place"), [("perceptrones", "perceptron/"), ("prediccion", "")])
def test_search_finds_other_forms_and_missing_accents(browser, site, query, place):
    open_page(browser, f"{site}search.html?q={query}")
    results = "return [...document.querySelectorAll('#search-results li a')].map(e => e.getAttribute('href'))"
    summary = wait_for(browser, "return document.querySelector('.search-summary').textContent")
    assert re.fullmatch(r"Se encontr(ó una página|aron \d+ páginas)\.", summary)
    assert any(href.startswith(place) for href in browser.execute_script(results))


def test_the_night_theme_darkens_page_and_figures(browser, site):
    screen(browser, 1200)
    with_figure = next(
        p for p in pages() if "cell_output" in (text := (BOOK / p).read_text("utf-8")) and "<img" in text
    )
    open_page(browser, site + with_figure)
    style = """
    const pick = e => getComputedStyle(e).backgroundColor;
    const image = document.querySelector('.cell_output img');
    return [document.documentElement.dataset.theme, pick(document.body), pick(image), getComputedStyle(image).filter];
    """

    def choose(mode):
        browser.execute_script(f"document.querySelector('.theme-change-button[data-mode={mode}]').click()")
        time.sleep(0.4)
        return browser.execute_script(style)

    assert choose("dark") == ["dark", "rgb(18, 18, 18)", "rgba(0, 0, 0, 0)", "none"]
    assert choose("light")[:2] == ["light", "rgb(255, 255, 255)"]


def test_it_reads_from_a_folder(browser):
    page = max(pages(), key=lambda p: (BOOK / p).read_text("utf-8").count('class="math'))
    open_page(browser, (BOOK / page).as_uri())
    look = browser.execute_script(LOOK)
    assert look["formulas"] > 0
    assert look["broken"] == []


def test_the_printed_page_keeps_the_text_and_drops_the_menus(browser, site):
    open_page(browser, site + "index.html")
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    shown = "return [...document.querySelectorAll(arguments[0])].some(e => e.getClientRects().length > 0)"
    assert browser.execute_script(shown, ".bd-article")
    assert not browser.execute_script(shown, ".bd-sidebar, .bd-header-article, .prev-next-footer")
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})
