# forerun for containers: any role of the worker, or the stand-in model server.
FROM python:3.11-slim

WORKDIR /opt/forerun
# The lock holds the development tools too; installing all of it is what makes the hashes binding.
COPY requirements.lock ./
RUN pip install --no-cache-dir --require-hashes --requirement requirements.lock
COPY pyproject.toml README.md LICENSE ./
COPY speculation speculation
COPY workflows workflows
COPY activities activities
COPY workers workers
COPY forerun forerun
RUN pip install --no-cache-dir --no-deps .

# /data holds what effects write (FORERUN_OUTBOX_URL, FORERUN_DRAFTS_URL).
RUN useradd --system --create-home forerun && install --directory --owner forerun /data
USER forerun
WORKDIR /data
ENTRYPOINT ["forerun"]
CMD ["worker", "--roles", "workflow,call,speculative,commit"]
