package fleet

import (
	"testing"

	"github.com/evenkeel/evenkeel/collector/store/storetest"
)

func TestMain(m *testing.M) { storetest.Main(m) }
