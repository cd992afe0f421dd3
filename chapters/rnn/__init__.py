r"""Capítulo 5: secuencias."""

from chapters.rnn.embeddings.embedding import Embedding, embedding_backward, embedding_forward
from chapters.rnn.embeddings.pairs import keep_probability, noise_distribution, skipgrams
from chapters.rnn.embeddings.sgns import sgns_loss, sgns_loss_backward
from chapters.rnn.embeddings.word2vec import Word2Vec
from chapters.rnn.programs.alphabet import Alphabet, shifted_windows
from chapters.rnn.programs.encoder_decoder import encoder_decoder, greedy_decode
from chapters.rnn.programs.forecasting import Autoregression, mase, seasonal_naive
from chapters.rnn.programs.memory_tasks import adding_problem, delayed_copy
from chapters.rnn.programs.sampling import sample_logits, temper, top_k
from chapters.rnn.programs.windows import timeseries_dataset_from_array
from chapters.rnn.programs.writing import bits_per_character, write
from chapters.rnn.recurrent.bidirectional import Bidirectional
from chapters.rnn.recurrent.gru import GRU, gru_backward, gru_forward
from chapters.rnn.recurrent.lstm import LSTM, lstm_backward, lstm_forward
from chapters.rnn.recurrent.recurrence import simple_rnn_backward, simple_rnn_forward
from chapters.rnn.recurrent.recurrent import Recurrent
from chapters.rnn.recurrent.simple_rnn import SimpleRNN
from chapters.rnn.recurrent.spectrum import jacobian_spectrum
from chapters.rnn.recurrent.time_distributed import TimeDistributed
from chapters.rnn.sequences.masking import Masking
from chapters.rnn.text.byte_pairs import BytePairEncoding, learn_merges
from chapters.rnn.text.n_gram import NGram, witten_bell
from chapters.rnn.text.normal_forms import normalize_text
from chapters.rnn.text.tokenizer import SPANISH_FILTERS as SPANISH_FILTERS
from chapters.rnn.text.tokenizer import Tokenizer, index_words
from chapters.rnn.text.vectorization import TextVectorization, inverse_document_frequency

__all__ = [
    "GRU",
    "LSTM",
    "Alphabet",
    "Autoregression",
    "Bidirectional",
    "BytePairEncoding",
    "Embedding",
    "Masking",
    "NGram",
    "Recurrent",
    "SimpleRNN",
    "TextVectorization",
    "TimeDistributed",
    "Tokenizer",
    "Word2Vec",
    "adding_problem",
    "bits_per_character",
    "delayed_copy",
    "embedding_backward",
    "embedding_forward",
    "encoder_decoder",
    "greedy_decode",
    "gru_backward",
    "gru_forward",
    "index_words",
    "inverse_document_frequency",
    "jacobian_spectrum",
    "keep_probability",
    "learn_merges",
    "lstm_backward",
    "lstm_forward",
    "mase",
    "noise_distribution",
    "normalize_text",
    "sample_logits",
    "seasonal_naive",
    "sgns_loss",
    "sgns_loss_backward",
    "shifted_windows",
    "simple_rnn_backward",
    "simple_rnn_forward",
    "skipgrams",
    "temper",
    "timeseries_dataset_from_array",
    "top_k",
    "witten_bell",
    "write",
]
