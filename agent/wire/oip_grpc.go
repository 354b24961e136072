package wire

// methodStreamInfer is the call of which each message is a request.
const methodStreamInfer = "/ModelStreamInfer"

// oipGRPC is the Open Inference Protocol V2 over gRPC. Each message of a stream
// is read with its answer, like a single call.
var oipGRPC = grpcForm{
	protocolForm: protocolForm{protocols: []Protocol{OpenInferenceGRPC}},
	methods: []string{
		"/inference.GRPCInferenceService/ModelInfer",
		"/inference.GRPCInferenceService" + methodStreamInfer,
	},
	request:  func(g *grpcReader, m []byte) *Fault { return g.modelInfer(m, inferRequest) },
	response: (*grpcReader).inferAnswer,
	modelOf:  func(b []byte) string { return firstText(b, 1) },
}

// inferSide tells where the fields stand in which requests and answers differ.
type inferSide struct {
	request bool
	tensors uint64
	raws    uint64
}

var (
	inferRequest  = inferSide{request: true, tensors: 5, raws: 7}
	inferResponse = inferSide{tensors: 5, raws: 6}
)

// inferAnswer reads an answer; that of a stream is wrapped in another message,
// but for MLServer's.
func (g *grpcReader) inferAnswer(message []byte) *Fault {
	if !g.stream {
		return g.modelInfer(message, inferResponse)
	}
	answer, wrong, ok := unwrapAnswer(message)
	switch {
	case !ok:
		return broken(message)
	case wrong:
		return fault(ErrorStatus, "an error in an answer of the stream")
	}
	return g.modelInfer(answer, inferResponse)
}

// unwrapAnswer gives the answer in a message of a stream: wrapped beside an
// error, as Triton and KServe have it, or as it is, told by fields that the
// wrapper does not have.
func unwrapAnswer(message []byte) (answer []byte, wrong, ok bool) {
	f := protoFields{rest: message}
	found := 0
	for f.next() {
		switch n := f.is(protoBytes); {
		case n == 1:
			wrong = len(f.bytes) > 0
		case n == 2:
			answer = f.bytes
			found++
		case n > 2:
			return message, false, true
		}
	}
	return answer, wrong, !f.broken && found <= 1
}

// modelInfer reads a message. What describes the tensors may stand before or
// behind their raw contents, so these are collected first.
func (g *grpcReader) modelInfer(message []byte, side inferSide) *Fault {
	o := g.oip
	g.raws = g.raws[:0]
	f := protoFields{rest: message}
	for f.next() {
		switch n := f.is(protoBytes); {
		case n == side.raws:
			if len(g.raws) == maxTensors {
				return fault(ShapeMismatch, "more than %d tensors", maxTensors)
			}
			g.raws = append(g.raws, f.bytes)
		case n == 1 && side.request:
			g.model = alias(f.bytes)
		case n == 2 && side.request:
			g.asked = alias(f.bytes)
		case n == 2:
			o.version = alias(f.bytes)
		case n == 3 && side.request:
			o.id = alias(f.bytes)
		}
	}
	if f.broken {
		return broken(message)
	}
	return g.inferTensors(message, side)
}

func (g *grpcReader) inferTensors(message []byte, side inferSide) *Fault {
	first, raws := len(g.oip.tensors), g.raws
	f := protoFields{rest: message}
	for f.next() {
		if f.is(protoBytes) != side.tensors {
			continue
		}
		t, datatype, hidden, err := describeTensor(f.bytes)
		switch {
		case err != nil:
			return err
		case hidden:
			g.hide("tensor %.60q is in shared memory", t.name)
			continue
		case len(g.raws) == 0:
			err = g.contents(&t, datatype, f.bytes)
		case len(raws) == 0:
			err = fault(Binary, "tensor %.60q has no raw contents, %d others have", t.name, len(g.raws))
		default:
			err = g.oip.rawValues(&t, datatype, raws[0])
			raws = raws[1:]
		}
		if err == nil {
			err = g.add(&t, first)
		}
		if err != nil {
			return err
		}
	}
	if len(raws) > 0 {
		return fault(Binary, "%d raw contents belong to no tensor", len(raws))
	}
	return nil
}

// describeTensor reads all of a tensor but its values. hidden says that these
// are in memory that the client and the server share.
func describeTensor(message []byte) (t tensor, datatype string, hidden bool, err *Fault) {
	t = tensor{dataAt: -1, raw: -1, rows: 1, width: 1, shaped: true}
	rank := 0
	f := protoFields{rest: message}
	for f.next() {
		switch f.number {
		case 1:
			if f.kind == protoBytes {
				t.name = alias(f.bytes)
			}
		case 2:
			if f.kind == protoBytes {
				datatype = alias(f.bytes)
			}
		case 3:
			if f.kind == protoVarint {
				t.dimension(int64(f.value), rank)
				rank++
			}
			if f.kind == protoBytes {
				packed := protoFields{rest: f.bytes}
				for len(packed.rest) > 0 && !packed.broken {
					t.dimension(int64(packed.varint()), rank)
					rank++
				}
				f.broken = f.broken || packed.broken
			}
		case 4:
			hidden = hidden || f.kind == protoBytes && entryKey(f.bytes) == parameterSharedMemory
		}
	}
	if f.broken {
		return t, "", false, broken(message)
	}
	t.datatype = parseDatatype(datatype)
	if t.datatype == unknownType {
		err = fault(UnsupportedDatatype, "tensor %.60q has datatype %.60q", t.name, datatype)
	}
	return t, datatype, hidden, err
}

// entryKey gives the key of a map's entry.
func entryKey(entry []byte) (key string) {
	f := protoFields{rest: entry}
	for f.next() {
		if f.is(protoBytes) == 1 {
			key = alias(f.bytes)
		}
	}
	return key
}

// parameterSharedMemory is the parameter of a tensor whose values do not travel.
const parameterSharedMemory = "shared_memory_region"

// contents reads the values that stand in the tensor itself.
func (g *grpcReader) contents(t *tensor, datatype string, message []byte) *Fault {
	g.oip.begin(t)
	values := inferValues(datatype)
	f := protoFields{rest: message}
	for f.next() {
		if f.is(protoBytes) != 5 {
			continue
		}
		inner := protoFields{rest: f.bytes}
		for inner.next() {
			if !g.oip.takeValues(&inner, values) {
				inner.broken = true
			}
		}
		if inner.broken {
			return broken(f.bytes)
		}
	}
	g.oip.end(t)
	return nil
}

// inferValues tells the field of InferTensorContents that is a datatype's.
// Those of half precision only travel raw.
func inferValues(datatype string) valueField {
	switch datatype {
	case "BOOL":
		return valueField{1, booleanForm}
	case "INT8", "INT16", "INT32":
		return valueField{2, signed32Form}
	case "INT64":
		return valueField{3, signed64Form}
	case "UINT8", "UINT16", "UINT32":
		return valueField{4, unsigned32Form}
	case "UINT64":
		return valueField{5, unsigned64Form}
	case "FP32":
		return valueField{6, singleForm}
	case "FP64":
		return valueField{7, doubleForm}
	case "BYTES":
		return valueField{8, textForm}
	}
	return valueField{}
}
