"""Files that name other files and addresses, which a player would open: none of it is to be touched.

All that is named is harmless: an audio file beside them, and a port of this computer.
"""

import io
import struct
from pathlib import Path

import numpy as np
import soundfile

from container_fields import BOXES
from media_files import encoded

SR = 16000
OWN, OTHER = 300, 2000  # Hz, of the tones in the files themselves and in the one that they name
TEXTS = {  # by the suffix that each kind of text has
    "m3u8": "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:1,\n{url}\n#EXTINF:1,\n{path}\n#EXT-X-ENDLIST\n",
    "m3u": "{path}\n{url}\n",
    "pls": "[playlist]\nFile1={path}\nFile2={url}\nNumberOfEntries=2\n",
    "ffconcat": "ffconcat version 1.0\nfile {path}\n",
    "concat": "file '{path}'\nfile '{url}'\n",
    "sdp": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=audio {port} RTP/AVP 0\n",
    "asx": '<asx version="3.0"><entry><ref href="{url}"/></entry></asx>\n',
    "wax": "[Reference]\nRef1={url}\nRef2={path}\n",
    "ram": "{url}\nrtsp://127.0.0.1:{port}/x\n",
    "smil": '<smil><body><audio src="{url}"/><audio src="{path}"/></body></smil>\n',
    "xspf": '<?xml version="1.0"?><playlist><trackList><location>{url}</location></trackList></playlist>',
    "mpd": '<?xml version="1.0"?><MPD><Period><AdaptationSet><BaseURL>{url}</BaseURL></AdaptationSet></Period></MPD>',
    "cue": 'FILE "{path}" WAVE\n  TRACK 01 AUDIO\n    INDEX 01 00:00:00\n',
    "strm": "{url}\n",
    "url": "[InternetShortcut]\nURL={url}\n",
    "rtsptext": "RTSPtext\nrtsp://127.0.0.1:{port}/x\n",
}
AUDIO_NAMES = ("wav", "mp4", "m4a", "mp3", "ogg", "wma", "rm", "ts", "g722", "gsm")


def tempting_files(other: Path, port: int) -> dict[str, bytes]:
    """Return files by their names; each leads to the file `other` and to the `port` of 127.0.0.1, in its own way."""
    other.write_bytes(_wav(OTHER))
    names = {"path": str(other), "url": f"http://127.0.0.1:{port}/x.m4a", "port": port}
    texts = {kind: text.format(**names).encode() for kind, text in TEXTS.items()}
    files = {f"{kind}.{suffix}": text for kind, text in texts.items() for suffix in AUDIO_NAMES}
    for scheme in ("{path}", "file://{path}", "{url}", "concat:{path}", "async:file:{path}", "data:audio/wav;base64,"):
        address = scheme.format(**names)
        files[f"url-{len(files)}.mov"] = _mov(_entry(b"url ", address.encode() + b"\0"))
    files["alias.mov"] = _mov(_alias(str(other)))
    files["relative-alias.mov"] = _mov(_alias(other.name))
    files["segment.mkv"] = _matroska(names["url"], str(other))
    files["tags.mp3"] = _id3(names["url"]) + _encoded("mp3", "libmp3lame")
    files["picture.mp3"] = _id3(str(other)) + _encoded("mp3", "libmp3lame", options={"write_xing": "0"})
    wav = _wav(OWN)
    links = b"LIST" + struct.pack("<I", 4 + 8 + 256) + b"INFOISRC" + struct.pack("<I", 256)
    files["list.wav"] = wav + links + str(other).encode().ljust(256, b"\0")
    return files


def strength(y: np.ndarray, sr: int, frequency: float) -> float:
    """Return the amplitude of a tone in a recording."""
    phase = np.exp(-2j * np.pi * frequency * np.arange(len(y)) / sr)
    return float(2 * abs(np.mean(y * phase)))


def _tone(frequency: float) -> np.ndarray:
    return 0.4 * np.sin(2 * np.pi * frequency * np.arange(SR) / SR)


def _wav(frequency: float) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, _tone(frequency), SR, format="WAV")
    return file.getvalue()


def _encoded(container: str, codec: str, **settings) -> bytes:
    return encoded(_tone(OWN), container, codec, **settings)


def _mov(entry: bytes) -> bytes:
    """Return a QuickTime file whose samples are said to be in another file."""
    return with_box(_encoded("mov", "pcm_s16le"), (b"moov", b"trak", b"mdia", b"minf", b"dinf", b"dref"), entry)


def with_box(content: bytes, names: tuple[bytes, ...], entry: bytes) -> bytes:
    """Return a file of ISO base media with another only entry in the table that the names lead to."""
    parts, place = [], 0
    while place + 8 <= len(content):
        size, name = int.from_bytes(content[place : place + 4], "big"), content[place + 4 : place + 8]
        body = content[place + 8 : place + size]
        if name == names[0]:
            head = body[: BOXES[name]]
            body = head + (with_box(body[len(head) :], names[1:], entry) if names[1:] else entry)
        parts.append(struct.pack(">I", 8 + len(body)) + name + body)
        place += size
    return b"".join(parts)


def _entry(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", 12 + len(content)) + kind + bytes(4) + content  # flags 0: not in this file


def _alias(path: str) -> bytes:
    """Return an alias of Mac OS: a volume, a file, and an absolute path."""
    name = path.rsplit("/", 1)[-1].encode()[:63]
    head = bytes(10) + bytes([1]) + b"/".ljust(27, b"\0") + bytes(12) + bytes([len(name)]) + name.ljust(63, b"\0")
    records = b"".join(
        struct.pack(">HH", kind, len(text)) + text + bytes(len(text) % 2)
        for kind, text in ((0, b"x"), (2, path.encode()), (18, path.encode()))
    )
    return _entry(b"alis", head + bytes(16) + struct.pack(">HH", 1, 1) + bytes(16) + records + b"\xff\xff\0\0")


def _matroska(address: str, path: str) -> bytes:
    """Return a Matroska file that names the segments before and after itself (RFC 9559)."""
    content = _encoded("matroska", "pcm_s16le")
    segment, named = content.index(b"\x18\x53\x80\x67") + 4, content.index(b"\x15\x49\xa9\x66")
    info = content.index(b"\x15\x49\xa9\x66", named + 1) + 4  # the first is in the table of what is where
    length = 9 - content[info].bit_length()
    size = int.from_bytes(content[info : info + length], "big") & (1 << 7 * length) - 1
    links = b""
    for identity, value in (
        (0x3EB923, bytes(range(16))), (0x3E83BB, address.encode()), (0x3CB923, bytes(range(16))),
        (0x3C83AB, path.encode()), (0x7384, path.encode()),
    ):  # fmt: skip
        links += identity.to_bytes((identity.bit_length() + 7) // 8, "big") + _size(len(value)) + value
    body = content[info + length : info + length + size] + links
    return (
        content[:segment]
        + b"\x01"
        + b"\xff" * 7
        + content[segment + 8 : info]
        + _size(len(body))
        + body
        + (content[info + length + size :])
    )


def _size(count: int) -> bytes:
    return (1 << 56 | count).to_bytes(8, "big")


def _id3(address: str) -> bytes:
    """Return a tag of ID3v2.3 with links, and a picture that is only an address."""
    frames = b""
    for name, body in (
        (b"WXXX", b"\0\0" + address.encode()), (b"WOAS", address.encode()),
        (b"LINK", b"TIT" + address.encode() + b"\0"), (b"APIC", b"\0-->\0\3\0" + address.encode()),
    ):  # fmt: skip
        frames += name + struct.pack(">IH", len(body), 0) + body
    return b"ID3\3\0\0" + bytes(len(frames) >> shift & 0x7F for shift in (21, 14, 7, 0)) + frames
