# The service `ser serve` with one model. The model is copied in when the image is built (a folder of data/models), or
# mounted over /model; SER_TOKEN, a secret of 16 characters or more, must be given when it runs:
#
#   docker build --build-arg MODEL=data/models/fuse/ensemble -t ser .
#   docker run --rm --read-only --tmpfs /tmp:mode=1777,size=3g --cap-drop ALL -p 127.0.0.1:8000:8000 -e SER_TOKEN ser
#
# The connection is not encrypted: what others are to reach belongs behind a proxy that does TLS.
FROM python:3.11-slim

ENV PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1

WORKDIR /build
COPY constraints.txt pyproject.toml README.md LICENSE ./
COPY stages/ser stages/ser
RUN pip install '.[serve]' -c constraints.txt \
    && rm -rf /build/* \
    && useradd --create-home --uid 10001 ser

ARG MODEL=data/models/fuse/ensemble
COPY ${MODEL} /model

WORKDIR /home/ser
USER 10001
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/health', timeout=4)"]
ENTRYPOINT ["ser", "serve", "--model", "/model", "--host", "0.0.0.0", "--port", "8000"]
