"""The charts of the dashboards: what each shows of which view. Every tool and picture draws these."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

Kind = Literal["number", "bars", "heat map", "table", "lines", "columns", "area"]
"""``bars`` are of categories, and lie; ``columns`` are of times, and stand on each other."""
Format = Literal[
    "count", "decimal", "score", "share", "percent", "bytes", "seconds", "milliseconds", "time", "text"
]
"""How a value is written; a ``share`` is from 0 to 1, a ``percent`` from 0 to 100."""


@dataclass(frozen=True, slots=True)
class Metric:
    """An amount, computed from the rows of a view."""

    name: str
    """As charts and tools show it: ``images``."""
    sql: str
    """An aggregate of the view's columns: ``sum(images)``."""
    format: Format = "count"


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart of a view."""

    title: str
    about: str
    kind: Kind
    view: str
    metrics: tuple[Metric, ...] = ()
    by: tuple[str, ...] = ()
    """Columns by which the metrics are told apart: one of bars, lines or areas, two of a heat map."""
    time: str | None = None
    """Column by whose days, weeks or months the metrics are told apart."""
    so_far: bool = False
    """Whether they are added up over time."""
    columns: tuple[tuple[str, Format], ...] = ()
    """Of a table: columns of the view, with their formats."""
    where: str | None = None
    """A condition in SQL on the rows."""
    order: tuple[str, ...] = ()
    """Of a table: the columns by which it is sorted, with ``DESC`` where they descend."""
    most: int = 20
    """Bars, lines or rows."""
    one: str | None = None
    """Column of which one value is chosen to look at; without, the chart is of all, and says less."""
    width: int = 6
    """In twelfths of the page."""


@dataclass(frozen=True, slots=True)
class Page:
    """Charts that are looked at together."""

    title: str
    charts: tuple[Chart, ...]
    main: str
    """Title of the chart that stands for it in a picture of all pages."""


IMAGES = Metric("images", "sum(images)")
ROWS = Metric("images", "count(*)")
USES = Metric("uses", "sum(images)")
ACCEPTANCE = Metric(
    "acceptance", "sum(accepted)::double precision / nullif(sum(accepted) + sum(rejected), 0)", "share"
)


def _covered(name: str, what: str, of: str) -> Metric:
    return Metric(name, f"1 - sum({what})::double precision / nullif(sum({of}), 0)", "share")


PAGES = (
    Page(
        "Collections",
        (
            Chart("Images", "All images.", "number", "collection_stats", (IMAGES,), width=3),
            Chart(
                "Size",
                "Of the photos' files.",
                "number",
                "collection_stats",
                (Metric("size", "sum(bytes)", "bytes"),),
                width=3,
            ),
            Chart(
                "Collections",
                "Those with a name.",
                "number",
                "collection_stats",
                (Metric("collections", "count(collection)"),),
                width=3,
            ),
            Chart(
                "Uses of hashtags",
                "A photo with three hashtags uses three.",
                "number",
                "hashtag_stats",
                (USES,),
                width=3,
            ),
            Chart(
                "Images by collection",
                "The largest collections.",
                "bars",
                "collection_stats",
                (IMAGES,),
                by=("collection",),
            ),
            Chart(
                "All collections",
                "With their most used hashtags.",
                "table",
                "collection_stats",
                columns=(
                    ("collection", "text"),
                    ("images", "count"),
                    ("image_percent", "percent"),
                    ("hashtags", "count"),
                    ("hashtags_per_image", "decimal"),
                    ("top_hashtags_text", "text"),
                ),
                order=("images DESC", "collection"),
                most=1000,
            ),
            Chart(
                "Hashtags by collection",
                "The five most used of each collection.",
                "heat map",
                "collection_hashtags",
                (IMAGES,),
                by=("hashtag", "collection"),
                where="rank <= 5",
                most=1000,
                width=12,
            ),
        ),
        "Images by collection",
    ),
    Page(
        "Growth",
        (
            Chart(
                "Images so far",
                "By when they were stored.",
                "area",
                "images",
                (ROWS,),
                time="ingested_at",
                so_far=True,
            ),
            Chart(
                "New images",
                "By when they were stored, and collection.",
                "columns",
                "images",
                (ROWS,),
                by=("collection",),
                time="ingested_at",
                most=10,
            ),
            Chart(
                "Photos taken",
                "By when they were taken, and collection; those without a time are left out.",
                "columns",
                "images",
                (ROWS,),
                by=("collection",),
                time="taken_at",
                where="taken_at IS NOT NULL",
                most=10,
                width=12,
            ),
        ),
        "Photos taken",
    ),
    Page(
        "Hashtags",
        (
            Chart(
                "Most used hashtags",
                "Over time: the eight most used.",
                "lines",
                "hashtag_trend_daily",
                (IMAGES,),
                by=("hashtag",),
                time="starts_on",
                most=8,
                width=12,
            ),
            Chart(
                "Top hashtags",
                "Of all images.",
                "bars",
                "hashtag_stats",
                (IMAGES,),
                by=("hashtag",),
                where="rank <= 20",
            ),
            Chart(
                "Rising hashtags",
                "How many times as large their share of the last three months is as before, at least.",
                "bars",
                "hashtag_growth",
                (Metric("growth at least", "max(growth_low)", "decimal"),),
                by=("hashtag",),
                where="growth_low > 1",
            ),
            Chart(
                "All hashtags",
                "Those on images.",
                "table",
                "hashtag_stats",
                columns=(
                    ("rank", "count"),
                    ("hashtag", "text"),
                    ("images", "count"),
                    ("image_percent", "percent"),
                    ("collections", "count"),
                    ("hashtags_beside", "decimal"),
                    ("first_seen", "time"),
                    ("last_seen", "time"),
                    ("in_active_run", "text"),
                ),
                where="rank IS NOT NULL",
                order=("rank", "hashtag"),
                most=1000,
                width=12,
            ),
        ),
        "Rising hashtags",
    ),
    Page(
        "Pairs",
        (
            Chart(
                "Surest pairs",
                "Hashtags together on images far more often than by chance.",
                "table",
                "hashtag_pairs",
                columns=(
                    ("hashtag", "text"),
                    ("with_hashtag", "text"),
                    ("images", "count"),
                    ("confidence_percent", "percent"),
                    ("lift", "decimal"),
                    ("lift_low", "decimal"),
                ),
                where="hashtag < with_hashtag",
                order=("lift_low DESC", "hashtag", "with_hashtag"),
                most=1000,
            ),
            Chart(
                "Surest pairs by lift",
                "What lift is at least.",
                "bars",
                "hashtag_pairs",
                (Metric("lift at least", "max(lift_low)", "decimal"),),
                by=("pair",),
                where="hashtag < with_hashtag",
            ),
            Chart(
                "What goes with a hashtag",
                "The lower bound of lift. Choose a hashtag; without one, of all.",
                "bars",
                "hashtag_pairs",
                (Metric("lift at least", "max(lift_low)", "decimal"),),
                by=("with_hashtag",),
                one="hashtag",
                width=12,
            ),
            Chart(
                "Pairs of the most used",
                "Images with both, of the twenty most used hashtags.",
                "heat map",
                "hashtag_pairs",
                (Metric("images", "max(images)"),),
                by=("hashtag", "with_hashtag"),
                where="hashtag_rank <= 20 AND with_rank <= 20",
                most=10_000,
                width=12,
            ),
        ),
        "Surest pairs by lift",
    ),
    Page(
        "Quality",
        (
            Chart(
                "Accepted",
                "Of all recommendations that were judged.",
                "number",
                "acceptance",
                (ACCEPTANCE,),
                width=3,
            ),
            Chart(
                "Judged",
                "Recommendations.",
                "number",
                "acceptance",
                (Metric("verdicts", "sum(accepted) + sum(rejected)"),),
                width=3,
            ),
            Chart(
                "Best nDCG@10",
                "Of the factor runs that were evaluated.",
                "number",
                "factor_runs",
                (Metric("nDCG@10", "max(ndcg_at_10)", "score"),),
                width=3,
            ),
            Chart(
                "Hashtags known",
                "To the active factor run: only these can be recommended.",
                "number",
                "coverage",
                (_covered("known", "hashtags_without_factors", "hashtags"),),
                width=3,
            ),
            Chart(
                "Acceptance",
                "Over time, by factor run.",
                "lines",
                "acceptance",
                (ACCEPTANCE,),
                by=("factor_run_id",),
                time="week",
            ),
            Chart(
                "Verdicts",
                "Over time.",
                "columns",
                "acceptance",
                (Metric("accepted", "sum(accepted)"), Metric("rejected", "sum(rejected)")),
                time="week",
            ),
            Chart(
                "Factor runs",
                "The latest first, with what was measured on held-out photos.",
                "table",
                "factor_runs",
                columns=(
                    ("factor_run_id", "text"),
                    ("status", "text"),
                    ("created_at", "time"),
                    ("ndcg_at_10", "score"),
                    ("ndcg_at_10_low", "score"),
                    ("ndcg_at_10_high", "score"),
                    ("factors", "count"),
                    ("images", "count"),
                    ("hashtags", "count"),
                    ("interactions", "count"),
                    ("seconds", "seconds"),
                ),
                order=("factor_run_id DESC",),
                most=100,
                width=12,
            ),
        ),
        "Acceptance",
    ),
    Page(
        "Operations",
        (
            Chart(
                "Embedded",
                "Images that searches find.",
                "number",
                "coverage",
                (_covered("embedded", "images_without_embedding", "images"),),
                width=3,
            ),
            Chart(
                "With factors",
                "Images that are used as neighbours.",
                "number",
                "coverage",
                (_covered("with factors", "images_without_factors", "images"),),
                width=3,
            ),
            Chart(
                "Rejected",
                "Records, photos and hashtags of all ingests.",
                "number",
                "ingest_errors",
                (Metric("rejections", "count(*)"),),
                width=3,
            ),
            Chart(
                "Recall of the index",
                "Share of the true nearest images found: the best that was measured.",
                "number",
                "index_checks",
                (Metric("recall", "max(recall)", "share"),),
                width=3,
            ),
            Chart(
                "Ingested",
                "By when the ingest began.",
                "columns",
                "ingest_runs",
                (
                    Metric("new", "sum(images_new)"),
                    Metric("updated", "sum(images_updated)"),
                    Metric("known", "sum(images_known)"),
                    Metric("rejected", "sum(rejected)"),
                ),
                time="started_at",
            ),
            Chart(
                "Rejections by reason",
                "Why inputs were rejected.",
                "bars",
                "ingest_errors",
                (Metric("rejections", "count(*)"),),
                by=("reason_code",),
            ),
            Chart(
                "Recall over time",
                "By how many images are taken from the index.",
                "lines",
                "index_checks",
                (Metric("recall", "max(recall)", "share"),),
                by=("candidates",),
                time="checked_at",
            ),
            Chart(
                "Latest rejections",
                "With file, line and reason.",
                "table",
                "ingest_errors",
                columns=(
                    ("started_at", "time"),
                    ("reason_code", "text"),
                    ("origin", "text"),
                    ("line", "text"),
                    ("reason", "text"),
                ),
                order=("started_at DESC", "origin", "line"),
                most=100,
            ),
            Chart(
                "Ingests",
                "The latest first; one without a time was interrupted or is running.",
                "table",
                "ingest_runs",
                columns=(
                    ("ingest_run_id", "text"),
                    ("sources_text", "text"),
                    ("started_at", "time"),
                    ("seconds", "seconds"),
                    ("images_new", "count"),
                    ("images_updated", "count"),
                    ("images_known", "count"),
                    ("rejected", "count"),
                ),
                order=("started_at DESC", "ingest_run_id DESC"),
                most=100,
                width=12,
            ),
        ),
        "Rejections by reason",
    ),
)
NONE = "(none)"
"""Stands for what has no name: images without a collection, feedback without a factor run."""
COLLECTED = {"collection_stats", "collection_hashtags", "images", "image_hashtags"}
"""Views with a column ``collection``."""
OF_HASHTAGS = {
    "collection_hashtags", "hashtags", "hashtag_stats", "hashtag_growth", "hashtag_pairs", "image_hashtags",
    "hashtag_trend_daily", "hashtag_trend_weekly", "hashtag_trend_monthly",
}  # fmt: skip
"""Views with a column ``hashtag``."""
TIMES = {
    "images": "ingested_at",
    "image_hashtags": "taken_at",
    "hashtag_trend_daily": "starts_on",
    "hashtag_trend_weekly": "starts_on",
    "hashtag_trend_monthly": "starts_on",
    "acceptance": "week",
    "ingest_runs": "started_at",
    "ingest_errors": "started_at",
    "index_checks": "checked_at",
    "factor_runs": "created_at",
    "hashtag_edits": "made_at",
}
"""The column of a view that says when."""
DAYS = {"starts_on", "week"}
"""Those of them that are dates."""


def words(name: str) -> str:
    """Return a column's name as people read it."""
    shown = name.removesuffix("_text").removesuffix("_id").replace("_percent", " %").replace("_", " ")
    return shown.replace("ndcg at 10", "nDCG@10")


def charts() -> Iterator[Chart]:
    """Yield the charts of all pages."""
    for page in PAGES:
        yield from page.charts


def rows(page: Page) -> Iterator[Sequence[Chart]]:
    """Yield the charts of a page in rows of twelve twelfths."""
    row: list[Chart] = []
    for chart in page.charts:
        if sum(each.width for each in row) + chart.width > 12:
            yield row
            row = []
        row.append(chart)
    yield row
