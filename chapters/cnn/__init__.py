r"""Capítulo 3: redes convolucionales."""

from chapters.cnn.alexnet import alexnet
from chapters.cnn.augmentation import RandomFlip, RandomRotation, RandomTranslation, affine_transform
from chapters.cnn.average_pooling import AveragePooling2D, average_pooling_backward, average_pooling_forward
from chapters.cnn.average_precision import average_precision
from chapters.cnn.batch_normalization import BatchNormalization, batch_norm_backward, batch_norm_forward
from chapters.cnn.boxes import iou
from chapters.cnn.branches import Branches
from chapters.cnn.color import hsv_to_rgb, rgb_to_gray, rgb_to_hsv, rgb_to_ycbcr, ycbcr_to_rgb
from chapters.cnn.conv1d import Conv1D
from chapters.cnn.conv2d import Conv2D, conv2d_backward, conv2d_forward
from chapters.cnn.conv2d_transpose import Conv2DTranspose, conv2d_transpose_backward, conv2d_transpose_forward
from chapters.cnn.conv_bn import conv_bn
from chapters.cnn.correlation import convolve2d, correlate2d, separate
from chapters.cnn.depthwise import DepthwiseConv2D, depthwise_conv2d_backward, depthwise_conv2d_forward
from chapters.cnn.drawing import draw_architecture
from chapters.cnn.geometry import kernel_span, output_size, same_padding
from chapters.cnn.global_pooling import GlobalAveragePooling2D, GlobalMaxPooling2D
from chapters.cnn.googlenet import googlenet, inception_block
from chapters.cnn.histogram import equalize, histogram
from chapters.cnn.im2col import col2im, im2col
from chapters.cnn.image import composite, pixel_table, to_float, to_uint8
from chapters.cnn.inception_v3 import inception_v3
from chapters.cnn.kernels import named_kernel
from chapters.cnn.lenet import lenet5, lenet5_1998
from chapters.cnn.local_response import LocalResponseNormalization, local_response_backward, local_response_forward
from chapters.cnn.max_pooling import MaxPooling2D, max_pooling_backward, max_pooling_forward
from chapters.cnn.min_pooling import MinPooling2D
from chapters.cnn.partial_conv2d import PartialConv2D
from chapters.cnn.radial_basis import RadialBasis, digit_bitmaps
from chapters.cnn.residual import Residual
from chapters.cnn.resnet import residual_block, resnet
from chapters.cnn.saliency import occlusion, saliency
from chapters.cnn.scaled_tanh import ScaledTanh
from chapters.cnn.subsampling import Subsampling2D
from chapters.cnn.suppression import non_max_suppression
from chapters.cnn.top_k import SparseTopKCategoricalAccuracy
from chapters.cnn.upsampling import UpSampling2D
from chapters.cnn.vgg import vgg16
from chapters.cnn.yolo import GridDetectionLoss, grid_decode, grid_encode, grid_output_shape
from chapters.cnn.zero_padding import ZeroPadding2D

__all__ = [
    "AveragePooling2D",
    "BatchNormalization",
    "Branches",
    "Conv1D",
    "Conv2D",
    "Conv2DTranspose",
    "DepthwiseConv2D",
    "GlobalAveragePooling2D",
    "GlobalMaxPooling2D",
    "GridDetectionLoss",
    "LocalResponseNormalization",
    "MaxPooling2D",
    "MinPooling2D",
    "PartialConv2D",
    "RadialBasis",
    "RandomFlip",
    "RandomRotation",
    "RandomTranslation",
    "Residual",
    "ScaledTanh",
    "SparseTopKCategoricalAccuracy",
    "Subsampling2D",
    "UpSampling2D",
    "ZeroPadding2D",
    "affine_transform",
    "alexnet",
    "average_pooling_backward",
    "average_pooling_forward",
    "average_precision",
    "batch_norm_backward",
    "batch_norm_forward",
    "col2im",
    "composite",
    "conv2d_backward",
    "conv2d_forward",
    "conv2d_transpose_backward",
    "conv2d_transpose_forward",
    "conv_bn",
    "convolve2d",
    "correlate2d",
    "depthwise_conv2d_backward",
    "depthwise_conv2d_forward",
    "digit_bitmaps",
    "draw_architecture",
    "equalize",
    "googlenet",
    "grid_decode",
    "grid_encode",
    "grid_output_shape",
    "histogram",
    "hsv_to_rgb",
    "im2col",
    "inception_block",
    "inception_v3",
    "iou",
    "kernel_span",
    "lenet5",
    "lenet5_1998",
    "local_response_backward",
    "local_response_forward",
    "max_pooling_backward",
    "max_pooling_forward",
    "named_kernel",
    "non_max_suppression",
    "occlusion",
    "output_size",
    "pixel_table",
    "residual_block",
    "resnet",
    "rgb_to_gray",
    "rgb_to_hsv",
    "rgb_to_ycbcr",
    "saliency",
    "same_padding",
    "separate",
    "to_float",
    "to_uint8",
    "vgg16",
    "ycbcr_to_rgb",
]
