r"""La tasa de los primeros transformers: subir en línea recta y bajar como la raíz."""

from chapters.mlp.schedules import LearningRateSchedule
from dlbook import check
from dlbook.attributes import Checked


class TransformerSchedule(LearningRateSchedule):
    r"""Calentamiento y raíz inversa (*warm-up, inverse square root*): la tasa con que se entrenó el primer transformer.

    En el paso :math:`t`, contado desde 1, con :math:`d` números por posición y :math:`w` pasos de calentamiento
    :cite:p:`vaswani2017`,

    .. math::
       :label: ec-att-tasa

       \eta_t=\frac{c}{\sqrt d}\,\min\Bigl(\frac1{\sqrt t},\ \frac{t}{w\sqrt w}\Bigr) .

    El segundo argumento es una recta, y el primero, una curva que baja. Se cruzan donde
    :math:`1/\sqrt t=t/(w\sqrt w)`, o sea :math:`t\sqrt t=w\sqrt w`: en :math:`t=w`. Ahí está el pico:

    .. math::
       :label: ed-att-tasa-pico

       \eta_w=\frac{c}{\sqrt{d\,w}} .

    En el paso :math:`4w` la tasa es la mitad del pico, y en el :math:`100\,w`, la décima parte: baja, pero nunca se
    acaba. Por eso sirve cuando no se sabe de antemano cuántos pasos habrá;
    :class:`~chapters.mlp.schedules.CosineDecay` pide saberlo.

    **A mano.** Con :math:`d=64` y :math:`w=100`, el pico es :math:`1/\sqrt{6400}=0.0125`. A la mitad de la subida,
    la mitad, y en el paso 400, también:

    >>> schedule = TransformerSchedule(64, warmup_steps=100)
    >>> [schedule(t - 1) for t in (50, 100, 400)]
    [0.00625, 0.0125, 0.00625]

    Con los números del artículo:

    >>> round(TransformerSchedule(512, 4000)(3999), 6)
    0.000699

    Parameters
    ----------
    width : int
        El ancho :math:`d`.
    warmup_steps : float
        Los pasos :math:`w` que dura la subida, mayor que 0.
    scale : float
        El factor :math:`c`.
    name : str, optional
        Un nombre, como en Keras.
    """

    width = Checked(check.integer, 1)
    warmup_steps = Checked(check.number, 0, open_low=True)
    scale = Checked(check.number, 0)

    def __init__(self, width, warmup_steps=4000, scale=1.0, name=None):
        super().__init__(name)
        self.width, self.scale = width, scale
        self.warmup_steps = warmup_steps

    def _rate(self, t):
        t, w = t + 1, self.warmup_steps
        return self.scale * self.width**-0.5 * min(t**-0.5, t / w / w**0.5)  # [ec-att-tasa]
