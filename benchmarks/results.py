"""Results of the benchmarks: one JSON file each, and all of them in a table.

    python benchmarks/results.py        rewrites RESULTS.md from the files in results/ and from missed.md

A script calls :func:`record` once, at its end; nothing else writes results. Missed targets are explained in
missed.md, by hand, with figures printed by the scripts.
"""

import datetime
import json
import os
import platform
import re
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path

FOLDER = Path(__file__).parent / "results"
TABLE = Path(__file__).parent / "RESULTS.md"
MISSED = Path(__file__).parent / "missed.md"
_HEAD = """\
# Results

Written by the benchmarks themselves (`make bench`, `make bench-scale`); the figures behind each line are in
`results/`. Peers run in the same process or within the same minute on the same data. Ratios say more than
absolute figures: on another day the same machine may be half as fast.

| benchmark | what was measured | target | machine and versions | date |
| --- | --- | --- | --- | --- |
"""


def machine() -> str:
    """Describe processor, cores and memory."""
    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists() and (found := re.search(r"^model name\s*:\s*(.+)$", cpuinfo.read_text(), re.M)):
        model = found[1]
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / (1 << 30)
    return f"{model}, {os.cpu_count()} cores, {memory:.0f} GiB"


def record(
    name: str,
    measured: str,
    figures: Mapping[str, object],
    *,
    aim: str = "",
    packages: tuple[str, ...] = (),
    versions: Mapping[str, str] | None = None,
) -> None:
    """Store the result of a benchmark, print its figures and rewrite the table.

    Parameters
    ----------
    name
        Name of the benchmark and its file; a large run has its own, such as ``recommend-1000000``.
    measured
        One sentence with the important figures, made from ``figures``.
    figures
        Everything that was measured.
    aim
        The target, and whether it was reached.
    packages
        Distributions whose versions matter; Python's version is always recorded.
    versions
        Versions of other software, such as PostgreSQL.
    """
    noted = {"Python": platform.python_version()}
    noted |= {package: metadata.version(package) for package in packages} | dict(versions or {})
    result = {
        "benchmark": name,
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "measured": measured,
        "aim": aim,
        "machine": machine(),
        "versions": noted,
        "figures": figures,
    }
    FOLDER.mkdir(exist_ok=True)
    text = json.dumps(result, indent=1, ensure_ascii=False)
    (FOLDER / f"{name}.json").write_text(text + "\n", "utf-8")
    TABLE.write_text(table(), "utf-8")
    print(text)


def table() -> str:
    """Return RESULTS.md, made from the files in results/ and missed.md."""
    lines = []
    for path in sorted(FOLDER.glob("*.json")):
        result = json.loads(path.read_text("utf-8"))
        versions = ", ".join(f"{name} {version}" for name, version in result["versions"].items())
        cells = (
            f"[{result['benchmark']}](results/{path.name})",
            result["measured"],
            result["aim"],
            f"{result['machine']}; {versions}",
            result["date"],
        )
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |\n")
    return _HEAD + "".join(lines) + "\n" + MISSED.read_text("utf-8")


if __name__ == "__main__":
    TABLE.write_text(table(), "utf-8")
