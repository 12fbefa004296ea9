"""Live streams over WebSockets: samples in as they are spoken, probabilities and segments out."""

import asyncio
import json
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from pydantic import BaseModel, Field, ValidationError
from starlette.websockets import WebSocket, WebSocketDisconnect

from ser.audio.recordings import MAX_RATE, MIN_RATE, UnusableAudioError
from ser.errors import InputError
from ser.serving.guard import SUBPROTOCOL, report
from ser.serving.limits import MOST_PEAKS, Limits
from ser.streams.pushed_audio import PushedDecoder
from ser.timelines.json_timeline import as_dict, segment_as_dict

if TYPE_CHECKING:
    from ser.prediction.answers import Prediction
    from ser.prediction.recording_timeline import Live
    from ser.prediction.trained_model import TrainedModel
    from ser.timelines.segments import Segment, Timeline

WEBM_AHEAD = 60.0  # s that the decoder may be ahead
WEBM_BYTES = 64_000  # a s: twice of what a browser records of a voice at its best
EVERY = 0.25  # s between two answers of what the last seconds sound like
SLOWEST = 3.0  # s that a s of sound may take to come
SILENT = 32  # streams that have not been opened by a word
NORMAL, POLICY, BUSY = 1000, 1008, 1013  # codes that close a WebSocket (RFC 6455 and its registry)


class Opening(BaseModel, extra="forbid"):
    """The first message of a client."""

    format: Literal["s16", "webm"]
    sample_rate: int = Field(default=48000, ge=MIN_RATE, le=MAX_RATE)
    calibrated: bool = False
    certainty: float = Field(default=0.0, ge=0, le=1)


class _Samples:
    """A stream of 16-bit little-endian mono samples, whole or cut anywhere."""

    def __init__(self, model: "TrainedModel", opening: Opening):
        self._live = model.live(opening.sample_rate, calibrated=opening.calibrated, certainty=opening.certainty)
        self._odd = b""

    @property
    def seconds(self) -> float:
        return self._live.seconds

    def feed(self, content: bytes) -> "list[Segment]":
        content = self._odd + content
        whole = len(content) // 2 * 2
        self._odd = content[whole:]
        return self._live.feed(np.frombuffer(content[:whole], "<i2"))

    def now(self) -> "tuple[bool, Prediction | None]":
        return self._live.now()

    def finish(self) -> "Timeline":
        if not self._live.seconds:
            raise UnusableAudioError("nothing was recorded")
        return self._live.finish()

    def close(self) -> None:
        pass


class _WebM:
    """A stream of what a browser's MediaRecorder hands out; its rate is known when the first samples are."""

    def __init__(self, model: "TrainedModel", opening: Opening, most_seconds: float):
        self._model, self._opening = model, opening
        self._decoder = PushedDecoder(most_seconds + WEBM_AHEAD)
        self._live: Live | None = None
        self._left = WEBM_BYTES * (most_seconds + WEBM_AHEAD)

    @property
    def seconds(self) -> float:
        return self._live.seconds if self._live else 0.0

    def feed(self, content: bytes) -> "list[Segment]":
        self._left -= len(content)
        if self._left < 0:
            raise UnusableAudioError("more bytes than sound can have")
        self._decoder.push(content)
        return self._heard(self._decoder.take())

    def now(self) -> "tuple[bool, Prediction | None]":
        return self._live.now() if self._live else (False, None)

    def finish(self) -> "Timeline":
        self._heard(self._decoder.finish())
        if not self._live or not self._live.seconds:
            raise UnusableAudioError("nothing was recorded")
        return self._live.finish()

    def close(self) -> None:
        self._decoder.close()

    def _heard(self, samples: np.ndarray) -> "list[Segment]":
        if not len(samples):
            return []
        if not self._live:
            rate = self._decoder.sample_rate
            assert rate  # for type checkers: there are samples
            asked = self._opening
            self._live = self._model.live(rate, calibrated=asked.calibrated, certainty=asked.certainty)
        return self._live.feed(samples)


class _EndError(Exception):
    """The stream ends here, for a reason that the client is told."""

    def __init__(self, detail: str, code: int = POLICY):
        super().__init__(detail)
        self.code = code


class LiveStreams:
    """All live streams of a service.

    Parameters
    ----------
    model : TrainedModel
    limits : Limits
    pool : ThreadPoolExecutor
        That listens; the streams wait for nobody who has sent a file.
    """

    def __init__(self, model: "TrainedModel", limits: Limits, pool: ThreadPoolExecutor):
        self._model, self._limits, self._pool = model, limits, pool
        self.open = 0
        self._silent: dict[asyncio.Task, None] = {}

    def close(self) -> None:
        """Listen no more."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def serve(self, websocket: WebSocket) -> None:
        """Serve one stream from its opening to its end."""
        offered = SUBPROTOCOL in websocket.scope.get("subprotocols", [])
        await websocket.accept(SUBPROTOCOL if offered else None)
        try:
            opening = await self._opened(websocket)
            if self.open >= self._limits.live_streams:
                raise _EndError("busy: too many live streams, try again later", BUSY)
            self.open += 1
            try:
                await self._listen(websocket, opening)
            finally:
                self.open -= 1
        except WebSocketDisconnect:
            pass
        except _EndError as error:
            await _close(websocket, str(error), error.code)
        except (UnusableAudioError, InputError, ValueError) as error:
            await _close(websocket, " ".join(str(error).split()), POLICY)
        except TimeoutError:  # it fetches no answers
            pass
        except Exception as error:
            report(error)
            await _close(websocket, "internal error", 1011)

    async def _opened(self, websocket: WebSocket) -> Opening:
        """Return what a client opens its stream with; of those that say nothing, the oldest makes room for others."""
        task = asyncio.current_task()
        assert task  # for type checkers
        self._silent[task] = None
        if len(self._silent) > SILENT:
            next(iter(self._silent)).cancel()
        try:
            return _opening(await self._message(websocket, self._limits.stall_seconds))
        finally:
            self._silent.pop(task, None)

    async def _listen(self, websocket: WebSocket, opening: Opening) -> None:
        most = self._limits.live_seconds
        begin = partial(_WebM, most_seconds=most) if opening.format == "webm" else _Samples
        stream = await self._thread(lambda: begin(self._model, opening))
        try:
            await self._send(websocket, {"type": "ready"})
            remarks = await self._hear(websocket, stream, most)
            timeline = await self._thread(stream.finish)
            timeline = timeline._replace(remarks=(*timeline.remarks, *remarks))
            shown = await self._thread(lambda: as_dict(timeline, most_peaks=MOST_PEAKS))
            await self._send(websocket, {"type": "timeline", "timeline": shown})
            await websocket.close(NORMAL)
        finally:
            await asyncio.shield(self._thread(stream.close))

    async def _hear(self, websocket: WebSocket, stream: _Samples | _WebM, most: float) -> list[str]:
        """Take in a stream to its end, and return what is to be remarked of that."""
        start = said = time.monotonic()
        while stream.seconds < most:
            if time.monotonic() - start > self._limits.idle_seconds + SLOWEST * stream.seconds:
                raise _EndError("too little sound comes: a live stream takes as long as its sound")
            message = await self._message(websocket, self._limits.idle_seconds)
            if message.get("text") is not None:
                _require_end(message["text"])
                return []
            content = message["bytes"]
            for segment in await self._thread(lambda content=content: stream.feed(content)):
                shown = segment_as_dict(segment, self._model.emotions)
                await self._send(websocket, {"type": "segment", **shown})
            if time.monotonic() - said >= EVERY:
                said = time.monotonic()
                speech, answer = await self._thread(stream.now)
                now = {"probabilities": answer and answer.as_dict(), "emotion": answer.emotion if answer else ""}
                await self._send(websocket, {"type": "live", "time": stream.seconds, "speech": bool(speech), **now})
        return [f"cut off after {most:g} s, the most that is allowed"]

    async def _thread(self, call: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._pool, call)

    async def _message(self, websocket: WebSocket, seconds: float) -> dict[str, Any]:
        try:
            async with asyncio.timeout(seconds):
                message = await websocket.receive()
        except TimeoutError:
            raise _EndError(f"nothing came for {seconds:g} s") from None
        if message["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(message.get("code", 1005))
        return dict(message)

    async def _send(self, websocket: WebSocket, message: dict[str, Any]) -> None:
        async with asyncio.timeout(self._limits.stall_seconds):
            await websocket.send_text(json.dumps(message, allow_nan=False))


def _opening(message: dict[str, Any]) -> Opening:
    if message.get("text") is None:
        raise _EndError("the first message is to be text that says the format")
    try:
        return Opening.model_validate_json(message["text"])
    except ValidationError as error:
        first = error.errors()[0]
        raise _EndError(f"{'.'.join(map(str, first['loc'])) or 'opening'}: {first['msg']}") from None


def _require_end(text: str) -> None:
    try:
        ended = json.loads(text) == {"end": True}
    except (ValueError, RecursionError):
        ended = False
    if not ended:
        raise _EndError('behind the opening, the only text is {"end": true}')


async def _close(websocket: WebSocket, detail: str, code: int) -> None:
    """Tell a client why its stream ends; it may be gone."""
    try:
        async with asyncio.timeout(1):
            await websocket.send_text(json.dumps({"type": "error", "detail": detail}))
            await websocket.close(code, detail.encode()[:120].decode(errors="ignore"))
    except (TimeoutError, RuntimeError, WebSocketDisconnect):
        pass
