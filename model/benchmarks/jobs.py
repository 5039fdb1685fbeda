"""What is timed: functions without arguments, each of which executes one call.

`mm_job` and `onednn_job` measure the peak rate of the processor; all others process one chunk of 100 ms (the analysis
job: one second) or one sample.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import cycle, islice

import numpy as np
import torch
from torch import Tensor

from model.forecast import inference
from model.forecast.forecaster import advance, begin, parameters
from model.forecast.forecaster_weights import TrainedForecaster
from model.forecast.inference import Block, Weights
from model.pipeline.analysis import Models
from model.pipeline.beds import Beds
from model.signal.batch import Batch
from model.signal.columns import joined
from model.signal.compiled import compiled
from model.tutorial.lecture_model import WINDOW, Lecture
from stream.records.synthetic.generator import generate
from stream.records.synthetic.presets import STABLE
from stream.timebase import FS
from stream.wire.alarm_messages import Limits

Job = Callable[[], object]

CHUNK = 36
"""Samples in a chunk: 100 ms."""

SECOND = FS // CHUNK
"""Chunks in one call of the analysis job. Parts of the analysis run every half second or every second."""

WARM_S, LOOP_S = 20, 40
"""Seconds of the synthetic patient processed before timing, and seconds repeated during timing."""


def mm_job(size: int) -> Job:
    """Multiply two square matrices with ``torch.mm``."""
    a, b, out = torch.randn(size, size), torch.randn(size, size), torch.empty(size, size)
    return lambda: torch.mm(a, b, out=out)


def onednn_job(size: int) -> Job:
    """Multiply two square matrices with oneDNN, as a second library."""
    a, b = torch.randn(size, size).to_mkldnn(), torch.randn(size, size).to_mkldnn()
    return lambda: torch.ops.aten.mkldnn_linear(a, b)


def network_job(forecaster: TrainedForecaster, streams: int) -> Job:
    """Process one chunk with the bare network, with carried state."""
    weights, config = parameters(forecaster).network, forecaster.config
    x, blocks = np.random.default_rng(0).standard_normal(config.window).astype(np.float32), []
    for first in range(0, streams, inference.BLOCK):
        block = inference.new_block(weights, min(inference.BLOCK, streams - first), config.layers)
        inference.put_windows(weights, block, np.tile(x, (block.c.shape[1], 1)))
        blocks.append(block)

    def job() -> None:
        for block in blocks:
            _run_network(weights, block, CHUNK // config.patch)

    return job


@compiled
def _run_network(weights: Weights, block: Block, steps: int) -> None:
    for _ in range(steps):
        inference.step(weights, block)


def step_job(forecaster: TrainedForecaster, beds: int, leads: int = 1) -> Job:
    """Process one chunk of each bed with the forecaster, with carried state."""
    mv = 0.3 * np.random.default_rng(0).standard_normal((beds, CHUNK, leads))
    batch = Batch(np.arange(beds), np.zeros(beds, np.int64), mv, np.zeros(mv.shape, bool))
    columns = joined([begin(forecaster, leads).columns] * beds)
    return lambda: advance(forecaster, columns, batch, "float32")


def whole_job(models: Models, beds: int, leads: int = 1) -> Job:
    """Process one second of a synthetic patient with the full analysis of each bed, chunk by chunk."""
    patient = generate(STABLE, WARM_S + LOOP_S, seed=1)
    mv, limits = np.ascontiguousarray(patient.mv()[:, :leads]), Limits()
    chunks = [mv[first : first + CHUNK] for first in range(0, len(mv), CHUNK)]
    analysis = Beds(models)
    first = analysis.begin(patient.leads[:leads], 0, 0)
    for chunk in chunks[: WARM_S * SECOND]:
        analysis.step([first], [chunk], [limits])
    state = first.state()
    all_beds = [first, *(analysis.put(state) for _ in range(beds - 1))]
    coming = cycle(chunks[WARM_S * SECOND :])

    def job() -> None:
        for chunk in islice(coming, SECOND):
            analysis.step(all_beds, [chunk] * beds, [limits] * beds)

    return job


def lecture_job() -> Job:
    """Predict one sample as the lecture does: run its LSTM over the last 50 samples from a zero state."""
    model, x = Lecture().eval(), torch.randn(1, WINDOW, 1)
    return lambda: model(x)


def lecture_carried_job() -> Job:
    """Predict the samples of a chunk with the lecture's LSTM and carried state."""
    model, x = Lecture().eval(), torch.randn(1, CHUNK, 1)
    state: tuple[Tensor, Tensor] | None = None

    def job() -> None:
        nonlocal state
        hidden, state = model.lstm(x, state)
        model.out(hidden)

    return job
