"""Imágenes: enteros y decimales, opacidad, espacios de color e histogramas, contra colorsys, matplotlib y NumPy."""

import colorsys

import matplotlib.colors
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from chapters.cnn import (
    composite,
    equalize,
    histogram,
    hsv_to_rgb,
    pixel_table,
    rgb_to_gray,
    rgb_to_hsv,
    rgb_to_ycbcr,
    to_float,
    to_uint8,
    ycbcr_to_rgb,
)

COLOR = (rgb_to_gray, rgb_to_hsv, hsv_to_rgb, rgb_to_ycbcr, ycbcr_to_rgb)
NONSENSE = [
    None,
    "texto",
    b"x",
    1j,
    {},
    [],
    object(),
    np.nan,
    np.inf,
    -1,
    300,
    0.5,
    np.zeros((0, 3)),
    np.ones((2, 2)),
    len,
]
unit = st.floats(0, 1, allow_nan=False, allow_subnormal=False)
corners = np.array(np.meshgrid(*[[0, 0.25, 0.5, 1]] * 3)).reshape(3, -1).T


@given(st.tuples(unit, unit, unit))
def test_hsv_agrees_with_colorsys(color):
    ours, theirs = rgb_to_hsv(color), colorsys.rgb_to_hsv(*color)
    assert np.allclose(ours[1:], theirs[1:])
    turn = abs(ours[0] - theirs[0])
    assert min(turn, 1 - turn) < 1e-9  # 0 y 1 son el mismo tono
    assert 0 <= ours[0] < 1
    assert np.allclose(hsv_to_rgb(ours), color, atol=1e-9)
    assert np.allclose(hsv_to_rgb(color), colorsys.hsv_to_rgb(*color), atol=1e-12)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_hsv_agrees_with_matplotlib_on_a_whole_image(dtype):
    image = np.random.default_rng(0).random((20, 30, 3)).astype(dtype)
    image[:4, :16] = corners.reshape(4, 16, 3)
    hsv = rgb_to_hsv(image)
    assert hsv.dtype == dtype
    assert np.allclose(hsv, matplotlib.colors.rgb_to_hsv(image), atol=1e-6)
    assert np.allclose(hsv_to_rgb(hsv), image, atol=1e-6)
    assert np.allclose(hsv_to_rgb(image), matplotlib.colors.hsv_to_rgb(image), atol=1e-6)
    assert np.array_equal(rgb_to_hsv(image[::-1, ::2]), hsv[::-1, ::2])


def test_hue_never_reaches_a_whole_turn():
    for dtype in (np.float32, np.float64):
        hsv = rgb_to_hsv(np.array([1, 0, 1e-30], dtype))
        assert hsv[0] == 0


@given(hnp.arrays(np.float64, (5, 3), elements=unit))
def test_ycbcr_goes_and_comes_back(rgb):
    ycbcr = rgb_to_ycbcr(rgb)
    assert ycbcr.min() >= 0
    assert ycbcr.max() <= 1
    assert np.allclose(ycbcr_to_rgb(ycbcr), rgb, atol=1e-9)
    assert np.allclose(ycbcr[:, 0], rgb_to_gray(rgb))


def test_ycbcr_against_the_jpeg_matrix():
    # La matriz de JFIF 1.02, escrita aparte.
    matrix = [[0.299, 0.587, 0.114], [-0.168736, -0.331264, 0.5], [0.5, -0.418688, -0.081312]]
    assert np.allclose(rgb_to_ycbcr(corners), corners @ np.transpose(matrix) + [0, 0.5, 0.5], atol=1e-6)


def test_grays_have_no_colour():
    gray = np.repeat(np.linspace(0, 1, 7)[:, np.newaxis], 3, axis=1)
    assert np.allclose(rgb_to_gray(gray), gray[:, 0])
    assert (rgb_to_hsv(gray)[:, :2] == 0).all()
    assert np.allclose(rgb_to_ycbcr(gray)[:, 1:], 0.5)


def test_float32_stays_float32():
    image = np.random.default_rng(0).random((4, 4, 3)).astype(np.float32)
    for function in COLOR:
        assert function(image).dtype == np.float32
    rgba = np.random.default_rng(0).random((4, 4, 4)).astype(np.float32)
    assert composite(rgba, image).dtype == np.float32


def test_levels_go_and_come_back():
    every = np.arange(256, dtype=np.uint8)
    assert to_float(every).dtype == np.float32
    assert (to_uint8(to_float(every)) == every).all()
    assert (to_uint8(every / 255) == every).all()
    x = np.random.default_rng(0).random(1000)
    assert np.abs(to_uint8(x) / 255 - x).max() <= 1 / 510 + 1e-12


def test_a_mix_stays_between_its_parts():
    rng = np.random.default_rng(0)
    image, background = rng.random((5, 6, 4)), rng.random((5, 6, 3))
    mixed = composite(image, background)
    low, high = np.minimum(image[..., :3], background), np.maximum(image[..., :3], background)
    assert ((mixed >= low - 1e-12) & (mixed <= high + 1e-12)).all()
    opaque = image.copy()
    opaque[..., 3] = 1
    assert np.array_equal(composite(opaque, background), image[..., :3])
    flat = composite(image, [0.2, 0.4, 0.6])
    assert np.allclose(flat, composite(image, np.broadcast_to([0.2, 0.4, 0.6], (5, 6, 3))))


def test_pixel_table_puts_every_pixel_in_its_place():
    image = np.random.default_rng(0).integers(0, 256, (4, 3, 3), dtype=np.uint8)
    table = pixel_table(image)
    assert table.shape == (12, 5)
    for x, y, *color in table.astype(int):
        assert (image[y, x] == color).all()
    assert pixel_table(image[..., 0])[:, 2].tolist() == image[..., 0].ravel().tolist()


@given(hnp.arrays(np.uint8, hnp.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=12)))
def test_histogram_and_equalization(image):
    counts = histogram(image)
    assert (counts == np.bincount(image.ravel(), minlength=256)).all()
    result = equalize(image)
    assert result.dtype == np.uint8
    # Lo más claro sigue siendo más claro, o igual.
    order = np.argsort(image, axis=None)
    assert (np.diff(result.ravel()[order].astype(int)) >= 0).all()
    if image.min() < image.max():
        assert (result.min(), result.max()) == (0, 255)
        assert (equalize(result) == result).all()
    else:
        assert (result == image).all()


def test_equalization_flattens_a_narrow_image():
    rng = np.random.default_rng(0)
    image = rng.normal(128, 12, (200, 200)).clip(0, 255).round().astype(np.uint8)
    cumulative = histogram(equalize(image)).cumsum() / image.size
    assert np.abs(cumulative - np.arange(256) / 255).max() < 0.04


@pytest.mark.parametrize("function", [*COLOR, to_float, to_uint8, histogram, equalize, pixel_table])
@pytest.mark.parametrize("bad", NONSENSE, ids=lambda v: repr(v)[:20])
def test_nonsense_gets_a_clear_error(function, bad):
    try:
        y = function(bad)
    except (ValueError, TypeError) as error:
        assert "esperaba" in str(error), error
    else:
        assert np.isfinite(y).all()


def test_typical_mistakes():
    with pytest.raises(ValueError, match="¿falta dividir entre 255"):
        rgb_to_hsv(np.full((2, 2, 3), 200, np.uint8))
    with pytest.raises(ValueError, match="hay un 265 en la posición"):
        histogram([[10, 265]])
    with pytest.raises(ValueError, match=r"rgb: se esperaba la forma \(…, 3\)"):
        rgb_to_gray(np.ones((4, 4)))
    with pytest.raises(ValueError, match=r"image: se esperaba la forma \(H, W, 4\)"):
        composite(np.ones((4, 4, 3)), [1, 1, 1])
    with pytest.raises(ValueError, match="background: se esperaba la forma"):
        composite(np.ones((4, 4, 4)), np.ones((3, 4, 3)))
    with pytest.raises(ValueError, match="image: se esperaba la forma"):
        equalize(np.zeros((4, 4, 3), np.uint8))


def test_an_image_is_not_divided_twice():
    image = np.ones((2, 2), np.uint8)
    for again in (to_float(image * 255), np.ones((2, 2)), np.ones((2, 2), bool)):
        with pytest.raises(TypeError, match="se esperaban enteros"):
            to_float(again)
    assert to_uint8(np.ones((2, 2), bool)).tolist() == [[255, 255], [255, 255]]


def test_inputs_are_not_changed():
    image = np.random.default_rng(0).random((3, 3, 3))
    copy = image.copy()
    for function in COLOR:
        function(image)[...] = 0
    assert np.array_equal(image, copy)
    levels = np.full((2, 2), 7, np.uint8)
    equalize(levels)[:] = 0
    assert (levels == 7).all()
