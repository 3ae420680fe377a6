"""Memory settings, compared with the bytes that should fit."""

from collections.abc import Iterator

from tagdb import store
from tagdb.doctor.findings import RESTART, Examination, Finding, format_bytes, format_setting
from tagdb.postgres import server_settings

ENOUGH = 0.75
"""Share of the recommended size from which a setting is left alone."""
MANY = 20_000
"""Number of images from which building the vector index takes long enough for settings to matter."""
NAMES = {
    "embeddings": "embeddings",
    "search_vectors": "vector index",
    "image_factors": "image factors",
    "hashtag_factors": "hashtag factors",
}


def shared_buffers(examination: Examination) -> Iterator[Finding]:
    """What recommending reads fits into PostgreSQL's cache."""
    setting = examination.setting("shared_buffers")
    hot = sum(each.bytes for each in examination.hot)
    if setting is None or setting.bytes is None or not hot:
        return
    figures: dict[str, float] = {"hot_bytes": hot, "shared_buffers_bytes": setting.bytes}
    if hot <= setting.bytes:
        yield Finding(
            check=setting.name,
            severity="ok",
            sentence=f"shared_buffers ({format_bytes(setting.bytes)} for {format_bytes(hot)})",
            value=setting.value,
            figures=figures,
        )
        return
    step = 128 * server_settings.MB
    aim = max(step, -(-hot // step) * step)
    most = server_settings.shared_buffers(examination.machine) if examination.machine else None
    parts = ", ".join(f"{NAMES[each.what]} {format_bytes(each.bytes)}" for each in examination.hot)
    sentence = (
        f"shared_buffers is {format_bytes(setting.bytes)}, but recommending reads {format_bytes(hot)} "
        f"({parts}): {format_bytes(hot - setting.bytes)} come from the operating system's cache or the disk"
    )
    hits, reads = sum(each.hits for each in examination.hot), sum(each.reads for each in examination.hot)
    if hits + reads:
        figures["hit_ratio"] = hits / (hits + reads)
        sentence += f"; so far {100 * hits / (hits + reads):.1f} % of the pages were found in shared_buffers"
    if examination.timings:
        pages = sum(each.hits + each.reads for each in examination.timings) / len(examination.timings)
        figures["pages_each"] = pages
        missed = sum(each.reads for each in examination.timings) / len(examination.timings)
        figures["pages_read_each"] = missed
        sentence += f"; just now {missed:,.0f} of the {pages:,.0f} pages per recommendation were not"
    if most is not None and setting.bytes >= ENOUGH * most:
        if examination.machine:
            memory = format_bytes(examination.machine.memory)
            sentence += f"; it is as large as it should be on a machine with {memory}"
        yield Finding(
            check=setting.name,
            severity="ok",
            sentence=sentence,
            value=setting.value,
            figures=figures,
        )
        return
    value = format_setting(min(aim, most) if most is not None else aim)
    if most is None:
        sentence += f"; for that, the machine should have {format_bytes(4 * aim)} of memory"
    yield Finding(
        check=setting.name,
        severity="advice",
        sentence=sentence,
        remedy=examination.change(setting, value),
        restart=setting.context == RESTART,
        value=setting.value,
        recommended=value,
        figures=figures,
    )


def index_builds(examination: Examination) -> Iterator[Finding]:
    """The vector index is built in memory, on all cores."""
    setting, images = examination.setting("maintenance_work_mem"), examination.rows("embeddings")
    if setting is None or setting.bytes is None or images < MANY:
        return
    need = images * store.index.MEMORY_PER_VECTOR
    if need <= setting.bytes:
        yield Finding(check=setting.name, severity="ok", sentence=setting.name, value=setting.value)
    else:
        aim = max(64 * server_settings.MB, need * 11 // 10)
        most = server_settings.maintenance_memory(examination.machine) if examination.machine else aim
        fits = setting.bytes // store.index.MEMORY_PER_VECTOR
        reached = most <= setting.bytes
        yield Finding(
            check=setting.name,
            severity="ok" if reached else "advice",
            sentence=f"maintenance_work_mem is {format_bytes(setting.bytes)}, but building the vector index "
            f"of {images:,} images needs {format_bytes(need)}: {images - fits:,} of them do not fit and are "
            "inserted one at a time" + ("; the machine has no memory for more" if reached else ""),
            remedy="" if reached else examination.change(setting, format_setting(min(aim, most))),
            value=setting.value,
            recommended=None if reached else format_setting(min(aim, most)),
            figures={"need_bytes": need, "images_that_fit": fits, "images": images},
        )
    workers = examination.setting("max_parallel_maintenance_workers")
    if examination.machine and workers and int(workers.value) + 1 < examination.machine.cores:
        yield Finding(
            check=workers.name,
            severity="advice",
            sentence=f"{workers.name} is {workers.value}: building the vector index uses "
            f"{int(workers.value) + 1} of {examination.machine.cores} cores",
            remedy=examination.change(workers, str(examination.machine.cores)),
            value=workers.value,
            recommended=str(examination.machine.cores),
            figures={"cores": examination.machine.cores},
        )


def shared_memory(examination: Examination) -> Iterator[Finding]:
    """Parallel workers that build the vector index can share as much memory as they may use."""
    upkeep, workers = (
        examination.setting("maintenance_work_mem"),
        examination.setting("max_parallel_maintenance_workers"),
    )
    aside = examination.setting("min_dynamic_shared_memory")
    if not (
        examination.machine
        and examination.machine.shared_memory
        and upkeep
        and upkeep.bytes
        and workers
        and aside
    ):
        return
    have = max(examination.machine.shared_memory, aside.bytes or 0)
    if workers.value == "0" or upkeep.bytes <= have or examination.rows("embeddings") < MANY:
        return
    value = format_setting(upkeep.bytes + 8 * server_settings.MB)
    yield Finding(
        check=aside.name,
        severity="wrong",
        sentence=f"rebuilding the vector index would fail: its workers share {format_bytes(upkeep.bytes)} "
        f"(maintenance_work_mem), but /dev/shm has {format_bytes(examination.machine.shared_memory)}",
        remedy=examination.change(aside, value),
        restart=aside.context == RESTART,
        value=aside.value,
        recommended=value,
        figures={"need_bytes": upkeep.bytes, "shared_memory_bytes": examination.machine.shared_memory},
    )


def spilling(examination: Examination) -> Iterator[Finding]:
    """Sorts and hashes fit into work_mem."""
    setting = examination.setting("work_mem")
    value = examination.recommended.get("work_mem", "32MB")
    if setting is None or setting.bytes is None or not examination.facts.temp_files:
        return
    if setting.bytes >= int(value.removesuffix("MB")) << 20:
        return
    facts = examination.facts
    since = f" since {facts.counted_since:%Y-%m-%d}" if facts.counted_since else ""
    yield Finding(
        check="temporary files",
        severity="advice",
        sentence=f"work_mem is {format_bytes(setting.bytes)}: sorts and hashes that did not fit wrote "
        f"{facts.temp_files:,} temporary files{since}, {format_bytes(facts.temp_bytes)} in total",
        remedy=examination.change(setting, value),
        value=setting.value,
        recommended=value,
        figures={"temp_files": facts.temp_files, "temp_bytes": facts.temp_bytes},
    )
