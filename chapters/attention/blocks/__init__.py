r"""Las piezas de un transformer: normalizar, el bloque, el codificador y el decodificador."""
