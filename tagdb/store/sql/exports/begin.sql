-- One state of the database for everything that is exported, in which nothing can be changed.
SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY
