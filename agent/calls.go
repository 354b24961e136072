package agent

// whose names the model that a gRPC call asks: it stands in the message only.
func (a *Agent) whose(path, encoding string, beginning []byte) (model string, ok bool) {
	p := a.plan()
	key, ok := p.decoder.ModelOf(path, encoding, beginning)
	if !ok {
		return "", false
	}
	return p.entries.anyHost(key)
}

// streamID names the messages of a stream of predictions.
func (a *Agent) streamID(path, encoding string, answer bool, message []byte) (id string, ok bool) {
	return a.plan().decoder.StreamID(path, encoding, answer, message)
}

// namesCalls says whether gRPC calls are given a name by which a label finds
// them. A call is named before its model is known: so all are, where the
// predictions of any model are sent.
func (a *Agent) namesCalls() bool {
	for _, s := range a.plan().byName {
		if s.predictor != nil {
			return true
		}
	}
	return false
}
