r"""La U-Net: segmentar, y sus pérdidas."""
