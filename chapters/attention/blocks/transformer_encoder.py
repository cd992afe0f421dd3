r"""El bloque que lee: todas las posiciones se miran entre sí."""

from chapters.attention.blocks.transformer_block import TransformerBlock


class TransformerEncoder(TransformerBlock):
    r"""El bloque codificador (*encoder block*) de un transformer, con los argumentos de KerasHub.

    Tiene dos subcapas :cite:p:`vaswani2017`: una atención de varias cabezas, en la que cada posición mira a todas, y
    una red de en medio, que trabaja en cada posición por separado. Alrededor de cada una, una suma y una normalización:
    :eq:`ec-att-bloque-antes` o :eq:`ec-att-bloque-despues`.

    **Cuántos parámetros.** Con vectores de :math:`d` números, cabezas de :math:`d/H` y :math:`4d` neuronas en medio,
    la atención tiene cuatro proyecciones de :math:`d\times d` con sesgo; la red, :math:`d\times4d` y
    :math:`4d\times d`; y cada normalización, :math:`2d`:

    .. math::
       :label: ed-att-bloque-parametros

       \begin{aligned}
       &\underbrace{4(d^2+d)}_{\text{atención}}
       +\underbrace{(4d^2+4d)+(4d^2+d)}_{\text{red de en medio}}
       +\underbrace{2\cdot2d}_{\text{normalizaciones}}
       \\
       &\quad=12d^2+13d .
       \end{aligned}

    Ni el número de cabezas ni el largo de la frase aparecen.

    >>> d = 48
    >>> for heads in (1, 4):
    ...     block = TransformerEncoder(4 * d, heads)
    ...     block.build((None, d))
    ...     print(block.count_params() == 12 * d**2 + 13 * d)
    True
    True

    **A mano.** Un bloque que todavía no sabe qué hacer suma ceros. Con la normalización antes, la corriente pasa
    intacta, y el gradiente, de regreso, también:

    >>> block = TransformerEncoder(8, 2, normalize_first=True, dtype="float64")
    >>> block.build((None, 4))
    >>> for layer in block.layers:
    ...     layer.set_weights([0 * w for w in layer.get_weights()])
    >>> import numpy as np
    >>> x = np.array([[[1.0, 2.0, 3.0, 4.0], [0.0, -1.0, 5.0, 2.0]]])
    >>> (block.forward(x) == x).all(), (block.backward(x) == x).all()
    (np.True_, np.True_)

    Parameters
    ----------
    intermediate_dim : int
        Cuántas neuronas tiene la capa oculta de en medio.
    num_heads : int
        Cuántas cabezas tiene la atención.
    dropout : float
        La fracción que se apaga al entrenar, en la atención y en lo que se suma.
    activation : str or ActivationFunction
        La activación de la red de en medio.
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
        Si un argumento no sirve, o si hay más cabezas que números por posición.

        >>> TransformerEncoder(8, 5).build((None, 4))
        Traceback (most recent call last):
            ...
        ValueError: transformer_encoder: se esperaba un número por cabeza, 5, o más, pero llegó (n, ?, 4)
    """

    mask_names = ("padding_mask",)
    order = (
        "self_attention_layer",
        "self_attention_layer_norm",
        "self_attention_dropout",
        "feedforward_layer_norm",
        "feedforward_intermediate_dense",
        "feedforward_output_dense",
        "feedforward_dropout",
    )

    def shapes_after(self, input_shape, options):
        r"""Da la forma de lo que sale de una llamada: con ``return_attention_scores``, también la de los pesos."""
        shape = self.compute_output_shape(input_shape)
        scores = (self.num_heads, shape[0], shape[0])
        return [shape, scores] if options.get("return_attention_scores") else shape

    def forward(self, x, training=False, padding_mask=None, attention_mask=None, return_attention_scores=False):
        r"""Pasa las secuencias por las dos subcapas.

        Parameters
        ----------
        x : array_like, shape (n, T, d)
            Las secuencias.
        training : bool
            Si se está entrenando.
        padding_mask : array_like of bool, shape (n, T), optional
            Qué posiciones se pueden mirar; en un modelo con máscara llega sola.
        attention_mask : array_like of bool, shape (n, T, T), optional
            Quién puede mirar a quién.
        return_attention_scores : bool
            Si además se dan los pesos de la atención.

        Returns
        -------
        ndarray, shape (n, T, d), or list
            Con ``return_attention_scores``, la lista con ella y los pesos, (n, H, T, T).
        """
        self.x = x = self.ready(x)
        options = {"value_mask": self._checked_mask("padding_mask", padding_mask, x), "attention_mask": attention_mask}
        options |= {"return_attention_scores": return_attention_scores, "training": training}
        attention = self.self_attention_layer

        def attend(x):
            y = attention.forward(x, x, **options)
            return y[0] if return_attention_scores else y

        y = self._through("self_attention", x, attend, training)
        y = self._through("feedforward", y, self._feed, training)
        self.y = [y, attention.y[1]] if return_attention_scores else y
        return self.y

    def backward(self, dy):
        r"""Recorre las subcapas al revés; en cada suma, los dos gradientes se suman."""
        dy, *dscores = self.output_gradients(dy)
        attention = self.self_attention_layer
        dy = self._back("feedforward", dy, self._feed_back)
        return self._back(
            "self_attention", dy, lambda dy: attention.backward_to_itself([dy, *dscores] if dscores else dy)
        )
