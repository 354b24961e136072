package api

import (
	"fmt"
	"net/http"

	"github.com/go-chi/chi/v5"

	"github.com/evenkeel/evenkeel/internal/canonical"
	"github.com/evenkeel/evenkeel/internal/errs"
	"github.com/evenkeel/evenkeel/signal"
)

// getBaseline answers GET /baselines/{digest} with the canonical JSON of a
// baseline that an agent has declared: the sha256 of the body, without the line's
// end, is the digest that was asked for. Agents fetch theirs here.
func (h *handler) getBaseline(w http.ResponseWriter, r *http.Request) {
	digest := signal.Digest(chi.URLParam(r, "digest"))
	b, err := h.Reader.Baseline(r.Context(), digest)
	if err != nil {
		h.fail(w, r, err)
		return
	}
	raw, err := canonical.JSON(b)
	if err == nil && signal.Digest(canonical.Sum(raw)) != digest {
		err = fmt.Errorf("its content has the digest %s", canonical.Sum(raw))
	}
	if err != nil {
		h.fail(w, r, errs.E("read baseline "+digest.Short(), errs.Corrupt, err, "an agent that has the file declares it again at its next start"))
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(http.StatusOK)
	_, _ = w.Write(append(raw, '\n')) // the reader may be gone
}
