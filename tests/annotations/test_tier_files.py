"""TextGrids by praatio and by Praat itself, files of ELAN by pympi, and both as others write them."""

import parselmouth
import pympi
import pytest
from parselmouth.praat import call
from praatio import textgrid
from praatio.data_classes.interval_tier import IntervalTier
from praatio.data_classes.point_tier import PointTier

from listed_files import files_below, files_in_memory, refused, said
from ser.annotations import tier_files
from ser.storage.delimited_tables import BrokenTableError

LABELS = [(0.0, 1.25, "ang"), (1.25, 2.0, ""), (2.0, 3.5, 'say "neşeli" [2]!'), (3.5, 4.0, "愤怒")]
PIECES = [("0", "1.25", "ang"), ("2", "3.5", 'say "neşeli" [2]!'), ("3.5", "4", "愤怒")]
SPEAKERS = [(0.0, 1.0, "NA"), (1.0, 3.0, "007"), (3.0, 4.0, "NA")]


def grid(path, form="long_textgrid", encoding=None, **tiers):
    """Write a TextGrid by praatio; names of tiers as Python can spell them."""
    found = textgrid.Textgrid()
    for name, entries in tiers.items():
        kind = IntervalTier if len(entries[0]) == 3 else PointTier
        found.addTier(kind(name, entries, 0, 4))
    found.save(str(path), form, includeBlankSpaces=True)
    if encoding:
        path.write_bytes(path.read_text("utf-8").encode(encoding))


def pieces(reading):
    return [(v.get("start", ""), v.get("end", ""), v["emotion"]) for v in said(reading)]


def words(path):
    grid(path, words=[(0.0, 1.0, "hello"), (1.0, 4.0, "world")])


@pytest.mark.parametrize("form", ["long_textgrid", "short_textgrid"])
@pytest.mark.parametrize("encoding", [None, "utf-8-sig", "utf-16", "utf-16-be", "utf-16-le"])
def test_textgrids_of_praatio(tmp_path, form, encoding):
    grid(tmp_path / "a.TextGrid", form, encoding, words=[(0.0, 4.0, "x")], Emotion=LABELS, speaker=SPEAKERS)
    (tmp_path / "a.wav").touch()
    files = files_below(tmp_path)
    assert tier_files.claims(files.names)
    reading = tier_files.read_records(files)
    assert pieces(reading) == PIECES
    assert [(v["path"], v["speaker"]) for v in said(reading)] == [("a.wav", s) for s in ("NA", "007", "NA")]
    assert (refused(reading), reading.notes) == ([], ())


@pytest.mark.parametrize("command", ["Save as text file...", "Save as short text file..."])
def test_textgrids_of_praat(tmp_path, command):
    made = call("Create TextGrid", 0, 4, "emotion speaker", "")
    for tier, entries in ((1, LABELS), (2, SPEAKERS)):
        for number, (start, _, label) in enumerate(entries, start=1):
            if start:
                call(made, "Insert boundary...", tier, start)
            call(made, "Set interval text...", tier, number, label)
    call(made, command, str(tmp_path / "a.TextGrid"))
    assert (tmp_path / "a.TextGrid").read_bytes().startswith(b"\xfe\xff"), "Praat leaves UTF-8 where text is not ASCII"
    (tmp_path / "a.wav").touch()
    reading = tier_files.read_records(files_below(tmp_path))
    assert pieces(reading) == PIECES
    call(made, "Save as binary file...", str(tmp_path / "a.TextGrid"))
    with pytest.raises(BrokenTableError, match="a.TextGrid is a binary TextGrid: save it in Praat as a text file"):
        tier_files.read_records(files_below(tmp_path))


def test_what_praat_reads_is_what_is_read(tmp_path):
    """Comments, numbers in labels, and a layout that only Praat's rules tell."""
    text = """File type = "ooTextFile"
Object class = "TextGrid"
! by hand: 7 tiers
xmin = 0 xmax = 4 tiers? <exists> size = 1 ! one
item []: item [1]: class = "IntervalTier" name = "emotion" xmin = 0 xmax = 4.0e0
intervals: size = 2 intervals [1]: xmin = 0 xmax = 1.5 text = "1 ""2""
3 ! <absent>" intervals [2]: xmin = 1.5 xmax = 4 text = "b"
"""
    (tmp_path / "a.TextGrid").write_text(text)
    (tmp_path / "a.wav").touch()
    praat = parselmouth.Data.read(str(tmp_path / "a.TextGrid"))
    count = call(praat, "Get number of intervals...", 1)
    by_praat = [call(praat, "Get label of interval...", 1, number) for number in range(1, count + 1)]
    assert [label for *_, label in pieces(tier_files.read_records(files_below(tmp_path)))] == by_praat


def test_a_label_of_the_whole_recording(tmp_path):
    grid(tmp_path / "a.TextGrid", emotion=[(0.0, 4.0, "x")])
    (tmp_path / "a.wav").touch()
    assert said(tier_files.read_records(files_below(tmp_path))) == [{"path": "a.wav", "emotion": "x"}]


def test_latin_1_of_old_praats(tmp_path):
    grid(tmp_path / "a.TextGrid", encoding="latin-1", emotion=[(0.0, 1.0, "Ärger")])
    (tmp_path / "a.wav").touch()
    assert pieces(tier_files.read_records(files_below(tmp_path))) == [("0", "1", "Ärger")]


def test_tiers_of_several_speakers(tmp_path):
    for name in ("emotion_A", "emotion_B"), ("anna - emotion", "Emotion (bob)"), ("A:Emo", "B:Emo"):
        grid(tmp_path / "a.TextGrid", **{name[0]: [(0.0, 1.0, "x")], name[1]: [(1.0, 2.0, "y")]})
        (tmp_path / "a.wav").touch()
        found = [(v["emotion"], v["speaker"]) for v in said(tier_files.read_records(files_below(tmp_path)))]
        assert found in ([("x", "A"), ("y", "B")], [("x", "anna"), ("y", "bob")])


def test_names_of_tiers_are_speakers_only_where_they_differ(tmp_path):
    for number in (1, 2):
        grid(tmp_path / f"{number}.TextGrid", **{"emotion_x": [(0.0, 1.0, "a")]})
        (tmp_path / f"{number}.wav").touch()
    assert not any("speaker" in values for values in said(tier_files.read_records(files_below(tmp_path))))
    grid(tmp_path / "2.TextGrid", **{"emotion_y": [(0.0, 1.0, "a")]})
    reading = tier_files.read_records(files_below(tmp_path))
    assert [values["speaker"] for values in said(reading)] == ["x", "y"]
    grid(tmp_path / "2.TextGrid", **{"emotion_y": [(0.0, 1.0, "a")], "emotion_x": [(2.0, 3.0, "b")]})
    assert tier_files.read_records(files_below(tmp_path)).notes == (
        "taken for one person in all recordings that name them: x",
    )


@pytest.mark.parametrize(
    "tiers", [("emotion", "emotion_A"), ("emotion1", "emotion2"), ("emotion rater A", "emotion rater B")]
)
def test_tiers_that_nobody_can_tell_apart(tmp_path, tiers):
    grid(tmp_path / "a.TextGrid", **{name: [(0.0, 1.0, "x")] for name in tiers})
    (tmp_path / "a.wav").touch()
    with pytest.raises(BrokenTableError, match=rf"several tiers of emotions \({tiers[0]}, {tiers[1]}\): say which one"):
        tier_files.read_records(files_below(tmp_path))
    reading = tier_files.read_records(files_below(tmp_path), tier=tiers[1].upper())
    assert [values["emotion"] for values in said(reading)] == ["x"]


def test_other_tiers_are_none_of_emotions(tmp_path):
    grid(
        tmp_path / "a.TextGrid",
        emotion=[(0.0, 1.0, "x")],
        emotion_intensity=[(0.0, 1.0, "3")],
        valence=[(0.0, 1.0, "2")],
    )
    words(tmp_path / "b.TextGrid")
    for name in ("a.wav", "b.wav"):
        (tmp_path / name).touch()
    reading = tier_files.read_records(files_below(tmp_path))
    assert pieces(reading) == [("0", "1", "x")]
    assert reading.notes == ("without an emotion tier: b.TextGrid",)
    (tmp_path / "a.TextGrid").unlink()
    assert not tier_files.read_records(files_below(tmp_path)).records, "aligned words are nobody's emotions"
    with pytest.raises(BrokenTableError, match="has a tier 'mood'"):
        tier_files.read_records(files_below(tmp_path), tier="mood")
    reading = tier_files.read_records(files_below(tmp_path), tier="words")
    assert pieces(reading) == [("0", "1", "hello"), ("1", "4", "world")]


def test_intervals_that_cannot_be_used_have_a_reason(tmp_path):
    grid(tmp_path / "a.TextGrid", emotion=[(1.0, "x"), (2.0, "y")])
    grid(tmp_path / "b.TextGrid", emotion=[(1.0, 2.0, "x")])
    (tmp_path / "a.wav").touch()
    assert refused(tier_files.read_records(files_below(tmp_path))) == [
        ("a.TextGrid, tier emotion, interval 1", "a point, which has no length: make an interval of it"),
        ("a.TextGrid, tier emotion, interval 2", "a point, which has no length: make an interval of it"),
        ("b.TextGrid, tier emotion, interval 2", "no recording is called b"),  # as Praat counts: the first is empty
    ]


def test_recordings_are_found_by_their_names(tmp_path):
    grid(tmp_path / "x.TextGrid", emotion=[(1.0, 2.0, "x")])
    content = (tmp_path / "x.TextGrid").read_bytes()

    def found(annotation, *recordings):
        reading = tier_files.read_records(files_in_memory({annotation: content} | dict.fromkeys(recordings, b"")))
        return [values["path"] for values in said(reading)] or [reason for _, reason in refused(reading)]

    assert found("c/a.TextGrid", "c/a.WAV", "d/a.wav") == ["c/a.WAV"]
    assert found("grids/a.TextGrid", "wav/a.flac", "wav/b.flac") == ["wav/a.flac"]
    assert found("a.TextGrid", "a.mp4", "a.txt", "a.wav") == ["a.wav"], "the film is of the recording"
    assert found("a.wav.textgrid", "a.wav") == ["a.wav"]
    assert found("g/a.TextGrid", "1/a.wav", "2/a.wav") == ["2 recordings are called a, none of them beside it"]
    assert found("Ju\u0308rgen.TextGrid", "J\u00fcrgen.wav") == ["J\u00fcrgen.wav"]
    assert found("a.TextGrid", "a.txt") == ["no recording is called a"]


def elan(path, media="a.wav", **options):
    file = pympi.Elan.Eaf(author="x")
    file.add_linked_file(f"file:///C:/ann/{media}", relpath=f"./{media}", mimetype="audio/x-wav")
    file.add_tier("Emotion", part=options.get("participant"))
    for start, end, label in LABELS:
        file.add_annotation("Emotion", int(1000 * start), int(1000 * end), label)
    if "participant" not in options:
        file.add_tier("speaker")
        for start, end, label in SPEAKERS:
            file.add_annotation("speaker", int(1000 * start), int(1000 * end), label)
    file.to_file(str(path))


def test_files_of_elan(tmp_path):
    elan(tmp_path / "notes.eaf")
    (tmp_path / "a.wav").touch()
    reading = tier_files.read_records(files_below(tmp_path))
    assert pieces(reading) == PIECES
    assert [values["speaker"] for values in said(reading)] == ["NA", "007", "NA"]
    elan(tmp_path / "notes.eaf", participant="Ünal 1")
    reading = tier_files.read_records(files_below(tmp_path))
    assert [values["speaker"] for values in said(reading)] == ["Ünal 1"] * 3


def test_annotations_of_elan_that_refer_to_others(tmp_path):
    file = pympi.Elan.Eaf(author="x")
    file.add_linked_file("file:///a.wav", mimetype="audio/x-wav")
    file.add_tier("utterances", part="ann")
    file.add_linguistic_type("ref", constraints="Symbolic_Association", timealignable=False)
    file.add_tier("emotion", ling="ref", parent="utterances", part="ann")
    for start, end, text, label in ((0, 1250, "hi", "x"), (2000, 3500, "bye", "y")):
        file.add_annotation("utterances", start, end, text)
        file.add_ref_annotation("emotion", "utterances", start + 1, label)
    file.to_file(str(tmp_path / "a.eaf"))
    (tmp_path / "a.wav").touch()
    reading = tier_files.read_records(files_below(tmp_path))
    assert pieces(reading) == [("0", "1.25", "x"), ("2", "3.5", "y")]
    assert [values["speaker"] for values in said(reading)] == ["ann", "ann"]


def test_a_textgrid_and_a_file_of_elan_of_one_recording(tmp_path):
    grid(tmp_path / "a.TextGrid", emotion=[(0.0, 1.0, "x")])
    elan(tmp_path / "a.eaf")
    (tmp_path / "a.wav").touch()
    reading = tier_files.read_records(files_below(tmp_path))
    assert pieces(reading) == [("0", "1", "x")]
    assert reading.notes == ("not read, as a TextGrid annotates the same recordings: a.eaf",)
    (tmp_path / "bob").mkdir()
    grid(tmp_path / "bob/a.TextGrid", emotion=[(0.0, 1.0, "y")])
    with pytest.raises(BrokenTableError, match="a.TextGrid and bob/a.TextGrid both annotate a.wav: keep one of them"):
        tier_files.read_records(files_below(tmp_path))


EAF = """<?xml version="1.0" encoding="UTF-8"?>{doctype}
<ANNOTATION_DOCUMENT><HEADER MEDIA_FILE="" TIME_UNITS="milliseconds">{media}</HEADER>
<TIME_ORDER><TIME_SLOT TIME_SLOT_ID="ts1" TIME_VALUE="500"/><TIME_SLOT TIME_SLOT_ID="ts2"/>
<TIME_SLOT TIME_SLOT_ID="ts3" TIME_VALUE="1500"/></TIME_ORDER>
<TIER TIER_ID="emotion" LINGUISTIC_TYPE_REF="x">{annotations}</TIER></ANNOTATION_DOCUMENT>"""
ALIGNED = (
    '<ANNOTATION><ALIGNABLE_ANNOTATION ANNOTATION_ID="a{0}" TIME_SLOT_REF1="{1}" TIME_SLOT_REF2="{2}">'
    "<ANNOTATION_VALUE>{3}</ANNOTATION_VALUE></ALIGNABLE_ANNOTATION></ANNOTATION>"
)
REFERRING = (
    '<ANNOTATION><REF_ANNOTATION ANNOTATION_ID="a{0}" ANNOTATION_REF="a{1}">'
    "<ANNOTATION_VALUE>{2}</ANNOTATION_VALUE></REF_ANNOTATION></ANNOTATION>"
)


def eaf(annotations="", media="", doctype="") -> bytes:
    return EAF.format(annotations=annotations, media=media, doctype=doctype).encode()


def test_annotations_of_elan_without_times():
    annotations = ALIGNED.format(1, "ts1", "ts3", "x &amp; y") + ALIGNED.format(2, "ts1", "ts2", "open")
    annotations += (
        ALIGNED.format(3, "ts1", "nowhere", "z") + REFERRING.format(4, 5, "circle") + REFERRING.format(5, 4, "c")
    )
    annotations += (
        REFERRING.format(6, 1, "one") + REFERRING.format(7, 1, "two") + ALIGNED.format(8, "ts3", "ts1", "back")
    )
    reading = tier_files.read_records(files_in_memory({"a.eaf": eaf(annotations), "a.wav": b""}))
    assert pieces(reading) == [("0.5", "1.5", "x & y")]
    assert [reason for _, reason in refused(reading)] == [
        *["it is not aligned to a time"] * 4,
        *["it is one of several that share the times of one annotation"] * 2,
        "it ends at 0.5 s, which is not after its start at 1.5 s",
    ]


def test_the_origin_of_times_and_the_recording_of_elan():
    media = '<MEDIA_DESCRIPTOR MEDIA_URL="file:///C:/x/my%20call.mp4" MIME_TYPE="video/mp4" TIME_ORIGIN="2000"/>'
    content = eaf(ALIGNED.format(1, "ts1", "ts3", "x"), media)
    reading = tier_files.read_records(files_in_memory({"e/n.eaf": content, "v/my call.mp4": b"", "v/my call.wav": b""}))
    assert said(reading) == [{"path": "v/my call.mp4", "start": "2.5", "end": "3.5", "emotion": "x"}]


@pytest.mark.parametrize(
    "content, message",
    [
        (eaf(doctype='<!DOCTYPE a [<!ENTITY b "c">]>'), "declares a document type"),
        (eaf(doctype='<!DOCTYPE a SYSTEM "file:///etc/passwd">'), "declares a document type"),
        (eaf(doctype="<!DOCTYPE a>").decode().replace("UTF-8", "UTF-16").encode("utf-16"), "declares a document type"),
        (eaf()[:-5], "is no XML, or is cut off"),
        (b"", "is no XML, or is cut off"),
        (b"<a/>", "is XML, but no file of ELAN"),
        (b"<a>" * 100_000, "is no file of ELAN: its elements lie in each other 65 deep"),
        (b'<?xml version="1.0" encoding="nonsense"?><a/>', "is no XML, or is cut off"),
    ],
)
def test_no_file_of_elan(content, message):
    with pytest.raises(BrokenTableError, match=f"^a.eaf {message}"):
        tier_files.read_records(files_in_memory({"a.eaf": content, "a.wav": b""}))


HEAD = 'File type = "ooTextFile"\nObject class = "TextGrid"\n\n0\n4\n<exists>\n'


@pytest.mark.parametrize(
    "content",
    [
        *(
            "",
            "x",
            '"',
            "\xff\xfe\x00",
            HEAD,
            HEAD + "1\n",
            HEAD + '1\n"IntervalTier" "emotion" 0 4 99999999999999999999\n',
        ),
        *('File type = "ooTextFile"\n"Praat chronological TextGrid text file"\n0 4', HEAD.replace("TextGrid", "Sound")),
        *(HEAD + '1\n"IntervalTier" "emotion" 0 4 1 0 4 x', HEAD.replace("<exists>", "7"), '"' * 100_001),
        HEAD + '1.5\n"IntervalTier" "emotion" 0 4 0',
    ],
)
def test_no_textgrid(content):
    for encoding in ("utf-8", "latin-1", "utf-16"):
        with pytest.raises(BrokenTableError, match=r"^a.TextGrid is no(t| TextGrid)"):
            tier_files.read_records(files_in_memory({"a.TextGrid": content.encode(encoding), "a.wav": b""}))


def test_times_that_are_none():
    intervals = '1\n"IntervalTier" "emotion" 0 4 3 0 1e999 "x" -1 2 "y" 1 1e-320 "z"'
    reading = tier_files.read_records(files_in_memory({"a.TextGrid": HEAD + intervals, "a.wav": b""}))
    assert [reason for _, reason in refused(reading)] == [
        "1e999 is no time in a recording, which is from 0 to 10000000 s",
        "-1 is no time in a recording, which is from 0 to 10000000 s",
        "it ends at 0 s, which is not after its start at 1 s",
    ]
