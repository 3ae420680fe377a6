# tagdb serve and tagdb work, for a PostgreSQL elsewhere; docker-compose.yml has one.
#
#   docker build --tag tagdb .
#   docker run --rm --env TAGDB_DATABASE_URL tagdb serve token add me --role writer
#   docker run --read-only --tmpfs /tmp --volume tagdb:/var/lib/tagdb \
#     --env TAGDB_DATABASE_URL --publish 127.0.0.1:8000:8000 tagdb
#
# Python and Debian get their fixes with every build; packages are those of the lock, by hash. With
# --build-arg PYTHON=3.14 the image has no TensorFlow, which is more than half of its 2 GB. That is used once, to
# export ImageNet or Keras weights, and not at all for databases filled with --backbone bundled.
ARG PYTHON=3.13

FROM python:${PYTHON}-slim-trixie AS build
WORKDIR /src
# The lock also has what tests need. All of it is fetched and compared with its hash; what tagdb itself needs is
# then taken from there, without an index.
COPY requirements.lock ./
RUN pip download --quiet --no-cache-dir --require-hashes --no-deps --dest /wheels -r requirements.lock
COPY pyproject.toml ./
RUN python -m venv /opt/tagdb \
    && python -c "import tomllib; p = tomllib.load(open('pyproject.toml', 'rb'))['project']; \
print(*p['dependencies'], *p['optional-dependencies']['serve'], sep='\n')" >wanted \
    && /opt/tagdb/bin/pip install --quiet --no-cache-dir --no-index --find-links /wheels -r wanted
COPY README.md LICENSE ./
COPY tagdb tagdb
COPY migrations migrations
RUN /opt/tagdb/bin/pip install --quiet --no-cache-dir --no-index --find-links /wheels --no-deps . \
    && /opt/tagdb/bin/pip check

FROM python:${PYTHON}-slim-trixie
# What computing factors is linked with
RUN apt-get update --quiet=2 \
    && apt-get install --quiet=2 --yes --no-install-recommends libgomp1 \
    && rm -rf /var/lib/apt/lists/*
RUN useradd --uid 10001 --home-dir /var/lib/tagdb --no-create-home --shell /usr/sbin/nologin tagdb \
    && install --directory --owner tagdb --group tagdb --mode 0700 /var/lib/tagdb
COPY --from=build /opt/tagdb /opt/tagdb
# Nothing else is written to but /tmp, where large forms lie while they are read.
ENV PATH=/opt/tagdb/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    TAGDB_HOME=/var/lib/tagdb \
    KERAS_HOME=/var/lib/tagdb/keras
VOLUME /var/lib/tagdb
USER 10001
EXPOSE 8000
HEALTHCHECK --interval=5s --timeout=5s --start-period=180s --retries=3 CMD ["python", "-c", \
    "from http.client import HTTPConnection as C; c = C('127.0.0.1', 8000, timeout=4); c.request('GET', '/v1/healthz'); exit(c.getresponse().status != 200)"]
ENTRYPOINT ["tagdb"]
# From outside the container means from elsewhere, so a token has to be made first.
CMD ["serve", "--listen", "0.0.0.0:8000"]
