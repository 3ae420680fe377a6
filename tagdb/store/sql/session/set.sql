-- Sets a setting, for the transaction (local) or for the session.
SELECT set_config(%(setting)s, %(value)s, %(local)s)
