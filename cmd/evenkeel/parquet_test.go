package main

import (
	"encoding/csv"
	"os"
	"strconv"

	"github.com/parquet-go/parquet-go"
	"github.com/rogpeppe/go-internal/testscript"
)

// writeParquet is the script command parquet CSV FILE: it writes the rows of a
// CSV file as Parquet, numbers as doubles, four rows to a row group. The columns
// must be in alphabetical order, as Parquet's writer puts them.
func writeParquet(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: parquet CSV FILE")
	}
	in, err := os.Open(ts.MkAbs(args[0]))
	ts.Check(err)
	defer in.Close()
	rows, err := csv.NewReader(in).ReadAll()
	ts.Check(err)
	schema := parquet.Group{}
	numeric := make([]bool, len(rows[0]))
	for i, column := range rows[0] {
		numeric[i] = true
		for _, row := range rows[1:] {
			_, err := strconv.ParseFloat(row[i], 64)
			numeric[i] = numeric[i] && (err == nil || row[i] == "")
		}
		schema[column] = parquet.Optional(parquet.String())
		if numeric[i] {
			schema[column] = parquet.Optional(parquet.Leaf(parquet.DoubleType))
		}
	}
	out, err := os.Create(ts.MkAbs(args[1]))
	ts.Check(err)
	w := parquet.NewWriter(out, parquet.NewSchema("rows", schema), parquet.MaxRowsPerRowGroup(4))
	for _, row := range rows[1:] {
		values := make(parquet.Row, len(row))
		for i, cell := range row {
			values[i] = parquetCell(cell, numeric[i]).Level(0, min(1, len(cell)), i)
		}
		_, err := w.WriteRows([]parquet.Row{values})
		ts.Check(err)
	}
	ts.Check(w.Close())
	ts.Check(out.Close())
}

func parquetCell(cell string, numeric bool) parquet.Value {
	switch x, _ := strconv.ParseFloat(cell, 64); {
	case cell == "":
		return parquet.NullValue()
	case numeric:
		return parquet.DoubleValue(x)
	}
	return parquet.ByteArrayValue([]byte(cell))
}
