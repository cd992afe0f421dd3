"""El descenso de gradiente en sus tres tallas: qué promete y qué pasa si se usa mal."""

from functools import partial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chapters.mlp.gradient_descent import (
    gradient_descent,
    minibatch_gradient_descent,
    neuron_loss,
    stochastic_gradient_descent,
)
from chapters.mlp.losses import BinaryCrossentropy, MeanSquaredError, SparseCategoricalCrossentropy
from chapters.mlp.optimizers import SGD
from chapters.mlp.optimizers.landscapes import bowl, path, rosenbrock
from dlbook.gradcheck import check_gradients

squared = partial(neuron_loss, loss=MeanSquaredError())
logistic = partial(neuron_loss, loss=BinaryCrossentropy(from_logits=True))


def line(n=60, d=2, noise=0.3, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n, d))
    return x, x @ np.arange(1.0, d + 1) - 1 + noise * rng.standard_normal(n)


@pytest.mark.parametrize("f", [squared, logistic])
@given(n=st.integers(1, 6), d=st.integers(1, 4), seed=st.integers(0, 2**32 - 1))
def test_gradient_of_one_neuron(f, n, d, seed):
    rng = np.random.default_rng(seed)
    theta, x, y = rng.standard_normal(d + 1), rng.standard_normal((n, d)), rng.integers(0, 2, n)
    _, gradient = f(theta, x, y)
    report = check_gradients(lambda: f(theta, x, y)[0], {"theta": theta}, {"theta": gradient})
    assert report.ok, str(report)


def test_the_course_example_of_one_against_all():
    # Errata E-09: -2 no es -7.
    x, y = np.array([[1.0], [2.0]]), np.array([1.0, 3.0])
    assert squared([0, 0], x[:1], y[:1])[1][1] == -2
    assert squared([0, 0], x, y)[1][1] == -7
    # El paso estocástico usa el del ejemplo: -2 o -12, nunca -7.
    steps = {float(stochastic_gradient_descent(squared, [0, 0], x, y, 0.1, 1, seed=s)[1, 1]) for s in range(20)}
    assert {round(s, 9) for s in steps} == {0.2, 1.2}


def test_full_descent_is_sgd_with_the_full_gradient():
    points = gradient_descent(rosenbrock, [-1.0, 1.0], 1e-3, tolerance=0, max_steps=50)
    np.testing.assert_allclose(points, path(SGD(1e-3), rosenbrock, [-1.0, 1.0], 50), rtol=1e-12)


def test_it_finds_least_squares():
    x, y = line()
    best = np.linalg.lstsq(np.column_stack([np.ones(len(x)), x]), y, rcond=None)[0]
    points = gradient_descent(partial(squared, x=x, y=y), [0, 0, 0], 0.2)
    np.testing.assert_allclose(points[-1], best, atol=1e-6)
    values = [squared(p, x, y)[0] for p in points]
    assert (np.diff(values) <= 1e-15).all()


def test_it_stops_where_it_promises():
    points = gradient_descent(bowl, [1.0, 2.0], 0.1, tolerance=1e-3)
    slopes = np.linalg.norm(bowl(points)[1], axis=1)
    assert slopes[-1] <= 1e-3 < slopes[-2]
    assert len(gradient_descent(bowl, [0.0, 0.0])) == 1
    assert len(gradient_descent(bowl, [1.0, 1.0], max_steps=0)) == 1
    assert len(gradient_descent(bowl, [1.0, 1.0], tolerance=0, max_steps=7)) == 8


def test_batches_of_everything_are_the_full_descent():
    x, y = line()
    batches = minibatch_gradient_descent(squared, [0, 0, 0], x, y, len(x), 0.1, epochs=5, seed=3)
    full = gradient_descent(partial(squared, x=x, y=y), [0, 0, 0], 0.1, max_steps=5)
    np.testing.assert_allclose(batches, full, atol=1e-12)
    assert (minibatch_gradient_descent(squared, [0, 0, 0], x, y, 10**9, 0.1, epochs=5, seed=3) == batches).all()


@given(n=st.integers(1, 12), batch=st.integers(1, 15), epochs=st.integers(0, 3))
def test_each_epoch_visits_every_example_once(n, batch, epochs):
    seen = []

    def spy(theta, x, y):
        seen.append(y.tolist())
        return 0.0, np.zeros_like(theta)

    y = np.arange(float(n))
    points = minibatch_gradient_descent(spy, [0.0], y[:, np.newaxis], y, batch, epochs=epochs, seed=0)
    per_epoch = -(-n // batch)
    assert len(points) == 1 + epochs * per_epoch
    for e in range(epochs):
        batches = seen[e * per_epoch : (e + 1) * per_epoch]
        assert sorted(label for b in batches for label in b) == y.tolist()
        assert all(len(b) == batch for b in batches[:-1])


def test_same_seed_same_bits_and_another_seed_another_path():
    x, y = line()
    for run in (
        lambda seed: stochastic_gradient_descent(squared, [0, 0, 0], x, y, 0.05, 50, seed),
        lambda seed: minibatch_gradient_descent(squared, [0, 0, 0], x, y, 8, 0.05, 3, seed),
    ):
        assert (run(1) == run(1)).all()
        assert (run(1) != run(2)).any()


def test_stochastic_hovers_and_batches_hover_less():
    x, y = line(n=200, noise=1.0)
    best = np.linalg.lstsq(np.column_stack([np.ones(len(x)), x]), y, rcond=None)[0]
    one = stochastic_gradient_descent(squared, best, x, y, 0.05, 1500, seed=0)[500:]
    many = minibatch_gradient_descent(squared, best, x, y, 16, 0.05, 115, seed=0)[500:]
    spread_one, spread_many = (((p - best) ** 2).sum(axis=1).mean() for p in (one, many))
    assert 0 < 8 * spread_many < spread_one


def test_what_is_given_is_not_touched():
    x, y = line()
    theta = np.zeros(3)
    kept = x.copy(), y.copy()
    minibatch_gradient_descent(squared, theta, x, y, 8, epochs=1, seed=0)
    stochastic_gradient_descent(squared, theta, x, y, steps=5, seed=0)
    gradient_descent(partial(squared, x=x, y=y), theta, max_steps=5)
    assert not theta.any()
    assert (x == kept[0]).all()
    assert (y == kept[1]).all()


@pytest.mark.parametrize("rate", [1.5, 1e3, 1e300])
def test_divergence_is_said_clearly(rate):
    x, y = line()
    with pytest.raises(ValueError, match=r"learning_rate: con .* los pesos se desbordan en el paso \d+"):
        gradient_descent(bowl, [1.0, 2.0], rate)
    with pytest.raises(ValueError, match="learning_rate"):
        stochastic_gradient_descent(squared, [0, 0, 0], 10 * x, y, rate, 5000, seed=0)
    with pytest.raises(ValueError, match="learning_rate"):
        minibatch_gradient_descent(squared, [0, 0, 0], 10 * x, y, 8, rate, 500, seed=0)


X, Y = line()


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda: gradient_descent(3, [1.0, 2.0]), TypeError),
        (lambda: gradient_descent(lambda t: 1.0, [1.0, 2.0]), ValueError),
        (lambda: gradient_descent(lambda t: (1.0, np.ones(3)), [1.0, 2.0]), ValueError),
        (lambda: gradient_descent(bowl, [[1.0, 2.0]]), ValueError),
        (lambda: gradient_descent(bowl, [1.0, np.nan]), ValueError),
        (lambda: gradient_descent(bowl, "ab"), TypeError),
        (lambda: gradient_descent(bowl, [1.0, 2.0], learning_rate=0), ValueError),
        (lambda: gradient_descent(bowl, [1.0, 2.0], learning_rate="0.1"), TypeError),
        (lambda: gradient_descent(bowl, [1.0, 2.0], tolerance=-1), ValueError),
        (lambda: gradient_descent(bowl, [1.0, 2.0], max_steps=1.5), TypeError),
        (lambda: stochastic_gradient_descent(squared, [0, 0, 0], X, Y[:-1]), ValueError),
        (lambda: stochastic_gradient_descent(squared, [0, 0], X, Y), ValueError),
        (lambda: stochastic_gradient_descent(squared, [0, 0, 0], X[:0], Y[:0]), ValueError),
        (lambda: stochastic_gradient_descent(squared, [0, 0, 0], X, Y, steps=-1), ValueError),
        (lambda: stochastic_gradient_descent(squared, [0, 0, 0], X, Y, seed="a"), TypeError),
        (lambda: minibatch_gradient_descent(squared, [0, 0, 0], X, Y, batch_size=0), ValueError),
        (lambda: minibatch_gradient_descent(squared, [0, 0, 0], X, Y, epochs=True), TypeError),
        (lambda: minibatch_gradient_descent(logistic, [0, 0, 0], X, 5 + Y), ValueError),
        (lambda: neuron_loss([0, 0, 0], X, Y, "mse"), TypeError),
        (lambda: neuron_loss([0, 0, 0], X, np.zeros(60), SparseCategoricalCrossentropy()), ValueError),
        (lambda: neuron_loss([0, 0], X, Y, MeanSquaredError()), ValueError),
    ],
)
def test_nonsense_gets_a_clear_error(call, error):
    with pytest.raises(error, match=r"se esperab|finitos"):
        call()
