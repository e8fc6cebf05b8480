# docker build -t mirrorfield .
# docker run --rm -v "$PWD/runs:/home/person/runs" mirrorfield run
# docker run --rm -p 8642:8642 mirrorfield serve --host 0.0.0.0
FROM python:3.13-slim
WORKDIR /source
COPY pyproject.toml README.md LICENSE ./
COPY src src
RUN pip install --no-cache-dir '.[dask,parquet,sweep,web]' && rm -rf /source
RUN useradd --create-home --uid 1000 person && mkdir /home/person/runs && chown person /home/person/runs
USER person
WORKDIR /home/person
ENTRYPOINT ["mirrorfield"]
CMD ["--help"]
