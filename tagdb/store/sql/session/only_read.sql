-- Lets the session change nothing from now on.
SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY
