// Package tabular reads files of rows and named columns: by row, as a stream,
// and by column.
//
//	file -> source (CSV, JSON lines, Parquet) -> Reader (rows, checked)
//	     -> Examine (first pass: kinds, missing)
//	     -> Load    (second pass: whole columns), or
//	     -> Chunks  (second pass: some rows at a time)
//
// Every format gives cells as text, so that what a column is taken for depends
// on its values and not on how they were stored: 31 in a CSV file, 31 and "31"
// in JSON and an INT64 of 31 in Parquet are the same number.
//
// A Reader holds one row, of Parquet some pages of each column; Examine holds
// at most MaxDistinct values of each column; Load holds 8 bytes for each number
// and 17 for each text beside one copy of every different text; Chunks holds one
// chunk. There is no limit on the size of a file.
package tabular
