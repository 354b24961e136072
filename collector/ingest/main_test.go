package ingest

import (
	"flag"
	"testing"

	"github.com/evenkeel/evenkeel/collector/store/storetest"
)

var update = flag.Bool("update", false, "write golden files")

func TestMain(m *testing.M) { storetest.Main(m) }
