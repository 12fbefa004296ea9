"""What the name of a file says of its sound: audio that is read, audio that is not and why, no audio, or nothing.

`ser.audio.decoding.AUDIO_SUFFIXES` is the list of what is read; here is only what cannot be derived from it. A file
whose name says nothing is opened: its first bytes tell.
"""

import os
import re
from functools import lru_cache
from pathlib import PurePath

from ser.audio.container_headers import HEADER_BYTES, frame_bytes, frame_kind, kind_of
from ser.audio.decoding import AUDIO_SUFFIXES
from ser.audio.unknown_headers import DS2, SILK

LOSSLESS = (
    ".wav", ".wave", ".bwf", ".w64", ".rf64", ".flac", ".aiff", ".aif", ".aifc", ".au", ".snd", ".caf", ".sph", ".nist",
    ".voc", ".ape", ".wv", ".tta", ".dsf", ".8svx", ".tak", ".shn", ".thd", ".mlp",
)  # fmt: skip
CONVERT = "convert it to WAV or FLAC"
HEADERLESS = "samples without a header, so that nothing says their rate and encoding: " + CONVERT
ENCRYPTED = "encrypted by who sold it, so that nobody else decodes it: record or buy it without"
MAKERS = "a recorder's own format, which only its maker's program decodes: convert it to WAV with that"
PROJECT = "a project of an audio editor, not a recording: export it from there as WAV"
NO_SOUND = "notes or the address of a track, not a recording: take the recording itself"
NO_DECODER = "no format that is read: " + CONVERT
REASONS = {
    HEADERLESS: (".raw", ".pcm", ".vox", ".ul", ".ulaw", ".al", ".alaw", ".sln", ".g726", ".g729", ".adpcm"),
    ENCRYPTED: (".m4p", ".aa", ".aax", ".aaxc"),
    MAKERS: (".dvf", ".msv", ".nmf"),
    DS2: (".ds2",),
    SILK: (".silk", ".slk"),
    PROJECT: (".aup", ".aup3", ".sesx"),
    NO_SOUND: (".cda", ".mid", ".midi", ".kar"),
    NO_DECODER: (
        ".wve", ".qcp", ".oma", ".aa3", ".at3", ".ofr", ".dff", ".mmf", ".vqf", ".aud", ".dct",
    ),
}  # fmt: skip
AUDIO = frozenset(AUDIO_SUFFIXES)
UNREAD = {suffix: reason for reason, suffixes in REASONS.items() for suffix in suffixes}
BESIDE = """
    .txt .md .rst .csv .tsv .json .jsonl .ndjson .xml .html .htm .yaml .yml .toml .ini .cfg .conf .log .lst .list .tex
    .bib .rtf .pdf .ps .doc .docx .xls .xlsx .ods .odt .ppt .pptx .odp .sav .dta .rdata .rds .css .js .py .pyc .ipynb .r
    .rmd .m .mat .sh .bat .ps1 .pl .c .h .cpp .java .praat .npy .npz .pkl .pickle .joblib .h5 .hdf5 .parquet .arrow
    .feather .sqlite .db .pt .pth .onnx .safetensors .png .jpg .jpeg .gif .bmp .tif .tiff .svg .webp .ico .psd .heic
    .textgrid .eaf .pfsx .etf .lab .mlf .ctm .stm .trs .trn .rttm .uem .srt .vtt .ass .sub .lrc .cha .anvil .ark .scp
    .htk .arff .dvc .lock .gitignore .gitattributes .md5 .sha1 .sha256 .asc .sig .url .lnk .webloc .cue .m3u .m3u8 .pls
    .asd .pek .reapeaks .sfk .exe .dll .so .dylib .zip .tar .gz .tgz .bz2 .tbz2 .xz .txz .zst .7z .rar
"""  # what lies beside speech under a well-known suffix of its own: it is not opened
NO_AUDIO = frozenset(BESIDE.split())
ARCHIVES = (".zip", ".tar", ".tgz", ".tar.gz", ".tbz2", ".tar.bz2", ".txz", ".tar.xz", ".tar.zst", ".7z", ".rar")
PARTIAL = (
    ".part",
    ".partial",
    ".crdownload",
    ".download",
    ".opdownload",
    ".filepart",
    ".!ut",
    ".!qb",
    ".aria2",
    ".ytdl",
)
PACKED = (".gz", ".bz2", ".xz", ".zst")  # a single file
UNFINISHED = "a download that has not ended: let it end, or download it again"
UNPACK = "packed as a whole: unpack it"
IN_ICLOUD = "still in iCloud, and only its name is here: download it in the Finder (or by `brctl download`)"
FRAMES = ("MPEG", "ADTS")  # known by 11 bits: in a file of an unknown suffix only two in a row are believed
SNIFFED = 4096  # bytes: two frames of MPEG audio at any bit rate
SHORT_MARKS = ("AC3", "EAC3", "LOAS", "MPEG_TS", "GSM")  # what is known by too few bits to be looked for
SAYS_NOTHING = (".audio", ".bin", ".blob", ".dat", ".data", ".file", ".sound", ".tmp")  # of what a file holds
NUMBER = re.compile(r"\.\d*")  # the end of a time or a version (``Memo 10.30``), and no suffix


@lru_cache(maxsize=256)  # a name is asked about several times in a row
def suffix_of(name: str) -> str:
    """Return the suffix of a file in lower case; a number is none."""
    suffix = os.path.splitext(name)[1].lower()
    return "" if NUMBER.fullmatch(suffix) else suffix


def stem_of(path: PurePath) -> str:
    """Return a path, with ``/`` between its parts, without the suffix of its file."""
    text = path.as_posix()
    return text[: len(text) - len(suffix_of(path.name))]


def names_audio(name: str) -> bool:
    """Tell whether a file is called as audio is, be it read or not, or there already."""
    suffix = suffix_of(name)
    if suffix in AUDIO or suffix in UNREAD:
        return True
    stem = name[: -len(suffix)] if suffix else ""
    return (suffix in PACKED and names_audio(stem)) or (
        suffix in PARTIAL and (names_audio(stem) or names_archive(stem))
    )


def names_archive(name: str) -> bool:
    """Tell whether a file is called as an archive is that may hold audio, be it read or not."""
    return name.lower().endswith(ARCHIVES)


def placeholder_of(name: str) -> str:
    """Return the name of the audio or archive that a hidden file of iCloud stands for; an empty text of any other."""
    inner = name[1 : -len(".icloud")]
    stands = name.startswith(".") and name.lower().endswith(".icloud")
    return inner if stands and (names_audio(inner) or names_archive(inner)) else ""


def may_be_audio(name: str) -> bool:
    """Tell whether only a file's first bytes tell if it is audio: its name does not, or says that it has no header."""
    suffix = suffix_of(name)
    if suffix in AUDIO or suffix in NO_AUDIO:
        return False
    return UNREAD.get(suffix) in (None, HEADERLESS) and not (suffix in PARTIAL and names_audio(name))


def why_unread(name: str) -> str:
    """Say why a file of this name is not read; an empty text if it is, or is not called as audio is."""
    suffix = suffix_of(name)
    if suffix in UNREAD or not names_audio(name):
        return UNREAD.get(suffix, "")
    return UNFINISHED if suffix in PARTIAL else UNPACK if suffix in PACKED else ""


def is_lossy(name: str) -> bool:
    """Tell by its name whether a file's encoding loses sound, or may."""
    return suffix_of(name) not in LOSSLESS


def begins_as_audio(header: bytes, name: str = "") -> bool:
    """Tell whether a file whose name says nothing is audio by its first `SNIFFED` bytes.

    Frames without a container begin with a few bits, which texts (the mark of UTF-16) and samples have as well: of
    those only MPEG and ADTS are believed, whose headers must make sense; in a file with a suffix (`name`), which may
    be any program's data, only if another one follows where the first ends.
    """
    kind = kind_of(header[:HEADER_BYTES])
    if kind in (None, *SHORT_MARKS) or header[:2] == b"\xff\xfe":
        return False
    if kind not in FRAMES or suffix_of(name) in ("", *SAYS_NOTHING):
        return True
    length = frame_bytes(header)
    return length > 0 and frame_kind(header[length : length + HEADER_BYTES]) == kind
