"""La búsqueda ponderada y la atención de Bahdanau: límites, máscaras, gradientes y el traductor."""

import numpy as np
import pytest

from chapters.attention import (
    AdditiveAttention,
    Attention,
    additive_scores,
    additive_scores_backward,
    attend,
    attend_backward,
    bahdanau_translator,
    cosine,
    nadaraya_watson,
    reread_decode,
    soft_lookup,
)
from chapters.mlp import Adam, Dense, Input, Model, load_model
from chapters.rnn import encoder_decoder, greedy_decode
from dlbook.gradcheck import check_gradients

RNG = np.random.default_rng(0)
Q, V, K = RNG.normal(size=(2, 4, 3)), RNG.normal(size=(2, 5, 6)), RNG.normal(size=(2, 5, 3))
DY = RNG.normal(size=(2, 4, 6))
QUERY_MASK, VALUE_MASK = RNG.random((2, 4)) < 0.7, RNG.random((2, 5)) < 0.7
SOURCE = np.array([[1, 4, 2, 0], [3, 0, 0, 0], [2, 2, 5, 1]])
WRITTEN = np.array([[1, 3, 4], [1, 5, 0], [1, 2, 6]])
WANTED = np.array([[3, 4, 2], [5, 2, 0], [2, 6, 2]])


def test_kernel_regression_goes_from_the_nearest_to_the_mean():
    x, y = np.array([0.0, 1.0, 3.0]), np.array([2.0, 5.0, 11.0])
    np.testing.assert_allclose(nadaraya_watson(x, y, [0.9, 2.9], 1e-3)[0], [5, 11])
    np.testing.assert_array_equal(nadaraya_watson(x, y, [0.9, 2.9], 1e-300)[0], [5, 11])
    np.testing.assert_allclose(nadaraya_watson(x, y, [0.9, 2.9], 1e6)[0], y.mean())
    far, weights = nadaraya_watson(x, y, [1e6], 0.1)
    assert far == 11
    assert weights.sum() == 1


def test_kernel_regression_is_a_lookup_by_distance():
    x, y, q = RNG.normal(size=(7, 2)), RNG.normal(size=(7, 3)), RNG.normal(size=(4, 2))
    for one, other in zip(
        nadaraya_watson(x, y, q, 0.6), soft_lookup(q, x, y, "distance", temperature=0.36), strict=True
    ):
        np.testing.assert_allclose(one, other)


def test_keys_of_equal_length_make_distance_and_product_the_same():
    keys = RNG.normal(size=(6, 4))
    keys /= np.linalg.norm(keys, axis=1, keepdims=True)
    values = RNG.normal(size=(6, 2))
    for query in 3 * RNG.normal(size=(5, 4)):
        near, dot = (soft_lookup(query, keys, values, score)[1] for score in ("distance", "dot"))
        np.testing.assert_allclose(near, dot)


def test_the_cosine_forgets_lengths_even_extreme_ones():
    np.testing.assert_allclose(cosine([3e200, 4e200], [[1e-200, 0], [0, 5]]), [0.6, 0.8])
    with pytest.raises(ValueError, match="todo ceros"):
        cosine([1, 2], [[0, 0]])


def test_a_query_that_may_look_nowhere_gets_zeros_and_no_gradient():
    mask = np.ones((4, 5), bool)
    mask[2] = False
    z, weights = attend(RNG.normal(size=(4, 5)), V[0], mask)
    assert (z[2] == 0).all()
    assert (weights[2] == 0).all()
    np.testing.assert_allclose(weights[[0, 1, 3]].sum(axis=1), 1)
    assert np.isfinite(attend_backward(weights, V[0], DY[0])[1]).all()


def test_scores_of_any_size_do_not_overflow():
    for dtype in ("float32", "float64"):
        _, weights = attend(np.array([[1e30, -1e30, 1e30]], dtype), np.eye(3, dtype=dtype), [[1, 1, 0]])
        np.testing.assert_allclose(weights, [[1, 0, 0]])


def test_the_gradients_of_the_functions():
    scale, scores = RNG.normal(size=3), RNG.normal(size=(4, 5))
    g = RNG.normal(size=(4, 5))
    dscale, dq, dk = additive_scores_backward(Q[0], K[0], scale, g)
    q, k = Q[0].copy(), K[0].copy()
    report = check_gradients(
        lambda: (g * additive_scores(q, k, scale)).sum(),
        {"scale": scale, "q": q, "k": k},
        {"scale": dscale, "q": dq, "k": dk},
    )
    assert report.ok, str(report)
    v, mask = V[0].copy(), RNG.random((4, 5)) < 0.6
    _, weights = attend(scores, v, mask)
    dv, ds = attend_backward(weights, v, DY[0])
    report = check_gradients(
        lambda: (DY[0] * attend(scores, v, mask)[0]).sum(), {"s": scores, "v": v}, {"s": ds, "v": dv}
    )
    assert report.ok, str(report)


def layers():
    for options in ({}, {"use_scale": True}, {"use_scale": True, "score_mode": "concat"}):
        yield Attention(dtype="float64", **options)
    for use_scale in (True, False):
        yield AdditiveAttention(use_scale, dtype="float64", seed=3)


@pytest.mark.parametrize("layer", list(layers()), ids=repr)
@pytest.mark.parametrize("causal", [False, True])
def test_the_gradients_of_the_layers_with_masks(layer, causal):
    xs = [a.copy() for a in (Q, V, K)]
    options = {"mask": [QUERY_MASK, VALUE_MASK], "use_causal_mask": causal}
    layer.forward(xs, **options)
    back = layer.backward(DY)
    weights = {f"w{k}": w for k, w in enumerate(layer.trainable_weights)}
    gradients = {f"w{k}": g.copy() for k, g in enumerate(layer.gradients)}
    report = check_gradients(
        lambda: (DY * layer.forward(xs, **options)).sum(),
        dict(zip("qvk", xs, strict=True)) | weights,
        dict(zip("qvk", back, strict=True)) | gradients,
    )
    assert report.ok, str(report)


def test_with_dropout_the_gradient_is_that_of_what_survived():
    layer = Attention(dropout=0.5, dtype="float64", seed=0)
    xs = [Q, V, K]
    z = layer.forward(xs, training=True)
    np.testing.assert_allclose(z, layer.kept @ V)
    assert (layer.kept == 0).any()
    factor = layer.factor.copy()
    dq, dv, dk = (d.copy() for d in layer.backward(DY))

    def loss():
        return (DY * ((attend(xs[0] @ xs[2].swapaxes(1, 2), xs[1])[1] * factor) @ xs[1])).sum()

    xs = [a.copy() for a in xs]
    report = check_gradients(loss, dict(zip("qvk", xs, strict=True)), {"q": dq, "v": dv, "k": dk})
    assert report.ok, str(report)


def test_values_that_are_keys_get_both_gradients():
    layer = AdditiveAttention(dtype="float64", seed=0)
    layer.forward([Q, K, K])
    dq, dv, dk = layer.backward(DY[..., :3])
    again = AdditiveAttention(dtype="float64", seed=0)
    again.forward([Q, K])
    for one, other in zip(again.backward(DY[..., :3]), [dq, dv + dk], strict=True):
        np.testing.assert_allclose(one, other)


def test_what_is_masked_does_not_matter():
    changed = V.copy(), K.copy()
    for a in changed:
        a[~VALUE_MASK] = 77
    for make in (Attention, AdditiveAttention):
        layer = make(seed=0, dtype="float64")
        options = {"mask": [None, VALUE_MASK]}
        np.testing.assert_allclose(layer.forward([Q, V, K], **options), layer.forward([Q, *changed], **options))
    y = layer.forward([Q, V, K], mask=[QUERY_MASK, None])
    assert (y[~QUERY_MASK] == 0).all()
    assert (y[QUERY_MASK] != 0).all()
    np.testing.assert_array_equal(layer.compute_mask([Q, V, K], [QUERY_MASK, None]), QUERY_MASK)
    assert layer.compute_mask([Q, V, K]) is None


def test_it_does_what_keras_does_with_masks():
    keras = pytest.importorskip("keras")
    for name in ("Attention", "AdditiveAttention"):
        for causal in (False, True):
            mine = globals()[name](use_scale=True, seed=1)
            theirs = getattr(keras.layers, name)(use_scale=True)
            xs = [a.astype("float32") for a in (Q, V, K)]
            options = {"mask": [QUERY_MASK, VALUE_MASK], "use_causal_mask": causal, "return_attention_scores": True}
            y, weights = mine.forward(xs, **options)
            theirs.build([a.shape for a in xs])
            theirs.set_weights(mine.get_weights())
            for one, other in zip((y, weights), theirs(xs, **options), strict=True):
                seen = weights.sum(axis=2) > 0
                np.testing.assert_allclose(one[seen], np.asarray(other)[seen], rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ([Q], "dos o tres entradas"),
        ([Q, V], "consultas y claves del mismo tamaño"),
        ([Q, V, K[:, :4]], "tantos valores como claves"),
        ([Q[0], V[0], K[0]], "dos o tres entradas"),
    ],
)
def test_inputs_that_do_not_fit_are_refused(given, message):
    with pytest.raises(ValueError, match=message):
        Attention().forward(given)


def test_masks_that_do_not_fit_are_refused():
    layer = Attention()
    with pytest.raises(ValueError, match=r"mask\[1\]: se esperaba la forma \(2, 5\)"):
        layer.forward([Q, V, K], mask=[None, QUERY_MASK])
    with pytest.raises(ValueError, match="una lista de 2 o 3 máscaras"):
        layer.forward([Q, V, K], mask=[QUERY_MASK])


def test_the_weights_are_one_more_output_with_its_gradient():
    q, v, k = Input((4, 3)), Input((5, 6)), Input((5, 3))
    layer = AdditiveAttention(seed=0)
    model = Model([q, v, k], layer([q, v, k], return_attention_scores=True), dtype="float64", seed=0)
    z, weights = model.forward([Q, V, K])
    np.testing.assert_allclose(weights.sum(axis=2), 1)
    np.testing.assert_allclose(z, weights @ V)
    xs, g = [Q.copy(), V.copy(), K.copy()], RNG.normal(size=weights.shape)
    back = model.backward([DY, g])

    def loss():
        z, weights = model.forward(xs)
        return (DY * z).sum() + (g * weights).sum()

    report = check_gradients(loss, dict(zip("qvk", xs, strict=True)), dict(zip("qvk", back, strict=True)))
    assert report.ok, str(report)


def test_a_built_layer_takes_other_lengths_but_as_many_keys_as_values():
    q, v, k = Input((None, 3)), Input((None, 6)), Input((None, 3))
    model = Model([q, v, k], Dense(2)(AdditiveAttention()([q, v, k])), seed=0)
    assert model.predict([Q, V, K], verbose=0).shape == (2, 4, 2)
    assert model.predict([Q[:, :1], V[:, :2], K[:, :2]], verbose=0).shape == (2, 1, 2)
    with pytest.raises(ValueError, match="tantos valores como claves"):
        model.predict([Q, V, K[:, :2]], verbose=0)


def translator(**options):
    return bahdanau_translator(6, 7, **{"units": 4, "seed": 0, "dtype": "float64"} | options)


def test_the_gradient_of_the_translator():
    whole = translator(units=3)
    whole.compile("sgd", "sparse_categorical_crossentropy")
    _, gradient = whole.loss_and_gradient([SOURCE, WRITTEN], WANTED, training=True)
    report = check_gradients(
        lambda: whole.loss_and_gradient([SOURCE, WRITTEN], WANTED, training=True)[0],
        {"theta": whole.theta},
        {"theta": gradient},
    )
    assert report.ok, str(report)


def test_the_translator_does_not_look_at_padding():
    whole = translator()
    longer = np.pad(SOURCE, ((0, 0), (0, 3)))
    np.testing.assert_allclose(whole.predict([SOURCE, WRITTEN]), whole.predict([longer, WRITTEN]), rtol=1e-12)
    whole.forward([longer, WRITTEN])
    assert (whole.get_layer("attention").attention[longer.repeat(3, 0).reshape(3, 3, -1) == 0] == 0).all()


def test_the_translator_does_not_see_what_it_has_not_written():
    whole = translator()
    changed = WRITTEN.copy()
    changed[:, 2] = 1
    one, other = (whole.predict([SOURCE, w]) for w in (WRITTEN, changed))
    np.testing.assert_array_equal(one[:, :2], other[:, :2])
    assert (one[:, 2] != other[:, 2]).all()


def test_rereading_writes_the_same_as_remembering():
    whole, encoder, decoder = encoder_decoder(6, 7, units=8, seed=1)
    for seed in range(3):
        source = np.random.default_rng(seed).integers(1, 6, (9, 4))
        np.testing.assert_array_equal(
            reread_decode(whole, source, 1, 2, 5), greedy_decode(encoder, decoder, source, 1, 2, 5)
        )


def test_it_learns_to_copy_and_looks_where_it_should():
    rng = np.random.default_rng(0)
    x = rng.integers(3, 11, (600, 8))
    y = np.column_stack([np.full(600, 1), x[:, ::-1], np.full(600, 2)])
    whole = bahdanau_translator(11, 11, 24, seed=0)
    whole.compile(Adam(0.01, global_clipnorm=1.0), "sparse_categorical_crossentropy")
    loss = whole.fit([x[:500], y[:500, :-1]], y[:500, 1:], 25, 15, verbose=0).history["loss"]
    assert loss[-1] < 0.2 * loss[0]
    source, target = x[500:], y[500:]
    np.testing.assert_array_equal(reread_decode(whole, source, 1, 2, 9), target[:, 1:-1])
    whole.forward([source, target[:, :-1]])
    looked = whole.get_layer("attention").attention.argmax(axis=-1)[:, :8]
    assert (looked == np.arange(8)[::-1]).mean() > 0.95


def test_it_can_be_saved(tmp_path):
    whole = translator()
    whole.save(tmp_path / "t.keras")
    again = load_model(tmp_path / "t.keras")
    np.testing.assert_array_equal(whole.predict([SOURCE, WRITTEN]), again.predict([SOURCE, WRITTEN]))
    again.forward([SOURCE, WRITTEN])
    assert again.get_layer("attention").attention.shape == (3, 3, 4)


@pytest.mark.parametrize(
    ("source", "options", "message"),
    [
        ([1, 2], {}, "se esperaba la forma"),
        (SOURCE, {"start": 9}, "admitiera"),
        (SOURCE, {"end": 7}, "entre 0 y 6"),
        (SOURCE, {"max_length": 0}, "entre 1 y"),
        ([[9]], {}, "admitiera"),
    ],
)
def test_what_cannot_be_written_is_refused(source, options, message):
    with pytest.raises(ValueError, match=message):
        reread_decode(translator(), source, **{"start": 1, "end": 2, "max_length": 3} | options)


def test_a_model_that_does_not_translate_is_refused():
    x = Input((3,))
    with pytest.raises(ValueError, match="model: se esperaba"):
        reread_decode(Model(x, Dense(2)(x)), [[1, 2]], 1, 2)
