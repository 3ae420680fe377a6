ALTER ROLE {login} PASSWORD {verifier}
