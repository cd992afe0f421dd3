r"""Capítulo 3: redes convolucionales."""

from chapters.cnn.architectures.alexnet import alexnet
from chapters.cnn.architectures.drawing import draw_architecture
from chapters.cnn.architectures.googlenet import googlenet, inception_block
from chapters.cnn.architectures.inception_v3 import inception_v3
from chapters.cnn.architectures.lenet import lenet5, lenet5_1998
from chapters.cnn.architectures.partial_conv2d import PartialConv2D
from chapters.cnn.architectures.radial_basis import RadialBasis, digit_bitmaps
from chapters.cnn.architectures.resnet import residual_block, resnet
from chapters.cnn.architectures.scaled_tanh import ScaledTanh
from chapters.cnn.architectures.subsampling import Subsampling2D
from chapters.cnn.architectures.top_k import SparseTopKCategoricalAccuracy, TopKCategoricalAccuracy
from chapters.cnn.architectures.vgg import vgg16
from chapters.cnn.blocks.branches import Branches
from chapters.cnn.blocks.conv_bn import conv_bn
from chapters.cnn.blocks.residual import Residual
from chapters.cnn.convolution.conv1d import Conv1D
from chapters.cnn.convolution.conv2d import Conv2D, conv2d_backward, conv2d_forward
from chapters.cnn.convolution.conv2d_transpose import (
    Conv2DTranspose,
    conv2d_transpose_backward,
    conv2d_transpose_forward,
)
from chapters.cnn.convolution.convolution_1d import Conv1DTranspose, DepthwiseConv1D
from chapters.cnn.convolution.correlation import convolve2d, correlate2d, separate
from chapters.cnn.convolution.cropping import Cropping1D, Cropping2D
from chapters.cnn.convolution.depthwise import DepthwiseConv2D, depthwise_conv2d_backward, depthwise_conv2d_forward
from chapters.cnn.convolution.geometry import kernel_span, output_size, same_padding
from chapters.cnn.convolution.im2col import col2im, im2col
from chapters.cnn.convolution.kernels import named_kernel
from chapters.cnn.convolution.separable import SeparableConv1D, SeparableConv2D
from chapters.cnn.convolution.winograd import winograd_backward, winograd_forward, winograd_matrices
from chapters.cnn.convolution.zero_padding import ZeroPadding1D, ZeroPadding2D
from chapters.cnn.detection.average_precision import average_precision
from chapters.cnn.detection.boxes import iou
from chapters.cnn.detection.suppression import non_max_suppression
from chapters.cnn.detection.yolo import GridDetectionLoss, grid_decode, grid_encode, grid_output_shape
from chapters.cnn.image.augmentation import (
    RandomFlip,
    RandomRotation,
    RandomTranslation,
    RandomZoom,
    affine_transform,
)
from chapters.cnn.image.color import hsv_to_rgb, rgb_to_gray, rgb_to_hsv, rgb_to_ycbcr, ycbcr_to_rgb
from chapters.cnn.image.files import array_to_img, img_to_array, load_img, save_img
from chapters.cnn.image.folder import image_dataset_from_directory
from chapters.cnn.image.histogram import equalize, histogram
from chapters.cnn.image.light import RandomBrightness, RandomContrast
from chapters.cnn.image.pixels import composite, pixel_table, to_float, to_uint8
from chapters.cnn.image.resizing import CenterCrop, RandomCrop, Resizing
from chapters.cnn.normalization.batch_normalization import BatchNormalization, batch_norm_backward, batch_norm_forward
from chapters.cnn.normalization.local_response import (
    LocalResponseNormalization,
    local_response_backward,
    local_response_forward,
)
from chapters.cnn.pooling.average_pooling import AveragePooling2D, average_pooling_backward, average_pooling_forward
from chapters.cnn.pooling.global_pooling import GlobalAveragePooling2D, GlobalMaxPooling2D
from chapters.cnn.pooling.max_pooling import MaxPooling2D, max_pooling_backward, max_pooling_forward
from chapters.cnn.pooling.min_pooling import MinPooling2D
from chapters.cnn.pooling.pooling_1d import (
    AveragePooling1D,
    GlobalAveragePooling1D,
    GlobalMaxPooling1D,
    MaxPooling1D,
)
from chapters.cnn.pooling.upsampling import UpSampling1D, UpSampling2D
from chapters.cnn.saliency import occlusion, saliency
from chapters.cnn.spatial_dropout import SpatialDropout1D, SpatialDropout2D

__all__ = [
    "AveragePooling1D",
    "AveragePooling2D",
    "BatchNormalization",
    "Branches",
    "CenterCrop",
    "Conv1D",
    "Conv1DTranspose",
    "Conv2D",
    "Conv2DTranspose",
    "Cropping1D",
    "Cropping2D",
    "DepthwiseConv1D",
    "DepthwiseConv2D",
    "GlobalAveragePooling1D",
    "GlobalAveragePooling2D",
    "GlobalMaxPooling1D",
    "GlobalMaxPooling2D",
    "GridDetectionLoss",
    "LocalResponseNormalization",
    "MaxPooling1D",
    "MaxPooling2D",
    "MinPooling2D",
    "PartialConv2D",
    "RadialBasis",
    "RandomBrightness",
    "RandomContrast",
    "RandomCrop",
    "RandomFlip",
    "RandomRotation",
    "RandomTranslation",
    "RandomZoom",
    "Residual",
    "Resizing",
    "ScaledTanh",
    "SeparableConv1D",
    "SeparableConv2D",
    "SparseTopKCategoricalAccuracy",
    "SpatialDropout1D",
    "SpatialDropout2D",
    "Subsampling2D",
    "TopKCategoricalAccuracy",
    "UpSampling1D",
    "UpSampling2D",
    "ZeroPadding1D",
    "ZeroPadding2D",
    "affine_transform",
    "alexnet",
    "array_to_img",
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
    "image_dataset_from_directory",
    "img_to_array",
    "inception_block",
    "inception_v3",
    "iou",
    "kernel_span",
    "lenet5",
    "lenet5_1998",
    "load_img",
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
    "save_img",
    "separate",
    "to_float",
    "to_uint8",
    "vgg16",
    "winograd_backward",
    "winograd_forward",
    "winograd_matrices",
    "ycbcr_to_rgb",
]
