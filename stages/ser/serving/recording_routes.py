"""Recordings in, predictions and timelines out; and timelines from one format to another."""

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import FastAPI, Query, Request
from starlette.exceptions import HTTPException
from starlette.responses import Response

from ser.audio.recordings import TOO_LONG, UnusableAudioError
from ser.errors import InputError
from ser.explaining.explanation_tables import as_dict as explanation_dict
from ser.prediction.asked_timeline import LONGEST_WINDOW
from ser.serving.answers import ExplanationShown, Json, Predicted, TimelineShown, recording_body, refusals
from ser.serving.limits import MOST_PEAKS, TIMELINE_BYTES
from ser.serving.service import Service
from ser.serving.uploads import Upload
from ser.serving.work import Workers, busy
from ser.streams.piece_of_file import read_piece
from ser.timelines.formats import FORMATS, as_dict, read_json
from ser.timelines.segments import Timeline

RECORDING = (400, 408, 413, 415, 422, 429)
Calibrated = Annotated[bool, Query(description="Scale probabilities to be as certain as they are right.")]
Certainty = Annotated[float, Query(ge=0, le=1, description="Call an emotion that is less probable `unsure`.")]
Format = Annotated[str, Query(json_schema_extra={"enum": list(FORMATS)})]


def add_recordings(app: FastAPI, service: Service) -> None:
    model, limits = service.model, service.limits
    described = recording_body(limits)

    @app.post("/predict", response_model=Predicted, responses=refusals(*RECORDING), openapi_extra=described)
    async def predict(request: Request, calibrated: Calibrated = False, certainty: Certainty = 0.0) -> Response:
        """Predict the emotion of a recording of an utterance."""

        def work(upload: Upload) -> dict:
            answer = model.predict(upload.path, calibrated=calibrated, certainty=certainty)
            return {
                "file": upload.name,
                "emotion": answer.emotion,
                "probabilities": answer.as_dict(),
                "unfamiliar": answer.unfamiliar,
                "seconds": answer.seconds,
            }

        return Json(await _worked(request, service, service.predictions, lambda upload, _: work(upload)))

    @app.post("/explain", response_model=ExplanationShown, responses=refusals(*RECORDING), openapi_extra=described)
    async def explain(
        request: Request,
        emotion: Annotated[str | None, Query(description="Explain this one instead of the most probable.")] = None,
        calibrated: Calibrated = False,
        start: Annotated[float, Query(ge=0, description="s; explain the piece that begins here")] = 0.0,
        end: Annotated[float | None, Query(gt=0, description="s; and ends here.")] = None,
        channel: Annotated[int | None, Query(ge=1, le=1000, description="Of the piece; else their mean.")] = None,
    ) -> Response:
        """Tell which stretches of time and which groups of features spoke for the emotion of an utterance."""
        if end is None and (start or channel):
            raise HTTPException(422, "start, channel: go with an end")
        if end is not None and not start < end <= start + LONGEST_WINDOW:
            raise HTTPException(422, f"end: allowed are up to {LONGEST_WINDOW:g} s after start")

        def work(upload: Upload, check: Callable[[], None]) -> dict:
            asked: dict[str, Any] = {"emotion": emotion, "calibrated": calibrated, "progress": lambda *_: check()}
            if end is None:
                found = model.explain(upload.path, **asked)
            else:
                longest = limits.timeline_seconds
                y, rate = read_piece(upload.path, start, end, channel=channel, max_seconds=longest, check=check)
                found = model.explain(y, rate, **asked).later(start)
            return explanation_dict(found._replace(name=upload.name))

        return Json(await _worked(request, service, service.timelines, work))

    kinds: dict[str, Any] = {each.media_type: {"schema": {"type": "string"}} for each in FORMATS.values()}
    kinds["application/json"] = {"schema": {"$ref": "#/components/schemas/TimelineShown"}}
    ways: dict[int | str, dict[str, Any]] = {200: {"model": TimelineShown, "content": kinds}}

    @app.post("/timeline", response_class=Response, responses=refusals(*RECORDING) | ways, openapi_extra=described)
    async def timeline(
        request: Request,
        calibrated: Calibrated = False,
        certainty: Certainty = 0.0,
        window: Annotated[float | None, Query(ge=1, le=30, description="s; instead of utterances.")] = None,
        hop: Annotated[float | None, Query(ge=0.3, le=30, description="s, from window to window.")] = None,
        mix: Annotated[bool, Query(description="Mix the channels instead of a timeline for each.")] = False,
        format: Format = "json",
    ) -> Response:
        """Tell where in a recording somebody speaks, and with which emotion."""
        _check_format(format)
        if hop and not window:
            raise HTTPException(422, "hop: goes with a window")

        def work(upload: Upload, check: Callable[[], None]) -> Response:
            found = model.timeline(
                upload.path,
                window=window,
                hop=hop,
                mix=mix,
                calibrated=calibrated,
                certainty=certainty,
                max_seconds=limits.timeline_seconds,
                progress=lambda *_: check(),
            )
            found = found._replace(name=upload.name)
            if format == "json":
                return Json(as_dict(found, most_peaks=MOST_PEAKS))
            return _as_file(format, FORMATS[format].write(found))

        return await _worked(request, service, service.timelines, work)


def add_export(app: FastAPI, service: Service) -> None:
    described: dict[str, Any] = {"application/json": {"schema": {"$ref": "#/components/schemas/TimelineShown"}}}
    written = {each.media_type: {"schema": {"type": "string"}} for each in FORMATS.values()}

    @app.post(
        "/export",
        response_class=Response,
        responses=refusals(400, 408, 413, 415, 422, 429) | {200: {"content": written}},
        openapi_extra={"requestBody": {"required": True, "content": described}},
    )
    async def export(request: Request, format: Format) -> Response:
        """Write a timeline, as `/timeline` answered it, in another format."""
        _check_format(format)
        if service.timelines.full:
            raise busy()
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
            raise HTTPException(415, "wanted is the timeline as application/json")
        async with service.uploads.read(request, TIMELINE_BYTES) as content:

            def work(_: Callable[[], None]) -> Response:
                try:
                    given = read_json(content.decode())
                except UnicodeDecodeError:
                    raise HTTPException(400, "the body is no UTF-8") from None
                except (ValueError, RecursionError) as error:
                    raise HTTPException(422, _line(error)) from None
                _require_writable(given)
                return _as_file(format, FORMATS[format].write(given))

            return await service.timelines.answer(request, work)


def _require_writable(timeline: Timeline) -> None:
    """Refuse what grows by being written: a table has a cell a segment for each emotion, RTTM the name in each line."""
    rows = sum(len(channel.segments) for channel in timeline.channels)
    if rows * (len(timeline.emotions) + len(timeline.name.encode())) > TIMELINE_BYTES:
        raise HTTPException(413, "too many emotions, or too long a name, for so many segments")


def _check_format(name: str) -> None:
    if name not in FORMATS:
        raise HTTPException(422, f"format: allowed are {', '.join(FORMATS)}")


def _as_file(name: str, text: str) -> Response:
    kind = FORMATS[name]
    attached = {"Content-Disposition": f'attachment; filename="timeline{kind.suffix}"'}
    return Response(text.encode(errors="replace"), media_type=kind.media_type, headers=attached)


async def _worked(
    request: Request, service: Service, workers: Workers, work: Callable[[Upload, Callable[[], None]], Any]
) -> Any:
    """Take a recording in and let a thread work on it; what cannot be used is refused with the reason."""
    if workers.full:
        raise busy()

    def run(upload: Upload, check: Callable[[], None]) -> Any:
        try:
            return work(upload, check)
        except UnusableAudioError as error:
            too_long = str(error).startswith((TOO_LONG, "larger than"))
            raise HTTPException(413 if too_long else 415, _line(error)) from None
        except OSError as error:
            raise HTTPException(415, _line(error.strerror or "not readable")) from None
        except (InputError, ValueError) as error:
            raise HTTPException(422, _line(error)) from None

    async with service.uploads.received(request) as upload:
        return await workers.answer(request, lambda check: run(upload, check))


def _line(reason: object) -> str:
    return " ".join(str(reason).split())
