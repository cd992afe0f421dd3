r"""Lo que comparten los bloques de un transformer: cada subcapa le suma algo a la corriente."""

from chapters.attention.blocks.layer_normalization import LayerNormalization
from chapters.attention.scores.multi_head_attention import MultiHeadAttention
from chapters.mlp import activations, initializers
from chapters.mlp.dense import Dense
from chapters.mlp.dropout import Dropout
from chapters.mlp.layer import Layer, text_of_shape
from dlbook import check
from dlbook.numeric.elementwise import add
from dlbook.numeric.recording import perform
from dlbook.several import each


class TransformerBlock(Layer):
    r"""Lo que comparten :class:`TransformerEncoder` y :class:`TransformerDecoder`: una fila de subcapas que suman.

    Por el bloque pasa una **corriente** (*residual stream*): un vector por posición, siempre de los mismos :math:`d`
    números. Cada subcapa :math:`F` lee la corriente, calcula un cambio y se lo suma. La normalización puede ir en la
    lectura, antes de :math:`F` (``normalize_first=True``), o sobre la suma:

    .. math::
       :label: ec-att-bloque-antes

       \text{antes:}\quad \mathbf Y=\mathbf X+F\bigl(\operatorname{LN}(\mathbf X)\bigr),

    .. math::
       :label: ec-att-bloque-despues

       \text{después:}\quad \mathbf Y=\operatorname{LN}\bigl(\mathbf X+F(\mathbf X)\bigr) .

    **Hacia atrás.** En los dos casos hay una suma, y en una suma el gradiente pasa entero por los dos sumandos. Sea
    :math:`\mathbf G` el gradiente de :math:`\mathbf Y`, y :math:`\mathbf J_F^\top` y :math:`\mathbf J_N^\top` lo que
    hacen el ``backward`` de :math:`F` y el de la normalización:

    .. math::
       :label: ec-att-bloque-atras

       \begin{aligned}
       \text{antes:}&\quad
       \frac{\partial\mathcal L}{\partial\mathbf X}=\mathbf G+\mathbf J_N^\top\mathbf J_F^\top\,\mathbf G,
       \\
       \text{después:}&\quad
       \frac{\partial\mathcal L}{\partial\mathbf X}=\mathbf S+\mathbf J_F^\top\mathbf S,
       \quad
       \mathbf S=\mathbf J_N^\top\mathbf G .
       \end{aligned}

    Con la normalización antes, el primer sumando es :math:`\mathbf G` intacto: la corriente es una autopista. Después,
    todo el gradiente cruza la normalización, una vez por subcapa.

    **La red de en medio** (*feed-forward*). La atención mezcla posiciones. La otra subcapa no: toma el vector de cada
    posición por separado y lo pasa por una red de una capa oculta, la misma en todas,

    .. math::
       :label: ed-att-bloque-red

       F(\mathbf X)=\varphi(\mathbf X\mathbf W_1+\mathbf b_1)\,\mathbf W_2+\mathbf b_2 .

    Si además hay *dropout*, se aplica a lo que cada subcapa va a sumar.

    Parameters
    ----------
    intermediate_dim : int
        Cuántas neuronas tiene la capa oculta de en medio.
    num_heads : int
        Cuántas cabezas tiene la atención. Cada una es de :math:`\lfloor d/H\rfloor` números.
    dropout : float
        La fracción que se apaga al entrenar, en la atención y en lo que se suma.
    activation : str or ActivationFunction
        La activación :math:`\varphi`.
    layer_norm_epsilon : float
        El número :math:`\varepsilon` de las normalizaciones.
    kernel_initializer, bias_initializer : str or Initializer
        Con qué valores empiezan los pesos y los sesgos.
    normalize_first : bool
        Si se normaliza antes de cada subcapa, como GPT-2, o después de cada suma, como BERT.
    **options
        ``dtype``, ``seed``, ``name`` y ``trainable``, como en :class:`chapters.mlp.Layer`.

    Raises
    ------
    TypeError, ValueError
        Si un argumento no es del tipo o del intervalo que se espera, o si hay más cabezas que números por posición.
    """

    any_size = supports_masking = True
    # Las subcapas, en el orden en que se recorren.
    parts = "self_attention", "feedforward"

    def __init__(
        self,
        intermediate_dim,
        num_heads,
        dropout=0,
        activation="relu",
        layer_norm_epsilon=1e-05,
        kernel_initializer="glorot_uniform",
        bias_initializer="zeros",
        normalize_first=False,
        **options,
    ):
        super().__init__(**options)
        self.intermediate_dim = check.integer(intermediate_dim, "intermediate_dim", 1)
        self.num_heads = check.integer(num_heads, "num_heads", 1)
        self.dropout = check.number(dropout, "dropout", 0, 1)
        self.activation = activations.get(activation)
        self.layer_norm_epsilon = check.number(layer_norm_epsilon, "layer_norm_epsilon", 0, open_low=True)
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.normalize_first = check.boolean(normalize_first, "normalize_first")

    random = property(lambda self: self.dropout > 0, doc="Si sortea, que es cuando hay *dropout*.")

    def configured(self, name, value):
        r"""Da lo que se guarda al asignar un argumento; si ya hay capas por dentro, se lo dice a ellas."""
        value = super().configured(name, value)
        for layer in self.layers:
            if name == "dropout" and isinstance(layer, Dropout):
                layer.rate = value
            elif name == "dropout" and isinstance(layer, MultiHeadAttention):
                layer.dropout = value
            elif name == "layer_norm_epsilon" and isinstance(layer, LayerNormalization):
                layer.epsilon = value
        if name == "activation" and self.layers:
            self.feedforward_intermediate_dense.activation = value
        return value

    def build(self, input_shape):
        r"""Crea las capas de dentro, todas para vectores del mismo tamaño."""
        shapes = each(self.checked_shape(input_shape))
        width = shapes[0][-1]
        inits = {"kernel_initializer": self.kernel_initializer, "bias_initializer": self.bias_initializer}
        inner = {}
        for part in self.parts:
            if part == "feedforward":
                inner["feedforward_intermediate_dense"] = Dense(self.intermediate_dim, self.activation, **inits)
                inner["feedforward_output_dense"] = Dense(width, **inits)
            else:
                heads = self.num_heads, width // self.num_heads
                inner[f"{part}_layer"] = MultiHeadAttention(*heads, dropout=self.dropout, **inits)
            inner[f"{part}_layer_norm"] = LayerNormalization(epsilon=self.layer_norm_epsilon)
            inner[f"{part}_dropout"] = Dropout(self.dropout)
        super().build(input_shape)
        for name in self.order:
            layer = inner[name]
            setattr(self, name, layer)
            self.layers.append(layer)
            layer.name = name
            layer.inherit(self)
            if name == "cross_attention_layer":
                layer.build_inside(shapes)
            elif isinstance(layer, MultiHeadAttention):
                layer.build_inside([shapes[0], shapes[0]])
            elif name == "feedforward_output_dense":
                layer.build_inside((*shapes[0][:-1], self.intermediate_dim))
            else:
                layer.build_inside(shapes[0])

    @property
    def inner_folders(self):
        r"""Las carpetas de las capas de dentro en un archivo, con los nombres de KerasHub."""
        return tuple(f"_{name}" for name in self.order)

    def checked_shape(self, input_shape):
        r"""Comprueba que lleguen secuencias de vectores, y que haya números para todas las cabezas."""
        shapes = super().checked_shape(input_shape)
        for shape in each(shapes):
            if len(shape) != 2 or shape[-1] is None:
                raise ValueError(
                    f"{self.name}: se esperaba la forma (n, T, d), de secuencias de vectores, pero llegó "
                    f"{text_of_shape(shape)}"
                )
        width = each(shapes)[0][-1]
        if width < self.num_heads:
            raise ValueError(
                f"{self.name}: se esperaba un número por cabeza, {self.num_heads}, o más, pero llegó "
                f"{text_of_shape(each(shapes)[0])}"
            )
        return shapes

    def compute_output_shape(self, input_shape):
        r"""Devuelve la forma de la entrada; si son dos, la de la primera."""
        return each(self.checked_shape(input_shape))[0]

    def work(self):
        r"""Cuenta un producto por peso y por posición, y dos por número y por par de posiciones."""
        shapes = each(self.current_shape or (1, 1))
        steps, width = shapes[0]
        sources = sum(shape[0] for shape in shapes)
        return max(shape[0] for shape in shapes) * self.count_params() + 2 * steps * sources * width

    # --- Una subcapa, y la corriente ---

    def _checked_mask(self, name, mask, x):
        # Por dentro se llama de otra manera: se comprueba aquí, con el nombre que le puso quien la da.
        return None if mask is None else check.mask(mask, name, x.shape[:2])

    def _through(self, part, x, run, training):
        # Lee la corriente, calcula el cambio y lo suma.
        norm, dropout = getattr(self, f"{part}_layer_norm"), getattr(self, f"{part}_dropout")
        read = norm.forward(x, training) if self.normalize_first else x
        change = perform(dropout.forward, run(read), training)
        # Al entrenar, la suma va donde estaba el cambio, que nadie más mira.
        y = change if self.reuse else self.buffer(part, x.shape)
        add(x, change, y)  # [ec-att-bloque-antes]
        return y if self.normalize_first else norm.forward(y, training)  # [ec-att-bloque-despues]

    def _back(self, part, dy, run):
        norm, dropout = getattr(self, f"{part}_layer_norm"), getattr(self, f"{part}_dropout")
        dsum = dy if self.normalize_first else norm.backward(dy)
        dbranch = run(dropout.backward(dsum))
        dbranch = norm.backward(dbranch) if self.normalize_first else dbranch
        add(dsum, dbranch, dbranch)  # [ec-att-bloque-atras]
        return dbranch

    def _feed(self, x):
        hidden = self.feedforward_intermediate_dense.forward(x)
        return self.feedforward_output_dense.forward(hidden)

    def _feed_back(self, dy):
        return self.feedforward_intermediate_dense.backward(self.feedforward_output_dense.backward(dy))


def plain_transformer_block(x, dy, sublayer, norm, normalize_first):
    r"""Una subcapa, de ida y de vuelta: lee la corriente y le suma."""
    if normalize_first:
        change = sublayer.forward(norm.forward(x))
        y = x + change  # [ec-att-bloque-antes]
        dchange = norm.backward(sublayer.backward(dy))
        dx = dy + dchange  # [ec-att-bloque-atras]
    else:
        y = norm.forward(x + sublayer.forward(x))  # [ec-att-bloque-despues]
        ds = norm.backward(dy)
        dx = ds + sublayer.backward(ds)  # [ec-att-bloque-atras]
    return y, dx
