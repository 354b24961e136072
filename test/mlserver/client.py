"""Asks the model with Triton's client, directly and through the agents.

    client.py HTTP GRPC AGENT-HTTP AGENT-GRPC REFERENCE.CSV

Every request goes to the server and through the agent, and both answers must be
the same. Prints as JSON how many requests and rows went through each agent, how
many were refused, and the Kolmogorov-Smirnov distance of what was sent from the
reference, as SciPy has it.
"""

import json
import sys

import numpy
import pandas
import tritonclient.grpc as over_grpc
import tritonclient.http as over_http
from scipy.stats import ks_2samp
from tritonclient.grpc import service_pb2, service_pb2_grpc
from tritonclient.utils import InferenceServerException

from train import FEATURES, applicants

MODEL, ROUNDS, ROWS = "loan", 40, 60
OUTPUTS = ["predict", "predict_proba"]


def same(direct, proxied, request_id):
    assert proxied["id"] == request_id, proxied
    assert direct == proxied, (direct, proxied)


def http_tensor(client, x, request_id, zipped):
    """The table as one tensor."""
    tensor = over_http.InferInput("applicants", list(x.shape), "FP64")
    tensor.set_data_from_numpy(x, binary_data=False)
    outputs = [over_http.InferRequestedOutput(o, binary_data=False) for o in OUTPUTS]
    zipped = "gzip" if zipped else None
    return client.infer(MODEL, [tensor], outputs=outputs, request_id=request_id, request_compression_algorithm=zipped).get_response()


def http_columns(client, x, request_id):
    """The table as a data frame: a tensor for each column, each of its own type."""
    inputs = []
    for i, name in enumerate(FEATURES):
        column = x[:, i:i + 1] if name != "region" else x[:, i:i + 1].astype(numpy.int64)
        tensor = over_http.InferInput(name, list(column.shape), "INT64" if name == "region" else "FP64")
        tensor.set_data_from_numpy(column, binary_data=False)
        inputs.append(tensor)
    outputs = [over_http.InferRequestedOutput(o, binary_data=False) for o in OUTPUTS]
    return client.infer(MODEL, inputs, outputs=outputs, request_id=request_id, parameters={"content_type": "pd"}).get_response()


def http_binary(client, x, request_id):
    """The binary extension, which MLServer does not know: it refuses, the agent passes that on."""
    tensor = over_http.InferInput("applicants", list(x.shape), "FP64")
    tensor.set_data_from_numpy(x, binary_data=True)
    try:
        client.infer(MODEL, [tensor], request_id=request_id)
    except InferenceServerException as e:
        return e.status(), e.message()
    raise AssertionError("MLServer takes binary tensors now: send them as the other requests are")


def grpc_raw(client, x, request_id, zipped):
    """The tensor as bytes, raw_input_contents."""
    tensor = over_grpc.InferInput("applicants", list(x.shape), "FP64")
    tensor.set_data_from_numpy(x)
    outputs = [over_grpc.InferRequestedOutput(o) for o in OUTPUTS]
    zipped = "gzip" if zipped else None
    return client.infer(MODEL, [tensor], outputs=outputs, request_id=request_id, compression_algorithm=zipped).get_response(as_json=True)


def grpc_typed(stub, x, request_id):
    """The tensor as numbers, fp64_contents."""
    request = service_pb2.ModelInferRequest(model_name=MODEL, id=request_id)
    tensor = request.inputs.add(name="applicants", datatype="FP64", shape=x.shape)
    tensor.contents.fp64_contents.extend(x.ravel())
    for output in OUTPUTS:
        request.outputs.add(name=output)
    answer = stub.ModelInfer(request)
    return {"id": answer.id, "answer": answer.SerializeToString(deterministic=True).hex()}


def main(http, grpc, agent_http, agent_grpc, reference):
    import grpc as grpcio

    rng, sent = numpy.random.default_rng(11), []
    account = {"http_requests": 0, "http_rows": 0, "grpc_requests": 0, "grpc_rows": 0, "refused": 0}
    https = [over_http.InferenceServerClient(a) for a in (http, agent_http)]
    grpcs = [over_grpc.InferenceServerClient(a) for a in (grpc, agent_grpc)]
    channels = [grpcio.insecure_channel(a) for a in (grpc, agent_grpc)]
    stubs = [service_pb2_grpc.GRPCInferenceServiceStub(c) for c in channels]

    def both(clients, ask, kind, *more):
        x, request_id = applicants(rng, ROWS, richer=1.0), f"{ask.__name__}-{len(sent)}"
        same(*(ask(c, x, request_id, *more) for c in clients), request_id)
        sent.append(x)
        account[kind + "_requests"] += 1
        account[kind + "_rows"] += len(x)

    for i in range(ROUNDS):
        both(https, http_tensor, "http", i % 2 == 1)
        both(https, http_columns, "http")
        both(grpcs, grpc_raw, "grpc", i % 2 == 1)
        both(stubs, grpc_typed, "grpc")
    for i in range(3):
        direct, proxied = (http_binary(c, sent[0], f"binary-{i}") for c in https)
        assert direct == proxied, (direct, proxied)
        account["refused"] += 1
    for c in https + grpcs + channels:
        c.close()

    known, sent = pandas.read_csv(reference), numpy.concatenate(sent)
    account["ks"] = {name: ks_2samp(known[name], sent[:, i]).statistic for i, name in enumerate(FEATURES[:2])}
    json.dump(account, sys.stdout)


main(*sys.argv[1:])
