"""Parejas, muestreo negativo y word2vec."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chapters.rnn import Word2Vec, keep_probability, noise_distribution, sgns_loss, sgns_loss_backward, skipgrams
from chapters.rnn.embeddings import word2vec
from dlbook.gradcheck import check_gradients
from dlbook.numeric.parallel import get_threads, set_threads


@pytest.fixture
def threads():
    before = get_threads()
    yield set_threads
    set_threads(before)


@given(st.lists(st.integers(0, 5), min_size=1, max_size=12), st.integers(0, 14))
def test_the_pairs_are_those_of_the_window(words, window):
    expected = [
        [a, b] for t, a in enumerate(words) for j, b in enumerate(words) if a and b and j != t and abs(j - t) <= window
    ]
    couples, labels = skipgrams(words, 6, window, 0, shuffle=False)
    assert couples == expected
    assert labels == [1] * len(expected)


@settings(deadline=None)
@given(st.integers(0, 2**32), st.floats(0, 3))
def test_the_negatives_are_shared_out_and_never_the_padding(seed, share):
    words = [1, 2, 3, 4, 0, 2]
    true, _ = skipgrams(words, 9, 2, 0, shuffle=False)
    couples, labels = skipgrams(words, 9, 2, share, shuffle=False, seed=seed)
    false = couples[len(true) :]
    assert couples[: len(true)] == true
    assert len(false) == int(share * len(true)) == labels.count(0)
    assert all(0 < b < 9 for _, b in false)
    if share == 3:
        assert sorted(a for a, _ in false) == sorted(3 * [a for a, _ in true])


def test_shuffling_moves_pairs_and_labels_together():
    ordered = skipgrams([1, 2, 3, 4], 50, 1, 1, shuffle=False, seed=3)
    couples, labels = skipgrams([1, 2, 3, 4], 50, 1, 1, seed=3)
    together = sorted(zip(couples, labels, strict=True))
    assert together == sorted(zip(*ordered, strict=True))
    assert couples != ordered[0]
    assert skipgrams([1, 2, 3, 4], 50, 1, 1, seed=3) == (couples, labels)


def test_the_labels_can_be_categories():
    couples, labels = skipgrams([1, 2], 3, 1, 1, shuffle=False, categorical=True, seed=0)
    assert labels == [[0, 1], [0, 1], [1, 0], [1, 0]]
    assert len(couples) == 4


def test_the_sampling_table_drops_centers_but_not_neighbours():
    couples, _ = skipgrams([1, 2, 1, 2], 3, 1, 0, shuffle=False, sampling_table=[0, 0, 1], seed=0)
    assert couples == [[2, 1], [2, 1], [2, 1]]
    with pytest.raises(ValueError, match="sampling_table: se esperaban probabilidades, de 0 a 1, pero hay un 2"):
        skipgrams([1, 2], 3, sampling_table=[0, 1, 2])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"negative_samples": 1e13}, "negative_samples: harían falta"),
        ({"negative_samples": 1e300}, "negative_samples: harían falta"),
        ({"window_size": 2**40}, "sequence, de 2000000 palabras, con window_size=2000000: harían falta"),
    ],
)
def test_what_does_not_fit_in_memory_names_who_asked_for_it(arguments, message):
    words = [1, 2, 3] if "negative_samples" in arguments else np.ones(2_000_000, int)
    with pytest.raises(ValueError, match=message):
        skipgrams(words, 4, **{"window_size": 1} | arguments)


@pytest.mark.parametrize("words", [[0, 0], [1], [3, 0, 0]])
def test_a_text_without_neighbours_gives_no_pairs(words):
    assert skipgrams(words, 4, 1, 2) == ([], [])


def test_the_frequent_words_are_thinned_to_the_root_and_the_rare_stay():
    counts = np.array([500_000, 50_000, 5, 1])
    p = keep_probability(counts, 1e-4)
    share = counts / counts.sum()
    assert np.allclose(p[:2] * share[:2], np.sqrt(1e-4 * share[:2]), rtol=0.04)
    assert (p[2:] == 1).all()
    assert (keep_probability(counts, 0) == 1).all()


def test_the_noise_goes_from_uniform_to_the_frequencies():
    counts = [8, 1, 1]
    assert np.allclose(noise_distribution(counts, 0), 1 / 3)
    assert np.allclose(noise_distribution(counts, 1), [0.8, 0.1, 0.1])
    assert np.isclose(noise_distribution(counts).sum(), 1)


@pytest.mark.parametrize("function", [keep_probability, noise_distribution])
@pytest.mark.parametrize("counts", [[1, 0], [-1, 2], [1e300, 1e-300], []])
def test_a_count_that_is_not_a_count_is_refused(function, counts):
    with pytest.raises(ValueError, match="esperab"):
        function(counts)


@settings(deadline=None, max_examples=20)
@given(st.integers(1, 4), st.integers(1, 5), st.integers(1, 4), st.integers(0, 2**32))
def test_the_gradient_is_the_one_measured(n, d, k, seed):
    rng = np.random.default_rng(seed)
    v, u, negatives, dy = (rng.normal(size=s) for s in ((n, d), (n, d), (n, k, d), (n,)))
    gradients = sgns_loss_backward(v, u, negatives, dy)
    parameters = {"v": v, "u": u, "negatives": negatives}
    report = check_gradients(
        lambda: float(dy @ sgns_loss(v, u, negatives)), parameters, dict(zip(parameters, gradients, strict=True))
    )
    assert report.ok, report


def test_the_gradient_is_the_symbolic_one():
    sympy = pytest.importorskip("sympy")
    v, u, w = (sympy.Matrix(sympy.symbols(f"{name}0:2", real=True)) for name in "vuw")
    loss = -sympy.log(1 / (1 + sympy.exp(-v.dot(u)))) - sympy.log(1 / (1 + sympy.exp(v.dot(w))))
    at = dict(zip([*v, *u, *w], [0.5, -1.0, 2.0, 0.3, -0.7, 1.1], strict=True))
    expected = [float(sympy.diff(loss, x).subs(at)) for x in at]
    values = np.array(list(at.values())).reshape(3, 1, 2)
    gradients = sgns_loss_backward(values[0], values[1], values[2][:, np.newaxis], [1.0])
    assert np.allclose(np.concatenate([g.ravel() for g in gradients]), expected)


def test_nothing_overflows_with_huge_scores():
    v, u = [[1000.0]], [[1000.0]]
    assert sgns_loss(v, u, [[[-1000.0]]]) == 0
    assert sgns_loss(v, [[-1000.0]], [[[1000.0]]]) == 2e6
    dv, du, dn = sgns_loss_backward(v, [[-1000.0]], [[[1000.0]]], [1.0])
    assert dv == 2000
    assert du == -1000
    assert dn == 1000


def test_a_step_of_the_kernel_goes_against_the_gradient():
    rng = np.random.default_rng(0)
    v, contexts = rng.normal(size=7).astype(np.float32), rng.normal(size=(9, 7)).astype(np.float32)
    chosen, rate = np.array([4, 0, 8, 2], np.int32), np.float32(0.1)
    arguments = v[np.newaxis], contexts[[4]], contexts[np.newaxis, [0, 8, 2]]
    loss, gradients = sgns_loss(*arguments), sgns_loss_backward(*arguments, [1.0])
    expected = contexts.copy()
    expected[chosen] -= 0.1 * np.concatenate([gradients[1], gradients[2][0]])
    moved = v.copy()
    work = np.empty(4, np.float32), np.empty(7, np.float32)
    assert np.isclose(word2vec._step(moved, contexts, chosen, rate, *work), loss[0], rtol=1e-5)
    assert np.allclose(moved, v - 0.1 * gradients[0][0], atol=1e-5)
    assert np.allclose(contexts, expected, atol=1e-5)


def test_at_the_best_point_the_score_is_the_information_minus_log_k():
    # Todas las parejas, con todas las negativas, y vectores tan largos como el vocabulario.
    rng = np.random.default_rng(0)
    together = rng.integers(5, 60, (4, 4)).astype(float)
    centers, noise, k = together.sum(axis=1), together.sum(axis=0) / together.sum(), 3
    false = k * np.outer(centers, noise)
    v, u = rng.normal(size=(2, 4, 4))
    for _ in range(4000):
        p = 1 / (1 + np.exp(-v @ u.T))
        slope = (false * p - together * (1 - p)) / together.sum()
        v, u = v - slope @ u, u - slope.T @ v
    expected = np.log(together * together.sum() / np.outer(centers, together.sum(axis=0))) - np.log(k)
    assert np.allclose(v @ u.T, expected, atol=1e-3)


def corpus(seed, sentences=2000, length=12):
    rng = np.random.default_rng(seed)
    topics = rng.integers(0, 4, sentences)
    words = rng.integers(0, 8, (sentences, length)) + 8 * topics[:, np.newaxis]
    return [[f"p{w}" for w in line] for line in words]


@pytest.mark.parametrize("count", [1, 2, 3])
def test_the_same_seed_and_threads_give_the_same_bits_and_the_topics_come_apart(count, threads):
    text = corpus(0)
    assert len(text) * 12 > 2 * word2vec.ROUND
    threads(count)
    first, second = (Word2Vec(16, epochs=3, sample=0, seed=5).fit(text) for _ in range(2))
    assert first.vectors.tobytes() == second.vectors.tobytes()
    assert first.contexts.tobytes() == second.contexts.tobytes()
    assert first.history == second.history
    assert first.history["loss"][-1] < first.history["loss"][0]
    for word in first.words:
        near = [int(other[1:]) // 8 for other, _ in first.most_similar(word, topn=5)]
        assert near == [int(word[1:]) // 8] * 5
    assert Word2Vec(16, epochs=3, sample=0, seed=6).fit(text).vectors.tobytes() != first.vectors.tobytes()


@pytest.mark.parametrize("count", [1, 2, 3, 7])
@given(lengths=st.lists(st.integers(0, 40_000), min_size=1, max_size=9))
@settings(deadline=None, max_examples=30)
def test_every_sentence_is_read_once(count, lengths):
    starts = np.cumsum([0, *lengths])
    parts = word2vec._rounds(starts, count).reshape(-1, 2)
    assert parts[0, 0] == 0
    assert parts[-1, 1] == len(lengths)
    assert (parts[1:, 0] == parts[:-1, 1]).all()
    assert (parts[:, 0] <= parts[:, 1]).all()


def test_the_vocabulary_goes_from_frequent_to_rare_and_forgets_the_rarest():
    model = Word2Vec(2, min_count=2, sample=0, epochs=1, seed=0).fit(
        [["b", "a", "a", "c"], [], ["b", "a", "b", "d", "d"]]
    )
    assert model.words == ["b", "a", "d"]
    assert model.counts.tolist() == [3, 3, 2]
    assert "a" in model
    assert "c" not in model
    assert "a" not in Word2Vec()
    assert model["a"].tolist() == model.vectors[1].tolist()


def test_the_analogy_is_answered_by_the_closest_direction():
    model = Word2Vec(2, min_count=1, sample=0, epochs=1, seed=0).fit([["rey", "reina", "hombre", "mujer", "pan"]])
    model.vectors[:] = [[1, 2], [2, 1], [0, 1], [1, 0], [-1, -1]]
    model.vectors /= np.linalg.norm(model.vectors, axis=1, keepdims=True)
    (best, _), (last, _) = model.analogy("hombre", "rey", "mujer", topn=5)
    assert (best, last) == ("reina", "pan")
    assert len(model.most_similar("pan", topn=99)) == 4
    assert np.isclose(model.similarity("rey", "reina"), 0.8)
    assert np.isclose(dict(model.most_similar("rey"))["reina"], 0.8)


@pytest.mark.parametrize(
    "sentences",
    [[], [[]], "texto", ["texto"], [["a", 1]], [["a", ""]], [["a"] * 9], [["a", "b"]], None, [{"a", "b"}], {"a": "b"}],
)
def test_what_is_not_a_text_is_refused(sentences):
    with pytest.raises((TypeError, ValueError), match="esperab"):
        Word2Vec(min_count=5).fit(sentences)


def test_what_cannot_be_answered_says_so():
    model = Word2Vec(2, min_count=1, sample=0, epochs=1, seed=0)
    with pytest.raises(ValueError, match="aún no lo está"):
        model.most_similar("a")
    model.fit([["a", "b", "c"]])
    for call in (model.similarity, model.analogy):
        with pytest.raises(ValueError, match="llegó 'z'"):
            call(*["a", "z", "b"][: 2 if call == model.similarity else 3])
    with pytest.raises(ValueError, match="topn"):
        model.most_similar("a", 0)
    with pytest.raises(TypeError, match="esperab"):
        model.most_similar(["a"])


def test_a_sentence_of_one_word_teaches_nothing():
    model = Word2Vec(2, min_count=1, sample=0, epochs=2, seed=0).fit([["a", "b"], ["a", "b"], ["c"]])
    start = (np.random.default_rng(0).random((3, 2), np.float32) - 0.5) / 2
    moved = (model.vectors != start).any(axis=1)
    np.testing.assert_array_equal(moved, [True, True, False])


@pytest.mark.parametrize("sentences", [[["a"], ["b"]], [["a"], [], ["b"]], [["a", "c"], ["b", "d"], ["a"], ["b"]]])
def test_a_text_in_which_nobody_has_a_neighbour_is_refused(sentences):
    least = 2 if len(sentences) == 4 else 1
    with pytest.raises(ValueError, match="sentences: se esperaba alguna frase con al menos dos palabras"):
        Word2Vec(2, min_count=least, sample=0, seed=0).fit(sentences)


def test_thinning_until_nobody_has_a_neighbour_is_refused():
    with pytest.raises(ValueError, match="sample: se esperaba que quedaran palabras con vecinas, pero con 1e-09 se"):
        Word2Vec(2, min_count=1, sample=1e-9, epochs=1, seed=0).fit([["sol", "luna"]])


def test_a_rate_that_overflows_says_so():
    with pytest.raises(ValueError, match="alpha: se esperaba una tasa con que los vectores no crecieran sin fin"):
        Word2Vec(alpha=1.0, min_count=1, epochs=3, sample=0, seed=0).fit([["a", "b", "c"]] * 200)
