r"""Capítulo 6: atención y transformers."""

from chapters.attention.blocks.layer_normalization import LayerNormalization, layer_norm_backward, layer_norm_forward
from chapters.attention.blocks.over_axes import OverAxes
from chapters.attention.blocks.rms_normalization import RMSNormalization, rms_norm_backward, rms_norm_forward
from chapters.attention.blocks.transformer_block import TransformerBlock
from chapters.attention.blocks.transformer_decoder import TransformerDecoder
from chapters.attention.blocks.transformer_encoder import TransformerEncoder
from chapters.attention.cost.layer_costs import layer_costs
from chapters.attention.cost.online_softmax import online_softmax
from chapters.attention.cost.tiled import tiled_attention_backward, tiled_attention_forward
from chapters.attention.positions.learned import PositionEmbedding, TokenAndPositionEmbedding
from chapters.attention.positions.rotary import RotaryEmbedding, rotate, rotate_backward
from chapters.attention.positions.sinusoidal import SinePositionEncoding, sine_positions
from chapters.attention.programs.beam_search import beam_search
from chapters.attention.programs.bert import bert
from chapters.attention.programs.bleu import bleu
from chapters.attention.programs.cached_attention import cached_attention
from chapters.attention.programs.class_token import ClassToken
from chapters.attention.programs.generate import CachedGPT, generate
from chapters.attention.programs.gpt import gpt
from chapters.attention.programs.gpt2 import gpt2_names, load_gpt2, split_heads
from chapters.attention.programs.label_smoothing import SmoothedCrossentropy
from chapters.attention.programs.masked_words import mask_words
from chapters.attention.programs.nucleus import nucleus
from chapters.attention.programs.patches import Patches, patches
from chapters.attention.programs.reversible_embedding import ReversibleEmbedding, tied_logits, tied_logits_backward
from chapters.attention.programs.transformer_translator import transformer_translator, translate
from chapters.attention.programs.vit import vit
from chapters.attention.programs.warmup import TransformerSchedule
from chapters.attention.scores.masks import causal_mask
from chapters.attention.scores.multi_head_attention import MultiHeadAttention
from chapters.attention.scores.scaled_dot_product import (
    scaled_dot_product_attention,
    scaled_dot_product_attention_backward,
)
from chapters.attention.search.additive import additive_scores, additive_scores_backward
from chapters.attention.search.attend import attend, attend_backward
from chapters.attention.search.attention import AdditiveAttention, Attention
from chapters.attention.search.kernel_regression import nadaraya_watson
from chapters.attention.search.soft_lookup import cosine, soft_lookup
from chapters.attention.search.translator import bahdanau_translator, reread_decode

__all__ = [
    "AdditiveAttention",
    "Attention",
    "CachedGPT",
    "ClassToken",
    "LayerNormalization",
    "MultiHeadAttention",
    "OverAxes",
    "Patches",
    "PositionEmbedding",
    "RMSNormalization",
    "ReversibleEmbedding",
    "RotaryEmbedding",
    "SinePositionEncoding",
    "SmoothedCrossentropy",
    "TokenAndPositionEmbedding",
    "TransformerBlock",
    "TransformerDecoder",
    "TransformerEncoder",
    "TransformerSchedule",
    "additive_scores",
    "additive_scores_backward",
    "attend",
    "attend_backward",
    "bahdanau_translator",
    "beam_search",
    "bert",
    "bleu",
    "cached_attention",
    "causal_mask",
    "cosine",
    "generate",
    "gpt",
    "gpt2_names",
    "layer_costs",
    "layer_norm_backward",
    "layer_norm_forward",
    "load_gpt2",
    "mask_words",
    "nadaraya_watson",
    "nucleus",
    "online_softmax",
    "patches",
    "reread_decode",
    "rms_norm_backward",
    "rms_norm_forward",
    "rotate",
    "rotate_backward",
    "scaled_dot_product_attention",
    "scaled_dot_product_attention_backward",
    "sine_positions",
    "soft_lookup",
    "split_heads",
    "tied_logits",
    "tied_logits_backward",
    "tiled_attention_backward",
    "tiled_attention_forward",
    "transformer_translator",
    "translate",
    "vit",
]
