"""A corpus of one's own: one folder an emotion, in it the clips or one folder a speaker.

``<emotion>/<file>`` leaves the speaker unknown, ``<emotion>/<speaker>/<file>`` names it.
"""

from pathlib import PurePosixPath

from ser.corpora.emotion_words import EMOTIONS, emotion_of_word
from ser.corpora.labels import Labels, UnusableNameError


def parse_name(path: PurePosixPath) -> Labels:
    """Return the labels that a path inside the corpus states.

    Raises
    ------
    UnusableNameError
        If the first folder names no emotion, or folders lie deeper than a speaker's.
    """
    folders = path.parts[:-1]
    emotion = emotion_of_word(folders[0]) if folders else None
    if emotion is None:
        raise UnusableNameError(f"the file lies in no folder named after an emotion ({', '.join(EMOTIONS)})")
    if len(folders) > 2:
        raise UnusableNameError("the file lies deeper than <emotion>/<speaker>/<file>")
    return Labels(speaker=folders[1] if len(folders) == 2 else "", sex="", emotion=emotion)
