"""Correlación, convolución, tamaños de salida y filtros con nombre, contra la definición y contra SciPy."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage, signal

from chapters.cnn import convolve2d, correlate2d, kernel_span, named_kernel, output_size, same_padding, separate

NAMES = ("identity", "sharpen", "box", "gaussian", "sobel_x", "sobel_y", "laplacian", "emboss")
NONSENSE = [None, "texto", b"x", 1j, {}, [], object(), np.nan, np.inf, -1, 0, 2.5, 10**400, True, np.zeros((2, 3)), len]


def by_definition(image, kernel, stride, margins, dilation):
    """La suma, ventana por ventana, con un rectángulo de ceros alrededor."""
    x = np.pad(np.asarray(image, float), margins)
    spans = [dilation * (n - 1) + 1 for n in kernel.shape]
    starts = [range(0, d - k + 1, stride) for d, k in zip(x.shape, spans, strict=True)]
    rows = [
        [(x[i : i + spans[0] : dilation, j : j + spans[1] : dilation] * kernel).sum() for j in starts[1]]
        for i in starts[0]
    ]
    return np.array(rows)


@settings(max_examples=150, deadline=None)
@given(
    shape=st.tuples(st.integers(1, 9), st.integers(1, 9)),
    size=st.tuples(st.integers(1, 4), st.integers(1, 4)),
    stride=st.integers(1, 4),
    padding=st.sampled_from(["valid", "same", 0, 1, 3]),
    dilation=st.integers(1, 3),
    seed=st.integers(0, 9),
)
def test_correlation_agrees_with_its_definition(shape, size, stride, padding, dilation, seed):
    rng = np.random.default_rng(seed)
    image, kernel = rng.normal(size=shape), rng.normal(size=size)
    pad = 0 if isinstance(padding, str) else padding
    margins = [(pad, pad)] * 2
    if padding == "same":
        margins = [same_padding(d, n, stride, dilation) for d, n in zip(shape, size, strict=True)]
    if any(d + sum(m) < dilation * (n - 1) + 1 for d, m, n in zip(shape, margins, size, strict=True)):
        with pytest.raises(ValueError, match="quepa"):
            correlate2d(image, kernel, stride, padding, dilation)
        return
    y = correlate2d(image, kernel, stride, padding, dilation)
    assert np.allclose(y, by_definition(image, kernel, stride, margins, dilation))
    assert y.shape == tuple(output_size(d, n, stride, padding, dilation) for d, n in zip(shape, size, strict=True))
    if padding == "same":
        assert y.shape == tuple(-(-d // stride) for d in shape)


@pytest.mark.parametrize("size", [(3, 3), (2, 5), (1, 4)])
def test_agreement_with_scipy(size):
    rng = np.random.default_rng(0)
    image, kernel = rng.normal(size=(11, 8)), rng.normal(size=size)
    assert np.allclose(correlate2d(image, kernel), signal.correlate2d(image, kernel, "valid"))
    assert np.allclose(convolve2d(image, kernel), signal.convolve2d(image, kernel, "valid"))
    full = convolve2d(np.pad(image, [(n - 1, n - 1) for n in size]), kernel)
    assert np.allclose(full, signal.convolve2d(image, kernel))


def test_agreement_with_keras():
    ops = pytest.importorskip("keras").ops
    rng = np.random.default_rng(0)
    cases = itertools.product([(9, 8), (12, 7)], [(3, 3), (2, 4), (5, 1)], [(1, 1), (2, 1), (3, 1), (1, 2)])
    for (shape, size, (stride, dilation)), padding in itertools.product(cases, ("valid", "same")):
        if padding == "valid" and any(kernel_span(n, dilation) > d for d, n in zip(shape, size, strict=True)):
            continue
        image, kernel = rng.normal(size=shape), rng.normal(size=size)
        theirs = ops.conv(image[None, ..., None], kernel[..., None, None], stride, padding, dilation_rate=dilation)
        ours = correlate2d(image, kernel, stride, padding, dilation)
        assert np.allclose(ours, np.asarray(theirs)[0, ..., 0], atol=1e-12)


def test_the_true_convolution_commutes_and_associates():
    rng = np.random.default_rng(1)
    x, k, h = rng.normal(size=(6, 6)), rng.normal(size=(3, 3)), rng.normal(size=(3, 3))
    assert np.allclose(convolve2d(x, k, padding=2), convolve2d(k, x, padding=5))
    flipped = correlate2d(k, x, padding=5)[::-1, ::-1]
    assert np.allclose(correlate2d(x, k, padding=2), flipped)
    assert np.allclose(convolve2d(convolve2d(x, k), h), convolve2d(x, convolve2d(k, h, padding=2)))


def test_translation_equivariance():
    rng = np.random.default_rng(2)
    image, kernel = rng.normal(size=(12, 12)), rng.normal(size=(3, 3))
    moved = np.roll(image, (2, 1), axis=(0, 1))
    assert np.allclose(correlate2d(moved, kernel)[2:, 1:], correlate2d(image, kernel)[:-2, :-1])


def test_any_layout_and_type_gives_the_same_map():
    image = np.random.default_rng(3).integers(0, 256, (9, 9), dtype=np.uint8)
    kernel = named_kernel("laplacian")
    expected = signal.correlate2d(image.astype(float), kernel, "valid")
    assert expected.min() < 0  # en ocho bits habría dado la vuelta
    for view in (image, image.T.copy().T, np.asfortranarray(image), np.repeat(image, 2, axis=1)[:, ::2]):
        assert np.array_equal(correlate2d(view, kernel), expected)
    assert np.array_equal(correlate2d(image[::-1], kernel[::-1])[::-1], expected)
    single = correlate2d(image.astype(np.float32), kernel.astype(np.float32))
    assert single.dtype == np.float32
    assert np.array_equal(single, expected)
    assert correlate2d(image.astype(np.float32), kernel).dtype == np.float64


def test_arguments_stay_as_they_were():
    image, kernel = np.ones((4, 4)), np.ones((3, 3))
    correlate2d(image, kernel, padding="same")[:] = 7
    convolve2d(image, kernel)[:] = 7
    assert (image == 1).all()
    assert (kernel == 1).all()


@given(st.integers(1, 40), st.integers(1, 7), st.integers(1, 5), st.integers(0, 4), st.integers(1, 4))
def test_output_size_counts_the_windows(size, kernel_size, stride, padding, dilation):
    span = kernel_span(kernel_size, dilation)
    starts = range(0, size + 2 * padding - span + 1, stride)
    if len(starts):
        assert output_size(size, kernel_size, stride, padding, dilation) == len(starts)
    else:
        with pytest.raises(ValueError, match="quepa"):
            output_size(size, kernel_size, stride, padding, dilation)


@given(st.integers(1, 40), st.integers(1, 7), st.integers(1, 5), st.integers(1, 4))
def test_same_padding_is_the_least_that_fits(size, kernel_size, stride, dilation):
    before, after = same_padding(size, kernel_size, stride, dilation)
    span = kernel_span(kernel_size, dilation)
    count = output_size(size, kernel_size, stride, "same", dilation)
    assert count == -(-size // stride)
    assert 0 <= after - before <= 1
    assert len(range(0, size + before + after - span + 1, stride)) >= count
    if before + after:
        assert len(range(0, size + before + after - 1 - span + 1, stride)) == count - 1


def test_named_kernels_on_flat_zones_and_ramps():
    flat, ramp = np.full((5, 5), 7.0), np.tile(np.arange(6.0), (6, 1))
    for name in NAMES:
        kernel = named_kernel(name)
        assert np.allclose(correlate2d(flat, kernel), 7 * kernel.sum())
        kernel[:] = 0
        assert named_kernel(name).any()
    # Una rampa hacia la derecha de pendiente 1: (1 + 2 + 1) veces dos veces la derivada.
    assert np.allclose(correlate2d(ramp, named_kernel("sobel_x")), 8)
    assert np.allclose(correlate2d(ramp, named_kernel("sobel_y")), 0)
    assert np.allclose(correlate2d(ramp, named_kernel("laplacian")), 0)
    image = np.random.default_rng(0).normal(size=(8, 8))
    assert np.allclose(correlate2d(image, named_kernel("sobel_x")), ndimage.sobel(image, axis=1)[1:-1, 1:-1])
    assert np.allclose(correlate2d(image, named_kernel("laplacian")), ndimage.laplace(image)[1:-1, 1:-1])


@pytest.mark.parametrize("name", NAMES)
def test_separable_kernels(name):
    kernel = named_kernel(name)
    rank = np.linalg.matrix_rank(kernel)
    if rank > 1:
        with pytest.raises(ValueError, match=f"rango {rank}"):
            separate(kernel)
        return
    u, v = separate(kernel)
    assert np.allclose(np.outer(u, v), kernel)
    assert v.sum() >= 0
    image = np.random.default_rng(0).normal(size=(9, 9))
    twice = correlate2d(correlate2d(image, v[np.newaxis]), u[:, np.newaxis])
    assert np.allclose(twice, correlate2d(image, kernel))


def test_separate_in_single_precision_and_by_shape():
    u, v = separate(np.outer([1, 2, 3], [4, 5]).astype(np.float32))
    assert u.dtype == v.dtype == np.float32
    assert (u.shape, v.shape) == ((3,), (2,))
    assert np.allclose(np.outer(u, v), np.outer([1, 2, 3], [4, 5]))
    with pytest.raises(ValueError, match="rango 0"):
        separate(np.zeros((3, 3)))


@pytest.mark.parametrize("which", range(5))
def test_nonsense_gets_a_clear_error(which):
    good = [np.ones((5, 5)), np.ones((3, 3)), 1, "valid", 1]
    for bad in NONSENSE:
        arguments = list(good)
        arguments[which] = bad
        for function in (correlate2d, convolve2d):
            try:
                y = function(*arguments)
            except (ValueError, TypeError) as error:
                assert ":" in str(error), error
                assert "esperaba" in str(error), error
            else:
                assert np.isfinite(y).all()


def test_nonsense_sizes():
    for function, bad, place in itertools.product((output_size, same_padding, kernel_span), NONSENSE, range(4)):
        arguments = [7, 3, 1, 1][: 2 if function is kernel_span else 4]
        arguments[place % len(arguments)] = bad
        try:
            function(*arguments)
        except (ValueError, TypeError) as error:
            assert "esperaba" in str(error)
    for bad in NONSENSE:
        for function in (named_kernel, separate):
            with pytest.raises((ValueError, TypeError), match="esperaba"):
                function(bad)


@pytest.mark.parametrize("arguments", [{"stride": 0}, {"dilation": 0}, {"padding": -1}, {"padding": "igual"}])
def test_bad_options(arguments):
    with pytest.raises(ValueError, match=f"{next(iter(arguments))}: se esperaba"):
        correlate2d(np.ones((5, 5)), np.ones((3, 3)), **arguments)


def test_colour_images_and_nan_are_rejected():
    with pytest.raises(ValueError, match=r"image: se esperaba la forma \(H, W\)"):
        correlate2d(np.ones((5, 5, 3)), np.ones((3, 3)))
    with pytest.raises(ValueError, match="finitos"):
        correlate2d(np.full((5, 5), np.nan), np.ones((3, 3)))


def test_the_padding_may_be_in_capitals_as_in_keras():
    image, kernel = np.arange(30.0).reshape(5, 6), np.ones((3, 2))
    for padding in ("same", "valid"):
        expected = correlate2d(image, kernel, padding=padding)
        assert np.array_equal(correlate2d(image, kernel, padding=padding.upper()), expected)
