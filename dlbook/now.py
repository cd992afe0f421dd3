r"""Lo que está grabando cada hilo (:mod:`dlbook.numeric.recording`), donde se puede mirar sin importar nada más."""

import threading


class Now(threading.local):
    r"""Lo que está grabando este hilo, o ``None``."""

    tape = None


now = Now()
