package wire

// mlflowRequest is what MLflow's scoring server takes:
//
//	{"dataframe_split": {"columns": [...], "data": [[...], ...]}}
//	{"dataframe_records": [{...}, ...]}
//	{"instances": [row, ...]}, {"inputs": [row, ...]}, {"inputs": {"x": [...]}}
//
// and CSV whose first line names the columns. It answers {"predictions": ...}
// with rows, or with an object of columns where the model gave one.
var mlflowRequest = []place{
	{"dataframe_split", (*reader).split},
	{"dataframe_records", (*reader).rows},
	{"inputs", (*reader).columnsForm},
}
