package grpctest

import (
	"fmt"
	"strconv"
	"strings"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/dynamicpb"

	_ "google.golang.org/protobuf/types/known/wrapperspb" // a version in TensorFlow Serving is one
)

// The services' methods.
const (
	Infer   = "/inference.GRPCInferenceService/ModelInfer"
	Stream  = "/inference.GRPCInferenceService/ModelStreamInfer"
	Predict = "/tensorflow.serving.PredictionService/Predict"
)

// The messages are written from the public specifications: a line begins a
// message with its name and a colon; its fields are "type name number".
const inference = `
InferParameter: bool bool_param 1; int64 int64_param 2; string string_param 3; double double_param 4; uint64 uint64_param 5
InferTensorContents: repeated bool bool_contents 1; repeated int32 int_contents 2; repeated int64 int64_contents 3; repeated uint32 uint_contents 4; repeated uint64 uint64_contents 5; repeated float fp32_contents 6; repeated double fp64_contents 7; repeated bytes bytes_contents 8
Tensor: string name 1; string datatype 2; repeated int64 shape 3; map InferParameter parameters 4; InferTensorContents contents 5
RequestedOutput: string name 1; map InferParameter parameters 2
ModelInferRequest: string model_name 1; string model_version 2; string id 3; map InferParameter parameters 4; repeated Tensor inputs 5; repeated RequestedOutput outputs 6; repeated bytes raw_input_contents 7
ModelInferResponse: string model_name 1; string model_version 2; string id 3; map InferParameter parameters 4; repeated Tensor outputs 5; repeated bytes raw_output_contents 6
ModelStreamInferResponse: string error_message 1; ModelInferResponse infer_response 2
`

const tensorflow = `
Dim: int64 size 1; string name 2
TensorShapeProto: repeated Dim dim 2; bool unknown_rank 3
TensorProto: int32 dtype 1; TensorShapeProto tensor_shape 2; int32 version_number 3; bytes tensor_content 4; repeated float float_val 5; repeated double double_val 6; repeated int32 int_val 7; repeated bytes string_val 8; repeated int64 int64_val 10; repeated bool bool_val 11; repeated int32 half_val 13; repeated uint32 uint32_val 16; repeated uint64 uint64_val 17
ModelSpec: string name 1; .google.protobuf.Int64Value version 2; string signature_name 3; string version_label 4
PredictRequest: ModelSpec model_spec 1; map TensorProto inputs 2; repeated string output_filter 3
PredictResponse: map TensorProto outputs 1; ModelSpec model_spec 2
`

var files = map[string]protoreflect.FileDescriptor{
	"inference":  file("inference", inference),
	"tensorflow": file("tensorflow", tensorflow, "google/protobuf/wrappers.proto"),
}

// Type finds a message type by its name, such as inference.ModelInferRequest.
func Type(name string) protoreflect.MessageDescriptor {
	pkg, message, _ := strings.Cut(name, ".")
	m := files[pkg].Messages().ByName(protoreflect.Name(message))
	if m == nil {
		panic("no message " + name)
	}
	return m
}

// Empty makes a message.
func Empty(name string) *dynamicpb.Message { return dynamicpb.NewMessage(Type(name)) }

// Message makes a message from its JSON form, in which bytes are base64.
func Message(name, text string) *dynamicpb.Message {
	m := Empty(name)
	if err := protojson.Unmarshal([]byte(text), m); err != nil {
		panic(fmt.Sprintf("%s: %v in %.400s", name, err, text))
	}
	return m
}

// Bytes gives a message as it travels.
func Bytes(m proto.Message) []byte {
	b, err := proto.MarshalOptions{Deterministic: true}.Marshal(m)
	if err != nil {
		panic(err)
	}
	return b
}

// Frame puts in front of a message what gRPC does.
func Frame(message []byte, compressed bool) []byte {
	n := len(message)
	out := []byte{0, byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)}
	if compressed {
		out[0] = 1
	}
	return append(out, message...)
}

func file(pkg, schema string, imports ...string) protoreflect.FileDescriptor {
	f := &descriptorpb.FileDescriptorProto{Name: proto.String(pkg + ".proto"), Package: &pkg, Syntax: proto.String("proto3"), Dependency: imports}
	for line := range strings.Lines(strings.TrimSpace(schema)) {
		name, fields, _ := strings.Cut(strings.TrimSpace(line), ": ")
		m := &descriptorpb.DescriptorProto{Name: &name}
		for field := range strings.SplitSeq(fields, "; ") {
			addField(m, pkg, strings.Fields(field))
		}
		f.MessageType = append(f.MessageType, m)
	}
	out, err := protodesc.NewFile(f, protoregistry.GlobalFiles)
	if err != nil {
		panic(err)
	}
	return out
}

func addField(m *descriptorpb.DescriptorProto, pkg string, words []string) {
	label := descriptorpb.FieldDescriptorProto_LABEL_OPTIONAL
	kind := words[0]
	if len(words) == 4 {
		label, kind = descriptorpb.FieldDescriptorProto_LABEL_REPEATED, words[1]
	}
	if words[0] == "map" {
		entry := entryName(words[2])
		e := &descriptorpb.DescriptorProto{Name: &entry, Options: &descriptorpb.MessageOptions{MapEntry: proto.Bool(true)}}
		addField(e, pkg, []string{"string", "key", "1"})
		addField(e, pkg, []string{kind, "value", "2"})
		m.NestedType = append(m.NestedType, e)
		kind = m.GetName() + "." + entry
	}
	number, err := strconv.ParseInt(words[len(words)-1], 10, 32)
	if err != nil {
		panic(err)
	}
	f := &descriptorpb.FieldDescriptorProto{
		Name: proto.String(words[len(words)-2]), Number: proto.Int32(int32(number)), Label: &label,
	}
	if scalar, ok := descriptorpb.FieldDescriptorProto_Type_value["TYPE_"+strings.ToUpper(kind)]; ok {
		f.Type = descriptorpb.FieldDescriptorProto_Type(scalar).Enum()
	} else {
		f.Type = descriptorpb.FieldDescriptorProto_TYPE_MESSAGE.Enum()
		if !strings.HasPrefix(kind, ".") {
			kind = "." + pkg + "." + kind
		}
		f.TypeName = &kind
	}
	m.Field = append(m.Field, f)
}

// entryName gives the name that the entries of a map must have.
func entryName(field string) string {
	var out string
	for part := range strings.SplitSeq(field, "_") {
		out += strings.ToUpper(part[:1]) + part[1:]
	}
	return out + "Entry"
}
