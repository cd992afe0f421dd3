r"""El autocodificador variacional."""
