r"""La capa recurrente sencilla."""

from chapters.mlp.activations import ReLU, Sigmoid, Tanh
from chapters.rnn.recurrent.recurrence import LINEAR, RELU, SIGMOID, TANH, _simple_rnn_steps, _simple_rnn_steps_back
from chapters.rnn.recurrent.recurrent import Recurrent

# El número de cada activación en el núcleo; con las demás, la capa va paso a paso en Python.
KINDS = {type(None): LINEAR, Tanh: TANH, ReLU: RELU, Sigmoid: SIGMOID}


class SimpleRNN(Recurrent):
    r"""Capa recurrente sencilla, :math:`\mathbf h_t=\varphi(\mathbf x_t\mathbf W+\mathbf h_{t-1}\mathbf U+\mathbf b)`.

    Hacia delante hace :func:`~chapters.rnn.simple_rnn_forward`, con la activación que se le dé y, si no se le da otro,
    el estado inicial en cero. Hacia atrás, :func:`~chapters.rnn.simple_rnn_backward`. Tiene los argumentos y los pesos
    de Keras: ``kernel``, ``recurrent_kernel`` y ``bias``.

    **A mano.** La de antes, como capa. Sale solo el último estado, o todos:

    >>> layer = SimpleRNN(1, dtype="float64")
    >>> layer.build((None, 1))
    >>> layer.set_weights([[[1.0]], [[0.5]], [0.0]])
    >>> x = [[[1.0], [0.0], [0.0]]]
    >>> layer.forward(x).round(6)
    array([[0.179726]])
    >>> every = SimpleRNN(1, return_sequences=True, dtype="float64")
    >>> every.build((None, 1))
    >>> every.set_weights(layer.get_weights())
    >>> every.forward(x)[0, :, 0].round(6)
    array([0.761594, 0.363399, 0.179726])

    Un paso tapado por la máscara no cuenta. Aquí el segundo, así que hasta el tercero el estado se reduce una vez:

    >>> every.forward(x, mask=[[True, False, True]])[0, :, 0].round(6)
    array([0.761594, 0.761594, 0.363399])

    El estado inicial es un argumento más, y tiene su gradiente:

    >>> layer.forward(x, initial_state=[[0.0]]).round(6)
    array([[0.179726]])
    >>> layer.backward([[1.0]]).ravel().round(6)
    array([0.088185, 0.419953, 0.967698])
    >>> layer.state_gradients[0].round(6)
    array([[0.044092]])

    Parameters
    ----------
    units, activation, use_bias
        Cuántas unidades, qué activación y si hay sesgo.
    kernel_initializer, recurrent_initializer, bias_initializer : str or Initializer
        Con qué valores empiezan los pesos.
    kernel_regularizer, recurrent_regularizer, bias_regularizer, activity_regularizer : str or Regularizer, optional
        Las penalizaciones.
    kernel_constraint, recurrent_constraint, bias_constraint : str, Constraint or callable, optional
        Las restricciones.
    dropout, recurrent_dropout : float
        La fracción de la entrada y la del estado que se apagan al entrenar.
    return_sequences, return_state, go_backwards, stateful, unroll : bool
        Qué sale, en qué orden se lee y de qué estado se parte, como en :class:`~chapters.rnn.Recurrent`.
    **options
        ``dtype``, ``seed``, ``name`` y ``trainable``, como en :class:`chapters.mlp.Layer`.

    Raises
    ------
    TypeError, ValueError
        Si un argumento no es del tipo o del conjunto que se espera.

        >>> SimpleRNN(0)
        Traceback (most recent call last):
            ...
        ValueError: units: se esperaba un entero de al menos 1, pero llegó 0
    """

    @property
    def kind(self):
        r"""El número de la activación en el núcleo, o ``None`` si no la conoce."""
        known = not isinstance(self.activation, ReLU) or self.activation.plain
        return KINDS.get(type(self.activation)) if known else None

    def step(self, t, z, r, before, after):
        r"""Suma las dos partes y aplica la activación."""
        z += r
        if self.activation is None:
            after[0][...] = z
        else:
            self.activation.forward(z, after[0])

    def step_back(self, t, z, before, after, dstates, dz, dr, dbefore):
        r"""Multiplica el gradiente por la pendiente."""
        dbefore[0][...] = 0
        if self.activation is None:
            dz[...] = dstates[0]
        else:
            self.activation.backward(z, after[0], dstates[0], dz)

    def run(self, z, states, mask):
        r"""Recorre los pasos en código compilado, si conoce la activación."""
        if self.kind is None:
            super().run(z, states, mask)
            return
        r, dropped = self.buffer("r", z.shape[1:]), self.buffer("dropped", z.shape[1:])
        _simple_rnn_steps(self.kind, z, self.recurrent_kernel, self.packed(), self.drop, mask, states[0], r, dropped)

    def run_back(self, z, states, mask, dys, dstates, dz, dr):
        r"""Los recorre de vuelta, igual."""
        if self.kind is None:
            super().run_back(z, states, mask, dys, dstates, dz, dr)
            return
        back, dropped = self.buffer("back", z.shape[1:]), self.buffer("dropped", z.shape[1:])
        weights = self.recurrent_kernel, self.packed_transposed()
        _simple_rnn_steps_back(self.kind, *weights, self.drop, mask, states[0], dys, dstates[0], dz, back, dropped)
