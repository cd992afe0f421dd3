r"""Redes con memoria: la recurrencia y sus compuertas."""
