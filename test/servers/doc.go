// Package servers puts the agent before real model servers other than MLServer
// (package mlserver), each with a model of scikit-learn, and asks them in every
// form that they take:
//
//	MLflow (mlflow models serve)   /invocations: split, records, instances, CSV
//	KServe (its Python server)     V1; V2 REST, plain and with binary tensors; V2 gRPC
//
// client.py asks each server directly and through its agent, and both must answer
// the same; a real collector must then hold every row of every column. make
// e2e-servers brings the Python environment of requirements.txt and runs this;
// without it the test is skipped.
package servers
