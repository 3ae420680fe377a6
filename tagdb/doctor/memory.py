"""Settings of memory, beside the bytes that there are to keep in it."""

from collections.abc import Iterator

from tagdb import store
from tagdb.doctor.findings import RESTART, Examination, Finding, shown, written
from tagdb.postgres import server_settings

ENOUGH = 0.75
"""A setting that is as large as this share of what it should be is left alone."""
CONTAINER = "; a container needs as much shared memory for that (--shm-size)"
NAMES = {
    "embeddings": "embeddings",
    "search_vectors": "vector index",
    "image_factors": "image factors",
    "hashtag_factors": "hashtag factors",
}


def shared_buffers(one: Examination) -> Iterator[Finding]:
    """PostgreSQL's own cache holds what recommending reads."""
    setting = one.setting("shared_buffers")
    hot = sum(each.bytes for each in one.hot)
    if setting is None or setting.bytes is None or not hot:
        return
    figures: dict[str, float] = {"hot_bytes": hot, "shared_buffers_bytes": setting.bytes}
    if hot <= setting.bytes:
        yield Finding(
            check=setting.name,
            severity="ok",
            sentence=f"shared_buffers ({shown(setting.bytes)} for {shown(hot)})",
            value=setting.value,
            figures=figures,
        )
        return
    step = 128 * server_settings.MB
    aim = max(step, -(-hot // step) * step)
    most = server_settings.shared_buffers(one.machine) if one.machine else None
    parts = ", ".join(f"{NAMES[each.what]} {shown(each.bytes)}" for each in one.hot)
    said = (
        f"shared_buffers is {shown(setting.bytes)}, but recommending reads {shown(hot)} ({parts}): "
        f"{shown(hot - setting.bytes)} come from the operating system's cache or the disk"
    )
    hits, reads = sum(each.hits for each in one.hot), sum(each.reads for each in one.hot)
    if hits + reads:
        figures["hit_ratio"] = hits / (hits + reads)
        said += f"; so far {100 * hits / (hits + reads):.1f} % of the pages were found in shared_buffers"
    if one.timings:
        asked = sum(each.hits + each.reads for each in one.timings) / len(one.timings)
        figures["pages_each"] = asked
        figures["pages_read_each"] = sum(each.reads for each in one.timings) / len(one.timings)
        said += (
            f"; just now {figures['pages_read_each']:,.0f} of the {asked:,.0f} pages per recommendation "
            "were not"
        )
    if most is not None and setting.bytes >= ENOUGH * most:
        yield Finding(
            check=setting.name,
            severity="ok",
            sentence=f"{said}; it is as large as it should be on a machine with {shown(one.machine.memory)}"
            if one.machine
            else said,
            value=setting.value,
            figures=figures,
        )
        return
    value = written(min(aim, most) if most is not None else aim)
    if most is None:
        said += f"; for that, the machine should have {shown(4 * aim)} of memory"
    yield Finding(
        check=setting.name,
        severity="advice",
        sentence=said,
        remedy=one.change(setting, value),
        restart=setting.context == RESTART,
        value=setting.value,
        recommended=value,
        figures=figures,
    )


def index_builds(one: Examination) -> Iterator[Finding]:
    """The vector index is built in memory, by all cores."""
    setting, images = one.setting("maintenance_work_mem"), one.rows("embeddings")
    if setting is None or setting.bytes is None or images < store.index.INDEX_FROM:
        return
    need = images * store.index.MEMORY_PER_VECTOR
    if need <= setting.bytes:
        yield Finding(check=setting.name, severity="ok", sentence=setting.name, value=setting.value)
    else:
        aim = max(64 * server_settings.MB, need * 11 // 10)
        most = server_settings.maintenance_memory(one.machine) if one.machine else aim
        fits = setting.bytes // store.index.MEMORY_PER_VECTOR
        reached = most <= setting.bytes
        yield Finding(
            check=setting.name,
            severity="ok" if reached else "advice",
            sentence=f"maintenance_work_mem is {shown(setting.bytes)}, but building the vector index of "
            f"{images:,} images needs {shown(need)}: {images - fits:,} of them do not fit and are inserted "
            "one at a time" + ("; the machine has no memory for more" if reached else ""),
            remedy="" if reached else one.change(setting, written(min(aim, most))),
            value=setting.value,
            recommended=None if reached else written(min(aim, most)),
            figures={"need_bytes": need, "images_that_fit": fits, "images": images},
        )
    workers = one.setting("max_parallel_maintenance_workers")
    if one.machine and workers and int(workers.value) + 1 < one.machine.cores:
        yield Finding(
            check=workers.name,
            severity="advice",
            sentence=f"{workers.name} is {workers.value}: building the vector index uses "
            f"{int(workers.value) + 1} of {one.machine.cores} cores",
            remedy=one.change(workers, str(one.machine.cores)),
            value=workers.value,
            recommended=str(one.machine.cores),
            figures={"cores": one.machine.cores},
        )


def shared_memory(one: Examination) -> Iterator[Finding]:
    """Whoever builds the vector index in parallel can share as much memory as they may use."""
    upkeep, workers = one.setting("maintenance_work_mem"), one.setting("max_parallel_maintenance_workers")
    aside = one.setting("min_dynamic_shared_memory")
    if not (one.machine and one.machine.shared_memory and upkeep and upkeep.bytes and workers and aside):
        return
    have = max(one.machine.shared_memory, aside.bytes or 0)
    if workers.value == "0" or upkeep.bytes <= have or one.rows("embeddings") < store.index.INDEX_FROM:
        return
    value = written(upkeep.bytes + 8 * server_settings.MB)
    yield Finding(
        check=aside.name,
        severity="wrong",
        sentence=f"rebuilding the vector index would fail: its workers share {shown(upkeep.bytes)} "
        f"(maintenance_work_mem), but /dev/shm has {shown(one.machine.shared_memory)}",
        remedy=one.change(aside, value),
        restart=aside.context == RESTART,
        value=aside.value,
        recommended=value,
        figures={"need_bytes": upkeep.bytes, "shared_memory_bytes": one.machine.shared_memory},
    )


def spilling(one: Examination) -> Iterator[Finding]:
    """Sorts and hashes fit into work_mem."""
    setting = one.setting("work_mem")
    value = one.recommended.get("work_mem", "32MB")
    if setting is None or setting.bytes is None or not one.facts.temp_files:
        return
    if setting.bytes >= int(value.removesuffix("MB")) << 20:
        return
    since = f" since {one.facts.counted_since:%Y-%m-%d}" if one.facts.counted_since else ""
    yield Finding(
        check="temporary files",
        severity="advice",
        sentence=f"work_mem is {shown(setting.bytes)}: sorts and hashes that did not fit wrote "
        f"{one.facts.temp_files:,} temporary files{since}, {shown(one.facts.temp_bytes)} in total",
        remedy=one.change(setting, value),
        value=setting.value,
        recommended=value,
        figures={"temp_files": one.facts.temp_files, "temp_bytes": one.facts.temp_bytes},
    )
