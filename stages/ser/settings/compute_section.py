"""Section ``compute``: where work is done; it changes no result."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from ser.settings.params_file import Section


class Compute(Section):
    workers: Annotated[int, Field(ge=0)]
    backend: Literal["loky", "threading", "dask"]
    address: Annotated[str, Field(pattern=r"^(tcp|tls)://\S+:\d+$")] | None

    @model_validator(mode="after")
    def _check(self):
        if self.backend == "dask" and self.address is None:
            raise ValueError(
                "address is None; with backend dask it is that of a running scheduler, such as tcp://127.0.0.1:8786"
            )
        if self.backend != "dask" and self.address is not None:
            raise ValueError(f"address is {self.address!r}; with backend {self.backend} it is null")
        return self
