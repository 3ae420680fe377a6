"""Planner settings, which a session can change and this check therefore tries."""

from collections.abc import Iterator

from tagdb.doctor.findings import Examination, Finding
from tagdb.store import doctor as queries

ANYWHERE = {"random_page_cost": "1.1"}
"""Values that fit any machine. jit is none of them: tagdb's functions and connections switch it off."""
SIZED = ("effective_cache_size", "work_mem")
"""Settings that depend on the machine."""
WORTH = 0.05
"""Share of the time that must be saved in every round to count as more than chance."""


def planner(examination: Examination) -> Iterator[Finding]:
    """Recommending for some stored images is not faster with tagdb's values, each tried alone."""
    wanted = ANYWHERE | {
        name: examination.recommended[name] for name in SIZED if name in examination.recommended
    }
    for name, value in wanted.items():
        setting = examination.setting(name)
        if setting is None or _as_good(setting, value):
            yield Finding(check=name, severity="ok", sentence=name)
            continue
        tried = (
            queries.trial(examination.connection, examination.images, {name: value})
            if examination.images
            else None
        )
        if tried is None:
            continue
        figures = {"before_ms": tried.before_ms, "after_ms": tried.after_ms, "calls": tried.calls}
        measured = f"{tried.before_ms:.1f} ms → {tried.after_ms:.1f} ms"
        faster = all(after < (1 - WORTH) * before for before, after in tried.each_round)
        yield Finding(
            check=name,
            severity="advice" if faster else "ok",
            sentence=f"{name} is {setting.value}: recommending takes {measured} with {value}, "
            f"measured here (p50 of {tried.calls} each)"
            if faster
            else f"{name} ({value} instead of {setting.value} is no faster: {measured})",
            remedy=examination.change(setting, value) if faster else "",
            value=setting.value,
            recommended=value,
            figures=figures,
        )


def _as_good(setting: queries.Setting, value: str) -> bool:
    if setting.bytes is not None:
        return setting.bytes >= int(value.removesuffix("MB")) << 20
    return float(setting.value) <= float(value)
