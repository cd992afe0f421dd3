"""Las figuras del libro construido: de día y de noche, cada trazo y cada mancha se distinguen del fondo de la página.

Se mira la figura ya pintada: de cada trazo se toman puntos, y se compara el color que hay ahí con el del fondo.
"""

import re

import pytest

from tests.browser.conftest import BOOK, NEEDS, open_page, pages

pytestmark = NEEDS

# Lo que se le pide a un trazo de una gráfica (WCAG 2.2, criterio 1.4.11), y en qué parte de él al menos: puede ser
# punteado o pasar por debajo de otro.
CONTRAST, SHARE = 3, 0.2
# Lo más delgado que se mira, en puntos: lo demás son líneas de apoyo.
THIN = 0.75
BACKGROUNDS = {"light": [255, 255, 255], "dark": [18, 18, 18]}
IMAGE = re.compile(r'<img[^>]* src="((?:\.\./)*_images/[^"]*\.svg)"')

FAINT = r"""
const [url, background, contrast, share, thin, done] = arguments;
const SCALE = 3, channel = v => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
const luminance = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
const ratio = (a, b) => (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);

async function paint(text) {
  const image = new Image();
  image.src = URL.createObjectURL(new Blob([text], {type: 'image/svg+xml'}));
  await image.decode();
  const canvas = document.createElement('canvas');
  canvas.width = SCALE * image.naturalWidth;
  canvas.height = SCALE * image.naturalHeight;
  const pen = canvas.getContext('2d');
  pen.fillStyle = `rgb(${background})`;
  pen.fillRect(0, 0, canvas.width, canvas.height);
  pen.drawImage(image, 0, 0, canvas.width, canvas.height);
  return pen.getImageData(0, 0, canvas.width, canvas.height);
}

function along(shape) {
  const length = shape.getTotalLength();
  return length ? Array.from({length: 60}, (_, k) => shape.getPointAtLength(length * k / 60)) : [];
}

function inside(shape) {
  const {x, y, width, height} = shape.getBBox(), points = [];
  for (let i = 0.5; i < 12; i++)
    for (let j = 0.5; j < 12; j++) {
      const point = new DOMPoint(x + width * i / 12, y + height * j / 12);
      if (shape.isPointInFill(point)) points.push(point);
    }
  return points;
}

(async () => {
  const text = await (await fetch(url)).text();
  const pixels = await paint(text), page = luminance(background);
  const holder = document.createElement('div');
  holder.innerHTML = text;
  document.body.append(holder);
  const svg = holder.querySelector('svg'), faint = [];
  svg.style.maxWidth = 'none';
  const seen = (point, matrix, clip) => {
    if (clip && !(clip.x <= point.x && point.x <= clip.x + clip.width && clip.y <= point.y
        && point.y <= clip.y + clip.height)) return null;
    const at = point.matrixTransform(matrix);
    const [x, y] = [at.x, at.y].map(v => Math.round(SCALE * v));
    if (x < 0 || y < 0 || x >= pixels.width || y >= pixels.height) return null;
    return ratio(luminance(pixels.data.subarray(4 * (y * pixels.width + x)).slice(0, 3)), page);
  };
  const times = {}, clouds = {};
  for (const e of svg.querySelectorAll('path, use')) {
    if (e.closest('defs, [id^="text_"], [id^="matplotlib.axis"]')) continue;
    // Los puntos de una nube son el mismo dibujo: bastan los primeros.
    const drawing = e.tagName == 'use' ? e.getAttribute('xlink:href') + e.getAttribute('style') : '';
    if (drawing && (times[drawing] = (times[drawing] ?? 0) + 1) > 20) continue;
    const shape = e.tagName == 'use' ? svg.querySelector(e.getAttribute('xlink:href')) : e;
    const style = getComputedStyle(e), own = getComputedStyle(shape);
    const drawn = name => (style[name] == 'none' ? own[name] : style[name]) != 'none';
    // La orilla de una mancha cuenta por delgada que sea.
    const lined = drawn('stroke') && (drawn('fill') || parseFloat(style.strokeWidth) * 0.75 >= thin);
    const box = e.closest('[clip-path]')?.getAttribute('clip-path').slice(4, -1);
    const clip = box && svg.querySelector(box)?.firstElementChild.getBBox();
    const matrix = e.getCTM();
    const move = e.tagName == 'use' ? [e.x.baseVal.value, e.y.baseVal.value] : [0, 0];
    const stands = points => {
      const found = points.map(p => seen(new DOMPoint(p.x + move[0], p.y + move[1]), matrix, clip)).filter(r => r);
      return found.length ? found.filter(r => r >= contrast).length >= share * found.length : null;
    };
    const verdicts = [];
    if (lined) verdicts.push(stands(along(shape)));
    if (drawn('fill')) verdicts.push(stands(inside(shape)));
    const fails = verdicts.some(v => v === false) && !verdicts.some(v => v);
    const name = `${e.closest('[id]').id}: ${e.getAttribute('style')}`;
    // A un punto lo puede tapar otro: una nube se juzga entera.
    if (drawing) (clouds[name] ??= []).push(fails);
    else if (fails) faint.push(name);
  }
  for (const [name, fails] of Object.entries(clouds))
    if (fails.filter(f => f).length > fails.length / 2) faint.push(name);
  holder.remove();
  done(faint);
})().catch(error => done([String(error)]));
"""


def figures():
    """Los dibujos de cada página."""
    for page in pages():
        for source in IMAGE.findall((BOOK / page).read_text("utf-8")):
            yield page, source.replace("../", "")


@pytest.mark.parametrize("theme", BACKGROUNDS)
def test_every_line_and_band_stands_out(browser, site, theme):
    open_page(browser, f"{site}index.html")
    found = dict.fromkeys(figures())
    assert found
    for page, source in found:
        rest = BACKGROUNDS[theme], CONTRAST, SHARE, THIN
        found[page, source] = browser.execute_async_script(FAINT, site + source, *rest)
    faults = [f"{page} {source}: {one}" for (page, source), faint in found.items() for one in faint]
    assert not faults, "\n".join(faults)
