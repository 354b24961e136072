package fleet

import (
	"context"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/collector/model"
	"github.com/evenkeel/evenkeel/collector/store/storetest"
	"github.com/evenkeel/evenkeel/signal"
)

func TestReplicasAreAddedUpAndScored(t *testing.T) {
	w := newWorld(t, storetest.Open(t))
	w.at(0)
	w.arrive(w.parts("a", noon.Add(length), [4]uint64{10, 20, 30, 40}, signal.GroupCount{Group: "female", Favourable: 30, Total: 100}, signal.GroupCount{Group: "male", Favourable: 50, Total: 100})...)
	w.arrive(w.parts("b", noon.Add(length), [4]uint64{10, 20, 30, 40}, signal.GroupCount{Group: "female", Favourable: 30, Total: 100}, signal.GroupCount{Group: "male", Favourable: 70, Total: 100}, signal.GroupCount{Group: "other", Favourable: 1, Total: 2})...)
	w.at(12 * time.Second)
	w.want(0) // who belongs to a new model is not known: the grace is waited for
	w.at(15 * time.Second)
	fw := w.want(1)
	if fw.System != "s" || fw.Model != loans || fw.Rows != 402 || !fw.Start.Equal(noon) || !fw.End.Equal(noon.Add(length)) ||
		!slices.Equal(fw.WindowIDs, []string{"a/1", "b/1"}) || !slices.Equal(fw.Instances, []string{"a", "b"}) || fw.Gaps != 0 || len(fw.Absent) != 0 {
		t.Errorf("sealed %+v", fw)
	}
	psi := 0.0
	for _, share := range []float64{0.1, 0.2, 0.3, 0.4} {
		psi += (share - 0.25) * math.Log(share/0.25)
	}
	w.expect(map[string]float64{
		"evenkeel_drift_score psi 10s income @10s":                                                      psi,
		"evenkeel_drift_score_samples psi 10s income @10s":                                              200,
		"evenkeel_drift_score tvd 10s income @10s":                                                      0.2,
		"evenkeel_drift_score ks 10s income @10s":                                                       0.2,
		"evenkeel_drift_score_samples ks 10s income @10s":                                               200,
		"evenkeel_drift_feature_share_samples 10s @10s":                                                 200,
		"evenkeel_feature_quality_ratio_upper 10s income missing true @10s":                             0.018846,
		"evenkeel_fairness_disparity 10s gender impact_ratio_min_max true @10s":                         0.5,
		"evenkeel_fairness_coverage 10s gender @10s":                                                    1,
		"evenkeel_fairness_coverage_samples 10s gender @10s":                                            402,
		"evenkeel_fairness_disparity 10s female gender true statistical_parity_difference @10s":         -0.3,
		"evenkeel_fairness_disparity_samples 10s female gender true statistical_parity_difference @10s": 400,
		"evenkeel_fairness_disparity 10s other gender false statistical_parity_difference @10s":         -0.1,
	}, 0.02)
}

// While a new baseline is rolled out, replicas count under two of them. Their
// features are compared each with its own, their groups together.
func TestTwoBaselinesInOneSlot(t *testing.T) {
	w := newWorld(t, storetest.Open(t))
	w.at(0)
	groups := func(women uint64) []signal.GroupCount {
		return []signal.GroupCount{{Group: "female", Favourable: women, Total: 100}, {Group: "male", Favourable: 50, Total: 100}}
	}
	w.arrive(w.parts("a", noon.Add(length), [4]uint64{25, 25, 25, 25}, groups(20)...)...)
	other := w.parts("b", noon.Add(length), [4]uint64{25, 25, 25, 25}, groups(40)...)
	for _, d := range other {
		d.Baseline = "sha256:000000000000" // declared by nobody
	}
	w.arrive(other...)
	w.at(15 * time.Second)
	w.want(1)
	w.expect(map[string]float64{
		"evenkeel_fairness_disparity statistical_parity_difference female true gender 10s @10s": -0.2,
		"evenkeel_fairness_disparity_samples impact_ratio_min_max true gender 10s @10s":         400,
		"evenkeel_fairness_coverage_samples gender 10s @10s":                                    400,
		"evenkeel_drift_score_samples psi income 10s @10s":                                      100,
		"evenkeel_feature_quality_ratio_samples income true missing 10s @10s":                   100,
		"evenkeel_feature_quality_ratio_samples income false missing 10s @10s":                  100,
	}, 1e-9)
}

func TestASlotWaitsForReplicasPartsAndGaps(t *testing.T) {
	w := newWorld(t, storetest.Open(t))
	w.at(0)
	even := [4]uint64{25, 25, 25, 25}
	for _, r := range []signal.InstanceID{"a", "b"} {
		w.arrive(w.parts(r, noon.Add(length), even)...)
	}
	w.at(15 * time.Second)
	w.want(1)

	// The second slot: everyone is in at once, so it is sealed within the grace.
	w.arrive(w.parts("a", noon.Add(2*length), even)...)
	w.at(20 * time.Second)
	w.want(1) // b is not in
	late := w.parts("b", noon.Add(2*length), even)
	w.arrive(late[0])
	w.at(21 * time.Second)
	w.want(1) // b lacks a part
	w.arrive(late[1])
	w.at(22 * time.Second)
	if fw := w.want(2); fw.Rows != 200 || fw.Gaps != 0 {
		t.Errorf("second slot: %+v", fw)
	}

	// The third: a is absent, b has lost a window and half of another.
	w.seq["b"]++
	w.arrive(w.parts("b", noon.Add(25*time.Second), even)...)
	w.arrive(w.parts("b", noon.Add(3*length), even)[0])
	w.at(34 * time.Second)
	w.want(2)
	w.at(35 * time.Second)
	fw := w.want(3)
	if fw.Rows != 100 || fw.Gaps != 1 || !slices.Equal(fw.Absent, []string{"a"}) || !slices.Equal(fw.WindowIDs, []string{"b/4"}) {
		t.Errorf("third slot: %+v", fw)
	}

	// What comes now is counted and changes nothing.
	w.arrive(w.parts("a", noon.Add(3*length), even)...)
	for _, r := range []signal.InstanceID{"a", "b"} {
		w.arrive(w.parts(r, noon.Add(4*length), even)...)
	}
	w.at(45 * time.Second)
	if fw := w.want(4); fw.Gaps != 2 { // b's half window, and a's that came too late
		t.Errorf("fourth slot: %+v", fw)
	}
	if got := count(t, w.fleet.metrics.late); got != 1 || len(w.sealed) != 4 {
		t.Errorf("%v late windows, %d sealed", got, len(w.sealed))
	}
	if again, err := w.store.FleetWindows(context.Background(), noon, noon.Add(time.Hour)); err != nil || len(again) != 4 || again[2].Rows != 100 {
		t.Errorf("the store holds %+v, %v", again, err)
	}
}

func TestSilenceIsSealed(t *testing.T) {
	w := newWorld(t, storetest.Open(t))
	w.options.Systems = []signal.SystemID{"s", "elsewhere"} // elsewhere has no rule of this length
	w.restart()
	w.at(1 * time.Second)
	w.at(15 * time.Second)
	if fw := w.want(1); fw.System != "s" || fw.Model != (signal.ModelRef{}) || len(fw.WindowIDs) != 0 {
		t.Errorf("a declared system without data: %+v", fw)
	}
	w.arrive(w.parts("a", noon.Add(2*length), [4]uint64{1, 1, 1, 1})...)
	w.at(25 * time.Second)
	if fw := w.want(2); fw.Model != loans {
		t.Errorf("data: %+v", fw)
	}
	w.at(35 * time.Second)
	if fw := w.want(3); fw.Model != loans || len(fw.WindowIDs) != 0 || !slices.Equal(fw.Absent, []string{"a"}) {
		t.Errorf("silence: %+v", fw)
	}
	w.options.Remember, w.options.StartGrace = 15*time.Second, 1
	w.restart()
	w.at(55 * time.Second)
	w.at(70 * time.Second)
	if fw := w.want(6); fw.Model != (signal.ModelRef{}) {
		t.Errorf("a model of long ago is still expected: %+v", fw)
	}
}

// A slot that is longer than what is read at once is the sum of its chunks, with
// the holes between them.
func TestALongSlotIsReadInChunks(t *testing.T) {
	w := newWorld(t, storetest.Open(t))
	w.options.Chunk = 3 * time.Second
	w.restart()
	w.at(0)
	for second := 1; second <= 10; second++ {
		for _, r := range []signal.InstanceID{"a", "b"} {
			if r == "b" && second == 4 {
				w.seq[r]++ // lost on the way
				continue
			}
			w.arrive(w.parts(r, noon.Add(time.Duration(second)*time.Second), [4]uint64{1, 1, 1, uint64(second)})...)
		}
	}
	w.at(15 * time.Second)
	fw := w.want(1)
	if want := uint64(19*3 + 2*55 - 4); fw.Rows != want || countWindows(t, fw) != 19 || fw.Gaps != 1 {
		t.Errorf("%d rows of %d, windows %v, %d gaps", fw.Rows, want, fw.WindowIDs, fw.Gaps)
	}
	w.arrive(w.parts("a", noon.Add(20*time.Second), [4]uint64{1, 1, 1, 1})...)
	w.arrive(w.parts("b", noon.Add(20*time.Second), [4]uint64{1, 1, 1, 1})...)
	w.at(20 * time.Second)
	if fw := w.want(2); fw.Rows != 8 || fw.Gaps != 0 {
		t.Errorf("second slot: %+v", fw)
	}
}

func TestRunStopsWithItsContext(t *testing.T) {
	w := newWorld(t, storetest.Open(t))
	w.arrive(w.parts("a", noon.Add(length), [4]uint64{25, 25, 25, 25})...)
	ctx, cancel := context.WithCancel(context.Background())
	told := make(chan model.FleetWindow, 1)
	w.options.Subscribers = []Subscriber{subscriber(func(fw model.FleetWindow) { told <- fw })}
	w.options.Poll = time.Hour
	w.now = noon.Add(15 * time.Second)
	w.restart()
	done := make(chan error, 1)
	go func() { done <- w.fleet.Run(ctx) }()
	w.fleet.Wake()
	select {
	case fw := <-told:
		if fw.Rows != 100 {
			t.Errorf("sealed %+v", fw)
		}
	case <-time.After(20 * time.Second):
		t.Error("nothing was sealed")
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}
