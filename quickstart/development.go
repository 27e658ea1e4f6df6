package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/carrel-go/carrel/agent"
	"github.com/carrel-go/carrel/agent/bedrock/bedrocktest"
	"github.com/carrel-go/carrel/presign/presigntest"
	"github.com/carrel-go/carrel/scope/oidc"
	"github.com/carrel-go/carrel/scope/oidc/oidctest"
	"github.com/carrel-go/carrel/scope/table"
	"github.com/carrel-go/carrel/scope/table/bolt"
)

// services are the services that the program calls.
type services struct {
	rows    table.Driver
	s3      *s3.Client
	bucket  string
	bedrock *bedrockruntime.Client
	model   string
	tokens  *oidc.Verifier
	close   func() error

	issueToken http.HandlerFunc // for anybody: development only
}

// startDevelopment starts a table, S3, a model and an issuer of tokens in this process or as its children. On AWS they
// are dynamo.New(dynamodb.NewFromConfig(cfg), …), s3.NewFromConfig(cfg), bedrockruntime.NewFromConfig(cfg) and
// oidc.NewCognito(ctx, …).
func startDevelopment(ctx context.Context, dir string) (*services, error) {
	rows, err := bolt.Open(dir)
	if err != nil {
		return nil, err
	}
	store, err := presigntest.Start(ctx, filepath.Join(dir, "s3"), nil)
	if err != nil {
		return nil, err
	}
	const bucket = "uploads"
	if err := presigntest.EnsureBucket(ctx, store.Client(), bucket); err != nil {
		return nil, err
	}
	issuer, err := oidctest.New(nil)
	if err != nil {
		return nil, err
	}
	tokens, err := oidc.New(ctx, issuer.URL(), issuer.ClientID(), nil)
	if err != nil {
		return nil, err
	}
	model := httptest.NewServer(bedrocktest.Front(wordByWord{}))
	return &services{
		rows: rows, s3: store.Client(), bucket: bucket,
		bedrock: bedrocktest.NewClient(model.URL), model: "any-model", tokens: tokens,
		close: func() error {
			model.Close()
			return errors.Join(tokens.Close(), issuer.Close(), store.Close(), rows.Close())
		},
		issueToken: func(w http.ResponseWriter, r *http.Request) {
			token, err := issuer.Token(map[string]any{"custom:tenant_id": r.FormValue("tenant"), "sub": r.FormValue("user")})
			if err != nil {
				http.Error(w, err.Error(), http.StatusInternalServerError)
				return
			}
			_, _ = io.WriteString(w, token)
		},
	}, nil
}

// wordByWord is a program in the place of a model: it lists the files, reads the first one and repeats its first words.
type wordByWord struct{}

const (
	maxWords = 100
	pause    = 100 * time.Millisecond // after each word
)

func (wordByWord) Stream(ctx context.Context, r *agent.Request) iter.Seq2[agent.Delta, error] {
	return func(yield func(agent.Delta, error) bool) {
		call := func(name, input string) {
			use := agent.ToolUse{ID: fmt.Sprintf("call-%d", len(r.Messages)), Name: name, Input: json.RawMessage(input)}
			_ = yield(agent.UsePart{ToolUse: use}, nil) && yield(agent.StopPart{Reason: agent.StopToolUse}, nil)
		}
		switch results := resultsOf(r); len(results) {
		case 0:
			call("list_files", `{}`)
		case 1:
			call("read_chunk", `{"file":"f1"}`)
		default:
			var chunk struct{ Text string }
			_ = json.Unmarshal(results[1], &chunk)
			words := strings.Fields("The file begins: " + chunk.Text)
			for _, word := range words[:min(len(words), maxWords)] {
				if !yield(agent.TextDelta{Text: word + " "}, nil) {
					return
				}
				select {
				case <-time.After(pause):
				case <-ctx.Done():
					yield(nil, ctx.Err())
					return
				}
			}
			yield(agent.StopPart{Reason: agent.StopEndTurn}, nil)
		}
	}
}

// resultsOf returns the results of the calls since the user's last prompt.
func resultsOf(r *agent.Request) (results []json.RawMessage) {
	for _, m := range r.Messages {
		for _, p := range m.Parts {
			switch {
			case p.Result != nil && len(p.Result.Blocks) > 0:
				results = append(results, p.Result.Blocks[0].JSON)
			case m.Role == agent.RoleUser:
				results = nil
			}
		}
	}
	return results
}
