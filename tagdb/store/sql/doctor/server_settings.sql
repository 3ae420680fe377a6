-- Settings as they are in this session: as one writes them and, where they are sizes, in bytes. Where one
-- was set (source) says how to change it, and its context says when that counts.
SELECT s.name, current_setting(s.name) AS value, s.reset_val AS initial, s.context, s.source,
       CASE s.unit WHEN 'B' THEN s.setting::bigint
                   WHEN 'kB' THEN s.setting::bigint * 1024
                   WHEN '8kB' THEN s.setting::bigint * 8192
                   WHEN 'MB' THEN s.setting::bigint * 1048576 END AS bytes
FROM pg_settings s
WHERE s.name = ANY (%(settings)s)
