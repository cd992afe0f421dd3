"""Los textos y las opciones con que se comparan las herramientas de texto con las de Keras y las de ``tokenizers``."""

TEXTS = [
    "Today is a sunny day",
    "Today is a rainy day",
    "Is it sunny today?",
    "I really enjoyed walking in the snow today",
    "En un lugar de la Mancha, de cuyo nombre no quiero acordarme...",
    "¿Qué hora es? ¡Las 3:45 ya! Año ñandú, año",
    "",
    "  dos   espacios\ty\ttabuladores\n",
    "don't stop_now e-mail café-bar",
]
UNSEEN = ["Is it cold today?", "", "la hora de la verdad", "¿cuándo, señor?", "snow snow SNOW, day"]

# Keras solo pasa a minúsculas el alfabeto inglés.
SHOUTED = ["AÑO año ÁRBOL árbol"]

TOKENIZERS = [
    {},
    {"oov_token": "<OOV>"},
    {"num_words": 5},
    {"num_words": 6, "oov_token": "<OOV>"},
    {"lower": False},
    {"char_level": True},
    {"char_level": True, "lower": False, "oov_token": "<OOV>"},
    {"filters": "", "split": " "},
    {"filters": ".,", "split": "a"},
]

VECTORIZATIONS = [
    {},
    {"max_tokens": 6},
    {"standardize": "lower"},
    {"standardize": "strip_punctuation"},
    {"standardize": None},
    {"split": "character"},
    {"output_sequence_length": 3},
    {"output_sequence_length": 20},
    {"ngrams": 2},
    {"ngrams": [1, 3], "output_mode": "count"},
    {"output_mode": "multi_hot"},
    {"output_mode": "multi_hot", "max_tokens": 50, "pad_to_max_tokens": True},
    {"output_mode": "count", "max_tokens": 7},
    {"output_mode": "tf_idf"},
    {"output_mode": "tf_idf", "max_tokens": 9},
    {"output_mode": "tf_idf", "max_tokens": 60, "pad_to_max_tokens": True},
]

# Del capítulo que viene con el libro y de unos textos difíciles.
TRICKY = [
    "¿Qué pasó? ¡Nada!",
    "an\u0303o nuevo",
    "日本語 y русский",
    "🙂🙂 👩‍🚀",
    "a_b__c 12 345,6",
    "tres   espacios  ",
    "\n\n fin\t",
    "aaaaaaaaaa",
    "",
]
VOCABULARIES = [300, 700, 1500]
