"""Asks model servers directly and through their agents; both must say the same.

    client.py mlflow|kserve|kserve_grpc SERVER AGENT

Prints as JSON how many requests and rows went through the agent.
"""

import asyncio
import json
import sys

import numpy
import requests

ROUNDS, ROWS = 20, 30


def post(base, path, body, kind="application/json"):
    answer = requests.post(f"http://{base}{path}", data=body, headers={"Content-Type": kind}, timeout=60)
    assert answer.status_code == 200, (base, path, answer.status_code, answer.text)
    return answer.text


def mlflow(base, x):
    names, rows = ["income", "age"], x.tolist()
    for body in (
        {"dataframe_split": {"columns": names, "data": rows}},
        {"dataframe_records": [dict(zip(names, row)) for row in rows]},
        {"instances": rows},
    ):
        yield post(base, "/invocations", json.dumps(body))
    yield post(base, "/invocations", "\n".join([",".join(names)] + [f"{a},{b}" for a, b in rows]) + "\n", "text/csv")


def infer_request(x, request_id, binary):
    from kserve import InferInput, InferRequest

    tensor = InferInput("applicants", list(x.shape), "FP64")
    tensor.set_data_from_numpy(x, binary_data=binary)
    parameters = {"binary_data_output": True} if binary else None
    return InferRequest("loan", [tensor], request_id=request_id, parameters=parameters)


def shown(response):
    output = response.outputs[0]
    return [response.id, response.model_name, output.name, output.as_numpy().tolist()]


def kserve(base, x):
    from kserve import InferenceRESTClient, RESTConfig

    async def infer(binary):
        client = InferenceRESTClient(RESTConfig(protocol="v2", timeout=60))
        response = await client.infer(f"http://{base}", infer_request(x, f"binary-{binary}", binary), model_name="loan")
        await client.close()
        return shown(response)

    yield post(base, "/v1/models/loan:predict", json.dumps({"instances": x.tolist()}))
    yield asyncio.run(infer(False))
    yield asyncio.run(infer(True))


def kserve_grpc(base, x):
    from kserve import InferenceGRPCClient

    async def infer(binary):
        client = InferenceGRPCClient(base)
        response = await client.infer(infer_request(x, f"raw-{binary}", binary), timeout=60)
        await client.close()
        return shown(response)

    yield asyncio.run(infer(False))
    yield asyncio.run(infer(True))


def main(kind, server, agent):
    ask = {"mlflow": mlflow, "kserve": kserve, "kserve_grpc": kserve_grpc}[kind]
    rng, said = numpy.random.default_rng(3), {"requests": 0, "rows": 0}
    for _ in range(ROUNDS):
        x = numpy.column_stack([rng.normal(40_000, 9_000, ROWS), rng.normal(45, 12, ROWS)])
        for direct, proxied in zip(ask(server, x), ask(agent, x), strict=True):
            assert direct == proxied, (direct, proxied)
            said["requests"] += 1
            said["rows"] += len(x)
    json.dump(said, sys.stdout)


main(*sys.argv[1:])
