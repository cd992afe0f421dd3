"""Los estimadores: scikit-learn los acepta como suyos."""

import copy
import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from chapters.mlp import activations, optimizers
from chapters.mlp.estimators import NetworkClassifier, NetworkRegressor

RNG = np.random.default_rng(0)


@parametrize_with_checks([NetworkClassifier(learning_rate=0.01), NetworkRegressor(learning_rate=0.01)])
def test_sklearn(estimator, check):
    check(estimator)


def test_defaults_pass_too():
    # Los valores por omisión aprenden más despacio, pero aprenden.
    x, y = load_iris(return_X_y=True)
    assert cross_val_score(make_pipeline(StandardScaler(), NetworkClassifier(random_state=0)), x, y).mean() > 0.9


def test_grid_search_in_a_pipeline():
    x, y = load_iris(return_X_y=True)
    pipeline = make_pipeline(StandardScaler(), NetworkClassifier(epochs=30, random_state=0))
    grid = {
        "networkclassifier__hidden_layer_sizes": [(), (8,), (8, 8)],
        "networkclassifier__learning_rate": [1e-4, 1e-2],
        "networkclassifier__optimizer": ["sgd", optimizers.Adam(beta_1=0.8)],
    }
    search = GridSearchCV(pipeline, grid, cv=3).fit(x, y)
    assert len(search.cv_results_["params"]) == 12
    assert search.best_params_["networkclassifier__learning_rate"] == 1e-2
    assert search.best_score_ > 0.9


def test_text_labels_and_probabilities():
    x, y = load_iris(return_X_y=True)
    names = np.array(["setosa", "versicolor", "virginica"])[y]
    model = NetworkClassifier(learning_rate=0.01, random_state=0).fit(x, names)
    assert model.classes_.tolist() == ["setosa", "versicolor", "virginica"]
    p = model.predict_proba(x)
    np.testing.assert_allclose(p.sum(axis=1), 1, rtol=1e-6)
    np.testing.assert_array_equal(model.classes_[p.argmax(axis=1)], model.predict(x))


def test_the_seed_decides_everything():
    x, y = load_iris(return_X_y=True)
    options = {"epochs": 5, "dropout": 0.3, "early_stopping": True}
    a = NetworkClassifier(random_state=3, **options).fit(x, y)
    b = NetworkClassifier(random_state=3, **options).fit(x, y)
    c = NetworkClassifier(random_state=4, **options).fit(x, y)
    np.testing.assert_array_equal(a.model_.theta, b.model_.theta)
    assert (a.model_.theta != c.model_.theta).any()


def test_the_optimizer_given_is_never_touched():
    x, y = load_iris(return_X_y=True)
    optimizer = optimizers.Adam(0.02)
    before = copy.deepcopy(optimizer.get_state())
    model = NetworkClassifier(optimizer=optimizer, learning_rate=None, epochs=2).fit(x, y)
    assert model.model_.optimizer.learning_rate == 0.02
    assert optimizer.iterations == 0
    assert optimizer.get_state().keys() == before.keys()


def test_early_stopping_does_not_depend_on_the_order_of_the_classes():
    # Los datos vienen ordenados por clase: sin barajar, la validación sería de una sola.
    x, y = load_iris(return_X_y=True)
    model = NetworkClassifier(learning_rate=0.01, epochs=500, early_stopping=True, patience=5, random_state=0)
    model.fit(x, y)
    assert len(model.history_["val_loss"]) < 500
    assert model.score(x, y) > 0.9


def test_l2_shrinks_the_weights():
    x, y = RNG.normal(size=(60, 4)), RNG.normal(size=60)
    sizes = [
        np.abs(NetworkRegressor(l2=l2, learning_rate=0.01, random_state=0).fit(x, y).model_.theta).sum()
        for l2 in (0.0, 0.1)
    ]
    assert sizes[1] < sizes[0] / 2


def test_regression_with_one_and_several_outputs():
    x = RNG.uniform(-1, 1, size=(200, 2))
    y = np.stack([x[:, 0] * x[:, 1], x[:, 0] ** 2], axis=1)
    model = NetworkRegressor((32,), activation="tanh", learning_rate=0.02, epochs=200, random_state=0)
    assert model.fit(x, y).predict(x).shape == (200, 2)
    assert model.score(x, y) > 0.95
    assert model.fit(x, y[:, 0]).predict(x).shape == (200,)
    assert model.fit(x, y[:, :1]).predict(x).shape == (200, 1)


def test_clone_pickle_and_repr():
    model = NetworkClassifier((8, 4), activation=activations.LeakyReLU(0.1), dropout=0.1)
    assert clone(model).get_params().keys() == model.get_params().keys()
    x, y = load_iris(return_X_y=True)
    model.fit(x, y)
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.predict_proba(x), model.predict_proba(x))
    assert "hidden_layer_sizes=(8, 4)" in repr(model)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"hidden_layer_sizes": 8}, "hidden_layer_sizes: se esperaba una tupla"),
        ({"hidden_layer_sizes": (0,)}, "units"),
        ({"hidden_layer_sizes": ("a",)}, "units"),
        ({"activation": "relú"}, "activation"),
        ({"optimizer": "adan"}, "optimizer"),
        ({"learning_rate": -1}, "learning_rate"),
        ({"dropout": 1.5}, "rate"),
        ({"l2": -1}, "l2"),
        ({"batch_size": 0}, "batch_size"),
        ({"epochs": 0}, "epochs"),
        ({"early_stopping": True, "validation_split": 2}, "validation_split"),
        ({"early_stopping": True, "patience": -1}, "patience"),
    ],
)
def test_bad_arguments(options, text):
    with pytest.raises((TypeError, ValueError), match=text):
        NetworkClassifier(**options).fit([[0.0], [1.0]], [0, 1])


def test_unfitted():
    for estimator in (NetworkClassifier(), NetworkRegressor()):
        with pytest.raises(NotFittedError):
            estimator.predict([[0.0]])
