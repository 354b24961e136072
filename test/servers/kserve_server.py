"""Serves a model of scikit-learn with KServe's Python server.

    kserve_server.py HTTP-PORT GRPC-PORT
"""

import sys

import numpy
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler


def train():
    """A model that is yet to be fitted, and incomes and ages for it."""
    rng = numpy.random.default_rng(5)
    x = numpy.column_stack([rng.normal(40_000, 9_000, 500), rng.normal(45, 12, 500)])
    return make_pipeline(StandardScaler(), LogisticRegression()), x


def main(http_port, grpc_port):
    from kserve import InferOutput, InferRequest, InferResponse, Model, ModelServer

    class Loan(Model):
        def __init__(self):
            super().__init__("loan")
            model, x = train()
            self.fitted = model.fit(x, x[:, 0] > 40_000)
            self.ready = True

        async def predict(self, payload, headers=None, response_headers=None):
            if not isinstance(payload, InferRequest):  # V1
                return {"predictions": self.fitted.predict(payload["instances"]).astype(int).tolist()}
            decided = self.fitted.predict(payload.inputs[0].as_numpy()).astype(numpy.int64)
            output = InferOutput("approved", list(decided.shape), "INT64")
            output.set_data_from_numpy(decided, binary_data=False)
            return InferResponse(payload.id, self.name, [output], use_binary_outputs=payload.use_binary_outputs)

    ModelServer(http_port=int(http_port), grpc_port=int(grpc_port), workers=1, enable_docs_url=False).start([Loan()])


if __name__ == "__main__":
    main(*sys.argv[1:])
