"""Corpora as people lay them out, made from a random source: paths, what each clip is, and whether names tell it.

Nothing here is taken from the code that is tested: words, names and shapes are written down a second time.
"""

import random
import string
import unicodedata
from typing import NamedTuple


class Clip(NamedTuple):
    """What is true of a file; an empty text is unknown. A file that is none of the corpus has no emotion."""

    emotion: str
    speaker: str
    fold: str = ""
    sex: str = ""


class Tree(NamedTuple):
    """A corpus.

    Attributes
    ----------
    clips : dict of str to Clip
        By path inside the corpus, with suffix.
    clear : bool
        Whether a person who sees all names and nothing else could tell emotions and speakers for sure.
    shape : str
        How it was made, for messages.
    """

    clips: dict[str, Clip]
    clear: bool
    shape: str


WORDS = {
    "english adjectives": ["angry", "happy", "sad", "neutral", "fearful", "disgusted", "surprised", "bored", "calm"],
    "english nouns": ["anger", "happiness", "sadness", "neutral", "fear", "disgust", "surprise", "boredom"],
    "english states": ["frustrated", "satisfied", "stressed", "tired", "excited", "confused", "relaxed", "angry"],
    "english phrases": ["pleasant_surprise", "angry", "sad", "neutral", "happy"],
    "german": ["wütend", "fröhlich", "traurig", "neutral", "ängstlich", "gelangweilt", "überrascht"],
    "german nouns": ["Ärger", "Freude", "Trauer", "Angst", "Ekel", "Neutral"],
    "german ascii": ["aerger", "freude", "trauer", "ekel", "neutral", "ueberraschung"],
    "french": ["colère", "joie", "tristesse", "peur", "dégoût", "neutre", "surprise"],
    "spanish": ["enojo", "alegría", "tristeza", "miedo", "asco", "neutro"],
    "italian": ["rabbia", "gioia", "tristezza", "paura", "disgusto", "neutro"],
    "portuguese": ["raiva", "alegria", "tristeza", "medo", "nojo", "neutro"],
    "turkish": ["kızgın", "mutlu", "üzgün", "nötr", "neşeli", "korku", "şaşkın"],
    "polish": ["złość", "radość", "smutek", "strach", "neutralny"],
    "russian": ["злость", "радость", "грусть", "страх", "нейтральный"],
    "greek": ["θυμός", "χαρά", "λύπη", "φόβος", "ουδέτερο"],
    "dutch": ["boos", "blij", "verdrietig", "bang", "neutraal"],
    "swedish": ["arg", "glad", "ledsen", "rädd", "neutral"],
    "czech": ["vztek", "radost", "smutek", "strach", "neutrální"],
    "arabic": ["غضب", "سعادة", "حزن", "خوف", "محايد"],
    "persian": ["خشم", "شادی", "غم", "ترس", "خنثی"],
    "hindi": ["गुस्सा", "खुशी", "दुख", "डर", "तटस्थ"],
    "chinese": ["愤怒", "高兴", "悲伤", "恐惧", "中性"],
    "japanese": ["怒り", "喜び", "悲しみ", "恐れ", "平静"],
    "korean": ["분노", "기쁨", "슬픔", "두려움", "중립"],
}
CODES = ["ang", "hap", "exc", "sad", "neu", "fru", "sur", "fea", "dis"]
LETTERS = ["A", "H", "S", "N", "U", "F", "D", "C"]
GERMAN_LETTERS = ["W", "L", "E", "A", "F", "T", "N"]
TWENTY = [
    *("anger", "joy", "sadness", "fear", "disgust", "surprise", "neutral", "boredom", "calm", "contempt", "pride"),
    *("shame", "guilt", "relief", "amusement", "interest", "excitement", "anxiety", "love", "confusion"),
]
NAMES = [
    *(
        "anna",
        "ben",
        "clara",
        "david",
        "emma",
        "felix",
        "greta",
        "hugo",
        "ida",
        "jonas",
        "laura",
        "max",
        "nina",
        "oskar",
    ),
    *("Paul", "Sarah", "Tom", "Julia", "Maria", "Peter", "Mehmet", "Ayşe", "José", "Zoë", "Łukasz", "Chloé", "André"),
    *("yuki", "wei", "fatima", "omar", "priya", "raj", "olga", "ivan", "mateo", "lucía", "björn", "søren", "giulia"),
]
ODD_NAMES = ["Joy", "Hope", "Anna", "Max", "Serena", "Felix", "Ira", "Rex", "Bruno", "Lea"]
RARE_NAMES = [
    "kjetil",
    "tuva",
    "okoye",
    "bhavik",
    "zdenka",
    "wim",
    "nkechi",
    "ximo",
    "quill",
    "dargo",
    "brand",
    "stone",
]
SENTENCES = ["kids", "dogs", "door", "water", "house", "green", "moon"]
FOLDED = {"train": "", "training": "", "val": "", "dev": "", "test": "0", "eval": "0", "validation": ""}
SUFFIXES = [".wav", ".wav", ".wav", ".WAV", ".mp3", ".flac", ".m4a", ".ogg"]


class _Labels(NamedTuple):
    words: list[str]
    kind: str


class _Speakers(NamedTuple):
    ids: list[str]
    kind: str


def made_tree(rng: random.Random) -> Tree:
    """Return a corpus as people lay them out."""
    labels, speakers = _labels(rng), _speakers(rng)
    shape = rng.choice(list(_SHAPES))
    clips, clear = _SHAPES[shape](rng, labels, speakers)
    told = [shape, labels.kind, speakers.kind, f"{len(labels.words)} labels", f"{len(speakers.ids)} speakers"]
    clips, clear = _disturbed(rng, clips, clear, told, flat=shape.startswith("flat"))
    return Tree(clips, clear, ", ".join(told))


def _labels(rng: random.Random) -> _Labels:
    kind = rng.choice(["words"] * 12 + ["codes", "codes", "letters", "german letters", "numbers", "invented", "twenty"])
    if kind == "words":
        language = rng.choice(list(WORDS))
        words = rng.sample(WORDS[language], rng.randint(2, len(WORDS[language])))
        kind = f"words {language}"
        if rng.random() < 0.3 and all(word.isascii() for word in words):
            words = [rng.choice((word.title(), word.upper())) for word in words]
    elif kind == "codes":
        words = rng.sample(CODES, rng.randint(3, len(CODES)))
        words = [word.upper() for word in words] if rng.random() < 0.5 else words
    elif kind == "letters":
        words = ["N", *rng.sample([letter for letter in LETTERS if letter != "N"], rng.randint(3, 6))]
    elif kind == "german letters":
        words = GERMAN_LETTERS[:]
    elif kind == "numbers":
        words = [str(number) for number in range(rng.randint(2, 8))]
    elif kind == "invented":
        words = ["".join(rng.choice(string.ascii_lowercase) for _ in range(6)) + "ix" for _ in range(rng.randint(2, 7))]
    else:
        words = TWENTY[:]
    return _Labels(words, kind)


def _speakers(rng: random.Random) -> _Speakers:
    kinds = {
        "names": lambda: rng.sample(NAMES, number),
        "capital names": lambda: [name.title() for name in rng.sample(NAMES, number)],
        "rare names": lambda: rng.sample(RARE_NAMES, min(number, len(RARE_NAMES))),
        "odd names": lambda: ["Joy", "Hope", *rng.sample(ODD_NAMES[2:], max(1, min(number - 2, 8)))],
        "spk": lambda: [f"spk{n}" for n in range(1, number + 1)],
        "spk_0": lambda: [f"spk_{n:02d}" for n in range(1, number + 1)],
        "Actor_0": lambda: [f"Actor_{n:02d}" for n in range(1, number + 1)],
        "speaker ": lambda: [f"speaker {n}" for n in range(1, number + 1)],
        "s0": lambda: [f"s{n:02d}" for n in range(1, number + 1)],
        "P": lambda: [f"P{n}" for n in range(1, number + 1)],
        "sexed": lambda: [f"{'FM'[n % 2]}{n:02d}" for n in range(1, number + 1)],
        "padded ids": lambda: [f"{n:04d}" for n in range(11, 11 + number)],
        "high ids": lambda: [str(n) for n in range(1001, 1001 + number)],
        "numbers": lambda: [str(n) for n in range(1, number + 1)],
        "two digits": lambda: [f"{n:02d}" for n in range(1, number + 1)],
        "initials": lambda: rng.sample(["JE", "KL", "DC", "JK", "MB", "TS", "AN", "RW"], min(number, 8)),
        "hashes": lambda: ["".join(rng.choice("0123456789abcdef") for _ in range(6)) for _ in range(number)],
    }
    number = rng.choice([1, 2, 2, 3, 4, 4, 5, 6, 8, 12])
    kind = rng.choice(list(kinds))
    return _Speakers(list(dict.fromkeys(kinds[kind]())), kind)


# --- what a person can tell

PLAIN_NAMES = ("names", "capital names")
BY_CODE = ("spk", "spk_0", "Actor_0", "speaker ", "sexed")
IDS = ("padded ids", "high ids")


def _known(labels: _Labels) -> bool:
    return labels.kind not in ("numbers", "invented")


def _alone(labels: _Labels) -> bool:
    """Tell whether folders are known as labels where nothing else says so."""
    return _known(labels)


def _clear_token(speakers: _Speakers, takes: bool) -> bool:
    """Tell whether a part of a name says by its look that it is a speaker."""
    if len(speakers.ids) < 2:
        return False
    return speakers.kind in (*PLAIN_NAMES, *BY_CODE) or takes and speakers.kind in ("s0", "P")


def _clear_folder(labels: _Labels, speakers: _Speakers) -> bool:
    if _known(labels):
        return speakers.kind != "odd names" or len(speakers.ids) > 5
    return len(speakers.ids) > 1 and speakers.kind in (*PLAIN_NAMES, *BY_CODE, *IDS)


# --- shapes


def _take(rng: random.Random) -> str:
    return rng.choice(["{:d}", "{:02d}", "{:03d}", "take{:d}", "take {:d}", "t{:02d}"])


def _file_name(rng: random.Random, labels: _Labels, speakers: _Speakers):
    """Return a way to call files in folders that say it all."""
    take = _take(rng)
    date = rng.randint(1, 28)
    ways = [
        lambda word, speaker, n: take.format(n),
        lambda word, speaker, n: f"{word}_{take.format(n)}",
        lambda word, speaker, n: f"{speaker}_{word}_{take.format(n)}",
        lambda word, speaker, n: f"{speaker}-{n:06d}",
        lambda word, speaker, n: f"Recording ({n})",
        lambda word, speaker, n: f"WhatsApp Audio 2024-05-{date:02d} at 10.{n % 60:02d}.{(n * 7) % 60:02d}",
        lambda word, speaker, n: f"{n:04d}",
        lambda word, speaker, n: f"clip{n}",
    ]
    return rng.choice(ways)


def _counts(rng: random.Random) -> int:
    return rng.choice([1, 2, 3, 3, 4, 6])


def _emotion_speaker(rng, labels, speakers):
    takes, name, clips = _counts(rng), _file_name(rng, labels, speakers), {}
    for word in labels.words:
        for speaker in speakers.ids:
            for n in range(1, takes + 1):
                clips[f"{word}/{speaker}/{name(word, speaker, n)}"] = Clip(word, speaker)
    return clips, _clear_folder(labels, speakers)


def _speaker_emotion(rng, labels, speakers):
    takes, name, clips = _counts(rng), _file_name(rng, labels, speakers), {}
    for word in labels.words:
        for speaker in speakers.ids:
            for n in range(1, takes + 1):
                clips[f"{speaker}/{word}/{name(word, speaker, n)}"] = Clip(word, speaker)
    one = len(speakers.ids) == 1  # the folder around everything may have any name
    return clips, _clear_folder(labels, speakers) and not one


def _split_levels(rng, labels, speakers):
    parts = rng.choice([["train", "test"], ["train", "val", "test"], ["training", "validation", "eval"]])
    order = rng.choice(["{part}/{word}/{speaker}/{n}", "{part}/{speaker}/{word}/{n}", "{part}/{word}/{speaker}_{n}"])
    clips, takes = {}, _counts(rng)
    for word in labels.words:
        for number, speaker in enumerate(speakers.ids):
            part = parts[number % len(parts)]
            for n in range(1, takes + 1):
                path = order.format(part=part, word=word, speaker=speaker, n=f"{n:02d}")
                clips[path] = Clip(word, speaker, FOLDED[part])
    if order.endswith("_{n}"):
        clear = _known(labels) and _clear_token(speakers, takes > 1)
    else:
        clear = _clear_folder(labels, speakers)
    return clips, clear and len(speakers.ids) >= 2 * len(parts)


def _split_emotion(rng, labels, speakers):
    parts = rng.choice([["train", "test"], ["train", "dev", "test"]])
    clips, takes, style = {}, _counts(rng) + 2, rng.choice(["{:03d}", "audio_{}", "sample{}"])
    for word in labels.words:
        for part in parts:
            for n in range(1, takes + 1):
                clips[f"{part}/{word}/{style.format(n)}"] = Clip(word, "", FOLDED[part])
    return clips, _known(labels)


def _emotion_file(rng, labels, speakers):
    clips, takes, style = {}, _counts(rng) + 2, rng.choice(["{:03d}", "audio_{}", "sample{}", "Memo {}", "{}"])
    total = 0
    for word in labels.words:
        for n in range(1, takes + 1):
            total += 1
            clips[f"{word}/{style.format(rng.choice((n, n)))}"] = Clip(word, "")
    return clips, True


def _emotion_speaker_take(rng, labels, speakers):
    """<emotion>/<speaker>_<take>."""
    clips, takes, take, between = {}, _counts(rng), _take(rng), rng.choice("_- .")
    for word in labels.words:
        for speaker in speakers.ids:
            for n in range(1, takes + 1):
                clips[f"{word}/{speaker}{between}{take.format(n)}"] = Clip(word, speaker)
    return clips, _known(labels) and _clear_token(speakers, takes > 1 and take[0] == "{")


def _speaker_emotion_take(rng, labels, speakers):
    """<speaker>/<emotion>_<take>, or joined."""
    clips, takes, take, between = {}, _counts(rng) + 1, _take(rng), rng.choice(["_", "-", " ", "_"])
    if rng.random() < 0.3 and labels.kind.startswith("words") and not any("_" in word for word in labels.words):
        take, between = "{:02d}", ""
    for word in labels.words:
        for speaker in speakers.ids:
            for n in range(1, takes + 1):
                clips[f"{speaker}/{word}{between}{take.format(n)}"] = Clip(word, speaker)
    return clips, _clear_folder(labels, speakers) and _known(labels) and len(speakers.ids) > 1


def _flat(rng, labels, speakers):
    order = rng.choice(["{s}{b}{w}{b}{n}", "{w}{b}{s}{b}{n}", "{n}{b}{s}{b}{w}", "{s}{b}{n}{b}{w}", "{s}{b}{w}"])
    clips, takes, take, between = {}, _counts(rng), rng.choice(["{:d}", "{:02d}"]), rng.choice("_-._ ")
    if "{n}" not in order:
        takes = 1
    for word in labels.words:
        for speaker in speakers.ids:
            for n in range(1, takes + 1):
                clips[order.format(s=speaker, w=word, b=between, n=take.format(n))] = Clip(word, speaker)
    return clips, _known(labels) and _clear_token(speakers, takes > 1 and order.startswith("{s}"))


def _flat_sentences(rng, labels, speakers):
    """A name with a sentence, as a word or a number, beside the speaker."""
    texts = rng.choice(
        [rng.sample(SENTENCES, 3), ["sent1", "sent2"], ["01", "02", "03"], ["sad1", "dog2"], ["a01", "b02"]]
    )
    order = rng.choice(["{s}_{t}_{w}_{n}", "{w}_{s}_{t}_{n}", "{t}_{w}_{s}", "{s}_{t}_{w}"])
    clips = {}
    for word in labels.words:
        for speaker in speakers.ids:
            for text in texts:
                for n in range(1, 3):
                    clips[order.format(s=speaker, t=text, w=word, n=n)] = Clip(word, speaker)
    plain = speakers.kind in (*BY_CODE, *PLAIN_NAMES)
    return clips, _known(labels) and plain and len(speakers.ids) > 1 and "sad1" not in texts


def _sentences_only(rng, labels, speakers):
    """One unknown speaker, or any: names have a sentence and a take, which must not become speakers."""
    texts = rng.choice([SENTENCES[:4], ["s1", "s2", "s3"], [str(n) for n in range(351, 356)], ["0101", "0102", "0103"]])
    orders = ["{w}_{t}_{n}", "{w}/{t}", "{n}_{w}_{t}"]  # s1 in the first place would be a subject to everyone
    order = rng.choice(orders + ([] if texts[0] == "s1" else ["{t}_{w}_{n}", "{w}/{t}_{n}"]))
    clips = {}
    for word in labels.words:
        for text in texts:
            for n in range(1, 4):
                clips[order.format(t=text, w=word, n=n)] = Clip(word, "")
    return clips, False


def _flat_takes(rng, labels, speakers):
    style = rng.choice(["{w}_{n:02d}", "{w} ({n})", "{w}{n:02d}", "{n:03d}_{w}", "{w}-{n}"])
    words = [word for word in labels.words]
    takes = _counts(rng) + 1
    clips = {style.format(w=word, n=n): Clip(word, "") for word in words for n in range(1, takes + 1)}
    return clips, labels.kind.startswith("words") and not any(word[-1:].isdigit() for word in words)


def _joined(rng, labels, speakers):
    """spk1angry03 and the like."""
    clips, takes = {}, _counts(rng)
    style = rng.choice(["{s}_{w}{n:02d}", "{s}-{w}{n}", "{s}{w}{n:02d}"])
    for word in labels.words:
        for speaker in speakers.ids:
            for n in range(1, takes + 1):
                clips[style.format(s=speaker, w=word, n=n)] = Clip(word, speaker)
    clear = labels.kind.startswith("words") and len(speakers.ids) > 1 and not any("_" in word for word in labels.words)
    if style == "{s}{w}{n:02d}":
        return clips, clear and speakers.kind in ("spk", "spk_0", "Actor_0", "sexed")
    return clips, clear and speakers.kind in (*PLAIN_NAMES, *BY_CODE)


def _sex_levels(rng, labels, speakers):
    words = rng.choice([("female", "male"), ("F", "M"), ("women", "men")])
    clips, takes, name = {}, _counts(rng), _file_name(rng, labels, speakers)
    same = rng.random() < 0.4  # ids that begin anew for men
    for word in labels.words:
        for number, speaker in enumerate(speakers.ids):
            for sex in (0, 1) if same else (number % 2,):
                for n in range(1, takes + 1):
                    who = f"{words[sex]} {speaker}" if same else speaker
                    path = f"{words[sex]}/{speaker}/{word}/{name(word, speaker, n)}"
                    clips[path] = Clip(word, who, sex=("female", "male")[sex])
    named = same and speakers.kind.endswith("names")
    return clips, _known(labels) and _clear_folder(labels, speakers) and not named and len(speakers.ids) > 2


def _compound_folders(rng, labels, speakers):
    """<speaker>_<emotion>/<file>, as of TESS."""
    clips, takes = {}, _counts(rng) + 1
    whole = len(speakers.ids) == 1 and not _known(labels)  # as good a label as its end
    for word in labels.words:
        for speaker in speakers.ids:
            for n in range(1, takes + 1):
                folder = f"{speaker}_{word}"
                clips[f"{folder}/{n:02d}"] = Clip(folder, "") if whole else Clip(word, speaker)
    return clips, _known(labels) and len(speakers.ids) > 1 and speakers.kind in (*PLAIN_NAMES, *BY_CODE)


def _sessions(rng, labels, speakers):
    style = rng.choice(["session{}", "Session {}", "part_{}", "day{}"])
    order = rng.choice(["{s}/{x}/{w}/{n}", "{x}/{s}/{w}/{n}", "{w}/{s}/{x}/{n}", "{w}/{x}/{n}", "{x}/{w}/{n}"])
    clips = {}
    for word in labels.words:
        for speaker in speakers.ids:
            for session in (1, 2):
                for n in (1, 2):
                    path = order.format(s=speaker, x=style.format(session), w=word, n=f"{n:02d}")
                    clips[path] = Clip(word, speaker if "{s}" in order else "")
    kinds = (*PLAIN_NAMES, "spk", "spk_0", "Actor_0", "speaker ")
    return clips, _known(labels) and ("{s}" not in order or speakers.kind in kinds and len(speakers.ids) > 1)


def _languages(rng, labels, speakers):
    names = rng.choice([("en", "de"), ("English", "German"), ("zh", "en")])
    clips = {}
    for word in labels.words:
        for number, speaker in enumerate(speakers.ids):
            for n in (1, 2, 3):
                clips[f"{names[number % 2]}/{speaker}/{word}/{n}"] = Clip(word, speaker)
    return clips, _known(labels) and _clear_folder(labels, speakers) and len(speakers.ids) > 3


_SHAPES = {
    "emotion/speaker": _emotion_speaker,
    "speaker/emotion": _speaker_emotion,
    "split levels": _split_levels,
    "split/emotion": _split_emotion,
    "emotion/file": _emotion_file,
    "emotion/speaker_take": _emotion_speaker_take,
    "speaker/emotion_take": _speaker_emotion_take,
    "flat": _flat,
    "flat with sentences": _flat_sentences,
    "sentences only": _sentences_only,
    "flat takes": _flat_takes,
    "flat joined": _joined,
    "sex levels": _sex_levels,
    "compound folders": _compound_folders,
    "sessions": _sessions,
    "languages": _languages,
}


# --- what happens to corpora


def _disturbed(rng, clips, clear, told, flat):
    around = rng.choice(["", "", "", "data/", "my corpus/wav/", "recordings/"])
    decomposed = rng.random() < 0.2
    holes = rng.random() < 0.4
    strays = rng.choice([0, 0, 0, 1, 2])
    suffix = rng.choice(SUFFIXES)
    changed = {}
    for path, clip in clips.items():
        if holes and len(clips) > 12 and rng.random() < 0.1:
            continue
        path = f"{around}{path}"
        if decomposed and rng.random() < 0.5:
            path = unicodedata.normalize("NFD", path)
        changed[path + (suffix if rng.random() < 0.95 else rng.choice(SUFFIXES))] = clip
    if decomposed:
        told.append("NFD")
    if len(changed) >= 20:
        for number in range(strays):
            name = rng.choice(["room tone", "intro", "calibration", "hello world", "mic check one two"])
            folder = rng.choice(["", around, f"{around}old/", f"{around}a/b/c/"] if not flat else ["", around])
            changed[f"{folder}{name}{number or ''}.wav"] = Clip("", "")
            told.append("stray")
    return changed, clear
