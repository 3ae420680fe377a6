-- Go on with the rights of a role, and without statements that nobody waits for any more.
SET ROLE {role};
SET statement_timeout = '30s'
