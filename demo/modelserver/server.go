package modelserver

import (
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"

	"github.com/go-chi/chi/v5"

	"github.com/evenkeel/evenkeel/internal/version"
)

const maxBody = 4 << 20

// Handler serves one model by the protocol's REST form: server and model
// metadata, liveness, readiness and inference, each also under /versions/{v}.
// Errors are {"error": "..."} as the protocol says.
func Handler(m Model, log *slog.Logger) http.Handler {
	s := &server{model: m, description: m.Describe(), log: log}
	r := chi.NewRouter()
	r.Get("/v2", s.serverMetadata)
	r.Get("/v2/health/live", func(w http.ResponseWriter, _ *http.Request) { s.reply(w, 200, map[string]bool{"live": true}) })
	r.Get("/v2/health/ready", func(w http.ResponseWriter, _ *http.Request) { s.reply(w, 200, map[string]bool{"ready": true}) })
	for _, prefix := range []string{"/v2/models/{model}", "/v2/models/{model}/versions/{version}"} {
		r.With(s.known).Get(prefix, s.modelMetadata)
		r.With(s.known).Get(prefix+"/ready", s.modelReady)
		r.With(s.known).Post(prefix+"/infer", s.infer)
	}
	r.NotFound(func(w http.ResponseWriter, r *http.Request) {
		s.fail(w, faultf(404, "no such endpoint: %s", r.URL.Path))
	})
	r.MethodNotAllowed(func(w http.ResponseWriter, r *http.Request) {
		s.fail(w, faultf(405, "%s is not allowed on %s", r.Method, r.URL.Path))
	})
	return r
}

type server struct {
	model       Model
	description Description
	log         *slog.Logger
}

// known answers 404 for any other model or version.
func (s *server) known(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if name := chi.URLParam(r, "model"); name != s.description.Name {
			s.fail(w, faultf(404, "unknown model %q; this server has %q", name, s.description.Name))
			return
		}
		if v := chi.URLParam(r, "version"); v != "" && v != s.description.Versions[0] {
			s.fail(w, faultf(404, "unknown version %q of model %q; this server has %q", v, s.description.Name, s.description.Versions[0]))
			return
		}
		next.ServeHTTP(w, r)
	})
}

func (s *server) serverMetadata(w http.ResponseWriter, _ *http.Request) {
	s.reply(w, 200, map[string]any{"name": "evenkeel-demo-model-server", "version": version.Version, "extensions": []string{}})
}

func (s *server) modelMetadata(w http.ResponseWriter, _ *http.Request) {
	s.reply(w, 200, s.description)
}

func (s *server) modelReady(w http.ResponseWriter, _ *http.Request) {
	s.reply(w, 200, map[string]any{"name": s.description.Name, "ready": true})
}

func (s *server) infer(w http.ResponseWriter, r *http.Request) {
	var req Request
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody)).Decode(&req); err != nil {
		var large *http.MaxBytesError
		if errors.As(err, &large) {
			s.fail(w, faultf(413, "the request is larger than %d bytes", maxBody))
			return
		}
		s.fail(w, faultf(400, "the request is not an inference request: %v", err))
		return
	}
	in, err := decode(&req, s.description)
	if err != nil {
		s.fail(w, err)
		return
	}
	outputs, err := s.model.Infer(in)
	if err == nil {
		outputs, err = chosen(&req, outputs)
	}
	if err != nil {
		s.fail(w, err)
		return
	}
	s.reply(w, 200, Response{ModelName: s.description.Name, ModelVersion: s.description.Versions[0], ID: req.ID, Outputs: outputs})
}

// chosen keeps the outputs that the request names, in its order; none named
// means all.
func chosen(req *Request, outputs []Tensor) ([]Tensor, error) {
	if len(req.Outputs) == 0 {
		return outputs, nil
	}
	kept := make([]Tensor, 0, len(req.Outputs))
	for _, want := range req.Outputs {
		found := false
		for _, have := range outputs {
			if have.Name == want.Name {
				kept, found = append(kept, have), true
			}
		}
		if !found {
			return nil, faultf(400, "unknown output %q", want.Name)
		}
	}
	return kept, nil
}

func (s *server) reply(w http.ResponseWriter, status int, body any) {
	raw, err := json.Marshal(body)
	if err != nil {
		s.fail(w, err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	if _, err := w.Write(raw); err != nil {
		s.log.Debug("the client went away", "error", err)
	}
}

func (s *server) fail(w http.ResponseWriter, err error) {
	status := http.StatusInternalServerError
	if fault := (*Fault)(nil); errors.As(err, &fault) {
		status = fault.Status
	} else {
		s.log.Error("inference failed", "error", err)
	}
	s.reply(w, status, map[string]string{"error": err.Error()})
}
