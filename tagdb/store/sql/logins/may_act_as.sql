-- Whether this session may take on a role: 16 and later tell being a member from that.
SELECT pg_has_role(current_user, %(role)s,
                   CASE WHEN current_setting('server_version_num')::integer < 160000 THEN 'MEMBER' ELSE 'SET' END)
