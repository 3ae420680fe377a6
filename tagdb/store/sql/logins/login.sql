-- Whether a role can log in, and whether it may do more than a login that roles are handed out to.
SELECT r.rolcanlogin AS may_log_in,
       r.rolsuper OR r.rolcreaterole OR r.rolreplication OR pg_has_role(r.oid, d.datdba, 'USAGE') AS privileged
FROM pg_roles r, pg_database d
WHERE r.rolname = %(login)s AND d.datname = current_database()
