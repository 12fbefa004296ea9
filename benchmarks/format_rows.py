"""Who writes which format how: libsndfile, FFmpeg, SoX, LAME and other encoders."""

from collections.abc import Iterator
from functools import partial

from format_writers import (
    EXACT,
    PLACED,
    Row,
    ffmpeg,
    ffmpeg_pipe,
    sndfile,
    sox,
    through,
    tool,
    write_amr_nb,
    write_amr_wb,
)

# by what the codec's delay is known, and notes on lengths
STATED = "stated"
TAG = "LAME's tag"
CODEC = "codec's"
LAME_USUAL = "LAME's usual"
AAC_USUAL = "AAC's usual"
BY_FFMPEG = "FFmpeg's"
LENGTH = "no length stated"
WHOLE = "length in whole ms"
FACT = "length in the fact chunk"


def rows() -> Iterator[Row]:
    """Yield all formats that installed tools write."""
    yield from _sndfile_rows()
    yield from _ffmpeg_lossless()
    yield from _ffmpeg_lossy()
    yield from _ffmpeg_in_wav()
    yield from _sox_rows()
    yield from _encoder_rows()


def _sndfile_rows() -> Iterator[Row]:
    for rate in (8000, 16000, 44100, 48000):
        yield sndfile(f"WAV, 16 bits, {rate} Hz", rate, ".wav", EXACT, "WAV", "PCM_16")
    for subtype, words in (("PCM_24", "24 bits"), ("PCM_32", "32 bits"), ("FLOAT", "float"), ("DOUBLE", "double")):
        yield sndfile(f"WAV, {words}", 16000, ".wav", EXACT, "WAV", subtype)
    for subtype, words in (("PCM_U8", "8 bits"), ("ULAW", "µ-law"), ("ALAW", "A-law")):
        yield sndfile(f"WAV, {words}", 8000, ".wav", PLACED, "WAV", subtype)
    yield sndfile("WAV, IMA ADPCM", 16000, ".wav", 1017, "WAV", "IMA_ADPCM", note=LENGTH)
    yield sndfile("WAV, Microsoft ADPCM", 16000, ".wav", 1012, "WAV", "MS_ADPCM", note=FACT)
    yield sndfile("WAV, GSM 6.10", 8000, ".wav", 320, "WAV", "GSM610")
    for kind, subtype, suffix, words in (
        ("WAVEX", "PCM_24", ".wav", "WAV extensible, 24 bits"),
        ("RF64", "PCM_16", ".rf64", "RF64"),
        ("W64", "PCM_16", ".w64", "W64"),
        ("AIFF", "PCM_16", ".aiff", "AIFF"),
        ("AIFF", "FLOAT", ".aifc", "AIFC, float"),
        ("AU", "PCM_16", ".au", "AU"),
        ("CAF", "PCM_16", ".caf", "CAF"),
        ("CAF", "ALAC_16", ".caf", "CAF, Apple Lossless"),
        ("FLAC", "PCM_16", ".flac", "FLAC, 16 bits"),
        ("FLAC", "PCM_24", ".flac", "FLAC, 24 bits"),
        ("NIST", "PCM_16", ".sph", "NIST SPHERE"),
    ):
        yield sndfile(words, 44100, suffix, EXACT, kind, subtype)
    yield sndfile("AU, µ-law", 8000, ".au", PLACED, "AU", "ULAW")
    yield sndfile("AU, G.721", 8000, ".au", 120, "AU", "G721_32")
    yield sndfile("Ogg Vorbis", 16000, ".ogg", PLACED, "OGG", "VORBIS", delay=STATED)
    yield sndfile("Ogg Opus", 48000, ".opus", PLACED, "OGG", "OPUS", delay=STATED)
    yield sndfile("MP3, constant", 16000, ".mp3", PLACED, "MP3", "MPEG_LAYER_III", delay=TAG)
    yield sndfile("MP3, variable", 44100, ".mp3", PLACED, "MP3", "MPEG_LAYER_III", delay=TAG, bitrate_mode="VARIABLE")


def _ffmpeg_lossless() -> Iterator[Row]:
    for words, suffix, options in (
        ("M4A, Apple Lossless", ".m4a", "-c:a alac"),
        ("MOV, Apple Lossless", ".mov", "-c:a alac"),
        ("CAF, Apple Lossless", ".caf", "-c:a alac"),
        ("MOV, PCM", ".mov", "-c:a pcm_s16be"),
        ("FLAC", ".flac", "-c:a flac"),
        ("Ogg FLAC", ".oga", "-c:a flac"),
        ("MKV, FLAC", ".mkv", "-c:a flac"),
        ("MKA, PCM", ".mka", "-c:a pcm_s16le"),
        ("AVI, PCM", ".avi", "-c:a pcm_s16le"),
        ("WAV", ".wav", "-c:a pcm_s16le"),
        ("WAV, 24 bits", ".wav", "-c:a pcm_s24le"),
        ("RF64", ".wav", "-c:a pcm_s16le -rf64 always"),
        ("AIFF", ".aiff", "-c:a pcm_s16be"),
        ("AU", ".au", "-c:a pcm_s16be"),
        ("CAF", ".caf", "-c:a pcm_s16le"),
        ("WavPack", ".wv", "-c:a wavpack"),
        ("True Audio", ".tta", "-c:a tta"),
        ("VOC", ".voc", "-c:a pcm_s16le"),
        ("ASF, PCM", ".asf", "-c:a pcm_s16le"),
        ("TrueHD", ".thd", "-af pan=stereo|c0=c0|c1=c0 -c:a truehd -strict -2 -f truehd"),
    ):
        yield ffmpeg(words, 44100, suffix, EXACT, options)
    yield ffmpeg("W64", 44100, ".w64", 4, "", note="the size that it states counts padding")
    yield ffmpeg_pipe("WAV", 16000, ".wav", "-c:a pcm_s16le -f wav")
    yield ffmpeg_pipe("AIFF", 16000, ".aiff", "-c:a pcm_s16be -f aiff")
    yield ffmpeg_pipe("AU", 16000, ".au", "-c:a pcm_s16be -f au")
    yield ffmpeg_pipe("FLAC", 16000, ".flac", "-c:a flac -f flac")
    yield ffmpeg_pipe("MKA, PCM", 16000, ".mka", "-c:a pcm_s16le -f matroska")


def _ffmpeg_lossy() -> Iterator[Row]:
    for rate in (8000, 16000, 48000):
        yield ffmpeg(f"M4A, AAC, {rate} Hz", rate, ".m4a", 1024, "-c:a aac", delay=STATED, note=WHOLE)
    for words, suffix, options in (("MOV, AAC", ".mov", ""), ("3GP, AAC", ".3gp", ""), ("MP4, AAC", ".mp4", "")):
        yield ffmpeg(words, 44100, suffix, 1024, f"-c:a aac {options}", delay=STATED, note=WHOLE)
    video = "-f lavfi -i testsrc=size=64x64:rate=10 -shortest -c:v mpeg4"
    yield ffmpeg("MP4, AAC beside a video", 48000, ".mp4", 1024, f"{video} -c:a aac", delay=STATED, note=WHOLE)
    yield ffmpeg("MP4, MP3", 44100, ".mp4", 1152, "-c:a libmp3lame", delay=STATED, note=WHOLE)
    yield ffmpeg("MP4, Opus", 48000, ".mp4", 960, "-c:a libopus", delay=STATED)
    yield ffmpeg("MP4, AC-3", 48000, ".mp4", 1536, "-c:a ac3", delay=STATED)
    fragments = "-c:a aac -movflags +frag_keyframe+empty_moov"
    yield ffmpeg("M4A, AAC in fragments", 16000, ".m4a", 2048, fragments, delay=BY_FFMPEG, note=LENGTH)
    for words, rate, suffix, options in (
        ("AAC, ADTS", 16000, ".aac", "-f adts"),
        ("AAC, LATM", 16000, ".latm", "-f latm"),
        ("MKA, AAC", 44100, ".mka", ""),
        ("FLV, AAC", 44100, ".flv", ""),
        ("MPEG-TS, AAC", 48000, ".ts", ""),
    ):
        yield ffmpeg(words, rate, suffix, 2048, f"-c:a aac {options}", delay=AAC_USUAL, note=LENGTH)
    for words, suffix, options in (
        ("AC-3", ".ac3", "-c:a ac3"),
        ("E-AC-3", ".eac3", "-c:a eac3"),
        ("MPEG-TS, AC-3", ".ts", "-c:a ac3"),
        ("VOB, AC-3", ".vob", "-c:a ac3 -f vob"),
        ("RealMedia, AC-3", ".rm", "-c:a ac3"),
    ):
        yield ffmpeg(words, 48000, suffix, 1536, options, delay=CODEC, note=LENGTH)
    yield ffmpeg("DTS", 48000, ".dts", 512, "-c:a dca -strict -2", delay=CODEC, note=LENGTH)
    for words, suffix, options in (
        ("MP2", ".mp2", ""),
        ("MPEG-PS, MP2", ".mpg", "-f mpeg"),
        ("MPEG-TS, MP2", ".ts", ""),
    ):
        yield ffmpeg(words, 48000, suffix, 1152, f"-c:a mp2 {options}", delay=CODEC, note=LENGTH)
    yield ffmpeg("MP3", 44100, ".mp3", PLACED, "-c:a libmp3lame", delay=TAG)
    no_xing = "-c:a libmp3lame -q:a 4 -write_xing 0"
    yield ffmpeg("MP3, variable, no Xing frame", 16000, ".mp3", 1152, no_xing, delay=LAME_USUAL, note=LENGTH)
    for words, suffix in (("AVI, MP3", ".avi"), ("FLV, MP3", ".flv"), ("ASF, MP3", ".asf"), ("MKA, MP3", ".mka")):
        yield ffmpeg(words, 44100, suffix, 1152, "-c:a libmp3lame", delay=LAME_USUAL, note=LENGTH)
    for rate in (8000, 16000, 48000):
        yield ffmpeg(f"Ogg Opus, {rate} Hz", rate, ".opus", PLACED, "-c:a libopus", delay=STATED)
    yield ffmpeg("Ogg Opus, 16 kbit/s", 48000, ".opus", PLACED, "-c:a libopus -b:a 16k", delay=STATED)
    yield ffmpeg("WebM, Opus", 48000, ".webm", 960, "-c:a libopus", delay=STATED)
    yield ffmpeg("WebM, Opus, 16000 Hz", 16000, ".webm", 960, "-c:a libopus", delay=STATED)
    yield ffmpeg("MKV, Opus", 48000, ".mkv", 960, "-c:a libopus", delay=STATED)
    yield ffmpeg("Ogg Vorbis", 44100, ".ogg", PLACED, "-c:a libvorbis", delay=STATED)
    yield ffmpeg("WebM, Vorbis", 44100, ".webm", 1024, "-c:a libvorbis", delay=STATED, note=LENGTH)
    yield ffmpeg("Ogg Speex", 16000, ".spx", 320, "-c:a libspeex", delay=CODEC, note=LENGTH)
    yield ffmpeg("FLV, Speex", 16000, ".flv", 320, "-c:a libspeex", delay=CODEC, note=LENGTH)
    yield ffmpeg("FLV, Nellymoser", 16000, ".flv", 512, "-c:a nellymoser", delay=CODEC, note=LENGTH)
    for rate, frame in ((8000, 512), (16000, 512), (44100, 2048)):
        yield ffmpeg(f"WMA 2, {rate} Hz", rate, ".wma", 2 * frame, "-c:a wmav2", delay=BY_FFMPEG, note=LENGTH)
    yield ffmpeg("WMA 1", 44100, ".wma", 4096, "-c:a wmav1", delay=BY_FFMPEG, note=LENGTH)
    yield ffmpeg("GSM 6.10", 8000, ".gsm", 160, "-c:a libgsm", note=LENGTH)
    yield ffmpeg("G.722", 16000, ".g722", 22, "-c:a g722", delay=CODEC)
    yield ffmpeg("RealAudio 14.4", 8000, ".rm", 320, "-c:a real_144", delay=CODEC, note=LENGTH)
    yield ffmpeg("MOV, IMA ADPCM", 44100, ".mov", 64, "-c:a adpcm_ima_qt", note=LENGTH)
    yield ffmpeg("CAF, IMA ADPCM", 44100, ".caf", 64, "-c:a adpcm_ima_qt", note=LENGTH)


def _ffmpeg_in_wav() -> Iterator[Row]:
    yield ffmpeg("WAV, µ-law", 8000, ".wav", PLACED, "-c:a pcm_mulaw")
    yield ffmpeg("WAV, Microsoft ADPCM", 16000, ".wav", 2036, "-c:a adpcm_ms")
    yield ffmpeg("WAV, IMA ADPCM", 16000, ".wav", 2041, "-c:a adpcm_ima_wav")
    yield ffmpeg("WAV, G.726", 8000, ".wav", 2, "-c:a g726")
    yield ffmpeg("WAV, G.722", 16000, ".wav", 22, "-c:a g722", delay=CODEC)
    yield ffmpeg("WAV, GSM 6.10", 8000, ".wav", 320, "-c:a libgsm_ms", note=LENGTH)
    yield ffmpeg("WAV, MP3", 44100, ".wav", 1152, "-c:a libmp3lame", delay=LAME_USUAL, note=LENGTH)
    yield ffmpeg("WAV, MP2", 48000, ".wav", 1152, "-c:a mp2", delay=CODEC, note=LENGTH)
    yield ffmpeg("WAV, WMA 2", 44100, ".wav", 4096, "-c:a wmav2", delay=BY_FFMPEG, note=LENGTH)


def _sox_rows() -> Iterator[Row]:
    for words, suffix, options in (
        ("WAV, 24 bits", ".wav", "-b 24"),
        ("AIFF", ".aiff", ""),
        ("AIFC", ".aifc", ""),
        ("AU", ".au", ""),
        ("CAF", ".caf", ""),
        ("W64", ".w64", ""),
        ("FLAC", ".flac", ""),
        ("WavPack", ".wv", ""),
        ("NIST SPHERE", ".sph", ""),
    ):
        yield sox(words, 44100, suffix, EXACT, options)
    for words, suffix, kind in (("WAV", ".wav", "wav"), ("AIFF", ".aiff", "aiff"), ("AU", ".au", "au")):
        yield tool(words, "SoX to a pipe", 16000, suffix, EXACT, f"sox -D {{wav}} -t {kind} -")
    yield sox("8SVX", 8000, ".8svx", 2)
    yield sox("NIST SPHERE, µ-law", 8000, ".sph", PLACED, "-e u-law")
    yield sox("VOC", 44100, ".voc", 4, note="SoX states 4 samples fewer than it writes")
    yield sox("VOC, 8 bits", 8000, ".voc", PLACED, "-b 8")
    yield sox("WAV, IMA ADPCM", 16000, ".wav", 505, "-e ima-adpcm")
    yield sox("WAV, Microsoft ADPCM", 16000, ".wav", 500, "-e ms-adpcm")
    yield sox("WAV, GSM 6.10", 8000, ".wav", 320, "-e gsm-full-rate")
    yield sox("GSM 6.10", 8000, ".gsm", 160)
    yield sox("AMR, 8 kHz, pauses left out", 8000, ".amr", 160, "-t amr-nb", delay=CODEC, note=LENGTH)
    yield sox("Ogg Vorbis", 44100, ".ogg", PLACED, delay=STATED)
    yield sox("MP3", 16000, ".mp3", 1152, delay=LAME_USUAL, note=LENGTH)
    yield sox("MP2", 48000, ".mp2", 1152, delay=CODEC, note=LENGTH)


def _encoder_rows() -> Iterator[Row]:
    for words, rate, options, frame, delay in (
        ("MP3, constant, 16000 Hz", 16000, "-b 64", PLACED, TAG),
        ("MP3, constant, 160 kbit/s, 16000 Hz", 16000, "-b 160", PLACED, TAG),
        ("MP3, constant, 44100 Hz", 44100, "-b 128", PLACED, TAG),
        ("MP3, variable", 16000, "-V 4", PLACED, TAG),
        ("MP3, average", 48000, "--abr 64", PLACED, TAG),
        ("MP3, constant, no tag", 44100, "-t -b 64", 1152, LAME_USUAL),
        ("MP3, variable, no tag", 16000, "-t -V 5", 1152, LAME_USUAL),
        ("MP3, free format", 44100, "--freeformat -b 400", 1152, TAG),
    ):
        note = LENGTH if delay == LAME_USUAL else ""
        command = f"lame --quiet {options} --resample {rate / 1000:g} {{wav}} {{out}}"
        yield tool(words, "LAME", rate, ".mp3", frame, command, delay=delay, note=note)
    yield tool("MP2", "TwoLAME", 44100, ".mp2", 1152, "twolame --quiet {wav} {out}", delay=CODEC, note=LENGTH)
    yield tool("Ogg Vorbis", "oggenc", 16000, ".ogg", PLACED, "oggenc -Q -o {out} {wav}", delay=STATED)
    yield tool("Ogg Opus", "opusenc", 48000, ".opus", PLACED, "opusenc --quiet {wav} {out}", delay=STATED)
    low = "opusenc --quiet --bitrate 16 {wav} {out}"
    yield tool("Ogg Opus, 16 kbit/s", "opusenc", 16000, ".opus", PLACED, low, delay=STATED)
    for rate, band, frame in ((8000, "-n", 160), (16000, "-w", 320), (32000, "-u", 640)):
        command = f"speexenc {band} --quality 8 {{wav}} {{out}}"
        yield tool(f"Ogg Speex, {rate} Hz", "speexenc", rate, ".spx", frame, command, delay=CODEC, note=LENGTH)
    amr = partial(write_amr_nb, 12200)
    yield Row("AMR, 8 kHz, 12.2 kbit/s", "OpenCORE", 8000, ".amr", 320, amr, CODEC, LENGTH)
    low_amr = partial(write_amr_nb, 4750)
    yield Row("AMR, 8 kHz, 4.75 kbit/s", "OpenCORE", 8000, ".amr", 320, low_amr, CODEC, LENGTH)
    copy = "ffmpeg -nostdin -v error -y -i {wav} -c copy {out}"
    in_3gp = partial(through, amr, ".amr", copy)
    yield Row("3GP, AMR", "OpenCORE, FFmpeg", 8000, ".3gp", 320, in_3gp, CODEC, LENGTH)
    for words, pauses_left_out in (("AMR, 16 kHz", False), ("AMR, 16 kHz, pauses left out", True)):
        write = partial(write_amr_wb, pauses_left_out)
        yield Row(words, "VisualOn", 16000, ".awb", 320, write, CODEC, LENGTH)
