r"""La cinta: derivar solas las cuentas con arreglos que escribe quien lee."""
