CREATE ROLE {login} LOGIN PASSWORD {verifier}
