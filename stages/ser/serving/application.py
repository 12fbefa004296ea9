"""The service's application: its routes, and refusals in a line of JSON."""

from typing import Any

from fastapi import FastAPI, Request, WebSocket
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import Response

from ser.serving.answers import Health, Json, ModelShown, refusals
from ser.serving.guard import HUNG_UP
from ser.serving.pages import add_pages
from ser.serving.recording_routes import add_export, add_recordings
from ser.serving.service import Service
from ser.storage.model_cards import inherited_terms


def application(service: Service) -> FastAPI:
    """Return the application of a service."""
    import ser

    app = FastAPI(
        title="Emotions in speech",
        version=ser.__version__,
        description="What recordings sound like to a model: predictions, timelines, live streams. Nothing is kept.",
        docs_url=None,
        redoc_url=None,
        default_response_class=Json,
        redirect_slashes=False,  # to an address of the client's making
    )
    _add_errors(app)
    _add_information(app, service)
    add_recordings(app, service)
    add_export(app, service)
    add_pages(app)

    @app.websocket("/live")
    async def live(websocket: WebSocket) -> None:
        await service.live.serve(websocket)

    return app


def _add_errors(app: FastAPI) -> None:
    @app.exception_handler(RequestValidationError)
    async def invalid(_: Request, error: RequestValidationError) -> Response:
        first = error.errors()[0]
        return Json({"detail": f"{first['loc'][-1]}: {first['msg']}"}, 422)

    @app.exception_handler(HTTPException)
    async def refused(_: Request, error: HTTPException) -> Response:
        return Json({"detail": error.detail}, error.status_code, error.headers)

    @app.exception_handler(Exception)  # the guard says where it was
    async def failed(*_: Any) -> Response:
        return Json({"detail": "internal error"}, 500)

    @app.exception_handler(ClientDisconnect)
    async def gone(*_: Any) -> Response:
        return Response(status_code=HUNG_UP)


def _add_information(app: FastAPI, service: Service) -> None:
    model, limits = service.model, service.limits

    @app.get("/health", response_model=Health)
    async def health() -> Response:
        """Say that the service runs."""
        return Json({"status": "ok"})

    metrics_text: dict[int | str, dict[str, Any]] = {200: {"content": {"text/plain": {"schema": {"type": "string"}}}}}

    @app.get("/metrics", response_class=Response, responses=refusals() | metrics_text)
    async def metrics() -> Response:
        """Count requests, seconds, the queue and live streams, in the text format of Prometheus."""
        return Response(service.measurements.text(), media_type="text/plain; version=0.0.4; charset=utf-8")

    shown = {
        "model": service.name,
        "emotions": list(model.emotions),
        "learnt_from": model.learnt_from,
        "terms": " ".join(inherited_terms(model.learnt_from["corpora"])),
        "synthetic": model.knows_synthetic_speech_only,
        "sample_rate": model.sample_rate,
        "by_speaker": model.by_speaker,
        "limits": {
            "bytes": limits.upload_bytes,
            "seconds": limits.timeline_seconds,
            "live_seconds": limits.live_seconds,
        },
        "version": app.version,
    }

    @app.get("/model", response_model=ModelShown, responses=refusals())
    async def model_shown() -> Response:
        """Say what the model learnt from, and what is allowed."""
        return Json(shown)
