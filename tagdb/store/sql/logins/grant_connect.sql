GRANT CONNECT ON DATABASE {database} TO {login}
