"""BERT y ViT: lo que miran, lo que no, y su gradiente."""

import numpy as np
import pytest

from chapters.attention import bert, mask_words, patches, vit
from chapters.mlp import AdamW, SparseCategoricalCrossentropy


def slopes(model, x, y, loss, h=1e-6):
    """El gradiente por diferencias, de unos cuantos pesos de cada arreglo."""
    weights, found = model.get_weights(), []
    for k, w in enumerate(weights):
        for place in {0, w.size // 2, w.size - 1}:
            ends = []
            for step in (h, -h):
                moved = [v.copy() for v in weights]
                moved[k].flat[place] += step
                model.set_weights(moved)
                ends.append(loss(y, model.forward(x)))
            found.append((k, place, (ends[0] - ends[1]) / (2 * h)))
    model.set_weights(weights)
    return found


@pytest.mark.parametrize("kind", ["bert", "vit"])
def test_the_gradient_of_the_whole_model(kind):
    rng = np.random.default_rng(0)
    if kind == "bert":
        model = bert(9, 6, 8, heads=2, blocks=2, dropout=0.0, seed=0, dtype="float64")[0]
        ids = np.array([[3, 4, 5, 6, 0], [7, 8, 3, 0, 0]])
        x, y = mask_words(ids, 9, mask=1, first=2, rate=0.6, seed=1)
    else:
        model = vit((4, 6, 2), 3, 2, width=8, heads=2, blocks=2, seed=0, dtype="float64")
        x, y = rng.normal(size=(3, 4, 6, 2)), np.array([0, 2, 1])
    # Otros pesos: con los del principio hay sesgos en cero y gradientes que casi lo son.
    model.set_weights([w + 0.3 * rng.normal(size=w.shape) for w in model.get_weights()])
    loss = SparseCategoricalCrossentropy(from_logits=True, ignore_class=-1)
    model.compile(AdamW(1e-3), loss)
    numbers = slopes(model, x, y, loss)
    model.forward(x, training=True)
    model.backward(loss.gradient(y, model.forward(x, training=True)))
    for k, place, slope in numbers:
        assert abs(model.gradients[k].flat[place] - slope) < 1e-6 * max(1, abs(slope)), (k, place)


def test_a_vit_only_knows_where_a_patch_is_by_its_table():
    rng = np.random.default_rng(0)
    model = vit((6, 4, 1), 3, 2, width=8, heads=2, blocks=2, seed=0, dtype="float64")
    x = rng.normal(size=(2, 6, 4, 1))
    order = rng.permutation(6)
    rows = patches(x, 2)[:, order].reshape(2, 3, 2, 2, 2, 1)
    stirred = rows.swapaxes(2, 3).reshape(x.shape)
    (table,) = [layer for layer in model.layers if layer.name == "position_embedding"]
    before = model.predict(x)
    assert not np.allclose(model.predict(stirred), before)
    places = table.position_embeddings
    places[1:] = places[1:][order]
    np.testing.assert_allclose(model.predict(stirred), before, atol=1e-12)


def test_bert_looks_at_both_sides_and_not_at_the_padding():
    _, encoder = bert(9, 6, 8, heads=2, blocks=2, seed=0, dtype="float64")
    one = encoder.predict(np.array([[3, 4, 5, 0]]))
    for place in range(3):
        ids = np.array([[3, 4, 5, 0]])
        ids[0, place] = 8
        assert (np.abs(encoder.predict(ids) - one)[0, :3].max(axis=1) > 1e-9).all()
    np.testing.assert_allclose(encoder.predict(np.array([[3, 4, 5]])), one[:, :3], atol=1e-12)


def test_both_models_of_bert_are_the_same_layers():
    whole, encoder = bert(9, 6, 8, heads=2, blocks=1, seed=0)
    encoder.set_weights([w + 1 for w in encoder.get_weights()])
    shapes = [w.shape for w in encoder.get_weights()]
    assert [w.shape for w in whole.get_weights()][: len(shapes)] == shapes
    for mine, theirs in zip(encoder.get_weights(), whole.get_weights(), strict=False):
        np.testing.assert_array_equal(mine, theirs)


def test_bert_learns_what_always_goes_together():
    # La palabra de la derecha es siempre la de la izquierda más cuatro.
    left = np.random.default_rng(0).integers(3, 7, 400)
    ids = np.stack([left, left + 4], axis=1)
    whole, _ = bert(11, 2, 16, heads=2, blocks=1, dropout=0.0, seed=0)
    whole.compile(AdamW(1e-2), SparseCategoricalCrossentropy(from_logits=True, ignore_class=-1))
    for seed in range(150):
        whole.train_on_batch(*mask_words(ids, 11, 1, 3, 0.4, seed))
    holes = np.array([[1, 9], [5, 1]])
    best = whole.predict(holes).argmax(axis=2)
    assert best[0, 0] == 5
    assert best[1, 1] == 9


def test_a_bad_size_is_refused():
    for options in ({"heads": 3}, {"blocks": 0}, {"dropout": 1.0}):
        with pytest.raises(ValueError, match="se esperaba"):
            bert(9, 6, 8, **options)
        with pytest.raises(ValueError, match="se esperaba"):
            vit((4, 4, 1), 3, 2, 8, **options)
    with pytest.raises(ValueError, match="se esperaba la forma"):
        vit((5, 4, 1), 3, 2)
