r"""Lo que en Keras se puede elegir para todos los programas, y aquí está fijo."""

from dlbook.attributes import only


def floatx():
    r"""Da el tipo de los números si nadie dice otro."""
    return "float32"


def set_floatx(value):
    r"""Se acepta por compatibilidad con Keras, y solo ``"float32"``: para otro tipo, dale ``dtype`` al modelo."""
    if value != "float32":
        raise ValueError(f"value: aquí es siempre 'float32', y llegó {value!r}; dale dtype={value!r} al modelo")


def epsilon():
    r"""Da el número pequeño con que se evita dividir entre cero."""
    return 1e-7


def set_epsilon(value):
    r"""Se acepta por compatibilidad con Keras, y solo el de siempre."""
    only(value, "value", 1e-7)


def image_data_format():
    r"""Da el orden de los ejes de una imagen: los canales, al final."""
    return "channels_last"


def set_image_data_format(data_format):
    r"""Se acepta por compatibilidad con Keras, y solo ``"channels_last"``."""
    only(data_format, "data_format", "channels_last")


def clear_session(free_memory=True):
    r"""No hace nada: aquí cada modelo es dueño de lo suyo, y no hay sesión que limpiar."""
