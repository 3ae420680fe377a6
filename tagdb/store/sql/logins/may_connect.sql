SELECT has_database_privilege(%(login)s, current_database(), 'CONNECT')
