"""FastAPI as people write it: a pydantic model, a plain function, one prediction a request."""
# mypy: ignore-errors

from typing import Annotated, Any

import numpy as np
from bench_model import folder_given, load, output_names, predictions, read_npy, write_npy
from fastapi import Body, FastAPI, Response
from pydantic import BaseModel

app = FastAPI()
model = load(folder_given())
names = output_names(folder_given())


class Instances(BaseModel):
    """The request's body."""

    instances: list[list[float]]


@app.post("/invocations")
def invoke(request: Instances) -> dict[str, list[dict[str, Any]]]:
    """Predict from JSON."""
    return predictions(names, model.run(np.array(request.instances, dtype=np.float32)))


@app.post("/npy")
def invoke_npy(body: Annotated[bytes, Body(media_type="application/x-npy")]) -> Response:
    """Predict from npy."""
    return Response(write_npy(model.run(read_npy(body))), media_type="application/x-npy")
