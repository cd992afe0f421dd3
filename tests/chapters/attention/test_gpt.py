"""El GPT: solo mira atrás, escribe igual con lo guardado, y lee los pesos de GPT-2."""

import itertools

import numpy as np
import pytest

from chapters.attention import (
    CachedGPT,
    LayerNormalization,
    PositionEmbedding,
    ReversibleEmbedding,
    TransformerDecoder,
    beam_search,
    cached_attention,
    generate,
    gpt,
    gpt2_names,
    load_gpt2,
    nucleus,
    scaled_dot_product_attention,
    split_heads,
)
from chapters.mlp import AdamW, Add, Dense, Input, Model, Sequential, SparseCategoricalCrossentropy
from chapters.mlp.activations import GELU
from chapters.mlp.layer import shapes_only
from chapters.rnn import sample_logits, temper, top_k
from dlbook.gradcheck import check_gradients
from dlbook.saving import files

IDS = np.random.default_rng(0).integers(0, 7, (2, 6))


def shaken(seed=0, **options):
    # Con los pesos lejos de cero, para que todo cuente.
    model = gpt(7, 6, 8, 2, 2, seed=seed, **options)
    rng = np.random.default_rng(seed)
    model.set_weights([w + rng.normal(0, 0.3, w.shape) for w in model.get_weights()])
    return model


@pytest.mark.parametrize("tied", [True, False])
def test_the_gradients_are_those_of_finite_differences(tied):
    model = shaken(tied=tied, dtype="float64")
    model.compile(AdamW(), SparseCategoricalCrossentropy(from_logits=True))
    answers = np.roll(IDS, -1)
    _, gradient = model.loss_and_gradient(IDS, answers)
    loss = lambda: model.loss_and_gradient(IDS, answers)[0]  # noqa: E731
    assert check_gradients(loss, {"theta": model.theta}, {"theta": gradient}).ok


@pytest.mark.parametrize("tied", [True, False])
@pytest.mark.parametrize(("dtype", "atol"), [("float32", 1e-5), ("float64", 1e-12)])
def test_reading_token_by_token_gives_the_scores_of_reading_it_all(tied, dtype, atol):
    model = shaken(tied=tied, dtype=dtype)
    reader = CachedGPT(model)
    found = [[reader.read(t) for t in row] for row in IDS if reader.forget() is None]
    np.testing.assert_allclose(found, model.predict(IDS), atol=atol)


def slowly(model, longest, prompt, length, temperature, top, p, seed):
    rng, read, written = np.random.default_rng(seed), list(prompt)[-longest:], []
    for _ in range(length):
        if len(read) > longest:
            read = read[-(longest // 2 + 1) :]
        z = np.float64(model.predict(np.array([read]))[0, -1])
        z = z if top is None else top_k(z, top)
        z = z if p is None else nucleus(z / temperature, p) * temperature
        written.append(int(sample_logits(z, temperature, seed=rng)))
        read.append(written[-1])
    return written


@pytest.mark.parametrize(("top", "p"), [(None, None), (3, None), (None, 0.6), (5, 0.8)])
@pytest.mark.parametrize("length", [1, 2, 5, 6])
def test_it_writes_the_same_as_reading_the_window_again(length, top, p):
    model = gpt(7, length, 8, 2, 2, seed=1, dtype="float64")
    model.set_weights([w + np.random.default_rng(2).normal(0, 0.3, w.shape) for w in model.get_weights()])
    prompt = [1, 2, 3, 4, 5, 6, 0, 1]
    expected = slowly(model, length, prompt, 25, 0.9, top, p, 0)
    assert generate(model, prompt, 25, 0.9, top, p, seed=0).tolist() == expected


def test_cold_it_writes_the_largest_and_the_rest_does_not_matter():
    model = shaken()
    first = generate(model, [1, 2], 9, 0.0)
    assert (first == generate(model, [1, 2], 9, 0.0, top_p=0.5, seed=3)).all()
    assert generate(model, [1, 2], 0).shape == (0,)


def test_a_model_that_is_not_one_of_these_is_refused():
    with pytest.raises(ValueError, match="se esperaba uno de los que arma gpt"):
        generate(Sequential([Input((3,)), Dense(2)]), [0], 3)
    with shapes_only():
        model = gpt(7, 6, 8, 2, 2)
    with pytest.raises(ValueError, match="dentro de shapes_only"):
        generate(model, [0], 3)


def by_hand(heads=(2, 2), inside=(16, 16), block_epsilon=1e-5, epsilon=1e-5, extra=False, **options):
    ids = Input((None,))
    table = ReversibleEmbedding(7, 8, **options)
    x = table(ids)
    x = Add()([x, PositionEmbedding(6)(x)])
    usual = {"activation": GELU(approximate=True), "layer_norm_epsilon": block_epsilon, "normalize_first": True}
    for h, width in zip(heads, inside, strict=True):
        x = TransformerDecoder(width, h, **usual)(x)
    x = Dense(8)(x) if extra else x
    x = LayerNormalization(epsilon=epsilon)(x)
    return Model(ids, table(x, reverse=True), seed=0, dtype="float64")


@pytest.mark.parametrize("same", [{}, {"heads": (4, 4)}, {"block_epsilon": 0.1, "epsilon": 0.1}])
def test_a_model_made_by_hand_with_those_pieces_is_read_the_same(same):
    model = by_hand(**same)
    reader = CachedGPT(model)
    found = [[reader.read(t) for t in row] for row in IDS if reader.forget() is None]
    np.testing.assert_allclose(found, model.predict(IDS), atol=1e-12)


@pytest.mark.parametrize(
    "other",
    [
        {"heads": (2, 4)},
        {"heads": (3, 3)},
        {"inside": (16, 8)},
        {"block_epsilon": 0.1},
        {"epsilon": 0.1},
        {"logit_soft_cap": 0.5},
        {"mask_zero": True},
        {"extra": True},
    ],
)
def test_a_model_that_would_be_read_wrong_is_refused(other):
    with pytest.raises(ValueError, match="model: se esperaba"):
        CachedGPT(by_hand(**other))


def test_one_step_of_attention_is_the_last_row_of_the_whole():
    q, k, v = np.random.default_rng(3).normal(size=(3, 5, 2, 4))
    keys, values = np.zeros((2, 5, 2, 4))
    mask = np.tril(np.ones((5, 5), bool))
    whole, _ = scaled_dot_product_attention(*(a.swapaxes(0, 1) for a in (q, k, v)), mask)
    for t in range(5):
        z = cached_attention(q[t], k[t], v[t], keys, values, t)
        np.testing.assert_allclose(z, whole[:, t], atol=1e-12)


def test_the_keys_and_the_values_need_two_places():
    row, stored = np.ones((2, 3)), np.zeros((4, 2, 3))
    with pytest.raises(ValueError, match="memoria aparte"):
        cached_attention(row, row, row, stored, stored, 0)
    with pytest.raises(ValueError, match="al menos un lugar"):
        cached_attention(row, row, row, stored[:0], stored[:0].copy(), 0)


def test_almost_cold_it_writes_the_largest_also_with_a_nucleus():
    model = gpt(10, 8, width=16, heads=2, blocks=2, seed=0)
    cold = generate(model, [1], 6, temperature=0)
    assert generate(model, [1], 6, temperature=1e-320, top_p=0.5, seed=0).tolist() == cold.tolist()


def test_the_output_of_an_attention_is_a_square():
    with pytest.raises(ValueError, match="output: se esperaba una matriz cuadrada"):
        split_heads(np.zeros((5, 12)), np.zeros(12), np.zeros((4, 5)), np.zeros(5), 2)


def test_it_learns_a_text_that_repeats():
    ids = np.tile(np.arange(5), 30)
    x, y = (part[:140].reshape(-1, 10) for part in (ids, ids[1:]))
    model = gpt(5, 10, 16, 2, 1, dropout=0.1, seed=0)
    model.compile(AdamW(1e-2), SparseCategoricalCrossentropy(from_logits=True))
    history = model.fit(x, y, batch_size=4, epochs=15, verbose=0).history["loss"]
    assert history[-1] < 0.1
    assert generate(model, [0, 1], 20, 0.0).tolist() == np.tile(np.arange(5), 5)[2:22].tolist()


def test_the_nucleus_is_the_smallest_set_that_gathers_enough():
    rng = np.random.default_rng(0)
    for _ in range(40):
        z, p = rng.normal(size=6) * 2, rng.uniform(0.05, 0.95)
        shares = temper(z)
        kept = np.isfinite(nucleus(z, p))
        sizes = [n for n in range(1, 7) if any(shares[list(s)].sum() >= p for s in itertools.combinations(range(6), n))]
        assert kept.sum() == sizes[0]
        assert shares[kept].sum() >= p
    assert np.isfinite(nucleus([0.0, 1.0, -np.inf], 1.0)).tolist() == [True, True, False]


def all_sequences(table, length, end):
    # Todas las que terminan o llegan al largo, con su suma.
    log_p = np.log(temper(table))
    found, open_ones = [], [((), 0, 0.0)]
    for t in range(1, length + 1):
        longer = [((*row, k), k, s + log_p[last, k]) for row, last, s in open_ones for k in range(len(table))]
        found += [(row[:-1] if k == end else row, s, t) for row, k, s in longer if k == end or t == length]
        open_ones = [one for one in longer if one[1] != end]
    return found


@pytest.mark.parametrize("penalty", [0.0, 0.6, 1.0])
def test_a_wide_beam_finds_the_best_of_all(penalty):
    for seed in range(5):
        table = np.random.default_rng(seed).normal(size=(4, 4))
        step = lambda written, table=table: table[written[:, -1]]  # noqa: E731
        sequences, scores = beam_search(step, [0], 3, 200, 4, penalty)
        best = max(all_sequences(table, 4, 3), key=lambda one: one[1] / one[2] ** penalty)
        assert tuple(sequences[0]) == best[0]
        assert scores[0] == pytest.approx(best[1] / best[2] ** penalty)
        assert (np.diff(scores) <= 0).all()


def test_a_beam_of_one_takes_the_largest_each_time():
    model = shaken(dtype="float64")
    step = lambda written: model.predict(written)[:, -1]  # noqa: E731
    (written,), _ = beam_search(step, [1, 2], None, 1, 4)
    assert written.tolist() == generate(model, [1, 2], 4, 0.0).tolist()


def test_a_beam_asks_once_for_each_step():
    asked = []

    def step(written):
        asked.append(written.shape)
        return np.zeros((len(written), 3))

    beam_search(step, [0, 1], None, 2, 3)
    assert asked == [(1, 2), (2, 3), (2, 4)]
    with pytest.raises(ValueError, match="end: se esperaba un entero entre 0 y 2"):
        beam_search(step, [0], 3)


def random_file(path, sizes=(11, 6, 8, 2), extra=()):
    rng = np.random.default_rng(0)
    tensors = {name: np.float32(rng.normal(0, 0.3, shape)) for name, shape in gpt2_names(*sizes).items()}
    files.write(path, tensors | dict(extra), {})
    return tensors


def plain_forward(w, ids, heads):
    # Otro GPT-2, escrito aparte con los nombres del archivo.
    def norm(x, name):
        centered = x - x.mean(axis=-1, keepdims=True)
        x = centered / np.sqrt((centered**2).mean(axis=-1, keepdims=True) + 1e-5)
        return x * w[f"{name}.weight"] + w[f"{name}.bias"]

    def dense(x, name):
        return x @ w[f"{name}.weight"] + w[f"{name}.bias"]

    x = w["wte.weight"][ids] + w["wpe.weight"][: len(ids)]
    for k in range(2):
        rows = dense(norm(x, f"h.{k}.ln_1"), f"h.{k}.attn.c_attn")
        found = []
        for q, key, v in zip(*(np.split(part, heads, axis=1) for part in np.split(rows, 3, axis=1)), strict=True):
            s = q @ key.T / np.sqrt(q.shape[1])
            s[np.triu_indices(len(s), 1)] = -np.inf
            found.append(temper(s) @ v)
        x = x + dense(np.concatenate(found, axis=1), f"h.{k}.attn.c_proj")
        u = dense(norm(x, f"h.{k}.ln_2"), f"h.{k}.mlp.c_fc")
        u = 0.5 * u * (1 + np.tanh(np.sqrt(2 / np.pi) * (u + 0.044715 * u**3)))
        x = x + dense(u, f"h.{k}.mlp.c_proj")
    return norm(x, "ln_f") @ w["wte.weight"].T


@pytest.mark.parametrize("prefix", ["", "transformer."])
def test_a_file_of_gpt2_gives_the_scores_of_another_program(tmp_path, prefix):
    path = tmp_path / "model.safetensors"
    tensors = random_file(path)
    masks = {f"{prefix}h.{k}.attn.bias": np.ones((1, 1, 6, 6), np.float32) for k in range(2)}
    head = {"lm_head.weight": tensors["wte.weight"]} if prefix else {}
    files.write(path, {prefix + name: value for name, value in tensors.items()} | masks | head, {})
    ids = np.array([3, 1, 4, 1, 5])
    model = load_gpt2(path, heads=4)
    np.testing.assert_allclose(model.predict(ids[None])[0], plain_forward(tensors, ids, 4), atol=2e-5)


def test_a_file_that_is_not_of_gpt2_says_what_is_wrong(tmp_path):
    path = tmp_path / "model.safetensors"
    tensors = random_file(path)
    for change, message in [
        ({"wte.weight": None}, "con una tabla wte.weight"),
        ({"h.1.ln_2.bias": None}, "falta 'h.1.ln_2.bias'"),
        ({"h.0.mlp.c_fc.weight": np.ones((8, 8), np.float32)}, r"h.0.mlp.c_fc.weight: se esperaba la forma \(8, 32\)"),
        ({"otra": np.ones(3, np.float32)}, "'otra' no es de un GPT-2 de 2 bloques"),
        ({"h.999999999.ln_1.weight": np.ones(8, np.float32)}, "no es de un GPT-2"),
        ({"lm_head.weight": np.ones((11, 8), np.float32)}, "la misma tabla que wte.weight"),
        ({"transformer.ln_f.bias": np.ones(8, np.float32)}, "'ln_f.bias' y 'transformer.ln_f.bias'"),
        ({"ln_f.bias": np.full(8, np.nan, np.float32)}, "ln_f.bias"),
    ]:
        changed = {name: value for name, value in (tensors | change).items() if value is not None}
        files.write(path, changed, {})
        with pytest.raises(ValueError, match=message):
            load_gpt2(path, heads=2)
    random_file(path)
    with pytest.raises(ValueError, match="un divisor del ancho, 8, pero llegó 3"):
        load_gpt2(path, heads=3)


def test_the_published_size_is_counted_without_paying_for_it():
    with shapes_only():
        model = gpt(50257, 1024, 768, 12, 12)
    assert model.count_params() == 124_439_808
