"""Data folders of Kaldi as recipes write them."""

import pytest

from listed_files import files_in_memory, refused, said
from ser.annotations import kaldi_folders
from ser.annotations.kaldi_folders import file_of_command
from ser.storage.delimited_tables import BrokenTableError

SCP = "NA-1 /home/ann/corpus/wav/NA/1.wav\n007-1 /home/ann/corpus/wav/007/1.wav\n007-2 wav/007/2 b.wav\n"
UTT2SPK = "NA-1 NA\n007-1 007\n007-2 007\n"
UTT2EMO = "NA-1 neşeli\n007-1 愤怒\n007-2 very angry\n"
FOLDER = {"wav.scp": SCP, "utt2spk": UTT2SPK, "utt2emo": UTT2EMO, "spk2gender": "NA f\n007 m\n", "text": "NA-1 hey\n"}
AUDIO = {"wav/NA/1.wav": "", "wav/007/1.wav": "", "wav/007/2 b.wav": ""}
SAID = [
    {"path": "wav/NA/1.wav", "emotion": "neşeli", "speaker": "NA", "sex": "f"},
    {"path": "wav/007/1.wav", "emotion": "愤怒", "speaker": "007", "sex": "m"},
    {"path": "wav/007/2 b.wav", "emotion": "very angry", "speaker": "007", "sex": "m"},
]


def read(contents, top=""):
    return kaldi_folders.read_records(files_in_memory({top + name: content for name, content in contents.items()}))


def placed(folder, contents):
    return {f"{folder}/{name}": content for name, content in contents.items()}


@pytest.mark.parametrize("top", ["", "corpus-1.0/"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_folder(top, end):
    contents = {name: content.replace("\n", end) for name, content in FOLDER.items()}
    reading = read(placed("data/all", contents) | AUDIO, top)
    assert said(reading) == [values | {"path": top + values["path"]} for values in SAID]
    assert (refused(reading), reading.notes, reading.labelled) == ([], (), True)
    assert kaldi_folders.claims(["data/wav.scp"]) and not kaldi_folders.claims(["my-wav.scp"])


def test_folders_of_parts_and_one_of_all():
    train = {"wav.scp": SCP[: SCP.index("007-2")], "utt2spk": UTT2SPK, "utt2emo": "NA-1 neşeli\n007-1 愤怒\n"}
    test = {"wav.scp": SCP[SCP.index("007-2") :], "utt2spk": UTT2SPK, "utt2emo": "007-2 very angry\n"}
    reading = read(placed("data/train", train) | placed("data/test", test) | AUDIO)
    assert [(v["path"], v.get("fold")) for v in said(reading)] == [
        ("wav/007/2 b.wav", "0"),
        ("wav/NA/1.wav", None),
        ("wav/007/1.wav", None),
    ]
    whole = {name: FOLDER[name] for name in ("wav.scp", "utt2spk", "utt2emo")}
    both = read(placed("data/all", whole) | placed("data/train", train) | placed("data/test", test) | AUDIO)
    assert sorted((v["path"], v.get("fold")) for v in said(both)) == [
        ("wav/007/1.wav", None),
        ("wav/007/2 b.wav", "0"),
        ("wav/NA/1.wav", None),
    ]
    assert both.notes == ("3 utterances are in more than one of data/all, data/test, data/train: taken once",)


def test_segments_and_channels():
    contents = {
        "wav.scp": "call1 call1.wav\ncall2 call2.wav\n",
        "segments": "u1 call1 0.00 12.50\nu2 call1 12.5 -1\nu3 call2 0 -1.0\nu4 call3 0 1\nu5 call1 3 2\nu6 call1\n",
        "reco2file_and_channel": "call1 call1 A\ncall2 call2 B\n",
        "utt2label": "u1 0\nu2 1\nu3 0\nu4 1\nu5 1\nu6 0\nu7 0\n",
        "call1.wav": "",
        "call2.wav": "",
    }
    reading = read(contents)
    assert said(reading) == [
        {"path": "call1.wav", "start": "0", "end": "12.5", "emotion": "0", "channel": "1"},
        {"path": "call1.wav", "start": "12.5", "emotion": "1", "channel": "1"},
        {"path": "call2.wav", "emotion": "0", "channel": "2"},
    ]
    assert refused(reading) == [
        ("segments, line 4", "wav.scp has no recording call3"),
        ("segments, line 5", "it ends at 2 s, which is not after its start at 3 s"),
        ("segments, line 6", "no recording, begin and end"),
        ("utt2label, line 7", "segments has no utterance u7"),
    ]
    mono = read(contents | {"reco2file_and_channel": "call1 call1 A\ncall2 call2 A\n"})
    assert not any("channel" in values for values in said(mono)), "A for all is no choice"


def test_every_utterance_a_speaker_of_its_own():
    reading = read({"data/wav.scp": SCP, "data/utt2emo": UTT2EMO, "data/utt2spk": "NA-1 NA-1\n007-1 007-1\n"} | AUDIO)
    assert not any("speaker" in values for values in said(reading))
    assert reading.notes == ("data/utt2spk calls every utterance a speaker of its own: speakers are unknown",)


def test_without_labels_names_are_asked():
    reading = read({"data/wav.scp": SCP, "data/utt2spk": UTT2SPK} | AUDIO)
    assert len(said(reading)) == 3 and not reading.labelled
    assert "no file of labels (utt2emo, utt2emotion, utt2label, …)" in reading.notes[0]
    partly = read({"data/wav.scp": SCP, "data/utt2emo": "NA-1 x\n"} | AUDIO)
    assert partly.labelled and [values.get("emotion") for values in said(partly)] == ["x", None, None]


@pytest.mark.parametrize(
    "command, path, channel",
    [
        ("sox /a/b.flac -t wav - |", "/a/b.flac", ""),
        ("sox -t wav -r 8k '/a/b c.wav' -t wav -r 16000 - rate 16k remix 2 |", "/a/b c.wav", "2"),
        ("ffmpeg -hide_banner -loglevel quiet -i x/y.mp3 -f wav -ar 16000 -ac 1 - |", "x/y.mp3", ""),
        ("ffmpeg -nostdin -i y.mp3 -f wav pipe:1 2> /dev/null |", "y.mp3", ""),
        ("/opt/kaldi/tools/sph2pipe_v2.5/sph2pipe -f wav -p -c 2 s/1.sph |", "s/1.sph", "2"),
        ("flac -c -d -s b.flac |", "b.flac", ""),
        ("cat a.wav |", "a.wav", ""),
    ],
)
def test_commands_that_only_read_a_file(command, path, channel):
    found = file_of_command(command[:-1])
    assert (found.path, found.channel, found.reason) == (path, channel, "")
    name = path.lstrip("/")
    reading = read({"d/wav.scp": f"u {command}\n", "d/utt2emo": "u x\n", name: ""})
    assert said(reading) == [{"path": name, "emotion": "x"} | ({"channel": channel} if channel else {})]


@pytest.mark.parametrize(
    "command",
    [
        *("rm -rf ~ |", "cat a.wav b.wav |", "cat a.wav; touch owned |", "cat $(touch owned) |", "cat `touch owned` |"),
        *("sox a.wav -t wav - speed 0.9 |", "sox a.wav -t wav - trim 0 1 |", "sox -v 0.5 a.wav -t wav - |", "cat |"),
        *("ffmpeg -ss 1 -i a.wav -f wav - |", "ffmpeg -i a.wav -af volume=2 -f wav - |", "cat a.wav | tee owned |"),
        *("sox -m a.wav b.wav -t wav - |", "cat 'a.wav |", "cat a.wav > owned |", "cat *.wav |", "|", "curl x/a.wav |"),
        "wav-reverberate --impulse-response=a.wav a.wav - |",
    ],
)
def test_commands_are_never_run(command, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    reading = read({"wav.scp": f"u {command}\n", "utt2emo": "u x\n", "a.wav": "", "b.wav": ""})
    ((where, reason),) = refused(reading)
    assert where == "wav.scp, line 1" and reason.startswith("a command, which is not run")
    assert not list(tmp_path.iterdir())


def test_paths_that_cannot_be_read():
    scp = "u1 /x/raw.ark:17\nu2\nu3 /elsewhere/1.wav\nu4 /elsewhere/2.wav\nu5 /elsewhere/a/2.wav\n"
    reading = read({"wav.scp": scp, "utt2emo": "u1 a\n", "a/1.wav": "", "b/1.wav": "", "a/2.wav": ""})
    assert [values["path"] for values in said(reading)] == ["a/2.wav"]
    assert refused(reading) == [
        ("wav.scp, line 1", "inside an archive of Kaldi, which is not read: copy it out with wav-copy"),
        ("wav.scp, line 2", "no path"),
        ("wav.scp, line 3", "no file of the corpus fits /elsewhere/1.wav alone"),
        ("wav.scp, line 4", "no file of the corpus fits /elsewhere/2.wav alone"),
    ]


def test_names_in_two_unicode_forms_are_one():
    composed, decomposed = "J\u00fcrgen", "Ju\u0308rgen"
    contents = {"wav.scp": f"{composed}-1 /x/{composed}/1.wav\n", "utt2spk": f"{decomposed}-1 {decomposed}\n"}
    contents |= {"utt2emo": f"{decomposed}-1 x\n", f"wav/{decomposed}/1.wav": "", "wav/Ann/1.wav": ""}
    assert said(read(contents)) == [{"path": f"wav/{decomposed}/1.wav", "emotion": "x", "speaker": composed}]


def test_what_cannot_be_read_at_all():
    with pytest.raises(BrokenTableError, match="d/utt2emo, line 2: u is there a second time: keep one of the two"):
        read({"d/wav.scp": "u a.wav\n", "d/utt2emo": "u x\nu y\n"})
    with pytest.raises(BrokenTableError, match="d/wav.scp is not UTF-8"):
        read({"d/wav.scp": b"u \xe4.wav\n"})
    assert said(read({"wav.scp": "u a.wav\nu a.wav\n", "utt2emo": "u x\n", "a.wav": ""})) == [
        {"path": "a.wav", "emotion": "x"}
    ]


def test_two_files_of_labels():
    reading = read({"wav.scp": "u a.wav\n", "utt2emo": "u x\n", "labels": "u y\n", "a.wav": ""})
    assert said(reading) == [{"path": "a.wav", "emotion": "x"}]
    assert reading.notes == ("labels are those of utt2emo, not of labels",)
