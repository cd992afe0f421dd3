r"""La red como estimador de scikit-learn: para compararla, validarla y buscarle hiperparámetros sin escribir ciclos."""

import copy

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.utils import check_random_state
from sklearn.utils.metadata_routing import UNUSED
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from chapters.mlp import optimizers
from chapters.mlp.activations import softmax
from chapters.mlp.dense import Dense
from chapters.mlp.dropout import Dropout
from chapters.mlp.losses import MeanSquaredError, SparseCategoricalCrossentropy
from chapters.mlp.regularizers import L2
from chapters.mlp.sequential import Input, Sequential
from dlbook import check
from dlbook.callbacks import EarlyStopping


class _Network(BaseEstimator):
    # Lo que comparten el clasificador y el regresor: armar la red y entrenarla. Como pide scikit-learn, el constructor
    # solo guarda sus argumentos; se comprueban al entrenar.

    # Aquí no se reparten pesos por observación: que no agregue un método para pedirlos.
    __metadata_request__score = {"sample_weight": UNUSED}  # noqa: RUF012 (así lo lee scikit-learn)

    def __init__(
        self,
        hidden_layer_sizes=(32,),
        activation="relu",
        *,
        dropout=0.0,
        l2=0.0,
        optimizer="adam",
        learning_rate=0.001,
        batch_size=32,
        epochs=100,
        early_stopping=False,
        validation_split=0.1,
        patience=10,
        random_state=None,
        verbose=0,
    ):
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.dropout = dropout
        self.l2 = l2
        self.optimizer = optimizer
        self.learning_rate = learning_rate
        self.batch_size = batch_size
        self.epochs = epochs
        self.early_stopping = early_stopping
        self.validation_split = validation_split
        self.patience = patience
        self.random_state = random_state
        self.verbose = verbose

    def _check(self, x, y, **options):
        # Para validar hace falta que quede algo de cada lado.
        least = 2 if self.early_stopping else 1
        return validate_data(self, x, y, dtype=[np.float64, np.float32], ensure_min_samples=least, **options)

    def _train(self, x, y, outputs, loss):
        if not isinstance(self.hidden_layer_sizes, (list, tuple)):
            raise TypeError(f"hidden_layer_sizes: se esperaba una tupla, pero llegó {self.hidden_layer_sizes!r}")
        rng = np.random.default_rng(check_random_state(self.random_state).randint(2**31))
        penalty = L2(self.l2) if self.l2 else None
        layers = [Input(shape=x.shape[1:])]
        for units in self.hidden_layer_sizes:
            layers.append(Dense(units, activation=self.activation, kernel_regularizer=penalty))
            if self.dropout:
                layers.append(Dropout(self.dropout))
        model = Sequential([*layers, Dense(outputs, kernel_regularizer=penalty)], dtype=x.dtype.name, seed=rng)
        # El optimizador recuerda cosas: cada entrenamiento estrena uno.
        optimizer = optimizers.get(copy.deepcopy(self.optimizer))
        if self.learning_rate is not None:
            optimizer.learning_rate = self.learning_rate
        model.compile(optimizer, loss)
        options = {}
        if self.early_stopping:
            # La validación sale del final de los datos, que pueden venir ordenados por clase.
            order = rng.permutation(len(x))
            x, y = x[order], y[order]
            stop = EarlyStopping(monitor="val_loss", patience=self.patience, restore_best_weights=True)
            options = {"validation_split": self.validation_split, "callbacks": [stop]}
        epochs = check.integer(self.epochs, "epochs", 1)
        history = model.fit(x, y, batch_size=self.batch_size, epochs=epochs, verbose=self.verbose, **options)
        self.model_ = model
        self.history_ = history.history
        return self

    def _outputs(self, x):
        check_is_fitted(self)
        x = validate_data(self, x, reset=False, dtype=[np.float64, np.float32])
        return self.model_.predict(x, verbose=0)


class NetworkClassifier(ClassifierMixin, _Network):
    r"""Una red para clasificar que scikit-learn trata como a cualquiera de sus modelos.

    Entrenar una red es una decisión; elegirla son muchas. ¿Cuántas neuronas? ¿Qué tasa? ¿Cuánto *dropout*? Contestarlas
    bien exige entrenar la misma red docenas de veces con datos repartidos de distinta manera, y ese trabajo ya está
    hecho y probado en scikit-learn: validación cruzada, búsqueda en rejilla, cadenas de pasos. Todo lo que pide a
    cambio es que el modelo se comporte como los suyos: un constructor que solo guarda, ``fit``, ``predict`` y atributos
    que terminan en guion bajo para lo aprendido.

    La salida tiene una neurona por clase y la pérdida es la entropía cruzada del *softmax*, también con dos clases. Las
    etiquetas pueden ser textos.

    **A mano.** XOR, donde falla cualquier recta:

    >>> from dlbook.data import logic_gate
    >>> x, y = logic_gate("xor")
    >>> model = NetworkClassifier(
    ...     (8,), activation="tanh", learning_rate=0.05, epochs=200,
    ...     random_state=0,
    ... )
    >>> model.fit(x, y).predict(x)
    array([0, 1, 1, 0])
    >>> model.predict_proba(x).shape, model.score(x, y)
    ((4, 2), 1.0)

    Y el disco dentro del anillo, con validación cruzada. Cinco veces se entrena con cuatro quintas partes de los datos
    y se examina con la quinta que no vio:

    >>> from sklearn.model_selection import cross_val_score
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from dlbook.data import circles
    >>> x, y = circles(200)
    >>> network = NetworkClassifier((8,), learning_rate=0.01, random_state=0)
    >>> scores = cross_val_score(
    ...     make_pipeline(StandardScaler(), network), x, y, cv=5
    ... )
    >>> bool(scores.mean() > 0.95)
    True

    La escala va **dentro** de la cadena: así se calcula en cada vuelta solo con los datos de entrenamiento, y los de
    examen no se cuelan ni siquiera a través de su media.

    Parameters
    ----------
    hidden_layer_sizes : tuple of int
        Neuronas de cada capa oculta; vacía, la red no tiene ninguna y sus fronteras son rectas.
    activation : str or ActivationFunction
        La activación de las ocultas.
    dropout : float
        Fracción que apaga un :class:`~chapters.mlp.dropout.Dropout` después de cada capa oculta.
    l2 : float
        Penalización :math:`\lambda_2` de los pesos, como en :eq:`ec-mlp-penalizacion`.
    optimizer : str or Optimizer
        El optimizador; si es un objeto, se usa una copia.
    learning_rate : float or None
        Su tasa; con ``None``, la que traiga.
    batch_size, epochs : int
        Observaciones por paso y vueltas a los datos.
    early_stopping : bool
        Si se aparta una parte para validar y se detiene cuando deja de mejorar.
    validation_split : float
        Qué parte se aparta; se escoge al azar.
    patience : int
        Cuántas épocas sin mejorar se toleran.
    random_state : int, RandomState or None
        El azar de los pesos, del orden y del *dropout*.
    verbose : int
        Como en ``fit``.

    Attributes
    ----------
    classes_ : ndarray, shape (K,)
        Las clases, en orden.
    model_ : Sequential
        La red entrenada; su salida son *logits*.
    history_ : dict
        La pérdida de cada época.
    n_features_in_ : int
        Cuántas columnas tenían los datos.

    Notes
    -----
    Los mensajes sobre la forma de los datos son los de scikit-learn, en inglés, porque sus propias pruebas los exigen:
    ``sklearn.utils.estimator_checks.check_estimator`` pasa entera.
    """

    def fit(self, X, y):
        r"""Entrena la red desde cero.

        Parameters
        ----------
        X : array_like, shape (n, d)
            Las observaciones.
        y : array_like, shape (n,)
            La clase de cada una.

        Returns
        -------
        NetworkClassifier
        """
        X, y = self._check(X, y)
        check_classification_targets(y)
        self.classes_, labels = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            # Sus pruebas buscan «1 class» en el mensaje.
            raise ValueError(f"y: se esperaban al menos dos clases, pero hay una sola (1 class), {self.classes_[0]!r}")
        return self._train(X, labels, len(self.classes_), SparseCategoricalCrossentropy(from_logits=True))

    def predict_proba(self, X):
        r"""Da la probabilidad de cada clase.

        Parameters
        ----------
        X : array_like, shape (n, d)
            Las observaciones.

        Returns
        -------
        ndarray, shape (n, K)
            En el orden de ``classes_``.
        """
        return softmax(self._outputs(X))

    def predict(self, X):
        r"""Da la clase más probable de cada observación.

        Parameters
        ----------
        X : array_like, shape (n, d)
            Las observaciones.

        Returns
        -------
        ndarray, shape (n,)
        """
        best = self._outputs(X).argmax(axis=1)
        return self.classes_[best]


class NetworkRegressor(RegressorMixin, _Network):
    r"""Una red para predecir números que scikit-learn trata como a cualquiera de sus modelos.

    Es :class:`NetworkClassifier` con la otra punta cambiada: salidas lineales y error cuadrático medio.

    **A mano.** Un arco de seno, con una sola entrada:

    >>> x = np.linspace(-3, 3, 100)[:, None]
    >>> model = NetworkRegressor(
    ...     (16,), activation="tanh", learning_rate=0.02, epochs=300,
    ...     random_state=0,
    ... )
    >>> model.fit(x, np.sin(x[:, 0])).score(x, np.sin(x[:, 0])) > 0.99
    True

    Si lo que predices está en miles, la red tarda mucho en llegar hasta allá desde el cero en que empieza. Conviene
    escalar también la respuesta; scikit-learn lo hace y lo deshace con ``TransformedTargetRegressor``:

    >>> from sklearn.compose import TransformedTargetRegressor
    >>> from sklearn.preprocessing import StandardScaler
    >>> y = 5000 + 2000 * np.sin(x[:, 0])
    >>> scaled = TransformedTargetRegressor(model, transformer=StandardScaler())
    >>> bool(model.fit(x, y).score(x, y) < 0)
    True
    >>> bool(scaled.fit(x, y).score(x, y) > 0.99)
    True

    Parameters
    ----------
    hidden_layer_sizes, activation, dropout, l2, optimizer, learning_rate, batch_size, epochs, early_stopping,
    validation_split, patience, random_state, verbose
        Como en :class:`NetworkClassifier`.

    Attributes
    ----------
    model_ : Sequential
        La red entrenada.
    history_ : dict
        La pérdida de cada época.
    n_features_in_ : int
        Cuántas columnas tenían los datos.
    """

    def fit(self, X, y):
        r"""Entrena la red desde cero.

        Parameters
        ----------
        X : array_like, shape (n, d)
            Las observaciones.
        y : array_like, shape (n,) or (n, m)
            Lo que hay que predecir, uno o varios números por observación.

        Returns
        -------
        NetworkRegressor
        """
        X, y = self._check(X, y, multi_output=True, y_numeric=True)
        self._flat = y.ndim == 1
        y = y.reshape(len(y), -1)
        return self._train(X, y, y.shape[1], MeanSquaredError())

    def predict(self, X):
        r"""Predice los números de cada observación.

        Parameters
        ----------
        X : array_like, shape (n, d)
            Las observaciones.

        Returns
        -------
        ndarray, shape (n,) or (n, m)
            Como la ``y`` con que se entrenó.
        """
        y = self._outputs(X)
        return y[:, 0] if self._flat else y

    def __sklearn_tags__(self):
        r"""Avisa a scikit-learn que sabe predecir varios números a la vez."""
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
