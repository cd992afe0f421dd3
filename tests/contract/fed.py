"""Con que se prueban las capas de varias entradas como las demás, que reciben una."""

from chapters.mlp import Activation, Dense, Layer


class Fed(Layer):
    """Saca de una entrada las que pide la capa que se prueba: ella misma, y lo que le hacen unas capas."""

    def __init__(self, inner, parts=2, **options):
        super().__init__(**options)
        self.inner, self.parts = inner, parts
        self.random, self.whole_batch = inner.random, inner.whole_batch
        self.paths = []
        self.layers = [inner]

    @property
    def any_size(self):
        return self.inner.any_size if self.built else False

    def build(self, input_shape):
        shape = self.checked_shape(input_shape)
        self.compute_output_shape(shape)
        super().build(input_shape)
        self.paths = [Dense(shape[-1] if shape else 1, "tanh"), Activation("softplus")][: self.parts - 1]
        self.layers = [*self.paths, self.inner]
        for layer in self.layers:
            layer.inherit(self)
        for path in self.paths:
            path.build(shape)
        self.inner.build([shape] * self.parts)

    def compute_output_shape(self, input_shape):
        return self.inner.compute_output_shape([self.checked_shape(input_shape)] * self.parts)

    def forward(self, x, training=False):
        x = self.ready(x)
        xs = [x, *(path.forward(x, training) for path in self.paths)]
        self.y = self.inner.forward(*(xs if self.inner.apart else [xs]), training=training)
        return self.y

    def backward(self, dy):
        first, *others = self.inner.backward(self.output_gradient(dy))
        dx = first.copy()
        for path, slope in zip(self.paths, others, strict=True):
            returned = path.backward(slope)
            dx += returned
        return dx
