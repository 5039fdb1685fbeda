"""The record catalog: finds records in a local folder, in the user cache, or downloads them into that cache.

Cached files are verified against PhysioNet's checksums on every use; a damaged file is downloaded again.
"""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from stream.errors import RecordError, SourceError, UsageError
from stream.records.appended_record import own_record
from stream.records.challenge2019 import PHYSIONET_CHALLENGE2019, is_hourly, load_hourly
from stream.records.download import Check, download, move_into_place, part_file
from stream.records.synthetic.ecg import LEADS
from stream.records.synthetic.presets import LIVE, PRESETS
from stream.wire.wave_message import WAVE_UNIT

MITDB: dict[str, tuple[str, ...]] = {
    f"mitdb/{number}": leads
    for leads, numbers in {
        ("MLII", "V1"): (
            "101 105 106 107 108 109 111 112 113 115 116 118 119 121 122 200 201 202 203 205 207 208 209 210 212 213"
            " 214 215 217 219 220 221 222 223 228 230 231 232 233 234"
        ),
        ("MLII", "V2"): "103 117",
        ("MLII", "V4"): "124",
        ("MLII", "V5"): "100 114 123",
        ("V5", "V2"): "102 104",
    }.items()
    for number in numbers.split()
}
"""The 48 records of the MIT-BIH Arrhythmia Database and their leads, in the order of the messages."""

BIDMC: dict[str, tuple[str, ...]] = {f"bidmc/bidmc{number:02}": () for number in range(1, 54)}
"""The 53 records of the BIDMC PPG and Respiration Dataset; their leads are in their headers."""

PHYSIONET = "https://physionet.org/files/mitdb/1.0.0/"
PHYSIONET_BIDMC = "https://physionet.org/files/bidmc/1.0.0/"
CHECKSUMS_FILE = "SHA256SUMS.txt"
SUFFIXES = (".atr", ".dat", ".hea")
BIDMC_SUFFIXES = (".breath", ".dat", ".hea", "n.dat", "n.hea")
"""Marked breaths, the waves, and the numerics beside them."""

DATABASES: dict[str, tuple[dict[str, tuple[str, ...]], tuple[str, ...]]] = {
    "mitdb": (MITDB, SUFFIXES),
    "bidmc": (BIDMC, BIDMC_SUFFIXES),
}
"""The databases that can be downloaded: their records with the leads, and the ends of the names of a record's files."""

DOWNLOADABLE = {name: leads for records, _ in DATABASES.values() for name, leads in records.items()}

EXCERPT_URL = "https://raw.githubusercontent.com/scipy/dataset-ecg/main/ecg.dat"
"""Source of ``scipy.datasets.electrocardiogram`` (scipy/datasets/_registry.py)."""

EXCERPT_SHA256 = "f20ad3365fb9b7f845d0e5c48b6fe67081377ee466c3a220b7f69f35c8958baf"
EXCERPT_WHEEL = "scipy==1.11.4"
"""The last SciPy whose wheel contains the file, as scipy/misc/ecg.dat."""

PIP_TIMEOUT_S = 600.0
MAX_NAME = 200
"""Maximum length of a record name in a message, in characters."""


@dataclass(frozen=True)
class LocatedRecord:
    """A record on disk: its name, its path without suffix, and a description of its source."""

    name: str
    stem: Path
    source: str


@dataclass(frozen=True)
class CatalogEntry:
    """A record of the catalog: its name, its leads, and ``local folder``, ``cache``, ``built in`` or ``not yet``."""

    name: str
    leads: tuple[str, ...]
    where: str


def user_cache() -> Path:
    """Return the folder for downloads."""
    import platformdirs

    return Path(platformdirs.user_cache_dir("bedside"))


@dataclass(frozen=True)
class Catalog:
    """Sources of records.

    Attributes
    ----------
    data_dir : Path or None
        A folder that holds ``mitdb/``, other databases, ``ecg.dat``; read-only.
    cache_dir : Path
        Folder for downloads.
    progress : bool
        Report downloads on stderr; with progress bars if it is a terminal.
    physionet, physionet_bidmc, physionet_challenge2019, excerpt_url : str
        Download sources: of mitdb, of bidmc, of challenge2019, and of the excerpt.
    """

    data_dir: Path | None = None
    cache_dir: Path = field(default_factory=user_cache)
    progress: bool = True
    physionet: str = PHYSIONET
    physionet_bidmc: str = PHYSIONET_BIDMC
    physionet_challenge2019: str = PHYSIONET_CHALLENGE2019
    excerpt_url: str = EXCERPT_URL

    @classmethod
    def from_environment(cls, data_dir: Path | None = None) -> Catalog:
        """Return the catalog of ``data_dir``; by default that of BEDSIDE_DATA.

        Raises
        ------
        UsageError
            The folder does not exist.
        """
        text = str(data_dir) if data_dir is not None else os.environ.get("BEDSIDE_DATA", "")
        if not text:
            return cls()
        if not Path(text).is_dir():
            option = "--data-dir" if data_dir is not None else "BEDSIDE_DATA"
            raise UsageError(f"{option} {text} is not a folder: name one that holds mitdb/, or leave it out")
        return cls(data_dir=Path(text))

    def locate(self, name: str) -> LocatedRecord:
        """Locate a record: in the local folder, in the cache, as a path, or by download.

        Parameters
        ----------
        name : str
            ``mitdb/208``, or a path with or without ``.hea`` or ``.dat``.

        Raises
        ------
        RecordError
            No such record.
        SourceError
            The record is known, but is not on disk and cannot be downloaded.
        """
        stem = name[:-4] if name.endswith((".hea", ".dat")) else name
        try:
            found = self._on_disk(stem) or _as_path(stem)
        except OSError as error:
            raise RecordError(f"cannot search for record {name[:80]}: {error.strerror}") from error
        if found is not None:
            return found
        if stem in DOWNLOADABLE:
            return self._download_record(stem)
        raise RecordError(_unknown(name, stem))

    def locate_excerpt(self) -> tuple[Path, str]:
        """Locate SciPy's electrocardiogram; return its path and a description of its source.

        Raises
        ------
        RecordError
            The local folder contains another ``ecg.dat``.
        SourceError
            It is not on disk and cannot be downloaded.
        """
        found = self._excerpt_on_disk()
        if found is not None:
            return found
        target = self.cache_dir / "ecg.dat"
        try:
            download(self.excerpt_url, target, _expect(EXCERPT_SHA256), progress=self.progress)
        except SourceError as error:
            self._report(f"{error}. Extracting the same file from the {EXCERPT_WHEEL} wheel (36 MB), by pip.")
            try:
                self._excerpt_from_wheel(target)
            except SourceError as second:
                raise SourceError(
                    f"the excerpt could not be downloaded ({error}; {second}): connect to a network, or put SciPy's "
                    "ecg.dat into --data-dir"
                ) from None
            return target, "SciPy wheel"
        return target, "scipy.datasets"

    def listing(self) -> list[CatalogEntry]:
        """Return all records of the catalog."""
        excerpt = self._excerpt_on_disk()
        listed = [
            CatalogEntry("excerpt", ("MLII",), excerpt[1] if excerpt else "not yet"),
            *(CatalogEntry(name, LEADS, "built in") for name in (*PRESETS, LIVE)),
        ]
        for name in sorted(DOWNLOADABLE):
            found = self._on_disk(name)
            listed.append(CatalogEntry(name, DOWNLOADABLE[name], found.source if found else "not yet"))
        return listed

    def database(self, name: str) -> list[str]:
        """Return the records on disk of a database, a folder such as ``svdb``; sorted, empty if there is none."""
        if not re.fullmatch(r"[\w-]+", name):
            return []
        folder = None if self.data_dir is None else self.data_dir / name
        if folder is not None and folder.is_dir():
            return [f"{name}/{stem}" for stem in without_companions(path.stem for path in folder.glob("*.hea"))]
        return [record for record in sorted(DOWNLOADABLE) if record.startswith(f"{name}/") and self._on_disk(record)]

    def is_on_disk(self, name: str) -> bool:
        """Return whether a record is in the local folder or in the cache; a path is not."""
        return self._on_disk(name) is not None

    def fetch(self, names: Iterable[str]) -> Iterator[str]:
        """Download records that are not on disk, one by one; yield a line on each.

        Parameters
        ----------
        names : iterable of str
            ``mitdb/208``, ``mitdb`` or ``bidmc`` for all of them, ``challenge2019/p000009``, ``excerpt``.

        Raises
        ------
        RecordError
            A name is unknown; nothing is downloaded.
        SourceError
            A download failed.
        """
        wanted: list[str] = []
        for name in names:
            known = sorted(DATABASES[name][0]) if name in DATABASES else [name]
            if known[0] not in DOWNLOADABLE and known[0] != "excerpt" and not is_hourly(known[0]):
                raise RecordError(f"{name} cannot be downloaded: 'bedside data list' shows the available records")
            wanted += known
        return (self._fetch_one(name) for name in dict.fromkeys(wanted))

    def _fetch_one(self, name: str) -> str:
        if is_hourly(name):
            return f"{name}: {load_hourly(name, self).source}"
        source = (
            self.locate_excerpt()[1]
            if name == "excerpt"
            else (self._on_disk(name) or self._download_record(name)).source
        )
        return f"{name}: {source}"

    # --- on disk ----------------------------------------------------------------------------------------------------

    def _on_disk(self, name: str) -> LocatedRecord | None:
        if not re.fullmatch(r"[\w-][\w.-]*(/[\w-][\w.-]*)*", name):
            return None
        if self.data_dir is not None and _with(self.data_dir / name, ".hea").is_file():
            return LocatedRecord(name[:MAX_NAME], self.data_dir / name, "local folder")
        if name not in DOWNLOADABLE:
            return None
        database = _database(name)
        paths = [_with(self.cache_dir / name, suffix) for suffix in DATABASES[database][1]]
        if not all(path.is_file() for path in paths):
            return None
        sums = self._saved_sums(database)
        if all(sums.get(path.name) in (None, _sha256(path)) for path in paths):
            return LocatedRecord(name, self.cache_dir / name, "cache")
        return None

    def _saved_sums(self, database: str) -> dict[str, str]:
        path = self.cache_dir / database / CHECKSUMS_FILE
        return _parse_sums(path.read_bytes(), database) or {} if path.is_file() else {}

    def _excerpt_on_disk(self) -> tuple[Path, str] | None:
        if self.data_dir is not None and (self.data_dir / "ecg.dat").is_file():
            path = self.data_dir / "ecg.dat"
            if _sha256(path) != EXCERPT_SHA256:
                raise RecordError(f"{path.name} in the local folder is not SciPy's file (sha256 differs): remove it")
            return path, "local folder"
        path = self.cache_dir / "ecg.dat"
        return (path, "cache") if path.is_file() and _sha256(path) == EXCERPT_SHA256 else None

    # --- downloads --------------------------------------------------------------------------------------------------

    def _download_record(self, name: str) -> LocatedRecord:
        stem, database = self.cache_dir / name, _database(name)
        url = {"mitdb": self.physionet, "bidmc": self.physionet_bidmc}[database]
        try:
            sums = self._saved_sums(database)
            if not sums:
                check = _expect_sums(database)
                download(url + CHECKSUMS_FILE, stem.parent / CHECKSUMS_FILE, check, progress=self.progress)
                sums = self._saved_sums(database)
            for path in (_with(stem, suffix) for suffix in DATABASES[database][1]):
                if not (path.is_file() and _sha256(path) == sums[path.name]):
                    download(url + path.name, path, _expect(sums[path.name]), progress=self.progress)
        except SourceError as error:
            raise SourceError(
                f"{name} is not complete on disk, and {error}: try again, or give a --data-dir that holds {database}/"
            ) from None
        return LocatedRecord(name, stem, "PhysioNet")

    def _excerpt_from_wheel(self, target: Path) -> None:
        with tempfile.TemporaryDirectory() as folder:
            # -P: do not import a pip.py of the working directory.
            command = [sys.executable, "-P", "-m", "pip", "download", "--no-deps", "--only-binary=:all:"]
            command += ["--python-version", "3.11", "--platform", "manylinux2014_x86_64", "--dest", folder]
            command += ["--no-input", "--disable-pip-version-check", "--timeout", "10", "--retries", "1", EXCERPT_WHEEL]
            # pip writes its progress bar to stdout, which is reserved for results.
            shown = sys.stderr.fileno() if self.progress and sys.stderr.isatty() else subprocess.DEVNULL
            try:
                subprocess.run(
                    command, check=True, stdout=shown, stderr=subprocess.PIPE, text=True, timeout=PIP_TIMEOUT_S
                )
            except subprocess.TimeoutExpired:
                raise SourceError(f"pip did not finish in {PIP_TIMEOUT_S:g} s") from None
            except subprocess.CalledProcessError as error:
                lines = [line for line in error.stderr.splitlines() if line.strip()]
                raise SourceError(f"pip: {lines[-1].strip() if lines else 'failed'}") from None
            wheel = next(Path(folder).glob("*.whl"))
            with part_file(target) as part:
                try:
                    with zipfile.ZipFile(wheel) as archive:
                        part.write_bytes(archive.read("scipy/misc/ecg.dat"))
                except (zipfile.BadZipFile, KeyError) as error:
                    raise SourceError(f"{wheel.name} contains no scipy/misc/ecg.dat ({error})") from None
                if problem := _expect(EXCERPT_SHA256)(part):
                    raise SourceError(f"ecg.dat of {wheel.name}: {problem}")
                move_into_place(part, target)

    def _report(self, text: str) -> None:
        if self.progress:
            print(text, file=sys.stderr)


def without_companions(stems: Iterable[str]) -> list[str]:
    """Return the names of the records of a folder, sorted.

    Without those that belong to another: its numerics, ``…n``, and waves of a rate of their own, ``…_pleth``.
    """
    every = set(stems)
    of_others = {f"{stem}n" for stem in every} | {own_record(stem, signal) for stem in every for signal in WAVE_UNIT}
    return sorted(every - of_others)


def _expect(sha256: str) -> Check:
    def check(path: Path) -> str:
        found = _sha256(path)
        return "" if found == sha256 else f"checksum mismatch (sha256 {found[:12]}…, not {sha256[:12]}…)"

    return check


def _expect_sums(database: str) -> Check:
    def check(path: Path) -> str:
        known = _parse_sums(path.read_bytes(), database)
        return "" if known else "not the list of checksums (a login page of the network?)"

    return check


def _parse_sums(data: bytes, database: str) -> dict[str, str] | None:
    """Return file name → sha256 of lines "hash name"; None if the list is malformed or lacks a file of the database."""
    lines = [line.split(maxsplit=1) for line in data.decode("utf-8", "replace").splitlines() if line.strip()]
    if not lines or not all(len(line) == 2 and re.fullmatch("[0-9a-f]{64}", line[0]) for line in lines):
        return None
    sums = {name: sha256 for sha256, name in lines}
    records, suffixes = DATABASES[database]
    needed = (name.removeprefix(f"{database}/") + suffix for name in records for suffix in suffixes)
    return sums if all(name in sums for name in needed) else None


def _as_path(stem: str) -> LocatedRecord | None:
    path = Path(stem)
    return LocatedRecord(path.name[:MAX_NAME], path, "file") if stem and _with(path, ".hea").is_file() else None


def _unknown(name: str, stem: str) -> str:
    name = name if name and name.isprintable() else repr(name)
    if f"mitdb/{stem}" in MITDB:
        return f"unknown record {name}: do you mean mitdb/{stem}?"
    if is_hourly(stem):
        return f"{name} is hourly numbers without ECG, which this command does not take: choose another record"
    database = _database(stem)
    if "/" in stem and database in DATABASES:
        return f"unknown record {name}: 'bedside data list' shows the {len(DATABASES[database][0])} of {database}"
    if Path(name).is_file() or _with(Path(stem), ".dat").is_file():
        return f"{Path(name).name} has no WFDB header: {Path(stem).name}.hea must be in the same folder"
    return f"unknown record {name}: no such file, and not in --data-dir; 'bedside data list' shows the known names"


def _database(name: str) -> str:
    return name.partition("/")[0]


def _with(stem: Path, suffix: str) -> Path:
    return stem.parent / (stem.name + suffix)


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
