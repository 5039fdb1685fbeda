"""What signals and numerics are called in IEEE 11073-10101, the nomenclature of bedside devices.

Reference identifiers only, as the Rosetta terminology of IHE PCD uses them for bedside monitors. A name that has none
here is derived by this project, or is named differently by each vendor.
"""

from __future__ import annotations

from collections.abc import Mapping

from stream.wire.numerics_message import NumericName
from stream.wire.wave_message import Signal

WAVE_CODES: Mapping[Signal, str] = {
    "pleth": "MDC_PULS_OXIM_PLETH",
    "abp": "MDC_PRESS_BLD_ART_ABP",
    "pap": "MDC_PRESS_BLD_ART_PULM",
    "cvp": "MDC_PRESS_BLD_VEN_CENT",
    "resp": "MDC_IMPED_TTHOR",
    "co2": "MDC_AWAY_CO2",
}

NUMERIC_CODES: Mapping[NumericName, str] = {
    "heart_rate": "MDC_ECG_HEART_RATE",
    "pulse_rate": "MDC_PULS_OXIM_PULS_RATE",
    "spo2": "MDC_PULS_OXIM_SAT_O2",
    "respiration_rate": "MDC_RESP_RATE",
    "abp_systolic": "MDC_PRESS_BLD_ART_ABP_SYS",
    "abp_diastolic": "MDC_PRESS_BLD_ART_ABP_DIA",
    "abp_mean": "MDC_PRESS_BLD_ART_ABP_MEAN",
    "pap_systolic": "MDC_PRESS_BLD_ART_PULM_SYS",
    "pap_diastolic": "MDC_PRESS_BLD_ART_PULM_DIA",
    "pap_mean": "MDC_PRESS_BLD_ART_PULM_MEAN",
    "cvp_mean": "MDC_PRESS_BLD_VEN_CENT_MEAN",
    "nibp_systolic": "MDC_PRESS_BLD_NONINV_SYS",
    "nibp_diastolic": "MDC_PRESS_BLD_NONINV_DIA",
    "nibp_mean": "MDC_PRESS_BLD_NONINV_MEAN",
    "etco2": "MDC_AWAY_CO2_ET",
    "temperature": "MDC_TEMP",
    "perfusion_index": "MDC_PULS_OXIM_PERF_REL",
    "st": "MDC_ECG_AMPL_ST",
}
