-- Whether a login may do what a role may, without further ado.
SELECT pg_has_role(%(login)s, %(role)s, 'USAGE')
