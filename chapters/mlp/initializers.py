r"""Con qué pesos empieza una red, y por qué esos."""

import inspect
import math

import numpy as np

from dlbook import check, registry
from dlbook.attributes import Configured
from dlbook.saving import objects

DTYPES = ["float32", "float64"]
DISTRIBUTIONS = ["truncated_normal", "untruncated_normal", "uniform"]
# El número c de la normal sin extremos; la integral de φ entre -2 y 2 la da la función error.
TRUNCATED_STDDEV = math.sqrt(1 - 4 * math.exp(-2) / math.sqrt(2 * math.pi) / math.erf(math.sqrt(2)))


@registry.register("initializer")
class Initializer(Configured):
    r"""Lo que todo inicializador sabe hacer: llenar un arreglo de la forma que le pidan.

    Antes de entrenar hay que poner algún número en cada peso. Poner el mismo en todos no sirve: dos neuronas de una
    capa con los mismos pesos de entrada **y** de salida calculan lo mismo y reciben el mismo gradiente, así que después
    de cada paso siguen siendo iguales. Es como tener una sola. Hay que **romper la simetría**, y para eso está el azar.
    :item:`OPT-08`

    >>> from chapters.mlp import Dense, Sequential
    >>> hidden = Dense(3, "tanh", kernel_initializer=Constant(0.5))
    >>> output = Dense(1, kernel_initializer=Constant(0.5))
    >>> model = Sequential([hidden, output])
    >>> model.compile("adam", "mse")
    >>> x = np.random.default_rng(0).standard_normal((50, 2))
    >>> history = model.fit(x, x[:, :1] * x[:, 1:], epochs=20, verbose=0)
    >>> bool((hidden.kernel == hidden.kernel[:, :1]).all())
    True

    Un inicializador se llama como función, con la forma; la semilla hace que el azar se pueda repetir:

    >>> from chapters.mlp.initializers import RandomNormal
    >>> a = RandomNormal(stddev=0.05)((2, 3), seed=0)
    >>> b = RandomNormal(stddev=0.05)((2, 3), seed=0)
    >>> a.shape, str(a.dtype), bool((a == b).all())
    ((2, 3), 'float32', True)
    """

    def __call__(self, shape, dtype="float32", seed=None):
        r"""Crea el arreglo.

        Parameters
        ----------
        shape : tuple of int
            La forma del peso, en el orden de Keras: ``(entradas, salidas)`` en una capa densa.
        dtype : str or numpy.dtype
            ``"float32"`` o ``"float64"``.
        seed : int or numpy.random.Generator, optional
            El origen del azar. Si el inicializador se creó con semilla propia, manda la suya.

        Returns
        -------
        ndarray, shape ``shape``
        """
        shape = check.shape(shape, "shape")
        if not isinstance(dtype, str):
            dtype = getattr(dtype, "name", dtype)
        dtype = check.choice(dtype, "dtype", DTYPES)
        # Los números al azar nacen en float64.
        check.memory(math.prod(shape), "shape", 8)
        own = getattr(self, "seed", None)
        generator = check.generator(seed if own is None else own)
        values = self._fill(shape, generator)
        return np.asarray(values, dtype, order="C")

    def _fill(self, shape, generator):
        raise NotImplementedError


class Constant(Initializer):
    r"""El mismo número en todas partes.

    Para los pesos de una capa es mala idea, por la simetría. Para los sesgos está bien, porque los pesos ya la
    rompieron.

    >>> Constant(0.5)((2, 2))
    array([[0.5, 0.5],
           [0.5, 0.5]], dtype=float32)

    Parameters
    ----------
    value : float
        El número.
    """

    def __init__(self, value=0.0):
        self.value = check.number(value, "value")

    def _fill(self, shape, generator):
        return np.full(shape, self.value)


class Zeros(Initializer):
    r"""Ceros: lo usual en los sesgos.

    >>> Zeros()((3,))
    array([0., 0., 0.], dtype=float32)
    """

    def _fill(self, shape, generator):
        return np.zeros(shape)


class Ones(Initializer):
    r"""Unos: para los factores de escala, que al empezar no deben cambiar nada.

    >>> Ones()((3,))
    array([1., 1., 1.], dtype=float32)
    """

    def _fill(self, shape, generator):
        return np.ones(shape)


class Identity(Initializer):
    r"""La matriz identidad: la capa empieza copiando su entrada.

    Útil en las redes recurrentes, donde la misma matriz se aplica muchas veces: la identidad ni agranda ni encoge lo
    que se recuerda. Si no es cuadrada, la copia se trunca o se completa con ceros.

    >>> Identity(gain=2.0)((2, 3))
    array([[2., 0., 0.],
           [0., 2., 0.]], dtype=float32)

    Parameters
    ----------
    gain : float
        Número por el que se multiplica.
    """

    def __init__(self, gain=1.0):
        self.gain = check.number(gain, "gain")

    def _fill(self, shape, generator):
        if len(shape) != 2:
            raise ValueError(f"shape: se esperaba una matriz, con dos ejes, pero llegó {shape}")
        return self.gain * np.eye(*shape)


class RandomNormal(Initializer):
    r"""Números al azar de una normal :math:`\mathcal N(\mu,\sigma^2)`.

    Es la que proponen los cursos, :math:`\mathcal N(0,\sigma^2)`. Rompe la simetría, pero no dice cuánto debe valer
    :math:`\sigma`; de eso trata :class:`VarianceScaling`. :item:`OPT-08`

    **A mano.** La media y la desviación de cien mil números se parecen a las pedidas, con un error del orden de
    :math:`\sigma/\sqrt{100\,000}\approx 0.0002`:

    >>> w = RandomNormal(stddev=0.05)((1000, 100), dtype="float64", seed=0)
    >>> bool(abs(w.mean()) < 0.0005), round(float(w.std()), 3)
    (True, 0.05)

    Parameters
    ----------
    mean, stddev : float
        La media y la desviación estándar.
    seed : int or numpy.random.Generator, optional
        La semilla.
    """

    def __init__(self, mean=0.0, stddev=0.05, seed=None):
        self.mean = check.number(mean, "mean")
        self.stddev = check.number(stddev, "stddev", 0)
        self.seed = seed

    def _fill(self, shape, generator):
        return self.mean + self.stddev * generator.standard_normal(shape)


def _truncated(shape, generator):
    x = generator.standard_normal(shape)
    while (outside := np.abs(x) > 2).any():
        x[outside] = generator.standard_normal(outside.sum())
    return x


class TruncatedNormal(Initializer):
    r"""Una normal sin extremos: lo que cae a más de dos desviaciones se vuelve a sortear.

    De una normal sale a más de tres desviaciones 1 número de cada 370: en una red de un millón de pesos, unos 2700, que
    empujan a sus neuronas hacia donde se saturan. Aquí no salen:

    >>> round(1e6 * math.erfc(3 / math.sqrt(2)), -2)
    2700.0
    >>> w = TruncatedNormal(stddev=1.0)((1000, 100), seed=0)
    >>> bool(abs(w).max() <= 2)
    True

    Recortar las colas encoge la desviación; ver :class:`VarianceScaling`.

    Parameters
    ----------
    mean, stddev : float
        La media y la desviación estándar de la normal, antes de quitarle los extremos.
    seed : int or numpy.random.Generator, optional
        La semilla.
    """

    def __init__(self, mean=0.0, stddev=0.05, seed=None):
        self.mean = check.number(mean, "mean")
        self.stddev = check.number(stddev, "stddev", 0)
        self.seed = seed

    def _fill(self, shape, generator):
        return self.mean + self.stddev * _truncated(shape, generator)


class RandomUniform(Initializer):
    r"""Números al azar, todos igual de probables, entre dos extremos.

    **A mano.** La varianza de una uniforme en :math:`(-a, a)` es :math:`\frac1{2a}\int_{-a}^{a}x^2\,dx=\frac{a^2}3`:

    >>> w = RandomUniform(-0.3, 0.3)((1000, 100), dtype="float64", seed=0)
    >>> round(float(w.var()), 3), round(0.3**2 / 3, 3)
    (0.03, 0.03)

    Parameters
    ----------
    minval, maxval : float
        Los extremos; el segundo no puede ser menor que el primero.
    seed : int or numpy.random.Generator, optional
        La semilla.
    """

    def __init__(self, minval=-0.05, maxval=0.05, seed=None):
        self.minval = check.number(minval, "minval")
        self.maxval = check.number(maxval, "maxval", self.minval)
        self.seed = seed

    def _fill(self, shape, generator):
        return generator.uniform(self.minval, self.maxval, shape)


def fans(shape):
    r"""Cuántas entradas tiene una neurona y a cuántas salidas llega cada entrada.

    En una capa densa son los lados de la matriz. En una convolución, cada salida mira una ventana de todos los canales
    de entrada, y cada entrada participa en las ventanas de todos los canales de salida; con el orden de Keras, ``(alto,
    ancho, canales de entrada, canales de salida)``:

    .. math::
       :label: ec-mlp-abanicos

       \begin{gathered}
       n_{\text{ent}} = \text{alto}\cdot\text{ancho}\cdot c_{\text{ent}},
       \\
       n_{\text{sal}} = \text{alto}\cdot\text{ancho}\cdot c_{\text{sal}} .
       \end{gathered}

    >>> fans((784, 128))
    (784, 128)
    >>> fans((5, 5, 3, 16))  # 25 · 3 y 25 · 16
    (75, 400)

    Parameters
    ----------
    shape : tuple of int
        La forma del peso.

    Returns
    -------
    fan_in, fan_out : int
        :math:`n_{\text{ent}}` y :math:`n_{\text{sal}}`; en un vector, su tamaño las dos veces, como en Keras.

    Raises
    ------
    TypeError, ValueError
        Si no es una tupla de enteros positivos.
    """
    shape = check.shape(shape, "shape")
    if len(shape) < 2:
        return (math.prod(shape),) * 2
    window = math.prod(shape[:-2])
    return window * shape[-2], window * shape[-1]  # [ec-mlp-abanicos]


class VarianceScaling(Initializer):
    r"""Pesos cuya varianza depende de cuántas entradas y salidas tiene la capa.

    ¿Cuánto debe valer :math:`\sigma`? Con pesos muy pequeños, la señal se encoge en cada capa y diez capas después casi
    no queda nada; con pesos muy grandes, crece, o satura las activaciones. Busquemos el valor que la deja como está.

    **Hacia delante.** Una preactivación es :math:`z=\sum_{j=1}^{n_{\text{ent}}}w_jx_j`. Los pesos, recién sorteados,
    tienen media cero y son independientes entre sí y de las entradas. La media de un producto de cosas independientes
    es el producto de las medias (:doc:`/introduccion/probabilidad`), así que cada :math:`w_jx_j` tiene media
    :math:`E[w_j]\,E[x_j]=0` y varianza :math:`E[w_j^2x_j^2]=\operatorname{Var}(w)\,E[x^2]`. Y dos productos
    distintos no están correlacionados: :math:`E[w_jx_j\,w_kx_k]=E[w_j]\,E[w_k]\,E[x_jx_k]=0`. Entonces sus varianzas
    se suman:

    .. math::
       :label: ed-mlp-varianza-adelante

       \operatorname{Var}(z) = n_{\text{ent}}\operatorname{Var}(w)\,E[x^2] .

    Con entradas de media cero, :math:`E[x^2]=\operatorname{Var}(x)`, y para que :math:`z` varíe tanto como :math:`x`
    hace falta :math:`\operatorname{Var}(w)=1/n_{\text{ent}}`. Es la regla de :cite:t:`lecun2012`.

    **Hacia atrás** pasa lo mismo con el error. El gradiente de una entrada suma lo que le cobra cada una de las
    :math:`n_{\text{sal}}` neuronas a las que llega, y no cambia de tamaño si
    :math:`\operatorname{Var}(w)=1/n_{\text{sal}}`. Las dos cosas a la vez solo caben si la capa es cuadrada.
    :cite:t:`glorot2010` toman el término medio, que es el de :class:`GlorotUniform`:

    .. math::
       :label: ed-mlp-glorot

       \begin{aligned}
       \operatorname{Var}(w) &= \frac{1}{\tfrac12(n_{\text{ent}}+n_{\text{sal}})}\\
       &= \frac{2}{n_{\text{ent}}+n_{\text{sal}}} .
       \end{aligned}

    **Con ReLU** la cuenta cambia. Si :math:`z` es simétrica alrededor del cero, la ReLU borra justo la mitad de sus
    cuadrados: :math:`E[\operatorname{relu}(z)^2]=\tfrac12E[z^2]`. La señal pierde la mitad de su cuadrado medio en cada
    capa, y hay que reponerla. Es la regla de :cite:t:`he2015`, la de :class:`HeNormal`:

    .. math::
       :label: ed-mlp-he

       \begin{gathered}
       n_{\text{ent}}\operatorname{Var}(w)\cdot\tfrac12 = 1\\
       \Longrightarrow\quad
       \operatorname{Var}(w) = \frac{2}{n_{\text{ent}}} .
       \end{gathered}

    Todas son la misma, con otra escala :math:`s` y otro :math:`n`:

    .. math::
       :label: ec-mlp-varianza

       \operatorname{Var}(w) = \frac sn .

    **Con qué forma.** Una uniforme en :math:`(-a,a)` tiene varianza :math:`a^2/3`, así que

    .. math::
       :label: ec-mlp-limite-uniforme

       a = \sqrt{\frac{3s}{n}} ;

    para Glorot, :math:`\sqrt{6/(n_{\text{ent}}+n_{\text{sal}})}`. La normal va sin extremos: lo que cae a más de
    dos desviaciones se vuelve a sortear, y eso encoge su varianza. ¿Cuánto? La densidad de :math:`\mathcal N(0,1)`,
    :math:`\phi`, cumple :math:`\phi'(x)=-x\,\phi(x)`. Integrando por partes :math:`x\cdot x\,\phi(x)` sale
    :math:`\int_{-2}^{2}x^2\phi=\int_{-2}^{2}\phi-4\phi(2)`. Al dividir entre la probabilidad de no salirse,

    .. math::
       :label: ec-mlp-normal-truncada

       \begin{gathered}
       c^2 = 1-\frac{4\,\phi(2)}{\int_{-2}^{2}\phi(x)\,dx},
       \\
       \sigma = \frac1c\sqrt{\frac sn} .
       \end{gathered}

    **A mano.** Diez capas de 512 ReLU, y lo que queda de una señal cuyo cuadrado medio era 1. Con una desviación
    pequeña se apaga; con una grande, estalla. Con Glorot se parte a la mitad en cada capa,
    :math:`2^{-10}\approx 0.001`. Con He llega viva:

    >>> def signal(initializer, layers=10, width=512):
    ...     generator = np.random.default_rng(0)
    ...     x = generator.standard_normal((200, width))
    ...     for _ in range(layers):
    ...         x = np.maximum(
    ...             0, x @ initializer((width, width), "float64", generator)
    ...         )
    ...     return (x**2).mean()
    >>> small, large = RandomNormal(0, 0.02), RandomNormal(0, 0.1)
    >>> for initializer in (small, large, GlorotUniform(), HeNormal()):
    ...     print(f"{signal(initializer):8.1g}   {initializer}")
       1e-10   RandomNormal(mean=0.0, stddev=0.02, seed=None)
       1e+04   RandomNormal(mean=0.0, stddev=0.1, seed=None)
       0.001   GlorotUniform(seed=None)
         0.9   HeNormal(seed=None)

    Y el factor :math:`c` de la normal sin extremos, que Keras lleva escrito como constante:

    >>> TRUNCATED_STDDEV
    0.8796256610342398

    Parameters
    ----------
    scale : float
        La escala :math:`s`, mayor que cero.
    mode : {"fan_in", "fan_out", "fan_avg"}
        Qué es :math:`n`: las entradas, las salidas o el promedio.
    distribution : {"truncated_normal", "untruncated_normal", "uniform"}
        La forma.
    seed : int or numpy.random.Generator, optional
        La semilla.
    """

    def __init__(self, scale=1.0, mode="fan_in", distribution="truncated_normal", seed=None):
        self.scale = check.number(scale, "scale", 0, open_low=True)
        self.mode = check.choice(mode, "mode", ["fan_in", "fan_out", "fan_avg"])
        # Como en Keras, la que se llama solo normal no tiene extremos.
        self.distribution = check.choice(distribution, "distribution", [*DISTRIBUTIONS, "normal"])
        if self.distribution == "normal":
            self.distribution = "truncated_normal"
        self.seed = seed

    def _fill(self, shape, generator):
        fan_in, fan_out = fans(shape)
        n = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}[self.mode]
        variance = self.scale / n  # [ec-mlp-varianza]
        if self.distribution == "uniform":
            limit = math.sqrt(3 * variance)  # [ec-mlp-limite-uniforme]
            return generator.uniform(-limit, limit, shape)
        if self.distribution == "untruncated_normal":
            return math.sqrt(variance) * generator.standard_normal(shape)
        return math.sqrt(variance) / TRUNCATED_STDDEV * _truncated(shape, generator)  # [ec-mlp-normal-truncada]


def plain_variance_scaling(shape, scale, mode, distribution, seed):
    r"""Una varianza, y la forma que se pida."""
    generator = np.random.default_rng(seed)
    n_in, n_out = fans(shape)
    n = {"fan_in": n_in, "fan_out": n_out}.get(mode, (n_in + n_out) / 2)
    variance = scale / n  # [ec-mlp-varianza]
    if distribution == "uniform":
        limit = math.sqrt(3 * variance)  # [ec-mlp-limite-uniforme]
        return generator.uniform(-limit, limit, shape)
    x = generator.standard_normal(shape)
    if distribution == "untruncated_normal":
        return math.sqrt(variance) * x
    while (outside := abs(x) > 2).any():
        x[outside] = generator.standard_normal(outside.sum())
    c = TRUNCATED_STDDEV
    return math.sqrt(variance) / c * x  # [ec-mlp-normal-truncada]


class GlorotUniform(VarianceScaling):
    r"""Uniforme de Glorot, la que Keras usa si no dices nada: :math:`s=1` y :math:`n` el promedio, :eq:`ed-mlp-glorot`.

    Esa cuenta no lleva activación, así que conviene a la tangente, que cerca del cero es casi la identidad.

    **A mano.** En la capa de 784 a 128, :math:`a=\sqrt{6/912}=0.0811`:

    >>> w = GlorotUniform()((784, 128), seed=0)
    >>> round(math.sqrt(6 / 912), 4), round(float(abs(w).max()), 4)
    (0.0811, 0.0811)

    Parameters
    ----------
    seed : int or numpy.random.Generator, optional
        La semilla.
    """

    def __init__(self, seed=None):
        super().__init__(1.0, "fan_avg", "uniform", seed)


class GlorotNormal(VarianceScaling):
    r"""Normal de Glorot: la misma varianza que :class:`GlorotUniform`, con forma de campana sin extremos.

    >>> w = GlorotNormal()((784, 128), dtype="float64", seed=0)
    >>> round(float(w.var()) * 912 / 2, 1)  # 1 si Var(w) = 2/912
    1.0

    Parameters
    ----------
    seed : int or numpy.random.Generator, optional
        La semilla.
    """

    def __init__(self, seed=None):
        super().__init__(1.0, "fan_avg", "truncated_normal", seed)


class HeNormal(VarianceScaling):
    r"""Normal de He: :math:`s=2` y :math:`n` las entradas, :eq:`ed-mlp-he`. Para redes con ReLU.

    >>> w = HeNormal()((784, 128), dtype="float64", seed=0)
    >>> round(float(w.var()) * 784 / 2, 1)  # 1 si Var(w) = 2/784
    1.0

    Parameters
    ----------
    seed : int or numpy.random.Generator, optional
        La semilla.
    """

    def __init__(self, seed=None):
        super().__init__(2.0, "fan_in", "truncated_normal", seed)


class HeUniform(VarianceScaling):
    r"""Uniforme de He: la misma varianza que :class:`HeNormal`, repartida por igual.

    >>> w = HeUniform()((784, 128), seed=0)
    >>> round(float(abs(w).max()), 3), round(math.sqrt(6 / 784), 3)
    (0.087, 0.087)

    Parameters
    ----------
    seed : int or numpy.random.Generator, optional
        La semilla.
    """

    def __init__(self, seed=None):
        super().__init__(2.0, "fan_in", "uniform", seed)


class LecunNormal(VarianceScaling):
    r"""Normal de LeCun: :math:`s=1` y :math:`n` las entradas. Conserva la señal hacia delante y no mira hacia atrás.

    >>> w = LecunNormal()((784, 128), dtype="float64", seed=0)
    >>> round(float(w.var()) * 784, 1)  # 1 si Var(w) = 1/784
    1.0

    Parameters
    ----------
    seed : int or numpy.random.Generator, optional
        La semilla.
    """

    def __init__(self, seed=None):
        super().__init__(1.0, "fan_in", "truncated_normal", seed)


class LecunUniform(VarianceScaling):
    r"""Uniforme de LeCun: la misma varianza que :class:`LecunNormal`, repartida por igual.

    >>> w = LecunUniform()((784, 128), seed=0)
    >>> round(float(abs(w).max()), 3), round(math.sqrt(3 / 784), 3)
    (0.062, 0.062)

    Parameters
    ----------
    seed : int or numpy.random.Generator, optional
        La semilla.
    """

    def __init__(self, seed=None):
        super().__init__(1.0, "fan_in", "uniform", seed)


class Orthogonal(Initializer):
    r"""Matriz ortogonal al azar: gira la señal sin estirarla.

    Las reglas de Glorot y de He conservan el tamaño de la señal *en promedio*. Una matriz ortogonal cuadrada conserva
    el de cada vector, porque :math:`\mathbf Q^\top\mathbf Q=\mathbf I` y entonces :cite:p:`saxe2014`

    .. math::
       :label: ed-mlp-ortogonal

       \lVert\mathbf Q\mathbf x\rVert^2 = \mathbf x^\top\mathbf Q^\top\mathbf Q\,\mathbf x = \lVert\mathbf x\rVert^2 .

    Importa sobre todo en las redes recurrentes, que multiplican por la misma matriz en cada instante.

    **De dónde sale.** Se llena una matriz con normales y se descompone en una ortogonal por una triangular,
    :math:`\mathbf A=\mathbf Q\mathbf R`. La descomposición no es única, porque se puede cambiar el signo de una columna
    de :math:`\mathbf Q` y de la fila correspondiente de :math:`\mathbf R`. Se escoge la que deja positiva la diagonal
    de :math:`\mathbf R`:

    .. math::
       :label: ec-mlp-ortogonal-signos

       \mathbf Q \leftarrow \mathbf Q\,\operatorname{diag}\bigl(\operatorname{signo} R_{11},\dots,\operatorname{signo}
       R_{mm}\bigr).

    Sin ese paso, los signos dependerían del programa que descompone y no todas las rotaciones serían igual de
    probables.

    **A mano.** Sus columnas son perpendiculares y miden 1, y cien multiplicaciones no cambian el tamaño:

    >>> q = Orthogonal()((4, 4), dtype="float64", seed=0)
    >>> bool(np.allclose(q.T @ q, np.eye(4)))
    True
    >>> turned = np.linalg.matrix_power(q, 100) @ [3.0, 0.0, 4.0, 0.0]
    >>> round(float(np.linalg.norm(turned)), 10)
    5.0

    Parameters
    ----------
    gain : float
        Número por el que se multiplica.
    seed : int or numpy.random.Generator, optional
        La semilla.

    Notes
    -----
    Con más de dos ejes, los primeros se juntan, como en Keras. Si no es cuadrada, son perpendiculares las columnas o
    las filas: las que sean menos.
    """

    def __init__(self, gain=1.0, seed=None):
        self.gain = check.number(gain, "gain")
        self.seed = seed

    def _fill(self, shape, generator):
        if len(shape) < 2:
            raise ValueError(f"shape: se esperaban al menos dos ejes, pero llegó {shape}")
        rows, columns = math.prod(shape[:-1]), shape[-1]
        size = max(rows, columns), min(rows, columns)
        q, r = np.linalg.qr(generator.standard_normal(size))
        q *= np.sign(np.diag(r))  # [ec-mlp-ortogonal-signos]
        return self.gain * (q if rows >= columns else q.T).reshape(shape)


CLASSES = (
    Constant,
    GlorotNormal,
    GlorotUniform,
    HeNormal,
    HeUniform,
    Identity,
    LecunNormal,
    LecunUniform,
    Ones,
    Orthogonal,
    RandomNormal,
    RandomUniform,
    TruncatedNormal,
    VarianceScaling,
    Zeros,
)
NAMES = {registry.snake_case(c.__name__): c for c in CLASSES}
# Los que Keras llama además de otro modo.
IdentityInitializer, OrthogonalInitializer = Identity, Orthogonal
ALIASES = {
    "normal": RandomNormal,
    "uniform": RandomUniform,
    "zero": Zeros,
    "one": Ones,
    "IdentityInitializer": Identity,
    "OrthogonalInitializer": Orthogonal,
}
# Y con los que los llama como si fueran funciones: ``he_normal()``.
constant, zeros, ones, identity, orthogonal = Constant, Zeros, Ones, Identity, Orthogonal
random_normal, random_uniform, truncated_normal = RandomNormal, RandomUniform, TruncatedNormal
variance_scaling, glorot_normal, glorot_uniform = VarianceScaling, GlorotNormal, GlorotUniform
he_normal, he_uniform, lecun_normal, lecun_uniform = HeNormal, HeUniform, LecunNormal, LecunUniform


class FunctionInitializer(Initializer):
    r"""Una función de quien lee, que recibe la forma y el tipo, hecha inicializador.

    Su azar es asunto suyo: la semilla de la capa no le llega. Y un modelo que la use no se puede guardar.

    >>> def small(shape, dtype=None):
    ...     return np.full(shape, 0.01, dtype)
    >>> get(small)((2,))
    array([0.01, 0.01], dtype=float32)

    Parameters
    ----------
    function : callable
        Recibe ``shape`` y ``dtype``, como en Keras.
    """

    def __init__(self, function):
        try:
            inspect.signature(function).bind((1,), dtype="float32")
        except TypeError:
            raise TypeError(
                f"initializer: se esperaba una función f(shape, dtype=None), pero llegó {function!r:.60}"
            ) from None
        # De las que no están escritas en Python no siempre se sabe.
        except ValueError:
            pass
        self.function = function

    def __call__(self, shape, dtype="float32", seed=None):
        r"""Le pide el arreglo a la función."""
        return self.function(shape, dtype=dtype)

    def get_config(self):
        r"""Se niega: una función no cabe en un archivo."""
        name = getattr(self.function, "__name__", self.function)
        raise TypeError(
            f"no se sabe guardar la función {name!r}, que inicia unos pesos; "
            "escribe una clase que herede de Initializer"
        )


def get(initializer):
    r"""Encuentra un inicializador por su nombre.

    >>> get("glorot_uniform")
    GlorotUniform(seed=None)
    >>> get("normal")
    RandomNormal(mean=0.0, stddev=0.05, seed=None)
    >>> get(HeNormal(seed=1))
    HeNormal(seed=1)
    >>> get({"class_name": "HeNormal", "config": {"seed": 1}})
    HeNormal(seed=1)

    Parameters
    ----------
    initializer : str, Initializer, type, dict or callable
        El nombre de Keras, ``"he_normal"`` o ``"HeNormal"``; el propio objeto o su clase; el diccionario con que Keras
        lo describe; o una función ``f(shape, dtype=None)`` que da los números.

    Returns
    -------
    Initializer

    Raises
    ------
    ValueError
        Si el nombre no existe.
    """
    if isinstance(initializer, Initializer):
        return initializer
    if isinstance(initializer, type) and issubclass(initializer, Initializer):
        return initializer()
    if isinstance(initializer, dict) and isinstance(initializer.get("config"), dict) and "class_name" in initializer:
        name = type(get(initializer["class_name"])).__name__
        return objects.rebuild({"initializer": name, "config": initializer["config"]})
    if callable(initializer) and not isinstance(initializer, type):
        return FunctionInitializer(initializer)
    names = NAMES | ALIASES | {c.__name__: c for c in CLASSES}
    if isinstance(initializer, str) and initializer in names:
        return names[initializer]()
    return NAMES[check.choice(initializer, "initializer", list(NAMES))]()
