r"""Los otros nombres que Keras les da a las mismas clases: son las mismas, no otras."""

from chapters.cnn.convolution.conv1d import Conv1D
from chapters.cnn.convolution.conv2d import Conv2D
from chapters.cnn.convolution.conv2d_transpose import Conv2DTranspose
from chapters.cnn.convolution.convolution_1d import Conv1DTranspose
from chapters.cnn.convolution.separable import SeparableConv1D, SeparableConv2D
from chapters.cnn.pooling.average_pooling import AveragePooling2D
from chapters.cnn.pooling.global_pooling import GlobalAveragePooling2D, GlobalMaxPooling2D
from chapters.cnn.pooling.max_pooling import MaxPooling2D
from chapters.cnn.pooling.pooling_1d import (
    AveragePooling1D,
    GlobalAveragePooling1D,
    GlobalMaxPooling1D,
    MaxPooling1D,
)

AvgPool1D = AveragePooling1D
AvgPool2D = AveragePooling2D
Convolution1D = Conv1D
Convolution1DTranspose = Conv1DTranspose
Convolution2D = Conv2D
Convolution2DTranspose = Conv2DTranspose
GlobalAvgPool1D = GlobalAveragePooling1D
GlobalAvgPool2D = GlobalAveragePooling2D
GlobalMaxPool1D = GlobalMaxPooling1D
GlobalMaxPool2D = GlobalMaxPooling2D
MaxPool1D = MaxPooling1D
MaxPool2D = MaxPooling2D
SeparableConvolution1D = SeparableConv1D
SeparableConvolution2D = SeparableConv2D

__all__ = [
    "AvgPool1D",
    "AvgPool2D",
    "Convolution1D",
    "Convolution1DTranspose",
    "Convolution2D",
    "Convolution2DTranspose",
    "GlobalAvgPool1D",
    "GlobalAvgPool2D",
    "GlobalMaxPool1D",
    "GlobalMaxPool2D",
    "MaxPool1D",
    "MaxPool2D",
    "SeparableConvolution1D",
    "SeparableConvolution2D",
]
