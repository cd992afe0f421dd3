r"""El bloque que escribe: cada posición mira las anteriores y, si la hay, la frase del codificador."""

from chapters.attention.blocks.transformer_block import TransformerBlock


class TransformerDecoder(TransformerBlock):
    r"""El bloque decodificador (*decoder block*) de un transformer, con los argumentos de KerasHub.

    Se usa de dos maneras, y la primera llamada decide cuál. Con **una** secuencia es el bloque de un GPT: la atención
    sobre sí misma, en la que cada posición mira solo las anteriores y a sí misma, y la red de en medio. Con **dos**,
    entre una y otra hay además una **atención cruzada** (*cross-attention*): preguntan las posiciones de la secuencia
    propia, :math:`\mathbf Y`, y responden las del codificador, :math:`\mathbf M`:

    .. math::
       :label: ed-att-cruzada

       \mathbf Q=\mathbf Y\mathbf W_q,
       \qquad
       \mathbf K=\mathbf M\mathbf W_k,
       \qquad
       \mathbf V=\mathbf M\mathbf W_v .

    Si :math:`\mathbf Y` tiene :math:`T` filas y :math:`\mathbf M` tiene :math:`S`, los pesos son una tabla de
    :math:`T\times S`. De regreso, lo que llega a :math:`\mathbf Q` va a :math:`\mathbf Y`, y lo que llega a
    :math:`\mathbf K` y a :math:`\mathbf V` va a :math:`\mathbf M`:

    .. math::
       :label: ed-att-cruzada-atras

       \frac{\partial\mathcal L}{\partial\mathbf M}
       =\frac{\partial\mathcal L}{\partial\mathbf K}\mathbf W_k^\top
       +\frac{\partial\mathcal L}{\partial\mathbf V}\mathbf W_v^\top .

    Por ahí aprende el codificador. Si sus vectores alimentan a varios bloques, los gradientes de todos se suman.

    **Nadie ve el futuro.** Al cambiar la última posición, las de antes no se enteran:

    >>> import numpy as np
    >>> block = TransformerDecoder(8, 2, seed=0, dtype="float64")
    >>> x = np.random.default_rng(0).normal(size=(1, 4, 6))
    >>> other = x.copy()
    >>> other[0, 3] += 1
    >>> a, b = block.forward(x), block.forward(other)
    >>> (a[0] == b[0]).all(axis=1)
    array([ True,  True,  True, False])

    Con dos secuencias, y vectores de :math:`d` números en las dos, a los :math:`12d^2+13d` parámetros se suman los de
    otra atención y otra normalización: :math:`16d^2+19d`.

    >>> block, d = TransformerDecoder(4 * 48, 4), 48
    >>> block.build([(None, d), (None, d)])
    >>> block.count_params() == 16 * d**2 + 19 * d
    True

    Parameters
    ----------
    intermediate_dim : int
        Cuántas neuronas tiene la capa oculta de en medio.
    num_heads : int
        Cuántas cabezas tiene cada atención.
    dropout : float
        La fracción que se apaga al entrenar, en las atenciones y en lo que se suma.
    activation : str or ActivationFunction
        La activación de la red de en medio.
    layer_norm_epsilon : float
        El número :math:`\varepsilon` de las normalizaciones.
    kernel_initializer, bias_initializer : str or Initializer
        Con qué valores empiezan los pesos y los sesgos.
    normalize_first : bool
        Si se normaliza antes de cada subcapa, como GPT-2, o después de cada suma.
    **options
        ``dtype``, ``seed``, ``name`` y ``trainable``, como en :class:`chapters.mlp.Layer`.

    Raises
    ------
    TypeError, ValueError
        Si un argumento no sirve, si hay más cabezas que números por posición, si llegan dos secuencias a un bloque
        que se construyó para una, o si llega una máscara del codificador sin su secuencia.

        >>> one = TransformerDecoder(8, 2)
        >>> y = one.forward(np.ones((1, 3, 4)))
        >>> y = one.forward(np.ones((1, 3, 4)), np.ones((1, 2, 4)))
        Traceback (most recent call last):
            ...
        ValueError: transformer_decoder: se construyó para una sola secuencia, pero llegaron dos
    """

    apart = True
    mask_names = "decoder_padding_mask", "encoder_padding_mask"

    @property
    def parts(self):
        r"""Las subcapas que hay, en el orden en que se recorren."""
        return ("self_attention", *(["cross_attention"] if self.several else []), "feedforward")

    @property
    def order(self):
        r"""Los nombres de las capas de dentro, en el orden de KerasHub."""
        attentions = [f"{part}_{name}" for part in self.parts[:-1] for name in ("layer", "layer_norm", "dropout")]
        rest = "intermediate_dense", "output_dense", "layer_norm", "dropout"
        return (*attentions, *(f"feedforward_{name}" for name in rest))

    def build(self, input_shape):
        r"""Crea las capas de dentro; con dos formas, en una lista, también la atención cruzada."""
        self._count(input_shape)
        super().build(input_shape)

    def compute_output_shape(self, input_shape):
        r"""Devuelve la forma de la secuencia propia."""
        self._count(input_shape)
        return super().compute_output_shape(input_shape)

    def record(self, arguments, options):
        r"""Apunta una llamada con valores simbólicos, uno o dos."""
        self._receive(len(arguments) > 1)
        return super().record(arguments, options)

    def compute_mask(self, inputs, previous_mask=None):
        r"""Da la máscara de lo que sale, que es la de la secuencia propia."""
        return previous_mask[0] if isinstance(previous_mask, (list, tuple)) else previous_mask

    def _count(self, input_shape):
        if not self.built and isinstance(input_shape, (list, tuple)):
            self._receive(len(input_shape) == 2 and all(isinstance(shape, (list, tuple)) for shape in input_shape))

    def _receive(self, two):
        if self.built and two != self.several:
            wanted, came = ("dos secuencias", "llegó una") if self.several else ("una sola secuencia", "llegaron dos")
            raise ValueError(f"{self.name}: se construyó para {wanted}, pero {came}")
        self.several = two

    def forward(
        self,
        decoder_sequence,
        encoder_sequence=None,
        decoder_padding_mask=None,
        decoder_attention_mask=None,
        encoder_padding_mask=None,
        encoder_attention_mask=None,
        use_causal_mask=True,
        training=False,
    ):
        r"""Pasa la secuencia propia por las subcapas.

        Parameters
        ----------
        decoder_sequence : array_like, shape (n, T, d)
            La secuencia propia.
        encoder_sequence : array_like, shape (n, S, d'), optional
            La del codificador.
        decoder_padding_mask : array_like of bool, shape (n, T), optional
            Qué posiciones de la propia se pueden mirar; en un modelo con máscara llega sola.
        decoder_attention_mask : array_like of bool, shape (n, T, T), optional
            Quién puede mirar a quién en la propia.
        encoder_padding_mask : array_like of bool, shape (n, S), optional
            Qué posiciones de la del codificador se pueden mirar; también llega sola.
        encoder_attention_mask : array_like of bool, shape (n, T, S), optional
            Quién puede mirar a quién en la atención cruzada.
        use_causal_mask : bool
            Si cada posición de la propia mira solo las anteriores y a sí misma.
        training : bool
            Si se está entrenando.

        Returns
        -------
        ndarray, shape (n, T, d)
        """
        if isinstance(encoder_sequence, bool):
            # Otra capa, como Residual, puede dar ahí si se está entrenando.
            encoder_sequence, training = None, encoder_sequence
        two = encoder_sequence is not None
        self._receive(two)
        masks = {"encoder_padding_mask": encoder_padding_mask, "encoder_attention_mask": encoder_attention_mask}
        for name, mask in masks.items():
            if mask is not None and not two:
                raise ValueError(f"{self.name}, {name}: sin encoder_sequence se esperaba None, pero llegó una máscara")
        self.x = self.ready([decoder_sequence, encoder_sequence] if two else decoder_sequence)
        x, memory = self.x if two else (self.x, None)
        seen = self._checked_mask("decoder_padding_mask", decoder_padding_mask, x)
        itself = {"value_mask": seen, "attention_mask": decoder_attention_mask}
        itself |= {"use_causal_mask": use_causal_mask, "training": training}
        attention = self.self_attention_layer
        y = self._through("self_attention", x, lambda x: attention.forward(x, x, **itself), training)
        if two:
            seen = self._checked_mask("encoder_padding_mask", encoder_padding_mask, memory)
            other = {"value_mask": seen, "attention_mask": encoder_attention_mask}
            cross = self.cross_attention_layer
            y = self._through(
                "cross_attention", y, lambda y: cross.forward(y, memory, **other, training=training), training
            )
        self.y = self._through("feedforward", y, self._feed, training)
        return self.y

    def backward(self, dy):
        r"""Recorre las subcapas al revés; con dos secuencias, devuelve una lista con los dos gradientes."""
        dy = self._back("feedforward", self.output_gradient(dy), self._feed_back)
        found = []
        if self.several:

            def cross(dy):
                dy, dmemory = self.cross_attention_layer.backward(dy)
                found.append(dmemory)
                return dy

            dy = self._back("cross_attention", dy, cross)
        dx = self._back("self_attention", dy, self.self_attention_layer.backward_to_itself)
        return [dx, *found] if self.several else dx
