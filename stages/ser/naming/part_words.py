"""Words that folders and parts of names use for all but emotions: who speaks, sexes, languages, parts of a protocol."""

import re

from ser.naming.spellings import search_key

_TESTS = {"test", "tests", "testing", "testset", "test set", "eval", "evaluation", "heldout", "held out"}
_FOLD = re.compile(r"fold ?(\d{1,4})")
_TRAINS = {"train", "training", "trainset", "train set", "traindata", "train data", "trn", "tr"}
_VALIDATIONS = {"val", "valid", "validate", "validation", "dev", "devel", "development", "valset", "val set"}
_SEXES = {
    "female": "f female females w woman women girl girls weiblich femme femmes mujer donna kadin kobieta zena 女 여",
    "male": "m male males man men boy boys mannlich maennlich homme hommes hombre uomo erkek mezczyzna muz 男 남",
}
_SEX_OF_WORD = {word: sex for sex, words in _SEXES.items() for word in words.split()}
_LANGUAGES = """
    aa af am ar as az be bg bn bo br bs ca cs cy da de el en eo es et eu fa fi fil fr ga gl gu ha he hi hr hu hy id ig
    is it ja jv ka kk km kn ko ku ky lo lt lv mg mk ml mn mr ms mt my nb ne nl nn no or pa pl ps pt ro ru rw sd si sk
    sl so sq sr sv sw ta te tg th tk tl tr tt ug uk ur uz vi wo xh yo yue zh zu afrikaans albanian amharic arabic
    armenian basque bengali bulgarian cantonese catalan chinese croatian czech danish dutch english estonian finnish
    french galician german georgian greek hebrew hindi hungarian icelandic indonesian italian japanese kannada korean
    latvian lithuanian malay malayalam mandarin marathi nepali norwegian persian farsi polish portuguese punjabi
    romanian russian serbian slovak slovenian spanish swahili swedish tamil telugu thai turkish ukrainian urdu
    vietnamese welsh deutsch francais espanol italiano turkce
"""
_LANGUAGE_KEYS = frozenset(_LANGUAGES.split())
_LANGUAGE = re.compile(r"([a-z]{2,3})[-_ ][a-z]{2}")  # en-us


def fold_of_part(word: str) -> str | None:
    """Return the fold of a part: 0 for ``test``, empty for ``train``, 3 for ``fold3``; None if it is no part."""
    key = search_key(word)
    if key in _TESTS:
        return "0"
    if number := _FOLD.fullmatch(key):
        return str(int(number[1]))
    return "" if key in _TRAINS or key in _VALIDATIONS else None


def sex_of_word(word: str) -> str | None:
    """Return ``female`` or ``male`` for a word or a letter that means it, else None."""
    return _SEX_OF_WORD.get(search_key(word))


def is_language(word: str) -> bool:
    """Tell whether a word is a code or the English name of a language."""
    key = search_key(word)
    regional = _LANGUAGE.fullmatch(key)
    return key in _LANGUAGE_KEYS or bool(regional and regional[1] in _LANGUAGE_KEYS)


_PERSONS = (
    "speaker", "speakerid", "spkr", "spk", "actor", "actress", "subject", "subj", "sub", "talker", "participant",
    "participante", "person", "proband", "teilnehmer", "locuteur", "locutor", "hablante", "parlante", "sprecher",
    "sprecherin", "konusmaci", "mowca", "user", "student", "patient", "informant", "caller", "customer", "volunteer",
)  # fmt: skip
_ITEMS = (
    "session", "sess", "ses", "part", "disc", "disk", "cd", "batch", "set", "take", "tk", "scene", "scenario",
    "recording", "rec", "sentence", "sent", "satz", "phrase", "frase", "text", "txt", "utterance", "utt", "statement",
    "stmt", "dialogue", "dialog", "dia", "group", "grp", "chapter", "year", "room", "microphone", "mic", "channel",
    "ch", "repetition", "rep", "trial", "version", "ver", "file", "clip", "audio", "sample", "track", "segment",
    "seg", "chunk", "turn", "block", "round", "item", "stimulus", "stim", "word", "story", "day", "week", "month",
    "level", "corpus", "split", "subset", "cv",
    "dataset", "database", "line", "prompt", "page", "question", "module", "task", "run",
    "experiment", "exp", "condition", "cond", "call", "tape", "song", "movie", "film", "video", "episode", "season",
    "series", "number", "nr", "no", "wav", "record", "noise", "index", "idx", "copy", "folder", "toma", "cumle",
    "kayit",
)  # fmt: skip
PEOPLE, THINGS = frozenset(_PERSONS), frozenset(_ITEMS)
_PERSON = re.compile(rf"(?:{'|'.join(_PERSONS)})[\s_.-]*(?:\d+\w{{0,2}}|[a-z]\w?)", re.IGNORECASE)
_THING = re.compile(rf"(?:{'|'.join(_ITEMS)})[\s_.-]*\d+\w?", re.IGNORECASE)
_DAY = re.compile(r"(?:19|20)\d\d([-_. ]?)[01]\d\1[0-3]\d|[0-3]?\d[-_.][01]?\d[-_.](?:19|20)\d\d")
_COUNTED = re.compile(r"[turvknxcqi]\d+", re.IGNORECASE)
_PLACES = """
    wav wavs wave audio audios sound sounds clip clips file files recording recordings data dataset raw processed speech
    mp3 flac m4a ogg original originals denoised cleaned augmented clean noisy noise studio home office lab car street
    indoor outdoor kitchen hall bedroom livingroom classroom garden street inside outside iphone android samsung xiaomi
    huawei zoom skype computer tablet webcam smartphone recorder handset landline camera
    prompted phone telephone mobile mic microphone headset laptop far near close left right mono stereo acted
    spontaneous natural elicited scripted unscripted improvised improvisation read song speech impro script web youtube
    tv radio podcast movie movies film films emotions emotion labels corpus corpora database part session
    kids children child adults adult young elderly teens patients controls healthy easy hard
    ravdess emodb cremad crema savee tess emovo iemocap esd meld nemo mead aesdd cafe mesd shemo
"""
_PLACE_KEYS = frozenset(_PLACES.split())
_LEFTOVERS = """
    old older backup backups bak tmp temp trash deleted misc various new copy copies unused rejected bad broken unsorted
    todo macosx noise background silence readme example examples sample samples
"""
_LEFTOVER_KEYS = frozenset(_LEFTOVERS.split()) | {"new folder", "old files", "do not use", "not used", "to do"}
_STRENGTHS = """
    low medium mid high strong weak normal mild moderate intense lo md hi xx unspecified subtle extreme light slight
    soft loud quiet full faible fort forte moyen modere leger normale intenso fuerte debil baja alta bajo alto media
    medio leve suave debole bassa basso lieve fraco fraca baixa baixo schwach stark mittel leicht niedrig hoch leise
    laut zwak sterk dusuk yuksek orta zayif guclu az cok hafif siddetli slaby mocny sredni slabe mocne niski wysoki
    slaba silna silny svag lag hog lav hoj слабо сильно слабая сильная слабый сильный низкая высокая средняя 弱 中 强 強
    低 高 轻 重 약 강 약함 강함 보통 ضعيف قوي متوسط कम तेज
"""
_INTENSITIES = frozenset(map(search_key, _STRENGTHS.split()))


def names_person(word: str) -> bool:
    """Tell whether a text is a word for whoever speaks and a number or a letter: ``Actor_03``, ``spk1``."""
    return _PERSON.fullmatch(word) is not None


def names_thing(word: str) -> bool:
    """Tell whether a text names a numbered thing, a day, or a place, a source or a format, which are nobody."""
    return _DAY.fullmatch(word) is not None or _THING.fullmatch(word) is not None or search_key(word) in _PLACE_KEYS


def names_count(word: str) -> bool:
    """Tell whether a part of a name is a letter and a number that count something: ``t03``, ``v2``."""
    return _COUNTED.fullmatch(word) is not None


def is_leftover(word: str) -> bool:
    """Tell whether a folder is called as what was put aside: ``old``, ``__MACOSX``."""
    return search_key(word) in _LEFTOVER_KEYS


def is_intensity(word: str) -> bool:
    """Tell whether a word says how strong an emotion is."""
    return search_key(word) in _INTENSITIES
