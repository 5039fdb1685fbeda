"""From waveform to knowledge: the forecaster, its residual, the alarms, and the worker that serves them."""
