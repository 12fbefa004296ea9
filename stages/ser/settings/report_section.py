"""Section ``report``: what the report shows."""

from typing import Annotated

from pydantic import Field

from ser.settings.params_file import Positive, Section


class Report(Section):
    mistakes: Annotated[int, Field(ge=0)]
    clip_seconds: Positive
    map_sounds: Annotated[int, Field(ge=0)]
    sounds: bool
