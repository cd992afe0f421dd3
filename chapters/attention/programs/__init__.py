r"""Lo que se arma con atención: GPT, BERT, un traductor y un ViT."""
