"""El libro construido, servido y abierto en Chromium."""

import functools
import http.server
import shutil
import threading
import time
from pathlib import Path

import pytest

BOOK = Path(__file__).resolve().parents[2] / "build" / "html"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
CHROMEDRIVER = shutil.which("chromedriver")

NEEDS = [
    pytest.mark.browser,
    pytest.mark.skipif(not (BOOK / "index.html").is_file(), reason="el libro no está construido: make libro"),
    pytest.mark.skipif(not (CHROMIUM and CHROMEDRIVER), reason="no están instalados chromium y chromedriver"),
]

SETTLED = r"""
const done = arguments[0], frame = () => new Promise(requestAnimationFrame);
frame().then(frame).then(() => Promise.allSettled(document.getAnimations().map(a => a.finished))).then(() => done());
"""


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass


@pytest.fixture(scope="module")
def site():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=BOOK))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(scope="module")
def browser():
    webdriver = pytest.importorskip("selenium.webdriver", reason="falta selenium: pip install -e .[pruebas]")
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"performance": "ALL", "browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(CHROMEDRIVER))
    yield driver
    driver.quit()


def screen(browser, width):
    size = {"width": width, "height": 844, "deviceScaleFactor": 1, "mobile": width < 600}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    # Al cambiar el ancho, la barra lateral entra o sale deslizándose: se mide cuando ya nada se mueve.
    browser.execute_async_script(SETTLED)


def wait_for(browser, script, seconds=8, *arguments):
    end = time.monotonic() + seconds
    while not (found := browser.execute_script(script, *arguments)) and time.monotonic() < end:
        time.sleep(0.02)
    return found


def open_page(browser, url):
    browser.get(url)
    # Con la máquina ocupada, Chromium devuelve el mando cuando la página todavía está a medio leer.
    loaded = "return performance.getEntriesByType('navigation')[0]?.loadEventEnd > 0"
    assert wait_for(browser, f"{loaded} && location.href == arguments[0]", 60, url), f"no terminó de cargar: {url}"


def pages():
    # Los listados de archivos enteros y los informes de ejecución no son páginas del libro.
    found = (p.relative_to(BOOK).as_posix() for p in sorted(BOOK.rglob("*.html")))
    return [p for p in found if not p.startswith(("_static/", "_modules/", "reports/"))]
