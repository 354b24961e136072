"""Tells of training runs with the OpenLineage client of Python.

    lineage_client.py API-URL JOBS none|gzip

Half of the jobs complete, half fail; one data set and one job are told of by
themselves. Prints as JSON how many events of each type were acknowledged.
"""

import collections
import json
import sys
from datetime import datetime, timezone

from openlineage.client import OpenLineageClient
from openlineage.client.event_v2 import (
    DatasetEvent, InputDataset, Job, JobEvent, OutputDataset, Run, RunEvent, RunState, StaticDataset,
)
from openlineage.client.facet_v2 import error_message_run, schema_dataset
from openlineage.client.transport.http import HttpCompression, HttpConfig, HttpTransport
from openlineage.client.uuid import generate_new_uuid

PRODUCER = "https://example.org/training"
SCHEMA = schema_dataset.SchemaDatasetFacet(fields=[
    schema_dataset.SchemaDatasetFacetFields(name="income", type="DOUBLE"),
    schema_dataset.SchemaDatasetFacetFields(name="age", type="INT"),
])


def main(url, jobs, compression):
    transport = HttpTransport(HttpConfig(url=url, compression=HttpCompression.GZIP if compression == "gzip" else None))
    client, sent = OpenLineageClient(transport=transport), collections.Counter()

    def emit(kind, event):
        client.emit(event)  # raises where the answer is no success
        sent[kind] += 1

    def now():
        return datetime.now(timezone.utc).isoformat()

    for i in range(int(jobs)):
        job = Job(namespace="clients", name=f"train-{i}")
        told = [InputDataset(namespace="files", name=f"applicants-{i}", facets={"schema": SCHEMA})]
        made = [OutputDataset(namespace="models", name=f"loan-{i}")]
        shared = {"job": job, "producer": PRODUCER, "inputs": told}
        run, failed = str(generate_new_uuid()), i % 2 == 1
        emit("START", RunEvent(**shared, eventTime=now(), eventType=RunState.START, run=Run(run)))
        facets = {}
        if failed:
            facets["errorMessage"] = error_message_run.ErrorMessageRunFacet("out of memory", "python")
        end = RunState.FAIL if failed else RunState.COMPLETE
        emit(end.name, RunEvent(**shared, eventTime=now(), eventType=end, run=Run(run, facets), outputs=[] if failed else made))
    emit("dataset", DatasetEvent(
        eventTime=now(), producer=PRODUCER, dataset=StaticDataset("files", "applicants-0", facets={"schema": SCHEMA})))
    emit("job", JobEvent(eventTime=now(), producer=PRODUCER, job=Job("clients", "train-0")))
    client.close()
    json.dump(sent, sys.stdout)


main(*sys.argv[1:])
