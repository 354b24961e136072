// Package mlserver puts the agent before a real model server: MLServer serves a
// model that scikit-learn has just trained, over the Open Inference Protocol's
// REST and gRPC; Triton's client asks it, once directly and once through the
// agent; a real collector keeps the windows and judges them.
//
//	client.py (tritonclient) -- REST --> evenkeel-agent --> MLServer (train.py's model)
//	                         -- gRPC --> evenkeel-agent -->     "
//	                                          |
//	                                          +--> collector --> drift of one feature, a record
//
// MLServer listens on one port for each protocol, so there is an agent before
// each; for the collector they are two replicas. make e2e-mlserver brings the
// Python environment of requirements.txt and runs this; without it the test is
// skipped.
package mlserver
