package collector

import (
	"strings"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/collector/store/clickhouse"
)

func TestDoctorJudgesSchemaAndClock(t *testing.T) {
	for name, c := range map[string]struct {
		e             clickhouse.Examination
		schema, clock string
		says          string
	}{
		"all there":    {clickhouse.Examination{Database: true, Applied: 9, Clock: -time.Second}, healthy, healthy, "all 9 migrations"},
		"a later one":  {clickhouse.Examination{Database: true, Applied: 9, Later: 2}, healthy, healthy, "and 2 that only a later program knows"},
		"empty":        {clickhouse.Examination{Missing: []string{"0001_a"}}, healthy, healthy, "no tables yet"},
		"behind":       {clickhouse.Examination{Database: true, Missing: []string{"0008_codecs"}}, warned, healthy, "lacks 0008_codecs"},
		"another":      {clickhouse.Examination{Database: true, Changed: []string{"0002_events"}}, failed, healthy, "other contents of 0002_events"},
		"clock behind": {clickhouse.Examination{Database: true, Clock: -time.Hour}, healthy, warned, "off by -1h0m0s"},
	} {
		d := &doctor{config: Default()}
		d.judgeSchema(&c.e)
		d.judgeClock(&c.e)
		if d.findings[0].state != c.schema || d.findings[1].state != c.clock || !strings.Contains(d.findings[0].found+d.findings[1].found, c.says) {
			t.Errorf("%s: %+v", name, d.findings)
		}
	}
}

func TestDoctorSeesWhoMayLookIntoTheFolder(t *testing.T) {
	d := &doctor{config: Default()}
	d.config.Data = t.TempDir() // 0777 without the umask
	d.lookAtData()
	if f := d.findings[0]; f.state != warned || !strings.HasPrefix(f.cure, "chmod 700") {
		t.Errorf("%+v", f)
	}
}
