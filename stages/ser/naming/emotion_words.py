"""The nouns that known corpora call emotions by, and the English words that mean them."""

import re

EMOTIONS = ("anger", "boredom", "calm", "disgust", "fear", "happiness", "neutral", "sadness", "surprise")

# a noun, then by word the forms of each that mean it: joy is happiness, but another word
_WORDS = {
    "anger": {"anger": ("anger", "angry")},
    "boredom": {"boredom": ("boredom", "bored")},
    "calm": {"calm": ("calm", "calmness")},
    "disgust": {"disgust": ("disgust", "disgusted")},
    "fear": {
        "fear": ("fear", "fearful"),
        "afraid": ("afraid",),
        "scared": ("scared",),
        "anxiety": ("anxiety", "anxious"),
    },
    "happiness": {"happiness": ("happiness", "happy"), "joy": ("joy", "joyful")},
    "neutral": {"neutral": ("neutral",)},
    "sadness": {"sadness": ("sadness", "sad")},
    "surprise": {
        "surprise": ("surprise", "surprised"),
        "pleasant surprise": ("pleasant surprise", "pleasant surprised", "pleasantly surprised"),
    },
}
_NOUN_AND_WORD = {
    form: (noun, word) for noun, words in _WORDS.items() for word, forms in words.items() for form in forms
}
# what folders of published corpora are called besides
_CODES = {
    "ang": "anger",
    "dis": "disgust",
    "fea": "fear",
    "hap": "happiness",
    "neu": "neutral",
    "ps": "surprise",
}


def noun_and_word(text: str) -> tuple[str, str] | None:
    """Return the noun that an English word stands for and which word it is a form of, or None.

    ``joyful`` gives happiness and joy; codes such as ``hap`` are no words.
    """
    return _NOUN_AND_WORD.get(re.sub(r"[\s_-]+", " ", text.strip()).lower())


def emotion_of_word(word: str) -> str | None:
    """Return the emotion that a word such as ``angry`` or ``Fear``, or a code such as ``ang``, stands for, or None.

    For published corpora, whose codes are known; of one's own corpora see `ser.naming.label_schemes`.
    """
    found = noun_and_word(word)
    return found[0] if found else _CODES.get(word.lower())
