"""La atención y sus cabezas: lo que solo ellas prometen."""

import copy

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chapters.attention import (
    MultiHeadAttention,
    causal_mask,
    scaled_dot_product_attention,
    scaled_dot_product_attention_backward,
)
from chapters.mlp import Add, Dense, GradientTape, Input, Model, ops
from chapters.rnn import Embedding


def arrays(seed, *shapes):
    rng = np.random.default_rng(seed)
    return [rng.normal(size=shape) for shape in shapes]


def slopes(f, x, step=1e-6):
    found = np.empty_like(x)
    for k in range(x.size):
        was = x.flat[k]
        x.flat[k] = was + step
        up = f()
        x.flat[k] = was - step
        found.flat[k] = (up - f()) / (2 * step)
        x.flat[k] = was
    return found


# --- La función ---


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 4), st.integers(1, 4), st.integers(1, 3), st.integers(1, 3))
def test_the_gradients_are_those_of_finite_differences(seed, steps, sources, d, m):
    q, k, v, dy = arrays(seed, (steps, d), (sources, d), (sources, m), (steps, m))
    mask = np.random.default_rng(seed).random((steps, sources)) < 0.7
    _, weights = scaled_dot_product_attention(q, k, v, mask)
    found = scaled_dot_product_attention_backward(q, k, v, weights, dy)
    for x, gradient in zip((q, k, v), found, strict=True):
        wanted = slopes(lambda: (scaled_dot_product_attention(q, k, v, mask)[0] * dy).sum(), x)
        np.testing.assert_allclose(gradient, wanted, atol=1e-8)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("lead", [(), (3,), (2, 3)])
def test_axes_in_front_are_apart_and_the_type_stays(lead, dtype):
    q, k, v = (x.astype(dtype) for x in arrays(0, (*lead, 4, 2), (*lead, 5, 2), (*lead, 5, 3)))
    z, weights = scaled_dot_product_attention(q, k, v)
    assert (z.shape, weights.shape, z.dtype) == ((*lead, 4, 3), (*lead, 4, 5), dtype)
    for index in np.ndindex(lead):
        alone, _ = scaled_dot_product_attention(q[index], k[index], v[index])
        np.testing.assert_allclose(z[index], alone, rtol=1e-5)


def test_a_row_with_nothing_to_look_at_is_zeros():
    q, k, v, dy = arrays(0, (2, 3), (4, 3), (4, 2), (2, 2))
    z, weights = scaled_dot_product_attention(q, k, v, [[False] * 4, [True] * 4])
    assert not z[0].any()
    assert not weights[0].any()
    np.testing.assert_allclose(weights[1].sum(), 1)
    dq, _, _ = scaled_dot_product_attention_backward(q, k, v, weights, dy)
    assert not dq[0].any()
    assert np.isfinite(dq).all()


def test_enormous_scores_do_not_overflow():
    z, weights = scaled_dot_product_attention([[1e3]], [[1e3], [-1e3]], [[1.0], [2.0]])
    assert weights.tolist() == [[1.0, 0.0]]
    assert z.tolist() == [[1.0]]


def test_scores_that_do_not_fit_in_the_type_are_refused():
    with pytest.raises(ValueError, match="cuyo producto no se desborde"):
        scaled_dot_product_attention([[1e200]], [[1e200], [-1e200]], [[1.0], [2.0]])


@pytest.mark.parametrize("shape", [(4, 6), (2, 4, 5), (5, 4), (1, 1, 4, 5)])
def test_a_mask_of_another_shape_is_refused(shape):
    q, k, v = arrays(0, (3, 4, 2), (3, 5, 2), (3, 5, 2))
    with pytest.raises(ValueError, match="mask: se esperaba la forma"):
        scaled_dot_product_attention(q, k, v, np.ones(shape, bool))


@pytest.mark.parametrize(("steps", "sources"), [(3, 3), (70, 70), (5, 9), (9, 5), (150, 33), (33, 150), (1, 1)])
def test_skipping_what_the_causal_mask_hides_changes_nothing(steps, sources):
    x, y, dy = arrays(0, (2, steps, 6), (2, sources, 6), (2, steps, 6))
    layers = [MultiHeadAttention(2, 20, seed=0, dtype="float64") for _ in range(2)]
    outputs = [
        layers[0].forward(x, y, use_causal_mask=True),
        layers[1].forward(x, y, attention_mask=causal_mask(steps, sources)),
    ]
    np.testing.assert_allclose(*outputs, atol=1e-12)
    for one, other in zip(*(layer.backward(dy) for layer in layers), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-12)
    for one, other in zip(layers[0].gradients, layers[1].gradients, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-11)


# --- La capa ---


def test_several_heads_are_several_attentions():
    x, y = arrays(1, (2, 4, 6), (2, 5, 3))
    layer = MultiHeadAttention(3, 2, value_dim=4, seed=0, dtype="float64")
    together, weights = layer.forward(x, y, return_attention_scores=True)
    total = 0
    for h in range(3):
        q = x @ layer.query_kernel[:, h] + layer.query_bias[h]
        k = y @ layer.key_kernel[:, h] + layer.key_bias[h]
        v = y @ layer.value_kernel[:, h] + layer.value_bias[h]
        z, alone = scaled_dot_product_attention(q, k, v)
        np.testing.assert_allclose(weights[:, h], alone)
        total = total + z @ layer.attention_output_kernel[h]
    np.testing.assert_allclose(together, total + layer.attention_output_bias)


MASKS = {
    "none": {},
    "causal": {"use_causal_mask": True},
    "padding": {"value_mask": [[1, 1, 0, 0], [1, 0, 1, 1]]},
    "all": {
        **{"query_mask": [[1, 0, 1], [1, 1, 1]], "value_mask": [[1, 1, 1, 0], [1, 0, 1, 1]]},
        **{"key_mask": [[0, 1, 1, 1], [1, 1, 1, 1]], "use_causal_mask": True},
        "attention_mask": np.random.default_rng(0).random((2, 3, 4)) < 0.8,
    },
    "by head": {"attention_mask": np.random.default_rng(1).random((1, 2, 3, 4)) < 0.6},
}


@pytest.mark.parametrize("masks", MASKS.values(), ids=MASKS)
@pytest.mark.parametrize("scores", [False, True])
def test_every_gradient_is_right_with_any_mask(masks, scores):
    query, value, key, dy, dweights = arrays(2, (2, 3, 4), (2, 4, 3), (2, 4, 5), (2, 3, 4), (2, 2, 3, 4))
    layer = MultiHeadAttention(2, 3, value_dim=2, bias_initializer="random_normal", seed=0, dtype="float64")

    def loss():
        found = layer.forward(query, value, key, return_attention_scores=scores, **masks)
        return (found[0] * dy).sum() + (found[1] * dweights).sum() if scores else (found * dy).sum()

    loss()
    gradients = [*layer.backward([dy, dweights] if scores else dy), *map(np.copy, layer.gradients)]
    for x, gradient in zip((query, value, key, *layer.weights), gradients, strict=True):
        np.testing.assert_allclose(gradient, slopes(loss, x), atol=1e-7)


def test_with_dropout_the_gradient_follows_the_same_coins():
    x, dy = arrays(3, (2, 5, 4), (2, 5, 4))
    layer = MultiHeadAttention(2, 3, dropout=0.4, dtype="float64", seed=0)
    layer.forward(x, x)

    def loss():
        layer.generator = np.random.default_rng(7)
        return (layer.forward(x, x, training=True) * dy).sum()

    loss()
    first, second = (g.copy() for g in layer.backward(dy))
    np.testing.assert_allclose(first + second, slopes(loss, x), atol=1e-7)
    assert not np.allclose(layer.forward(x, x, training=True), layer.forward(x, x))


def test_a_hidden_position_changes_nothing():
    (x,) = arrays(4, (1, 5, 4))
    layer = MultiHeadAttention(2, 3, dtype="float64", seed=0)
    mask = [[1, 1, 1, 0, 0]]
    before = layer.forward(x, x, value_mask=mask)[0, :3].copy()
    x[0, 3:] = 100
    np.testing.assert_array_equal(layer.forward(x, x, value_mask=mask)[0, :3], before)


def test_what_comes_after_does_not_reach_what_comes_before():
    (x,) = arrays(5, (1, 40, 4))
    layer = MultiHeadAttention(2, 3, dtype="float64", seed=0)
    whole = layer.forward(x, x, use_causal_mask=True).copy()
    for stop in (1, 7, 16, 17, 39):
        part = layer.forward(x[:, :stop], x[:, :stop], use_causal_mask=True)
        np.testing.assert_allclose(part, whole[:, :stop], atol=1e-12)


def test_the_bias_of_the_keys_has_no_gradient():
    x, dy = arrays(6, (2, 4, 3), (2, 4, 3))
    layer = MultiHeadAttention(2, 3, dtype="float64", seed=0)
    layer.forward(x, x)
    layer.backward(dy)
    np.testing.assert_allclose(layer.gradients[3], 0, atol=1e-12)


def test_masks_travel_through_a_graph():
    words = Input((5,), dtype="int32")
    vectors = Embedding(7, 4, mask_zero=True)(words)
    layer = MultiHeadAttention(2, 3)
    model = Model(words, layer(vectors, vectors), seed=0)
    found = model.predict(np.array([[3, 1, 2, 0, 0]]))
    alone = model.predict(np.array([[3, 1, 2]]))
    np.testing.assert_allclose(found[:, :3], alone, rtol=1e-5)
    assert not found[:, 3:].any()


def test_in_a_graph_it_trains_the_same_with_any_number_of_threads(monkeypatch):
    def trained(threads):
        monkeypatch.setenv("DLBOOK_THREADS", str(threads))
        words = Input((6,), dtype="int32")
        x = Embedding(9, 8)(words)
        y = Add()([x, MultiHeadAttention(2, 4)(x, x, use_causal_mask=True)])
        model = Model(words, Dense(9, activation="softmax")(y), seed=0, dtype="float64")
        model.compile("adam", "sparse_categorical_crossentropy")
        data = np.random.default_rng(0).integers(0, 9, (48, 6))
        model.fit(data, data, epochs=2, batch_size=16, verbose=0)
        return model

    one, two = trained(1), trained(2)
    for a, b in zip(one.get_weights(), two.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-10)
    twin = copy.deepcopy(one)
    data = np.arange(6)[np.newaxis]
    np.testing.assert_array_equal(one.predict(data), twin.predict(data))


def test_the_weights_can_leave_a_graph_with_the_output():
    query, value = Input((3, 4)), Input((5, 2))
    model = Model([query, value], MultiHeadAttention(2, 3)(query, value, return_attention_scores=True))
    y, weights = model.predict(arrays(0, (2, 3, 4), (2, 5, 2)))
    assert y.shape == (2, 3, 4)
    np.testing.assert_allclose(weights.sum(axis=-1), 1, rtol=1e-5)
    assert weights.shape == (2, 2, 3, 5)


def test_the_tape_gives_the_gradient_of_both_uses():
    (x,) = arrays(0, (2, 3, 4))
    layer = MultiHeadAttention(2, 3, dtype="float64", seed=0)
    with GradientTape() as tape:
        t = tape.watch(x)
        loss = ops.sum(layer(t, t))
    layer.forward(x, x)
    np.testing.assert_allclose(tape.gradient(loss, t), sum(layer.backward(np.ones((2, 3, 4)))))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda m, x: m.forward(x[0], x[0]), "query: se esperaba la forma"),
        (lambda m, x: m.forward(x, x[:, :2], x), "se esperaba una clave por valor"),
        (lambda m, x: m.forward(x, x[:1]), "se esperaban 2 observaciones"),
        (lambda m, x: m.forward(x, x, attention_mask=np.ones((3, 5))), "attention_mask: se esperaba la forma"),
        (lambda m, x: m.forward(x, x, attention_mask=np.ones(3)), "attention_mask: se esperaba la forma"),
        (lambda m, x: m.forward(x, x, query_mask=np.ones((2, 4))), "query_mask: se esperaba la forma"),
        (lambda m, x: m.forward(x, x, value_mask=[[1, 2, 1]] * 2), "value_mask: se esperaban unos y ceros"),
        (lambda m, x: m.forward(x, x * np.nan), "se esperaban números finitos"),
        (lambda m, x: m.forward(x, x, use_causal_mask="sí"), "use_causal_mask"),
    ],
)
def test_what_makes_no_sense_is_refused(call, message):
    (x,) = arrays(0, (2, 3, 4))
    with pytest.raises((TypeError, ValueError), match=message):
        call(MultiHeadAttention(2, 3), x)


def test_a_symbolic_mask_is_refused():
    x, mask = Input((3, 4)), Input((3, 3))
    with pytest.raises(TypeError, match="attention_mask: se esperaba un arreglo"):
        MultiHeadAttention(2, 3)(x, x, attention_mask=mask)
