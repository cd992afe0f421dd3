r"""El bloque residual: aprender la diferencia y sumar lo que entró."""

import itertools

from chapters.cnn.arguments import known
from chapters.mlp import activations
from chapters.mlp.layer import Layer, distinguish, every_one_of_any_size
from chapters.mlp.sequential import Sequential
from dlbook import check
from dlbook.numeric.elementwise import add
from dlbook.numeric.recording import perform
from dlbook.training import walk


def as_layer(value, name):
    r"""Devuelve una capa: la misma, o una fila si lo que llega es una lista.

    >>> from chapters.mlp.dense import Dense
    >>> len(as_layer([Dense(3), Dense(2)], "main").layers)
    2
    >>> as_layer("relu", "main")
    Traceback (most recent call last):
        ...
    TypeError: main: se esperaba una capa o una lista de capas, pero llegó 'relu'
    """
    if isinstance(value, (list, tuple)):
        return Sequential(value)
    if not isinstance(value, Layer):
        raise TypeError(f"{name}: se esperaba una capa o una lista de capas, pero llegó {value!r}")
    return value


def check_distinct(parent):
    r"""Comprueba que ninguna capa esté en dos caminos a la vez, y que no haya dos con el nombre que se les dio.

    >>> from chapters.mlp.dense import Dense
    >>> layer = Dense(2)
    >>> Residual(layer, layer)
    Traceback (most recent call last):
        ...
    ValueError: residual: la capa 'dense' está repetida; cada una guarda lo suyo, usa dos distintas
    """
    seen = set()
    for layer in itertools.chain(*map(walk, parent.layers)):
        if id(layer) in seen:
            raise ValueError(
                f"{parent.name}: la capa {layer.name!r} está repetida; cada una guarda lo suyo, usa dos distintas"
            )
        seen.add(id(layer))
    for k, layer in enumerate(parent.layers):
        distinguish(layer, parent.layers[:k], parent.name)


def build_paths(parent):
    r"""Construye todos los caminos de un bloque para la misma entrada.

    >>> from chapters.mlp.dense import Dense
    >>> layer = Dense(3)
    >>> layer.build((2,))
    >>> Residual(layer).build((3,))
    Traceback (most recent call last):
        ...
    ValueError: dense: se construyó para entradas (2,), y le llegan (3,)
    """
    for layer in parent.layers:
        layer.inherit(parent)
        if not layer.built:
            layer.build(parent.input_shape)
        elif layer.input_shape != parent.input_shape:
            raise ValueError(
                f"{layer.name}: se construyó para entradas {layer.input_shape}, y le llegan {parent.input_shape}"
            )


class Residual(Layer):
    r"""Bloque residual (*residual block*): calcula lo que hay que cambiarle a la entrada, y se lo suma.

    A una capa a la que no le queda nada por hacer le basta con **copiar** su entrada, y aprenderlo a partir de pesos al
    azar no es fácil. El bloque residual :cite:p:`he2016` le da la vuelta al encargo: copiar es gratis, y lo que se
    aprende es la diferencia,

    .. math::
       :label: ec-cnn-residual

       \mathbf s = F(\mathbf x) + G(\mathbf x),
       \quad
       \mathbf y = \varphi(\mathbf s) .

    :math:`F` es el **camino principal**, unas cuantas capas. :math:`G` es el **atajo** (*shortcut*): la identidad,
    :math:`G(\mathbf x)=\mathbf x`, o una convolución de :math:`1\times1` si hay que cambiar de forma. Con
    :math:`F=\mathbf 0`, sin :math:`\varphi` y con la identidad de atajo, el bloque no hace nada, que es justo lo que se
    espera de una capa que todavía no sabe qué hacer.

    **Hacia atrás.** La activación convierte el gradiente de :math:`\mathbf y` en el de :math:`\mathbf s`. En una suma,
    si un sumando crece :math:`\epsilon`, la suma crece :math:`\epsilon`: los dos caminos reciben
    :math:`\partial\mathcal L/\partial\mathbf s` entero, sin repartirlo. Y como :math:`\mathbf x` llega a la pérdida por
    dos caminos, sus gradientes **se suman**. Con :math:`\mathbf J_F` y :math:`\mathbf J_G` las matrices jacobianas de
    los dos:

    .. math::
       :label: ec-cnn-residual-atras

       \begin{aligned}
       \frac{\partial\mathcal L}{\partial\mathbf x}
       &= \mathbf J_F^{\top}\frac{\partial\mathcal L}{\partial\mathbf s}
       + \mathbf J_G^{\top}\frac{\partial\mathcal L}{\partial\mathbf s}
       \\
       &= \mathbf J_F^{\top}\frac{\partial\mathcal L}{\partial\mathbf s} + \frac{\partial\mathcal L}{\partial\mathbf s},
       \end{aligned}

    donde lo último vale si el atajo es la identidad, porque entonces :math:`\mathbf J_G=\mathbf I`. Las jacobianas
    nunca se escriben: multiplicar por :math:`\mathbf J_F^\top` es llamar al ``backward`` de :math:`F`.

    **Por qué llega lejos.** En una red sin atajos el gradiente de la primera capa es un producto,
    :math:`\mathbf J_1^\top\mathbf J_2^\top\cdots\mathbf J_L^\top`, y basta que cada factor encoja un poco para que no
    quede nada. Con :math:`L` bloques seguidos, sin activación después de la suma, y
    :math:`\mathbf x_0` lo que entra al primero y :math:`\mathbf x_L` lo que sale del último, es

    .. math::
       :label: ed-cnn-residual-cadena

       \begin{aligned}
       \frac{\partial\mathcal L}{\partial\mathbf x_0}
       &= (\mathbf I+\mathbf J_1^\top)\cdots(\mathbf I+\mathbf J_L^\top)\,
       \frac{\partial\mathcal L}{\partial\mathbf x_L}
       \\
       &= \frac{\partial\mathcal L}{\partial\mathbf x_L}
       + \sum_{k}\mathbf J_k^\top\frac{\partial\mathcal L}{\partial\mathbf x_L} + \cdots
       \end{aligned}

    Al desarrollar el producto sale una suma de :math:`2^L` términos, uno por cada manera de escoger entre bloque y
    atajo. El primero, el de todos los atajos, es el gradiente de la salida **intacto**.

    **A mano.** El camino principal gira un cuarto de vuelta, :math:`F(x_1,x_2)=(-x_2,\ x_1)`. De :math:`(3,1)` salen
    :math:`(-1,3)`, y con el atajo, :math:`(2,4)`:

    >>> from chapters.mlp.dense import Dense
    >>> turn = Dense(2, use_bias=False)
    >>> block = Residual(turn, dtype="float64")
    >>> block.build((2,))
    >>> block.set_weights([[[0, 1], [-1, 0]]])
    >>> block.forward([[3, 1]])
    array([[2., 4.]])

    De vuelta, con :math:`\partial\mathcal L/\partial\mathbf y=(1, 10)`: por el giro llega :math:`(10,-1)`; por el
    atajo, :math:`(1,10)`; en total,

    >>> block.backward([[1, 10]])
    array([[11.,  9.]])

    Con todos los pesos en cero, el bloque es la identidad, en los dos sentidos:

    >>> import numpy as np
    >>> block.set_weights([np.zeros((2, 2))])
    >>> block.forward([[3, 1]]), block.backward([[1, 10]])
    (array([[3., 1.]]), array([[ 1., 10.]]))

    Parameters
    ----------
    main : Layer or list of Layer
        El camino principal :math:`F`; una lista es una fila de capas.
    shortcut : Layer or list of Layer, optional
        El atajo :math:`G`; sin él, la identidad.
    activation : str or ActivationFunction, optional
        La activación :math:`\varphi` después de la suma; sin ella, ninguna.
    **options
        ``dtype``, ``seed``, ``name`` y ``trainable``, como en :class:`chapters.mlp.Layer`.

    Raises
    ------
    TypeError, ValueError
        Si algo no es una capa, o si por los dos caminos no se llega a la misma forma.

        >>> Residual(Dense(3)).build((2,))
        Traceback (most recent call last):
            ...
        ValueError: residual: por el camino principal sale (3,), y por el atajo, (2,); para sumarlas han de ser iguales
    """

    def __init__(self, main, shortcut=None, activation=None, **options):
        super().__init__(**options)
        self.main = as_layer(main, "main")
        self.shortcut = None if shortcut is None else as_layer(shortcut, "shortcut")
        self.activation = activations.get(activation)
        self.layers = [self.main] if self.shortcut is None else [self.main, self.shortcut]
        check_distinct(self)
        self.s = None

    def build(self, input_shape):
        r"""Construye los dos caminos y comprueba que lleguen al mismo sitio."""
        self.compute_output_shape(input_shape)
        super().build(input_shape)
        build_paths(self)

    def compute_output_shape(self, input_shape):
        r"""Devuelve la forma de la suma."""
        input_shape = check.shape(input_shape, "input_shape", unknown=True)
        main = tuple(self.main.compute_output_shape(input_shape))
        other = tuple(input_shape if self.shortcut is None else self.shortcut.compute_output_shape(input_shape))
        if main != other:
            raise ValueError(
                f"{self.name}: por el camino principal sale {main}, y por el atajo, {other}; "
                "para sumarlas han de ser iguales"
            )
        return main

    any_size = property(every_one_of_any_size)

    def forward(self, x, training=False):
        r"""Va por los dos caminos y suma."""
        self.x = x = self.ready(x)
        y = perform(self.main.forward, x, training)
        other = x if self.shortcut is None else perform(self.shortcut.forward, x, training)
        s = self.buffer("s", y.shape)
        add(y, other, s)  # [ec-cnn-residual]
        y = s
        if self.activation is not None:
            y = self.buffer("y", s.shape)
            self.activation.forward(s, y)
        self.s, self.y = s, y
        return y

    def backward(self, dy):
        r"""Manda el mismo gradiente por los dos caminos y suma lo que vuelve."""
        ds = dy = self.output_gradient(dy)
        if self.activation is not None:
            ds = self.buffer("ds", dy.shape)
            self.activation.backward(self.s, self.y, dy, ds)
        dx = perform(self.main.backward, ds)
        other = ds if self.shortcut is None else perform(self.shortcut.backward, ds)
        if not self.input_gradient:
            return None
        total = self.buffer("dx", self.x.shape)
        add(dx, other, total)  # [ec-cnn-residual-atras]
        return total

    def without_input_gradient(self):
        r"""Avisa también a los dos caminos."""
        super().without_input_gradient()
        for layer in self.layers:
            layer.without_input_gradient()

    def work(self):
        r"""Suma el trabajo de los dos caminos, y una suma por número."""
        return sum(layer.work() for layer in self.layers) + known(self.compute_output_shape(self.input_shape))


def plain_residual(x, main, shortcut, activation, dy):
    r"""La ida y la vuelta; ``activation`` es otra capa."""
    s = main.forward(x) + shortcut.forward(x)  # [ec-cnn-residual]
    y = activation.forward(s)  # [ec-cnn-residual]
    ds = activation.backward(dy)
    dx = main.backward(ds) + shortcut.backward(ds)  # [ec-cnn-residual-atras]
    return y, dx
