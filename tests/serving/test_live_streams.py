"""Live streams: what is heard is what the model says of it, limits hold, and nobody keeps the others out."""

import json
import struct
import time
from contextlib import ExitStack, suppress

import numpy as np
import pytest
import soundfile
import soxr
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

import ser
from media_files import encoded
from running_service import RAW, head, memory, running, until
from ser.audio.cleaning import to_int16
from ser.serving.live_streams import EVERY
from speech_samples import recordings

RATE = 48000  # of most browsers


@pytest.fixture(scope="module")
def spoken() -> np.ndarray:
    """Three utterances of real speech with pauses of a second, int16 of shape (samples,)."""
    pause = np.zeros(RATE, np.int16)
    parts = [pause]
    for file in recordings("emodb")[:30:10]:
        samples, rate = soundfile.read(file, dtype="float32")
        parts += [to_int16(soxr.resample(samples, rate, RATE)), pause]
    return np.concatenate(parts)


def opened(service, **options):
    return connect(service.address.replace("http", "ws") + "/live", max_size=None, close_timeout=1, **options)


def answers(websocket) -> list[dict]:
    """Return all messages until the service closes."""
    found = []
    try:
        while True:
            found.append(json.loads(websocket.recv(timeout=60)))
    except ConnectionClosed:
        return found


def streamed(service, opening: dict, parts: list[bytes]) -> tuple[list[dict], int]:
    """Return all answers to a stream, and the code it was closed with."""
    with opened(service) as websocket:
        websocket.send(json.dumps(opening))
        for part in parts:
            websocket.send(part)
        websocket.send('{"end": true}')
        found = answers(websocket)
        return found, websocket.protocol.close_code


def cut(content: bytes, size: int) -> list[bytes]:
    return [content[at : at + size] for at in range(0, len(content), size)]


def expected(trained, y: np.ndarray, rate: int) -> dict:
    from ser.timelines.formats import as_dict

    live = ser.load(trained / "data/models/train_ml/svm_rbf").live(rate)
    live.feed(y)
    return as_dict(live.finish(), most_peaks=4000)


@pytest.mark.parametrize("size", [4001, 96000])
def test_samples_give_the_models_segments_and_its_timeline(service, trained, spoken, size):
    found, code = streamed(service, {"format": "s16", "sample_rate": RATE}, cut(spoken.astype("<i2").tobytes(), size))
    assert code == 1000
    assert found[0] == {"type": "ready"} and found[-1]["type"] == "timeline"
    timeline = found[-1]["timeline"]
    assert timeline == expected(trained, spoken, RATE)
    segments = [{k: v for k, v in each.items() if k != "type"} for each in found if each["type"] == "segment"]
    spoken_parts = [each for each in timeline["channels"][0]["segments"] if each["speech"]]
    assert len(spoken_parts) >= 2 and segments == spoken_parts[: len(segments)] and len(segments) >= 1


def test_what_is_being_said_is_told_meanwhile(service, spoken):
    parts = cut(spoken.astype("<i2").tobytes(), 2 * RATE * 2 // 3)
    with opened(service) as websocket:
        websocket.send('{"format": "s16", "sample_rate": 48000}')
        assert json.loads(websocket.recv()) == {"type": "ready"}
        told = []
        for part in parts:  # each is waited for, however slow the machine is
            time.sleep(EVERY)
            websocket.send(part)
            with suppress(TimeoutError):
                while (answer := json.loads(websocket.recv(timeout=5)))["type"] != "live":
                    pass
                told.append(answer)
    assert {*told[0]} == {"type", "time", "speech", "probabilities", "emotion"}
    heard = [each for each in told if each["probabilities"]]
    assert any(each["speech"] for each in told) and heard
    for each in heard:
        assert each["emotion"] in each["probabilities"]
        assert sum(each["probabilities"].values()) == pytest.approx(1, abs=1e-5)
    assert [each["time"] for each in told] == sorted(each["time"] for each in told)


def test_a_browsers_webm_is_heard_like_its_samples(service, spoken):
    y = spoken.astype(np.float32) / 2**15
    content = encoded(y, "webm", "libopus", sr=48000, options={"cluster_time_limit": "200"})
    found, code = streamed(service, {"format": "webm"}, cut(content, 4000))
    assert code == 1000, found
    timeline = found[-1]["timeline"]
    assert timeline["seconds"] == pytest.approx(len(spoken) / RATE, abs=0.1)
    by_samples, _ = streamed(service, {"format": "s16", "sample_rate": RATE}, cut(spoken.tobytes(), 96000))
    one, other = (
        [each for each in found["channels"][0]["segments"] if each["speech"]]
        for found in (timeline, by_samples[-1]["timeline"])
    )
    assert len(one) == len(other)
    for mine, its in zip(one, other, strict=True):
        assert abs(mine["start"] - its["start"]) < 0.3 and abs(mine["end"] - its["end"]) < 0.3


OPENINGS = [
    ("", "opening: Invalid JSON"),
    ("[]", "opening: "),
    ("[" * 100_000, "opening: "),
    ('{"format": "mp3"}', "format: "),
    ('{"format": "s16", "sample_rate": 10}', "sample_rate: "),
    ('{"format": "s16", "sample_rate": 1e400}', "sample_rate: "),
    ('{"format": "s16", "certainty": 2}', "certainty: "),
    ('{"format": "s16", "other": 1}', "other: "),
    (b"\0\0", "the first message is to be text"),
]


@pytest.mark.parametrize(("sent", "reason"), OPENINGS)
def test_an_opening_that_is_none_is_told_why(service, sent, reason):
    with opened(service) as websocket:
        websocket.send(sent)
        (answer,) = answers(websocket)
        assert answer["type"] == "error" and answer["detail"].startswith(reason), answer
        assert websocket.protocol.close_code == 1008


@pytest.mark.parametrize(
    ("opening", "parts", "reason"),
    [
        ({"format": "s16"}, [], "nothing was recorded"),
        ({"format": "s16"}, ["{}"], "the only text is"),
        ({"format": "webm"}, [], ""),
        ({"format": "webm"}, [b"x" * 5000] * 20, ""),
        ({"format": "webm"}, [struct.pack(">I", 0x1A45DFA3) + b"\xff" * 5000] * 20, ""),
    ],
)
def test_what_is_no_sound_is_told_why(service, opening, parts, reason):
    with opened(service) as websocket:
        with suppress(ConnectionClosed):
            websocket.send(json.dumps(opening))
            for part in parts:
                websocket.send(part)
            websocket.send('{"end": true}')
        found = answers(websocket)
        assert found[-1]["type"] == "error" and reason in found[-1]["detail"], found
        assert websocket.protocol.close_code == 1008
    assert "internal error" not in service.log.read_text()


def test_a_message_that_is_too_large_closes_the_stream(service):
    with opened(service) as websocket:
        websocket.send('{"format": "s16"}')
        assert json.loads(websocket.recv()) == {"type": "ready"}
        with suppress(ConnectionClosed):
            websocket.send(bytes((1 << 20) + 1))
        answers(websocket)
        assert websocket.protocol.close_code == 1009


def test_a_stream_ends_with_its_timeline_when_it_is_long_enough(trained, tmp_path, spoken):
    with running(trained, tmp_path, "--minutes", "0.05") as service, opened(service) as websocket:
        websocket.send('{"format": "s16", "sample_rate": 48000}')
        with suppress(ConnectionClosed):
            for part in cut(spoken.tobytes(), 96000):
                websocket.send(part)
        found = answers(websocket)
        assert found[-1]["type"] == "timeline"
        assert found[-1]["timeline"]["remarks"] == ["cut off after 3 s, the most that is allowed"]
        assert websocket.protocol.close_code == 1000


def test_there_are_only_so_many_streams_and_one_that_ends_makes_room(trained, tmp_path):
    with running(trained, tmp_path, "--streams", "1", "--patience", "1") as service:
        with opened(service) as first:
            first.send('{"format": "webm"}')
            assert json.loads(first.recv()) == {"type": "ready"}
            with opened(service) as second:
                second.send('{"format": "s16"}')
                (answer,) = answers(second)
                assert answer["type"] == "error" and second.protocol.close_code == 1013
        until(lambda: service.metric("ser_live_streams") == 0)
        with opened(service) as silent:  # is not waited for
            (answer,) = answers(silent)
            assert answer == {"type": "error", "detail": "nothing came for 1 s"}
            assert silent.protocol.close_code == 1008
        with opened(service) as third:
            third.send('{"format": "s16"}')
            assert json.loads(third.recv()) == {"type": "ready"}
            assert service.end() == 0
            answers(third)
            assert third.protocol.close_code == 1012
        assert service.files()["tmp"] == []
        assert "Traceback" not in service.log.read_text()


def test_a_websocket_of_another_address_is_refused_and_a_stream_that_breaks_off_leaves_nothing(service, spoken):
    key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="
    lines = ["Connection: upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13", key]
    for path in ("/", "/predict", "/other"):
        assert service.ask(head(path, *lines, method="GET")).startswith(b"HTTP/1.1 403 ")
    for form in ("s16", "webm"):
        with opened(service) as websocket:
            websocket.send(json.dumps({"format": form}))
            websocket.send(spoken.tobytes()[:9999])
            websocket.socket.close()
    until(lambda: service.metric("ser_live_streams") == 0)


def test_files_are_answered_while_streams_are_heard(service, clips, spoken):
    with opened(service) as websocket, service.client() as client:
        websocket.send('{"format": "s16", "sample_rate": 48000}')
        for part in cut(spoken.tobytes(), 96000):
            websocket.send(part)
            assert client.post("/predict", content=clips[0].read_bytes(), headers=RAW).status_code == 200
        websocket.send('{"end": true}')
        assert answers(websocket)[-1]["type"] == "timeline"


def test_streams_that_say_nothing_keep_nobody_out(service):
    with ExitStack() as stack:
        silent = [stack.enter_context(opened(service)) for _ in range(40)]
        with opened(service) as websocket:
            websocket.send('{"format": "s16"}')
            assert json.loads(websocket.recv()) == {"type": "ready"}
        until(lambda: service.metric("ser_live_streams") == 0)
        for each in silent:
            answers(each)


def test_a_client_that_pings_for_ever_and_reads_nothing_is_cut_off(service):
    before = memory(service.process.pid)
    lines = ["Connection: upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13", f"Origin: {service.address}"]
    asked = head("/live", *lines, "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", method="GET")
    ping = bytes([0x89, 0x80 | 125, 0, 0, 0, 0]) + bytes(125)
    with service.connect(asked.replace(b"localhost", service.address[7:].encode())) as raw:
        raw.settimeout(20)
        with suppress(ConnectionError, TimeoutError):
            for _ in range(2000):
                raw.sendall(ping * 500)
    assert memory(service.process.pid) < before + 60e6
    with service.client() as client:
        assert client.get("/health").status_code == 200
