-- Number of images per hashtag and day, week and month, written by refresh_statistics. All three are
-- stored: adding up days on reading would make the first page of a chart wait for all of them.
CREATE TABLE tagdb_store.hashtag_trend (
    hashtag_id integer NOT NULL,
    period text NOT NULL CONSTRAINT hashtag_trend_period CHECK (period IN ('day', 'week', 'month')),
    starts_on date NOT NULL,
    images bigint NOT NULL,
    CONSTRAINT hashtag_trend_pkey PRIMARY KEY (hashtag_id, period, starts_on)
);
CREATE INDEX hashtag_trend_starts_on ON tagdb_store.hashtag_trend (period, starts_on, images DESC);
