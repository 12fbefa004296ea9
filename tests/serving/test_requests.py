"""Requests of programs: answers that are those of the model, refusals with a status and a line."""

import io
import json
import socket
import subprocess
import sys

import numpy as np
import pytest
import soundfile

import ser
from conftest import environment
from media_files import encoded
from running_service import head, rest
from ser.explaining.explanation_tables import as_dict

RAW = {"Content-Type": "audio/wav"}
MANY = b'--b\r\nContent-Disposition: form-data; name="x"\r\n\r\n\r\n' * 101 + b"--b--\r\n"
HOSTILE = [
    "../../x.wav",
    "/etc/passwd",
    "..\\..\\x.wav",
    "<img src=x onerror=alert(1)>.wav",
    "two\nlines.wav",
    "a" * 10_000 + ".wav",
    "nul\0.wav",
    "\u202egnp.wav",
    '";filename="other.wav',
    "%00%2e%2e%2f.wav",
    "|id;$(id).wav",
    "",
]


@pytest.fixture
def client(service):
    with service.client() as client:
        yield client


def test_what_the_model_says_is_answered(trained, clips, client):
    model = ser.load(trained / "data/models/train_ml/svm_rbf")
    for clip in clips[:3]:
        expected = model.predict(clip)
        content = clip.read_bytes()
        by_form = client.post("/predict", files={"file": ("my.wav", content)})
        raw = client.post("/predict", content=content, headers=RAW)
        chunked = client.post("/predict", content=iter([content[:9], content[9:]]), headers=RAW)
        for answer, name in ((by_form, "my.wav"), (raw, ""), (chunked, "")):
            assert answer.status_code == 200, answer.text
            assert answer.json() == {
                "file": name,
                "emotion": expected.emotion,
                "probabilities": expected.as_dict(),
                "unfamiliar": expected.unfamiliar,
                "seconds": expected.seconds,
            }


def test_what_ser_predict_says_is_answered(trained, clips, client):
    command = [sys.executable, "-m", "ser.commands", "predict", "--model", "svm_rbf", "--format", "jsonl", *clips]
    run = subprocess.run(command, cwd=trained, env=environment(), capture_output=True, text=True)
    for clip, line in zip(clips, map(json.loads, run.stdout.splitlines()), strict=True):
        answer = client.post("/predict", content=clip.read_bytes(), headers=RAW).json()
        assert answer["emotion"] == line["emotion"]
        for emotion, probability in answer["probabilities"].items():
            assert float(f"{probability:.6g}") == line[f"p_{emotion}"]


def test_calibration_and_certainty_are_the_models(trained, clips, client):
    model = ser.load(trained / "data/models/train_ml/svm_rbf")
    content = clips[0].read_bytes()
    answer = client.post("/predict?calibrated=true", content=content, headers=RAW).json()
    assert answer["probabilities"] == model.predict(clips[0], calibrated=True).as_dict()
    assert client.post("/predict?certainty=1", content=content, headers=RAW).json()["emotion"] == "unsure"


def test_what_decided_an_answer_is_told(trained, clips, client):
    model = ser.load(trained / "data/models/train_ml/svm_rbf")
    answer = client.post("/explain?emotion=sadness&calibrated=true", content=clips[0].read_bytes(), headers=RAW).json()
    expected = as_dict(model.explain(clips[0], emotion="sadness", calibrated=True))
    assert {**answer, "name": ""} == {**expected, "name": ""}


def test_a_piece_of_a_recording_is_explained_at_its_own_times(trained, clips, client):
    model = ser.load(trained / "data/models/train_ml/svm_rbf")
    samples, rate = soundfile.read(clips[0], dtype="float32")
    both, file = np.stack([np.zeros(8 * rate, np.float32)] * 2, axis=1), io.BytesIO()
    both[5 * rate : 5 * rate + len(samples), 1] = samples
    soundfile.write(file, both, rate, format="WAV", subtype="PCM_16")
    end = 5 + len(samples) / rate
    answer = client.post(f"/explain?start=5&end={end}&channel=2", content=file.getvalue(), headers=RAW).json()
    alone = model.explain(samples, rate)
    assert [*answer["probabilities"].values()] == pytest.approx(alone.probabilities.tolist(), abs=1e-3)
    starts = [each.start + 5 for each in alone.stretches]
    assert [each["start"] for each in answer["stretches"]] == pytest.approx(starts, abs=1e-3)


@pytest.mark.parametrize(
    ("query", "status", "reason"),
    [
        ("emotion=joy", 422, "the model does not know the emotion joy"),
        ("start=1", 422, "start, channel: go with an end"),
        ("start=1&end=1", 422, "end: allowed are up to 30 s after start"),
        ("start=0&end=31", 422, "end: allowed are up to 30 s after start"),
        ("start=100&end=101", 415, "it ends before 100 s"),
        ("start=0&end=1&channel=3", 415, "no channel 3: it has 1"),
        ("start=nan&end=1", 422, "start: "),
    ],
)
def test_what_cannot_be_explained_is_refused_with_the_reason(clips, client, query, status, reason):
    answer = client.post(f"/explain?{query}", content=clips[0].read_bytes(), headers=RAW)
    assert answer.status_code == status and reason in answer.json()["detail"]


@pytest.mark.parametrize(("name", "codec"), [("a.m4a", "aac"), ("a.webm", "libopus"), ("a.g722", "g722")])
def test_compressed_audio_and_a_format_without_header_are_read(trained, clips, client, tmp_path, name, codec):
    samples, rate = soundfile.read(clips[0], dtype="float32")
    sr = 48000 if codec == "libopus" else rate
    file = tmp_path / name
    file.write_bytes(encoded(np.repeat(samples, sr // rate), name[2:].replace("m4a", "mp4"), codec, sr=sr))
    expected = ser.load(trained / "data/models/train_ml/svm_rbf").predict(file)
    answer = client.post("/predict", files={"file": (name, file.read_bytes())})
    assert answer.status_code == 200, answer.text
    assert answer.json()["probabilities"] == expected.as_dict()


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_is_shown_escaped_and_is_nothing_else(service, client, clips, name):
    field = name.replace('"', "%22").replace("\n", "%0A").encode()
    content = (
        b'--b\r\nContent-Disposition: form-data; name="file"; filename="'
        + field
        + b'"\r\n\r\n'
        + clips[0].read_bytes()
        + b"\r\n--b--\r\n"
    )
    answer = client.post("/predict", content=content, headers={"Content-Type": "multipart/form-data; boundary=b"})
    if answer.status_code == 200:
        assert len(answer.json()["file"]) <= 255
        assert not {*"<>&"} & {*answer.text}
        assert answer.text.isascii()
    else:  # longer than a header of a form may be
        assert (answer.status_code, len(name) > 4000) == (400, True)
    own, *others = service.files()["tmp"]
    assert own.startswith("ser-serve-") and others == [f"{own}/lock"]
    assert "wav" not in service.log.read_text()


def silence(seconds: float) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, np.zeros(int(8000 * seconds), np.int16), 8000, format="WAV")
    return file.getvalue()


@pytest.mark.parametrize(
    ("status", "reason", "content", "headers"),
    [
        (415, "the file is empty", b"", RAW),
        (415, "silent", silence(2), RAW),
        (415, "too short", silence(0.1), RAW),
        (415, "not readable as audio", b"x" * 1000, RAW),
        (415, "wanted is the recording as", b"x", {"Content-Type": "text/plain"}),
        (415, "wanted is the recording as", b"a=b", {"Content-Type": "application/x-www-form-urlencoded"}),
        (413, "longer than 30 s", silence(31), RAW),
        (413, "larger than 1.0 MB", bytes(1_000_001), RAW),
        (400, "no boundary", b"x", {"Content-Type": "multipart/form-data"}),
        (400, "cannot be read", b"x" * 99, {"Content-Type": "multipart/form-data; boundary=b"}),
        (400, "ends before its last boundary", b"--b\r\n", {"Content-Type": "multipart/form-data; boundary=b"}),
        (400, "more than 100 fields", MANY, {"Content-Type": "multipart/form-data; boundary=b"}),
        (422, "no field `file`", b"--b--\r\n", {"Content-Type": "multipart/form-data; boundary=b"}),
    ],
)
def test_what_cannot_be_answered_is_refused_with_the_reason(client, status, reason, content, headers):
    answer = client.post("/predict", content=content, headers=headers)
    assert answer.status_code == status, answer.text
    assert [*answer.json()] == ["detail"] and reason in answer.json()["detail"]
    assert "\n" not in answer.json()["detail"] and "/tmp" not in answer.json()["detail"]


@pytest.mark.parametrize("query", ["certainty=2", "certainty=nan", "certainty=x", "calibrated=maybe"])
def test_a_parameter_that_is_none_is_refused_before_the_body_is_read(service, query):
    with service.connect(head(f"/predict?{query}", "Content-Length: 1000", "Content-Type: audio/wav")) as opened:
        assert opened.recv(100).startswith(b"HTTP/1.1 422 ")


def test_a_second_recording_in_a_form_is_refused(client, clips):
    content = clips[0].read_bytes()
    answer = client.post("/predict", files=[("file", ("a", content)), ("file", ("b", content))])
    assert (answer.status_code, answer.json()["detail"]) == (422, "the form has several fields `file`")


def test_other_fields_of_a_form_are_read_over(client, clips):
    files = [("other", ("a", b"x" * 9000)), ("file", ("b", clips[0].read_bytes())), ("more", ("c", b"y"))]
    answer = client.post("/predict", data={"text": "z"}, files=files)
    assert (answer.status_code, answer.json()["file"]) == (200, "b")


def test_a_body_that_is_too_large_is_refused_whatever_its_header_says(service):
    """By its length before it is sent; without one as soon as it is more."""
    kind = "Content-Type: audio/wav"
    with service.connect(head("/predict", "Content-Length: 1000001", kind)) as opened:
        assert opened.recv(100).startswith(b"HTTP/1.1 413 ")
    with service.connect(head("/predict", "Transfer-Encoding: chunked", kind)) as opened:
        chunk = b"10000\r\n" + bytes(0x10000) + b"\r\n"
        opened.sendall(chunk * 16)
        assert opened.recv(100).startswith(b"HTTP/1.1 413 ")


@pytest.mark.parametrize("path", ["/", "/health", "/docs", "/model", "/page/page.css"])
def test_the_header_alone_can_be_asked_for(service, client, path):
    alone, whole = client.head(path), client.get(path)
    assert (alone.status_code, alone.content) == (200, b"")
    assert alone.headers["content-length"] == str(len(whole.content)) == whole.headers["content-length"]
    assert client.head("/predict").status_code == 405
    assert client.head("/missing").status_code == 404


@pytest.mark.parametrize("path", ["/predict/", "/docs/", "/model/", "/health//"])
def test_nobody_is_sent_to_an_address_of_the_clients_making(client, path):
    for answer in (client.get(path), client.post(path)):
        assert answer.status_code == 404 and "location" not in answer.headers


@pytest.mark.parametrize("closing", [False, True])
def test_who_is_answered_early_can_go_on_sending_and_reads_the_answer(service, closing):
    lines = ["Content-Length: 40000000", "Content-Type: audio/wav", *(["Connection: close"] if closing else [])]
    with service.connect(head("/predict", *lines)) as opened:
        for _ in range(400):
            opened.sendall(bytes(100_000))
        opened.shutdown(socket.SHUT_WR)
        assert rest(opened).startswith(b"HTTP/1.1 413 ")


def test_a_body_is_not_asked_for_when_it_would_be_refused(service):
    lines = ["Content-Length: 2000000", "Content-Type: audio/wav", "Expect: 100-continue"]
    with service.connect(head("/predict", *lines)) as opened:
        assert opened.recv(100).startswith(b"HTTP/1.1 413 ")


def test_the_model_and_its_limits_are_told(client):
    told = client.get("/model").json()
    assert told["emotions"] == ["anger", "neutral", "sadness"]
    assert (told["model"], told["synthetic"], told["sample_rate"]) == ("train_ml/svm_rbf", True, 16000)
    assert told["limits"] == {"bytes": 1_000_000, "seconds": 3600.0, "live_seconds": 3600.0}
    assert (told["version"], told["learnt_from"]["speakers"]) == (ser.__version__, 6)
    assert "synthetic speech that this project made" in told["terms"]


def test_requests_are_counted_by_route_and_status(service, client):
    name = 'ser_requests_total{route="other",status="404"}'
    before = service.metric(name)
    assert client.get('/no"such{page}\\').status_code == 404
    assert service.metric(name) == before + 1
    assert "such" not in client.get("/metrics").text
    assert service.metric('ser_request_seconds_count{route="other"}') >= before + 1


def test_the_description_names_every_route_and_asks_nothing_of_another_host(client):
    described = client.get("/openapi.json").json()
    assert {*described["paths"]} == {"/health", "/metrics", "/model", "/predict", "/explain", "/timeline", "/export"}
    kinds = {*described["paths"]["/predict"]["post"]["requestBody"]["content"]}
    assert kinds == {"multipart/form-data", "audio/*", "video/*", "application/octet-stream"}
    assert {"400", "401", "403", "408", "413", "415", "422", "429"} <= {
        *described["paths"]["/predict"]["post"]["responses"]
    }
    page = client.get("/docs")
    assert page.headers["content-type"].startswith("text/html")
    assert "http://" not in page.text and "https://" not in page.text and "<script" not in page.text


@pytest.mark.parametrize("name", ["../guard.py", "%2e%2e/guard.py", "..%2fguard.py", "", "%00", "..%5cguard.py", "x"])
def test_only_the_files_of_the_page_are_served(service, name):
    answer = service.ask(head(f"/page/{name}", "Connection: close", method="GET"))
    assert answer.startswith(b"HTTP/1.1 404 ")


def test_the_page_is_served_with_its_parts(client):
    page = client.get("/")
    assert page.status_code == 200 and page.headers["content-type"] == "text/html; charset=utf-8"
    assert client.get("/page/index.html").content == page.content
    assert client.put("/predict").status_code == 405
