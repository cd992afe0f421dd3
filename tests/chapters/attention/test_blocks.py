"""Normalizar cada posición, y los bloques del transformer: lo que el contrato no mira."""

import json
from pathlib import Path

import numpy as np
import pytest

from chapters.attention import (
    LayerNormalization,
    RMSNormalization,
    TransformerDecoder,
    TransformerEncoder,
    layer_norm_backward,
    layer_norm_forward,
    rms_norm_backward,
    rms_norm_forward,
)
from chapters.mlp import Adam, Dense, Input, Model, Sequential, SparseCategoricalCrossentropy, load_model
from chapters.rnn import Embedding
from dlbook.gradcheck import check_gradients
from dlbook.numeric.parallel import set_threads
from tests.reference import make_blocks_reference

REFERENCE = json.loads((Path(__file__).parents[2] / "reference/blocks.json").read_text("utf-8"))
BLOCKS = [TransformerEncoder, TransformerDecoder]


def normal(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


def test_a_constant_vector_normalizes_to_the_shift():
    y, mean, variance = layer_norm_forward(np.full((2, 4), 7.0), np.ones(4), np.arange(4.0))
    np.testing.assert_array_equal(y, np.tile(np.arange(4.0), (2, 1)))
    assert (mean == 7).all()
    assert (variance == 0).all()


def test_shifting_and_scaling_a_position_changes_nothing_but_for_epsilon():
    x, gamma, beta = normal(5, 8), normal(8, seed=1), normal(8, seed=2)
    y = layer_norm_forward(x, gamma, beta, 1e-12)[0]
    np.testing.assert_allclose(layer_norm_forward(30 * x - 4, gamma, beta, 1e-12)[0], y, rtol=1e-9, atol=1e-9)
    z = rms_norm_forward(x, gamma, 1e-12)[0]
    np.testing.assert_allclose(rms_norm_forward(30 * x, gamma, 1e-12)[0], z, rtol=1e-9)


@pytest.mark.parametrize("rows", [1, 63, 64, 65, 300])
def test_gradients_of_many_rows_are_those_of_finite_differences(rows):
    x, gamma, beta, share = normal(rows, 3), normal(3, seed=1), normal(3, seed=2), normal(rows, 3, seed=3)
    dgamma, dbeta, dx = layer_norm_backward(x, gamma, share)
    report = check_gradients(
        lambda: (layer_norm_forward(x, gamma, beta)[0] * share).sum(),
        {"gamma": gamma, "beta": beta, "x": x},
        {"gamma": dgamma, "beta": dbeta, "x": dx},
    )
    assert report.ok
    _y, root = rms_norm_forward(x, gamma)
    dscale, dx = rms_norm_backward(x, gamma, root, share)
    values, slopes = {"scale": gamma, "x": x}, {"scale": dscale, "x": dx}
    assert check_gradients(lambda: (rms_norm_forward(x, gamma)[0] * share).sum(), values, slopes).ok


def test_single_precision_keeps_its_digits_far_from_zero():
    x = (normal(4, 768) + 300).astype("float32")
    exact = layer_norm_forward(x.astype("float64"), np.ones(768), np.zeros(768))[0]
    found = layer_norm_forward(x, np.ones(768, "float32"), np.zeros(768, "float32"))[0]
    assert found.dtype == "float32"
    assert np.abs(found - exact).max() < 1e-3


@pytest.mark.parametrize("cls", [LayerNormalization, RMSNormalization])
def test_axes_that_repeat_or_do_not_exist_are_refused(cls):
    for axis in ([1, -1], 2, [0], -3):
        with pytest.raises(ValueError, match="axis"):
            cls(axis=axis).build((3,))
    with pytest.raises(ValueError, match="axis"):
        cls(axis=1).build((None, 3))


@pytest.mark.parametrize("first", [False, True])
def test_the_gradients_of_both_sequences_are_those_of_finite_differences(first):
    block = TransformerDecoder(6, 2, activation="gelu", normalize_first=first, seed=0, dtype="float64")
    x, memory, share = normal(2, 3, 4), normal(2, 5, 6, seed=1), normal(2, 3, 4, seed=2)
    seen = np.arange(5) < [[3], [5]]

    def loss():
        return (block.forward(x, memory, encoder_padding_mask=seen) * share).sum()

    loss()
    for w in block.trainable_weights:
        w += 0.1 * normal(*w.shape, seed=w.size)
    loss()
    dx, dmemory = block.backward(share)
    names = [f"w{k}" for k in range(len(block.gradients))]
    values = dict(zip(names, block.trainable_weights, strict=True)) | {"x": x, "memory": memory}
    slopes = dict(zip(names, (g.copy() for g in block.gradients), strict=True)) | {"x": dx, "memory": dmemory}
    assert check_gradients(loss, values, slopes).ok
    # Lo que no se puede mirar no recibe gradiente.
    assert (dmemory[0, 3:] == 0).all()
    assert (dmemory[0, :3] != 0).any()


@pytest.mark.parametrize("cls", BLOCKS)
def test_padding_does_not_change_the_real_positions(cls):
    block = cls(8, 2, seed=0, dtype="float64")
    x = normal(2, 5, 4)
    seen = np.array([[True] * 3 + [False] * 2] * 2)
    name = "padding_mask" if cls is TransformerEncoder else "decoder_padding_mask"
    y = block.forward(x, **{name: seen})
    np.testing.assert_allclose(y[:, :3], block.forward(x[:, :3]), rtol=1e-10)


@pytest.mark.parametrize("cls", BLOCKS)
def test_a_sentence_with_nothing_to_look_at_gives_numbers(cls):
    name = "padding_mask" if cls is TransformerEncoder else "decoder_padding_mask"
    y = cls(8, 2, seed=0).forward(normal(1, 3, 4), **{name: [[False] * 3]})
    assert np.isfinite(y).all()


def test_an_attention_mask_says_who_looks_at_whom():
    encoder = TransformerEncoder(8, 2, seed=0, dtype="float64")
    decoder = TransformerDecoder(8, 2, seed=0, dtype="float64")
    x, lower = normal(2, 4, 6), np.tri(4, dtype=bool)
    np.testing.assert_allclose(
        decoder.forward(x, use_causal_mask=False, decoder_attention_mask=np.tile(lower, (2, 1, 1))),
        decoder.forward(x),
        rtol=1e-12,
    )
    y, scores = encoder.forward(x, attention_mask=np.tile(lower, (2, 1, 1)), return_attention_scores=True)
    assert y.shape == (2, 4, 6)
    assert scores.shape == (2, 2, 4, 4)
    assert (scores[..., ~lower] == 0).all()
    np.testing.assert_allclose(scores.sum(axis=-1), 1)
    share = normal(*scores.shape, seed=4)
    dx = encoder.backward([np.zeros_like(y), share])
    mask = np.tile(lower, (2, 1, 1))

    def loss():
        return (encoder.forward(x, attention_mask=mask, return_attention_scores=True)[1] * share).sum()

    assert check_gradients(loss, {"x": x}, {"x": dx}).ok


def language_model(dtype="float32", dropout=0.0):
    layers = [
        Input(shape=(None,)),
        Embedding(7, 8, mask_zero=True),
        TransformerDecoder(16, 2, dropout, "gelu", normalize_first=True),
        TransformerEncoder(12, 2, dropout),
        Dense(7),
    ]
    return Sequential(layers, seed=0, dtype=dtype)


def translator(dtype="float32"):
    source, target = Input(shape=(None,)), Input(shape=(None,))
    memory = TransformerEncoder(16, 2)(Embedding(6, 8, mask_zero=True)(source))
    x = Embedding(7, 8, mask_zero=True)(target)
    x = TransformerDecoder(16, 2)(x, memory)
    x = TransformerDecoder(16, 2)(x, memory)
    return Model([source, target], Dense(7)(x), seed=0, dtype=dtype)


def ids(n, steps, high, seed=0):
    found = np.random.default_rng(seed).integers(1, high, (n, steps))
    found[: n // 2, -1] = 0
    return found


@pytest.mark.parametrize("dropout", [0.0, 0.2])
def test_several_threads_give_the_same_step_as_one(dropout):
    x = ids(64, 6, 7)
    found = []
    for threads in (1, 2):
        model = language_model("float64", dropout)
        model.compile(Adam(0.01), SparseCategoricalCrossentropy(from_logits=True))
        set_threads(threads)
        history = model.fit(x, x, 16, 2, verbose=0, shuffle=False).history["loss"]
        found.append(history)
    set_threads(None)
    np.testing.assert_allclose(*found, rtol=1e-9)


def test_the_mask_of_the_source_reaches_the_cross_attention():
    model = translator("float64")
    source, target = ids(4, 6, 6), ids(4, 5, 7, seed=1)
    y = model.predict([source, target])
    longer = np.pad(source, [(0, 0), (0, 3)])
    np.testing.assert_allclose(model.predict([longer, target]), y, rtol=1e-9, atol=1e-12)


def test_a_translator_trains_and_comes_back_from_its_file(tmp_path):
    model = translator()
    source, target = ids(32, 6, 6), ids(32, 5, 7, seed=1)
    model.compile(Adam(0.01), SparseCategoricalCrossentropy(from_logits=True))
    loss = model.fit([source, target], target, 8, 8, verbose=0).history["loss"]
    assert loss[-1] < loss[0] / 2
    path = tmp_path / "translator.keras"
    model.save(path)
    other = load_model(path)
    np.testing.assert_allclose(other.predict([source, target]), model.predict([source, target]), rtol=1e-5, atol=1e-6)


def test_the_sequences_must_be_as_many_as_the_first_time():
    block = TransformerDecoder(8, 2)
    block.forward(normal(1, 3, 4), normal(1, 2, 4))
    with pytest.raises(ValueError, match="dos secuencias"):
        block.forward(normal(1, 3, 4))


@pytest.mark.parametrize("name", ["encoder_padding_mask", "encoder_attention_mask"])
def test_a_mask_of_a_sequence_that_did_not_come_is_refused(name):
    with pytest.raises(ValueError, match=f"{name}: sin encoder_sequence se esperaba None"):
        TransformerDecoder(8, 2).forward(normal(1, 3, 4), **{name: np.ones((1, 3), bool)})


@pytest.mark.parametrize("name", ["padding_mask", "decoder_padding_mask", "encoder_attention_mask"])
def test_a_symbolic_mask_is_refused(name):
    block = TransformerEncoder(8, 2) if name == "padding_mask" else TransformerDecoder(8, 2)
    inputs = [Input((3, 4))] * (2 if name.startswith("encoder") else 1)
    with pytest.raises(TypeError, match=f"{name}: se esperaba un arreglo"):
        block(*inputs, **{name: Input((3, 3))})


@pytest.mark.parametrize("name", ["padding_mask", "decoder_padding_mask", "encoder_padding_mask"])
def test_a_padding_mask_of_another_shape_is_refused_by_its_name(name):
    block = TransformerEncoder(8, 2) if name == "padding_mask" else TransformerDecoder(8, 2)
    inputs = [normal(1, 3, 4)] * (2 if name.startswith("encoder") else 1)
    with pytest.raises(ValueError, match=rf"^{name}: se esperaba la forma \(1, 3\)"):
        block.forward(*inputs, **{name: np.ones((1, 5), bool)})


def test_what_can_change_later_reaches_the_inner_layers():
    block = TransformerEncoder(8, 2, dropout=0.5)
    block.forward(normal(1, 3, 4))
    block.dropout, block.layer_norm_epsilon, block.activation = 0.25, 0.5, "tanh"
    assert block.feedforward_dropout.rate == block.self_attention_layer.dropout == 0.25
    assert block.feedforward_layer_norm.epsilon == 0.5
    assert type(block.feedforward_intermediate_dense.activation).__name__ == "Tanh"


@pytest.mark.parametrize("cls", BLOCKS)
def test_weights_go_in_the_order_of_keras_hub(cls):
    block = cls(10, 2)
    block.build((None, 4))
    shapes = [w.shape for w in block.weights]
    attention = [(4, 2, 2), (2, 2)] * 3 + [(2, 2, 4), (4,)] + [(4,)] * 2
    feed = [(4, 10), (10,), (10, 4), (4,)]
    norm = [(4,), (4,)]
    assert shapes == attention + (norm + feed if cls is TransformerEncoder else feed + norm)


@pytest.mark.parametrize(("name", "first"), make_blocks_reference.CASES)
def test_a_block_does_what_the_layers_of_keras_do(name, first):
    cls = TransformerEncoder if name == "encoder" else TransformerDecoder
    sizes = make_blocks_reference.HIDDEN, make_blocks_reference.HEADS
    block = cls(*sizes, activation="gelu", normalize_first=first, dtype="float64")
    x, memory, share, seen, other, _ = make_blocks_reference.data()
    block.build([x.shape[1:], memory.shape[1:]] if name == "cross" else x.shape[1:])
    block.set_weights(make_blocks_reference.data([w.shape for w in block.weights])[-1])
    if name == "encoder":
        y = block.forward(x, padding_mask=seen)
    elif name == "decoder":
        y = block.forward(x, decoder_padding_mask=seen)
    else:
        y = block.forward(x, memory, decoder_padding_mask=seen, encoder_padding_mask=other)
    dx = block.backward(share)
    found = [y, *(dx if name == "cross" else [dx]), *block.gradients]
    for ours, theirs in zip(found, REFERENCE[f"{name} {first}"], strict=True):
        # Keras hace el softmax con máscara en float32.
        np.testing.assert_allclose(ours.ravel(), theirs, rtol=1e-5, atol=1e-6)
