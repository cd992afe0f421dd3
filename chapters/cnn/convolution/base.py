r"""Lo que comparten las convoluciones: qué ventanas miran, el sesgo y la activación."""

from chapters.cnn.arguments import channels_last, check_dilation, each_axis, known, on_image
from chapters.cnn.convolution.geometry import output_sizes
from chapters.cnn.convolution.im2col import windows_at
from chapters.cnn.spatial import Spatial
from chapters.mlp import activations, constraints, initializers, regularizers
from dlbook import check


class Convolution(Spatial):
    r"""Una capa que desliza unos filtros sobre la imagen, o sobre la serie.

    No se usa sola: de ella heredan las capas que dicen **qué** hacen los filtros con cada ventana.

    Parameters
    ----------
    kernel_size, strides, padding, data_format, dilation_rate, activation, use_bias
        Como en :class:`~chapters.cnn.Conv2D`.
    bias_initializer, bias_regularizer, bias_constraint
        Como en :class:`~chapters.cnn.Conv2D`.
    **options
        ``dtype``, ``seed``, ``name`` y ``trainable``, como en :class:`~chapters.mlp.Layer`.
    """

    paddings = ("valid", "same")

    def __init__(
        self,
        kernel_size,
        strides,
        padding,
        data_format,
        dilation_rate,
        activation,
        use_bias,
        bias_initializer,
        bias_regularizer,
        bias_constraint,
        **options,
    ):
        super().__init__(**options)
        self.kernel_size = each_axis(kernel_size, "kernel_size", self.rank)
        self.strides = each_axis(strides, "strides", self.rank)
        self.padding = check.choice(padding, "padding", self.paddings)
        self.data_format = channels_last(data_format)
        self.dilation_rate = each_axis(dilation_rate, "dilation_rate", self.rank)
        check_dilation(self.strides, self.dilation_rate)
        self.activation = activations.get(activation)
        self.use_bias = check.boolean(use_bias, "use_bias")
        self.bias_initializer = initializers.get(bias_initializer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.bias_constraint = constraints.get(bias_constraint)
        self.bias = self.z = None

    def work(self):
        r"""Cuenta un producto por peso de los filtros, tantas veces como posiciones tiene la ventana."""
        positions = self.compute_output_shape(self._placed[0] or self.input_shape)[:-1]
        return known(positions) * sum(w.size for w in self.weights if w.ndim > 1)

    def _windows(self, shape, groups=1):
        # Una serie es una imagen de un píxel de alto, y sus filtros también.
        *sizes, channels = shape
        size, strides, dilation = map(on_image, (self.kernel_size, self.strides, self.dilation_rate))
        return windows_at((*on_image(tuple(sizes)), channels), size, strides, self.padding, dilation, groups)

    def _positions(self, sizes):
        return output_sizes(sizes, self.kernel_size, self.strides, self.padding, self.dilation_rate)

    def _add_bias(self, maps):
        if self.use_bias:
            own = {"regularizer": self.bias_regularizer, "constraint": self.bias_constraint}
            self.bias = self.add_weight((maps,), self.bias_initializer, **own)

    def _activated(self, z):
        if self.activation is None:
            return z
        y = self.buffer("y", z.shape)
        self.activation.forward(z, y)
        return y

    def _before_activation(self, dy):
        # El gradiente de lo que entró a la activación.
        if self.activation is None:
            return dy
        dz = self.buffer("dz", dy.shape)
        self.activation.backward(self.z, self.y, dy, dz)
        return dz
