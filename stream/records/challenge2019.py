"""Hourly numerics of the PhysioNet/Computing in Cardiology Challenge 2019: where they are found, and how they are read.

One file a patient, ``p000009.psv``: a header of column names, then one row an hour, parted by ``|``; ``NaN`` is missing
(Reyna et al., Crit Care Med 48(2):210-217, 2020, doi:10.1097/CCM.0000000000004145). Set A (``p0…``) and set B
(``p1…``) are two hospitals.

The files do not say how a blood pressure was measured; all go by the names of a cuff: an hourly value is no wave's.
PhysioNet publishes no checksums that are known here: a download is accepted if it reads as such a file.
"""

from __future__ import annotations

import io
import re
import tarfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from stream.errors import RecordError, SourceError
from stream.records.download import download
from stream.records.hourly_record import HourlyRecord
from stream.wire.numerics_message import NUMERIC_NAMES, NumericName

if TYPE_CHECKING:
    from stream.records.catalog import Catalog

DATABASE = "challenge2019"
PHYSIONET_CHALLENGE2019 = "https://physionet.org/files/challenge-2019/1.0.0/training/"

COLUMNS: Mapping[str, NumericName] = {
    "HR": "heart_rate",
    "O2Sat": "spo2",
    "Temp": "temperature",
    "SBP": "nibp_systolic",
    "MAP": "nibp_mean",
    "DBP": "nibp_diastolic",
    "Resp": "respiration_rate",
    "EtCO2": "etco2",
}
"""Columns that are numerics. Their units are ours; the pressures are in mmHg."""

HOUR, LABEL = "ICULOS", "SepsisLabel"
"""Hours in intensive care; whether sepsis begins within the next 6 h (and 12 h), or has begun."""

MAX_BYTES = 8 << 20
"""Largest file of a patient, in bytes; the published ones have at most 60 kB."""

MAX_HOURS = 20_000
"""Longest stay, in hours."""

_NAME = re.compile(rf"{DATABASE}/(p([01])\d{{5}})")


def is_hourly(name: str) -> bool:
    """Return whether a record of this name is one of hourly numerics: ``challenge2019/p000009``, or a ``.psv`` file."""
    return _NAME.fullmatch(name) is not None or name.endswith(".psv")


def load_hourly(name: str, catalog: Catalog) -> HourlyRecord:
    """Load a patient: from the local folder, from an archive in it, from the cache, or from PhysioNet.

    Parameters
    ----------
    name : str
        ``challenge2019/p000009``, or the path of a ``.psv`` file.
    catalog : Catalog

    Raises
    ------
    RecordError
        Unknown or damaged.
    SourceError
        Neither on disk nor available from the network.
    """
    return load_all_hourly([name], catalog)[name]


def load_all_hourly(names: Iterable[str], catalog: Catalog) -> dict[str, HourlyRecord]:
    """Load patients, by name; an archive is read through once for all of them (under a second).

    Raises
    ------
    RecordError, SourceError
        As in `load_hourly`.
    """
    wanted, texts = list(dict.fromkeys(names)), dict[str, tuple[str, str]]()
    for name in wanted:
        if (path := _file(name, catalog)) is not None:
            source = "file" if name.endswith(".psv") else "cache" if _cached(name, catalog) == path else "local folder"
            texts[name] = _read(path), source
    for archive in archives(catalog):
        missing = {name.partition("/")[2]: name for name in wanted if name not in texts and _in(archive, name)}
        for patient, text in _members(archive, missing.keys()) if missing else ():
            texts[missing[patient]] = text, "local archive"
    for name in wanted:
        if name not in texts:
            texts[name] = _download(name, catalog), "PhysioNet"
    return {name: parse(*texts[name][:1], _shown(name), texts[name][1]) for name in wanted}


def read_patients(path: Path, skipped: Callable[[RecordError], None]) -> Iterator[HourlyRecord]:
    """Yield all patients of a folder of ``.psv`` files, or of an archive, in order of their names.

    Parameters
    ----------
    path : Path
        A folder, searched with the folders below it, or a ``.tar``, ``.tar.gz`` or ``.tar.xz``. A folder without
        ``.psv`` files may contain such archives.
    skipped : callable
        Called for each file that is damaged.

    Raises
    ------
    RecordError
        There is no such folder or archive, or it contains no patient.
    """
    found = 0
    for name, text in _texts(path):
        found += 1
        try:
            yield parse(text, name, "file")
        except RecordError as error:
            skipped(error)
    if not found:
        raise RecordError(
            f"{path} contains no .psv file: name a folder of {DATABASE}, or its archive training_setA.tar.xz"
        )


def parse(text: str, name: str, source: str) -> HourlyRecord:
    """Return the patient of a file's text.

    Raises
    ------
    RecordError
        The text is not a table of numbers, has no column of a numeric, or its hours do not increase by whole numbers.
    """
    header, _, body = text.partition("\n")
    names = header.strip().split("|")
    if not any(column in COLUMNS for column in names) or len(set(names)) < len(names):
        raise RecordError(
            f"{name}: the first line names no numeric ({header[:40]!r}): a .psv file begins HR|O2Sat|Temp|…"
        )
    try:
        table = np.loadtxt(io.StringIO(body), delimiter="|", ndmin=2) if body.strip() else np.empty((0, len(names)))
    except ValueError as error:
        raise RecordError(f"{name}: {' '.join(str(error).split())[:120]}: get the file again") from None
    if not table.size or table.shape[1] != len(names):
        raise RecordError(
            f"{name}: {table.shape[1]} columns in {table.shape[0]} rows, but {len(names)} names: get the file again"
        )
    table[~np.isfinite(table)] = np.nan
    hours = table[:, names.index(HOUR)] if HOUR in names else np.arange(1.0, len(table) + 1)
    rows = hours - hours[0]
    if not ((np.diff(hours) >= 1).all() and (rows == rows.round()).all() and rows[-1] < MAX_HOURS):
        raise RecordError(f"{name}: the hours ({HOUR}) do not increase by whole numbers: get the file again")
    filled = np.full((int(rows[-1]) + 1, len(names)), np.nan)
    filled[rows.astype(np.int64)] = table
    columns = dict(zip(names, np.ascontiguousarray(filled.T), strict=True))
    columns.pop(HOUR, None)
    hours = hours[0] + np.arange(float(len(filled)))
    for values in (hours, *columns.values()):
        values.flags.writeable = False
    numerics = {COLUMNS[column]: columns.pop(column) for column in COLUMNS if column in columns}
    measured = {numeric for numeric, values in numerics.items() if not np.isnan(values).all()}
    ordered = {numeric: numerics[numeric] for numeric in NUMERIC_NAMES if numeric in measured}
    return HourlyRecord(name, source, hours, ordered, columns)


def available(catalog: Catalog) -> tuple[int | None, str]:
    """Return how many patients are on disk (None: not counted, in an archive), and where, in words."""
    if catalog.data_dir is not None:
        if count := len({path.name for path in (catalog.data_dir / DATABASE).glob("**/p*.psv")}):
            return count, "local folder"
        if found := archives(catalog):
            return None, f"local archive {', '.join(path.name for path in found)}"
    count = len(list((catalog.cache_dir / DATABASE).glob("p*.psv")))
    return (count, "cache") if count else (0, "not yet")


def archives(catalog: Catalog) -> list[Path]:
    """Return the archives of the local folder."""
    return [] if catalog.data_dir is None else _archives(catalog.data_dir / DATABASE)


# --- on disk ----------------------------------------------------------------------------------------------------------


def _archives(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob("*.tar*") if path.name.endswith((".tar", ".tar.gz", ".tar.xz")))


def _cached(name: str, catalog: Catalog) -> Path:
    return catalog.cache_dir / f"{name}.psv"


def _file(name: str, catalog: Catalog) -> Path | None:
    """Return the file of a patient, if it is on disk."""
    if name.endswith(".psv"):
        if not Path(name).is_file():
            raise RecordError(f"{Path(name).name}: no such file; name a .psv file, or {DATABASE}/p000009")
        return Path(name)
    found = _NAME.fullmatch(name)
    if found is None:
        raise RecordError(f"unknown record {name[:80]!r}: patients are {DATABASE}/p000001 to p020643, and from p100001")
    patient, folders = found[1], []
    if catalog.data_dir is not None:
        local = catalog.data_dir / DATABASE
        folders = [local, local / _set(name), local / "training" / _set(name)]
    candidates = [*(folder / f"{patient}.psv" for folder in folders), _cached(name, catalog)]
    return next((path for path in candidates if path.is_file()), None)


def _set(name: str) -> str:
    found = _NAME.fullmatch(name)
    assert found is not None
    return "training_setB" if found[2] == "1" else "training_setA"


def _in(archive: Path, name: str) -> bool:
    """Return whether an archive may contain a patient: that of the other hospital does not."""
    other = {"training_setA": "setB", "training_setB": "setA"}
    return other[_set(name)] not in archive.name


def _shown(name: str) -> str:
    return Path(name).stem if name.endswith(".psv") else name


def _read(path: Path) -> str:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise RecordError(f"{path.name} has more than {MAX_BYTES >> 20} MB: it is not the file of one patient")
        return path.read_text("ascii", "replace")
    except OSError as error:
        raise RecordError(f"{path.name} cannot be read: {error.strerror}") from error


def _texts(path: Path) -> Iterator[tuple[str, str]]:
    if path.is_file():
        return _members(path, None)
    if not path.is_dir():
        raise RecordError(f"{path} is neither a folder nor an archive: name a folder of .psv files")
    files = sorted(path.glob("**/*.psv"), key=lambda file: file.name)
    if files:
        return ((file.stem, _read(file)) for file in files)
    return (each for archive in _archives(path) for each in _members(archive, None))


def _members(archive: Path, wanted: Iterable[str] | None) -> Iterator[tuple[str, str]]:
    """Yield names and texts of patients of an archive, in its order; of all of them by default."""
    left = None if wanted is None else set(wanted)
    try:
        with tarfile.open(archive, "r|*") as tar:
            for member in tar:
                patient = Path(member.name).name.removesuffix(".psv")
                known = member.isfile() and member.name.endswith(".psv") and member.size <= MAX_BYTES
                if not known or (left is not None and patient not in left):
                    continue
                file = tar.extractfile(member)
                assert file is not None
                yield patient, file.read().decode("ascii", "replace")
                if left is not None:
                    left.remove(patient)
                    if not left:
                        return
    except (tarfile.TarError, OSError, EOFError) as error:
        raise RecordError(f"{archive.name} cannot be read ({str(error)[:80]}): get the archive again") from error


# --- download ---------------------------------------------------------------------------------------------------------


def _download(name: str, catalog: Catalog) -> str:
    target = _cached(name, catalog)
    try:
        url = f"{catalog.physionet_challenge2019}{_set(name)}/{target.name}"
        download(url, target, _problem, progress=catalog.progress)
    except SourceError as error:
        raise SourceError(
            f"{name} is not on disk, and {error}: try again, or give a --data-dir that holds {DATABASE}/"
        ) from None
    return _read(target)


def _problem(path: Path) -> str:
    try:
        parse(_read(path), path.name, "PhysioNet")
    except RecordError:
        return "not the table of a patient (a login page of the network?)"
    return ""
