r"""Lo que comparten las capas que miran a los lados: en una imagen o en una serie, y de qué tamaño."""

from chapters.cnn.arguments import image_shape, series_shape
from chapters.mlp.layer import Layer


class Spatial(Layer):
    r"""Una capa que mira a los lados: a lo alto y a lo ancho de una imagen, o a lo largo de una serie.

    No se usa sola: de ella heredan las que dicen qué hacen con lo que ven. Una serie es una imagen de **un** píxel de
    alto: por eso la capa de una dimensión hereda de la de dos y solo cambia ``rank``.

    Qué mira cada salida depende de cuánto mide la entrada, y no de lo que hay en ella: :meth:`place` lo calcula, y
    :meth:`at` lo recuerda mientras las entradas midan lo mismo.

    Parameters
    ----------
    **options
        ``dtype``, ``seed``, ``name`` y ``trainable``, como en :class:`~chapters.mlp.Layer`.
    """

    # Cuántos ejes recorre, sin contar los canales: 2 en una imagen, 1 en una serie.
    rank = 2
    any_size = True
    # Las últimas medidas y lo que se calculó con ellas: juntas, para que otro hilo no las vea a medio cambiar.
    _placed = None, None

    def build(self, input_shape):
        r"""Comprueba que las observaciones sean imágenes, o series, de un tamaño que sirva."""
        self.compute_output_shape(input_shape)
        super().build(input_shape)

    def sizes(self, shape):
        r"""Da los lados y los canales de una observación, si es lo que se espera; un lado puede no saberse."""
        *sizes, channels = image_shape(shape) if self.rank == 2 else series_shape(shape)
        return sizes, channels

    def at(self, shape):
        r"""Da lo que se calculó para observaciones de una forma; lo calcula si la última medía otra cosa."""
        if self._placed[0] != shape:
            self._placed = shape, self.place(shape)
        return self._placed[1]

    def place(self, shape):
        r"""Calcula qué mira cada salida, para observaciones de una forma."""
        raise NotImplementedError
