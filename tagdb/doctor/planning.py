"""Settings that a session can change, tried on the spot."""

from collections.abc import Iterator

from tagdb.doctor.findings import Examination, Finding
from tagdb.store import health

ANYWHERE = {"jit": "off", "random_page_cost": "1.1"}
"""What is right whatever the machine."""
SIZED = ("effective_cache_size", "work_mem")
"""What depends on it."""
WORTH = 0.05
"""Share of the time that must be saved, in every round, to be more than chance."""


def planner(one: Examination) -> Iterator[Finding]:
    """Whether recommending is faster with tagdb's value of each, measured with some stored images."""
    wanted = ANYWHERE | {name: one.recommended[name] for name in SIZED if name in one.recommended}
    for name, value in wanted.items():
        setting = one.setting(name)
        if setting is None or _as_good(one, setting, value):
            yield Finding(check=name, severity="ok", sentence=name)
            continue
        tried = health.trial(one.connection, one.images, {name: value}) if one.images else None
        if tried is None:
            if name == "jit":
                yield Finding(
                    check=name,
                    severity="advice",
                    sentence="jit is on: compiling plans takes longer than a recommendation; "
                    "how much longer could not be measured here",
                    remedy=one.change(setting, value),
                    value=setting.value,
                    recommended=value,
                )
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
            remedy=one.change(setting, value) if faster else "",
            value=setting.value,
            recommended=value,
            figures=figures,
        )


def _as_good(one: Examination, setting: health.Setting, value: str) -> bool:
    if setting.name == "jit":
        return setting.value == "off" or not one.facts.jit_available
    if setting.bytes is not None:
        return setting.bytes >= int(value.removesuffix("MB")) << 20
    return float(setting.value) <= float(value)
