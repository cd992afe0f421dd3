r"""Lo que hace cuentas: hilos, productos de matrices y vectores."""
