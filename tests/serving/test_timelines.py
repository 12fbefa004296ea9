"""Timelines of the service are those of the model, in every format; and one format becomes another."""

import io
import json
import socket
from contextlib import ExitStack

import numpy as np
import pytest
import soundfile

import ser
from running_service import RAW, head, rest, running, until
from ser.timelines.formats import FORMATS, as_dict, read_json
from ser.timelines.segments import Channel, Segment, Timeline
from synthetic_voices import voice

RATE = 16000
JSON = {"Content-Type": "application/json"}


@pytest.fixture
def client(service):
    with service.client() as client:
        yield client


@pytest.fixture(scope="module")
def recording(tmp_path_factory):
    """A recording of two channels, in each of which something like a voice is heard."""
    y, pause = 0.3 * voice(120, seconds=2.0), np.zeros(RATE)
    left = np.concatenate([pause, y, pause, np.zeros(len(y))])
    right = np.concatenate([np.zeros(len(y)), pause, y, pause])
    path = tmp_path_factory.mktemp("recording") / "two.wav"
    soundfile.write(path, np.stack([left, right], axis=1), RATE, subtype="PCM_16")
    return path


QUERIES = [
    {},
    {"mix": True},
    {"window": 1.5},
    {"window": 2.0, "hop": 0.5},
    {"calibrated": True, "certainty": 0.9},
]


@pytest.mark.parametrize("asked", QUERIES)
def test_a_timeline_is_the_models(trained, client, recording, asked):
    found = ser.load(trained / "data/models/train_ml/svm_rbf").timeline(recording, **asked)
    assert any(segment.speech for channel in found.channels for segment in channel.segments)
    query = {name: json.dumps(value) for name, value in asked.items()}
    answer = client.post("/timeline", params=query, files={"file": ("two.wav", recording.read_bytes())})
    assert answer.status_code == 200, answer.text
    assert answer.json() == as_dict(found, most_peaks=4000)


@pytest.mark.parametrize("name", FORMATS)
def test_a_timeline_in_a_format_is_what_the_format_writes_and_what_export_makes_of_its_json(
    trained, client, recording, name
):
    found = ser.load(trained / "data/models/train_ml/svm_rbf").timeline(recording)
    files = {"file": ("two.wav", recording.read_bytes())}
    shown = client.post("/timeline", files=files)
    direct = client.post(f"/timeline?format={name}", files=files)
    exported = client.post(f"/export?format={name}", content=shown.content, headers=JSON)
    assert exported.text == FORMATS[name].write(found)
    if name != "json":  # which comes with peaks when it is asked for directly
        assert direct.content == exported.content
        assert direct.headers["content-disposition"] == f'attachment; filename="timeline{FORMATS[name].suffix}"'
    assert direct.headers["content-type"].startswith(FORMATS[name].media_type)


def test_names_and_words_that_are_hostile_stay_what_they_are(client):
    wild = "<script>\"',;\n\t\0../../x"
    segments = (Segment(0.0, 1.0, True, wild, np.array([1.0], np.float32), wild), Segment(1.0, 2.0, False))
    given = Timeline(wild, 2.0, (wild,), (Channel(segments, np.empty(0, np.float32)),), wild, (wild,))
    for name, kind in FORMATS.items():
        answer = client.post(f"/export?format={name}", content=json.dumps(as_dict(given)), headers=JSON)
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-disposition"] == f'attachment; filename="timeline{kind.suffix}"'
        assert answer.content.decode() == kind.write(read_json(json.dumps(as_dict(given))))
        assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    ("status", "query", "content", "headers"),
    [
        (422, "format=json", b"{}", JSON),
        (422, "format=json", b"{", JSON),
        (422, "format=json", b"[" * 1_000_000, JSON),
        (422, "format=json", b'{"seconds": 1e999}', JSON),
        (422, "format=json", b'{"seconds": ' + b"9" * 10_000 + b"}", JSON),
        (400, "format=json", b"\xff\xfe", JSON),
        (422, "format=pdf", b"{}", JSON),
        (422, "", b"{}", JSON),
        (415, "format=json", b"{}", RAW),
        (413, "format=json", b" " * 20_000_001, JSON),
    ],
)
def test_what_is_no_timeline_is_refused_with_the_reason(client, status, query, content, headers):
    answer = client.post(f"/export?{query}", content=content, headers=headers)
    assert answer.status_code == status, answer.text
    assert [*answer.json()] == ["detail"] and "\n" not in answer.json()["detail"]


@pytest.mark.parametrize(("name", "emotions"), [("x" * 20_000, 1), ("x", 20_000)])
def test_what_would_grow_by_being_written_is_refused(client, name, emotions):
    """A megabyte of JSON whose table or RTTM would have twenty and more, and of 20 MB thousands."""
    label = [f"e{number}" for number in range(emotions)]
    segments = [
        {"start": n, "end": n + 1, "speech": True, "emotion": "", "probabilities": None, "unfamiliar": ""}
        for n in range(1001)
    ]
    given = {"name": name, "seconds": 1001, "emotions": label, "model": "", "remarks": [], "channels": []}
    content = json.dumps(given | {"channels": [{"segments": segments}]})
    for kind in ("csv", "rttm"):
        answer = client.post(f"/export?format={kind}", content=content, headers=JSON)
        assert answer.status_code == 413 and "too many emotions" in answer.json()["detail"]


def test_so_much_of_timelines_lies_in_memory_at_a_time(trained, tmp_path):
    """Six bodies of 20 MB are coming in, which are more than are held; they are forgotten when the clients go."""
    lines = ["Content-Type: application/json", "Content-Length: 20000000"]
    with ExitStack() as stack:
        service = stack.enter_context(running(trained, tmp_path, "--patience", "60"))
        opened = [stack.enter_context(service.connect(head("/export?format=csv", *lines))) for _ in range(6)]
        for _ in range(19):
            for each in opened:
                each.sendall(bytes(1_000_000))
        until(lambda: service.metric('ser_requests_total{route="/export",status="429"}') == 1)
        for each in opened:
            each.shutdown(socket.SHUT_WR)
        assert sorted(rest(each)[:13] for each in opened) == [b""] * 5 + [b"HTTP/1.1 429 "]
        with service.client() as client:
            assert client.post("/export?format=csv", content=b"{}", headers=JSON).status_code == 422


@pytest.mark.parametrize(
    "query",
    ["window=0", "window=nan", "window=1e9", "window=x", "hop=-1", "hop=1", "window=1&hop=2", "format=x", "mix=2"],
)
def test_a_parameter_that_makes_no_sense_is_refused(client, recording, query):
    answer = client.post(f"/timeline?{query}", content=recording.read_bytes(), headers=RAW)
    assert answer.status_code == 422, answer.text


def test_a_recording_that_is_too_long_is_refused_and_a_short_one_of_them_is_not(trained, tmp_path):
    with running(trained, tmp_path, "--minutes", "0.1") as service, service.client() as client:
        for seconds, status in ((5.9, 200), (6.1, 413)):
            file = io.BytesIO()
            soundfile.write(file, np.full(int(8000 * seconds), 0.1), 8000, format="FLAC")
            answer = client.post("/timeline", content=file.getvalue(), headers=RAW)
            assert answer.status_code == status, answer.text
    assert "longer than 6 s" in answer.json()["detail"]
