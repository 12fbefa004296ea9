"""The one vocabulary of emotions (nouns) and the words that folders and names use for them."""

EMOTIONS = ("anger", "boredom", "calm", "disgust", "fear", "happiness", "neutral", "sadness", "surprise")

_WORDS = {
    "anger": ("anger", "angry", "ang"),
    "boredom": ("boredom", "bored"),
    "calm": ("calm",),
    "disgust": ("disgust", "disgusted", "dis"),
    "fear": ("fear", "fearful", "afraid", "scared", "anxiety", "anxious", "fea"),
    "happiness": ("happiness", "happy", "joy", "joyful", "hap"),
    "neutral": ("neutral", "neu"),
    "sadness": ("sadness", "sad"),
    "surprise": ("surprise", "surprised", "pleasant_surprise", "pleasant_surprised", "ps"),
}
_EMOTION_OF_WORD = {word: emotion for emotion, words in _WORDS.items() for word in words}


def emotion_of_word(word: str) -> str | None:
    """Return the emotion that a word such as ``angry`` or ``Fear`` stands for, or None."""
    return _EMOTION_OF_WORD.get(word.lower())
