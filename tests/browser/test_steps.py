"""La página que se recorre paso a paso: con botones, con las flechas, con un enlace y, sin JavaScript, entera."""

import re

import pytest

from tests.browser.conftest import BOOK, NEEDS, open_page, screen, wait_for

pytestmark = NEEDS

PAGE = "attention/recorrido.html"
SHOWN = "return [...document.querySelectorAll('.dl-steps > section')].filter(s => s.offsetHeight).map(s => s.id)"
SIGN = "return document.querySelector('.dl-steps-bar span').textContent"
PRESS = "document.querySelectorAll('.dl-steps-bar button')[arguments[0]].click()"
KEY = "document.body.dispatchEvent(new KeyboardEvent('keydown', {key: arguments[0], bubbles: true}))"


@pytest.fixture
def steps(browser, site):
    screen(browser, 390)
    open_page(browser, site + PAGE)
    html = (BOOK / PAGE).read_text("utf-8")
    ids = re.findall(r'<section id="([\w-]+)">\s*(?:<span id="[^"]*"></span>\s*)?<h3>', html)
    assert len(ids) > 20
    return ids


def test_one_step_at_a_time_forward_and_back(browser, steps):
    assert browser.execute_script(SHOWN) == steps[:1]
    browser.execute_script(PRESS, 1)
    assert browser.execute_script(SHOWN) == steps[1:2]
    browser.execute_script("document.querySelector('.dl-steps').scrollIntoView()")
    browser.execute_script(KEY, "ArrowRight")
    assert browser.execute_script(SIGN) == f"3 de {len(steps)}"
    browser.execute_script(KEY, "ArrowLeft")
    browser.execute_script(PRESS, 0)
    browser.execute_script(PRESS, 0)
    assert browser.execute_script(SHOWN) == steps[:1]
    browser.execute_script(PRESS, 2)
    assert browser.execute_script(SHOWN) == steps
    assert browser.execute_script("return document.documentElement.scrollWidth") <= 390


def test_a_link_brings_its_step_and_without_javascript_they_are_all_there(browser, site, steps):
    open_page(browser, f"{site}{PAGE}#{steps[9]}")
    assert wait_for(browser, SHOWN) == steps[9:10]
    assert "dl-away" not in (BOOK / PAGE).read_text("utf-8")
