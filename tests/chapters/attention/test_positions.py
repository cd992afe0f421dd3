"""Las posiciones: senos, tabla y giros; lo que cada una promete y lo que no cabe."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chapters.attention import (
    PositionEmbedding,
    RotaryEmbedding,
    SinePositionEncoding,
    TokenAndPositionEmbedding,
    rotate,
    rotate_backward,
    sine_positions,
)
from chapters.cnn import GlobalAveragePooling1D
from chapters.mlp import SGD, Add, Dense, Flatten, Input, Model, Sequential
from chapters.rnn import Embedding
from dlbook.gradcheck import check_gradients

RNG = np.random.default_rng(0)


def test_the_first_position_of_width_four():
    np.testing.assert_allclose(sine_positions([1], 4)[0], [0.841471, 0.540302, 0.010000, 0.999950], atol=5e-7)


@given(p=st.integers(-500, 500), k=st.integers(-500, 500), half=st.integers(1, 8), wavelength=st.floats(1, 1e5))
@settings(max_examples=40, deadline=None)
def test_to_advance_is_to_turn_and_the_dot_product_only_sees_the_distance(p, k, half, wavelength):
    before, after = sine_positions([p, p + k], 2 * half, wavelength)
    speeds = wavelength ** (-2 * np.arange(half) / (2 * half))
    # Coseno y seno son las partes real e imaginaria de un número que se multiplica por otro.
    turned = (before[1::2] + 1j * before[::2]) * np.exp(1j * k * speeds)
    np.testing.assert_allclose(after[1::2] + 1j * after[::2], turned, atol=1e-10)
    np.testing.assert_allclose(before @ after, np.cos(k * speeds).sum(), atol=1e-10)


@given(
    shape=st.lists(st.integers(1, 4), min_size=0, max_size=2),
    steps=st.integers(1, 5),
    half=st.integers(1, 4),
    scaling=st.floats(0.5, 8),
    seed=st.integers(0, 99),
)
@settings(max_examples=40, deadline=None)
def test_to_rotate_is_to_multiply_by_a_complex_number(shape, steps, half, scaling, seed):
    rng = np.random.default_rng(seed)
    x, positions = rng.normal(size=(*shape, steps, 2 * half)), rng.integers(-9, 1000, steps)
    angles = positions[:, None] / scaling * 100.0 ** (-np.arange(half) / half)
    turned = (x[..., :half] + 1j * x[..., half:]) * np.exp(1j * angles)
    y = rotate(x, positions, 100, scaling)
    np.testing.assert_allclose(y, np.concatenate([turned.real, turned.imag], axis=-1), atol=1e-12)
    np.testing.assert_allclose(np.linalg.norm(y, axis=-1), np.linalg.norm(x, axis=-1))
    np.testing.assert_allclose(rotate_backward(positions, y, 100, scaling), x, atol=1e-12)


def test_two_rotated_vectors_only_see_their_distance():
    q, k = RNG.normal(size=(2, 1, 8))
    products = [float((rotate(q, [m]) * rotate(k, [m + 5])).sum()) for m in (0, 1, 50, 4000)]
    np.testing.assert_allclose(products, products[0])
    assert abs(products[0] - float((rotate(q, [5]) * rotate(k, [0])).sum())) > 1e-3


def test_the_gradient_of_the_rotation_is_the_one_that_differences_measure():
    x, dy = RNG.normal(size=(2, 2, 3, 4))
    positions = [2, 7, 30]
    found = rotate_backward(positions, dy * rotate(x, positions))
    report = check_gradients(lambda: (rotate(x, positions) ** 2 * dy).sum() / 2, {"x": x}, {"x": found})
    assert report.ok, str(report)


@pytest.mark.parametrize(
    "layer", [SinePositionEncoding(), PositionEmbedding(9), RotaryEmbedding(), RotaryEmbedding(sequence_axis=-2)]
)
def test_the_last_word_alone_gets_what_it_got_in_its_sentence(layer):
    x = RNG.normal(size=(2, 7, 4)).astype(np.float32)
    y = layer.forward(x)
    for t in (0, 3, 6):
        np.testing.assert_allclose(layer.forward(x[:, t : t + 1], start_index=t), y[:, t : t + 1], rtol=1e-6)


def test_tokens_and_positions_one_by_one():
    layer = TokenAndPositionEmbedding(5, 9, 4)
    tokens = RNG.integers(0, 5, (2, 7))
    y = layer.forward(tokens)
    np.testing.assert_array_equal(layer.forward(tokens[:, 6:], start_index=6), y[:, 6:])
    with pytest.raises(ValueError, match="x: se esperaban posiciones de 0 a 8, pero hay una 9"):
        layer.forward(tokens[:, :1], start_index=9)
    with pytest.raises(ValueError, match="start_index: se esperaba un entero"):
        layer.forward(tokens, start_index=-1)
    with pytest.raises(ValueError, match="x: se esperaban posiciones de 0 a 8"):
        TokenAndPositionEmbedding(5, 9, 4).build((10,))


def test_the_heads_can_be_before_or_after_the_sequence():
    x = RNG.normal(size=(2, 5, 3, 4))  # (n, T, H, d)
    y = RotaryEmbedding(dtype="float64").forward(x)
    for axis in (2, -2):
        moved = RotaryEmbedding(sequence_axis=axis, dtype="float64").forward(np.swapaxes(x, 1, 2))
        np.testing.assert_array_equal(np.swapaxes(moved, 1, 2), y)
    turned = RotaryEmbedding(sequence_axis=2, feature_axis=1, dtype="float64").forward(np.moveaxis(x, 3, 1))
    np.testing.assert_array_equal(np.moveaxis(turned, 1, 3), y)
    for head in range(3):
        np.testing.assert_allclose(y[:, :, head], rotate(x[:, :, head], np.arange(5)))


def test_far_away_in_float32_the_angle_is_still_right():
    x = RNG.normal(size=(1, 1, 4)).astype(np.float32)
    y = RotaryEmbedding().forward(x, start_index=1_000_003)
    np.testing.assert_allclose(y, rotate(x.astype(float), [1_000_003]), rtol=1e-5)


@pytest.mark.parametrize("axes", [(0, -1), (1, 1), (3, -1), (1, 0), (1, -3)])
def test_axes_that_are_not_there_are_refused(axes):
    layer = RotaryEmbedding(sequence_axis=axes[0], feature_axis=axes[1])
    with pytest.raises(ValueError, match="x: se esperaban un eje"):
        layer.build((2, 4))
    assert not layer.built


def test_the_sum_is_that_of_the_two_tables_and_so_are_the_gradients():
    tokens, y = RNG.integers(0, 5, (6, 4)), RNG.normal(size=(6, 2))
    joint = Sequential([Input((4,)), TokenAndPositionEmbedding(5, 4, 3), Flatten(), Dense(2)], seed=1, dtype="float64")
    read = Input((4,), dtype="int64")
    words = Embedding(5, 3)(read)
    apart = Dense(2)(Flatten()(Add()([words, PositionEmbedding(4)(words)])))
    apart = Model(read, apart, seed=2, dtype="float64")
    apart.set_weights(joint.get_weights())
    np.testing.assert_allclose(apart.predict(tokens), joint.predict(tokens))
    for model in (joint, apart):
        model.compile(SGD(0.1), "mse")
        model.fit(tokens, y, batch_size=3, epochs=2, shuffle=False, verbose=0)
    np.testing.assert_allclose(apart.predict(tokens), joint.predict(tokens))


def test_its_gradients_are_the_ones_that_differences_measure():
    layer = TokenAndPositionEmbedding(4, 5, 3, dtype="float64", seed=0)
    tokens, way = np.array([[1, 1, 3], [0, 1, 2]]), RNG.normal(size=(2, 3, 3))
    y = layer.forward(tokens)
    layer.backward(way * y)
    weights = dict(zip("EP", layer.trainable_weights, strict=True))
    found = dict(zip("EP", map(np.copy, layer.gradients), strict=True))
    report = check_gradients(lambda: (layer.forward(tokens) ** 2 * way).sum() / 2, weights, found)
    assert report.ok, str(report)
    assert not found["P"][3:].any()


def test_the_padding_does_not_count_and_a_frozen_table_does_not_move():
    model = Sequential(
        [Input((4,)), TokenAndPositionEmbedding(5, 4, 3, mask_zero=True), GlobalAveragePooling1D(), Dense(1)], seed=0
    )
    padded = model.predict([[1, 2, 0, 0]])
    model.layers[0].position_embedding.position_embeddings[2:] += 7
    np.testing.assert_array_equal(model.predict([[1, 2, 0, 0]]), padded)
    table = model.layers[0].position_embedding
    table.trainable = False
    kept = table.position_embeddings.copy()
    model.compile(SGD(0.1), "mse")
    model.fit([[1, 2, 0, 0], [3, 1, 4, 0]], [[1.0], [0.0]], epochs=2, verbose=0)
    np.testing.assert_array_equal(table.position_embeddings, kept)


@pytest.mark.parametrize("layer", [SinePositionEncoding(), PositionEmbedding(4), RotaryEmbedding()])
def test_the_mask_of_the_words_goes_through(layer):
    read = Input((None,), dtype="int64")
    words = Embedding(5, 4, mask_zero=True)(read)
    model = Model(read, GlobalAveragePooling1D()(Add()([words, layer(words)])), seed=0)
    np.testing.assert_allclose(model.predict([[1, 2, 0, 0]]), model.predict([[1, 2]]), rtol=1e-5)
