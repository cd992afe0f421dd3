r"""La convolución y sus variantes."""
