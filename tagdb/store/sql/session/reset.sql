-- Gives a setting the value that it has for new sessions.
RESET {setting}
