"""What the service answers, as its description (OpenAPI) says it, and as JSON that no page can take for HTML."""

import json
from typing import Annotated, Any

from pydantic import BaseModel, Field
from starlette.responses import JSONResponse

from ser.serving.limits import Limits

Probability = Annotated[float, Field(ge=0, le=1)]
Probabilities = dict[str, Probability]


class Refusal(BaseModel):
    """Why there is no answer, in a line."""

    detail: str


class Health(BaseModel):
    """That the service runs."""

    status: str


class LimitsShown(BaseModel):
    """What is allowed: bytes of a recording, seconds of a recording's timeline and of a live stream."""

    bytes: int
    seconds: float
    live_seconds: float


class ModelShown(BaseModel):
    """The model, what it learnt from, and what it answers."""

    model: str
    emotions: list[str]
    learnt_from: dict[str, Any]
    terms: str = Field(description="What of the licences of its corpora may bind it, in words.")
    synthetic: bool = Field(description="Whether all it learnt from was synthesised: it then knows no real voices.")
    sample_rate: int = Field(description="Hz, that recordings are brought to.")
    by_speaker: bool = Field(description="Whether it wants several clips of a voice.")
    limits: LimitsShown
    version: str


class Predicted(BaseModel):
    """What a recording sounds like as a whole."""

    file: str = Field(description="What the client called it.")
    emotion: str = Field(description="The most probable one; `unsure` where it is less probable than was asked for.")
    probabilities: Probabilities
    unfamiliar: str = Field(description="In what it is unlike all that the model learnt from.")
    seconds: float = Field(description="s of sound, without silence at its ends.")


class StretchShown(BaseModel):
    """A stretch of time, and what it did to the log odds of the emotion, in nats."""

    start: float
    end: float
    effect: float
    error: float
    stands_out: bool


class GroupShown(BaseModel):
    """A group of features, and what its values added to the log odds of the emotion, in nats."""

    name: str
    features: int
    effect: float
    error: float


class ExplanationShown(BaseModel):
    """What decided an answer."""

    name: str = Field(description="What the client called the recording.")
    model: str
    answer: str = Field(description="The most probable emotion.")
    emotion: str = Field(description="The one that is explained.")
    probabilities: Probabilities
    unfamiliar: str
    log_odds: float = Field(description="Of the emotion, nats.")
    in_words: list[str] = Field(description="The answer, the stretches and the groups, a line each.")
    stretches: list[StretchShown]
    chance: Probability = Field(description="That stretches without any cue differ so.")
    groups: list[GroupShown] = Field(description="Those that matter most first.")
    usual_log_odds: float | None = Field(description="Of the emotion, where all features are as usual.")
    peaks: list[float] = Field(description="The envelope of what was heard, from the first stretch to the last.")


class SegmentShown(BaseModel):
    """A part of a recording in which somebody speaks, or nobody."""

    start: float
    end: float
    speech: bool
    emotion: str
    probabilities: Probabilities | None
    unfamiliar: str


class ChannelShown(BaseModel):
    """A channel of a recording."""

    shares: dict[str, float]
    speaking_seconds: float
    segments: list[SegmentShown]
    peaks_per_second: float | None = None
    peaks: list[float] | None = None


class TimelineShown(BaseModel):
    """A recording from its start to its end."""

    name: str
    seconds: float
    emotions: list[str]
    model: str
    remarks: list[str]
    channels: list[ChannelShown]


class Json(JSONResponse):
    """JSON in which ``<``, ``>`` and ``&`` are escaped, and nothing but ASCII stands."""

    def render(self, content: Any) -> bytes:
        """Return content as bytes; numbers are those of Python, to the last digit."""
        text = json.dumps(content, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
        return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026").encode()


REFUSALS = {
    400: "The body is none of those described.",
    401: "The token is missing or wrong.",
    403: "The request is a foreign web page's, or meant for a machine of another name.",
    408: "The body came too slowly.",
    413: "The recording is larger or longer than is allowed.",
    415: "The body is no audio, or none that can be used; the reason is said.",
    422: "A parameter is not as described, or something is missing.",
    429: "Too much at once: try again after the seconds that `Retry-After` says.",
    500: "An error of the service.",
    503: "The service is shutting down, or gave up on the work.",
}


def refusals(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return how a route's refusals are described; those that any may give are among them."""
    found: dict[int | str, dict[str, Any]] = {}
    for status in sorted({401, 403, 500, 503, *statuses}):
        found[status] = {"model": Refusal, "description": REFUSALS[status]}
        if status == 429:
            found[status]["headers"] = {"Retry-After": {"description": "s", "schema": {"type": "integer"}}}
    return found


def recording_body(limits: Limits) -> dict[str, Any]:
    """Return how the body of a request with a recording is described."""
    binary = {"schema": {"type": "string", "format": "binary"}}
    form = {"type": "object", "required": ["file"], "properties": {"file": binary["schema"]}}
    kinds = ("audio/*", "video/*", "application/octet-stream")
    content = {"multipart/form-data": {"schema": form}} | {kind: binary for kind in kinds}
    about = f"A recording of any common format, of {limits.upload_bytes / 1e6:g} MB at most."
    return {"requestBody": {"required": True, "description": about, "content": content}}
