package tracking_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/object"
	"github.com/carrel-go/carrel/scope/table"
	"github.com/carrel-go/carrel/tracking"
)

func session(id string) (user, session scope.Scope) {
	tenant, _ := scope.Tenant("acme")
	user, _ = tenant.User("u1")
	session, _ = user.Session(id)
	return user, session
}

func ref(s scope.Scope, bucket, name string) object.Ref {
	b, _ := object.New(object.NewMemory(), bucket, nil)
	root, _ := b.In(s)
	ref, _ := root.Ref(name)
	return ref
}

// An upload's life: created with its grant, extracted once it has arrived,
// looked at by a person, accepted.
func Example() {
	ctx := context.Background()
	tb, _ := table.New(table.NewMemory(nil), nil)
	tr, err := tracking.New(tb, tracking.Uploads(), nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	_, s := session("0199a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b")
	cover := ref(s, "landing", "cover.jpg")

	r, _ := tr.Create(ctx, s, &tracking.CreateOptions{Filename: "cover.jpg"})
	fmt.Println(r.Status, r.Stage(tracking.UserUpload).State)

	run, _ := tr.Claim(ctx, s, tracking.Enrichment, &tracking.ClaimOptions{
		Key: "run-1", Source: cover,
		Observed: &tracking.Observation{Stage: tracking.UserUpload, Dest: cover},
	})
	_, err = tr.Claim(ctx, s, tracking.Enrichment, &tracking.ClaimOptions{Key: "run-2"})
	fmt.Println(err, errors.Is(err, tracking.ErrRunning))
	_ = run.Park(ctx, 0)

	accept, _ := tr.Claim(ctx, s, tracking.Enrichment, &tracking.ClaimOptions{Key: "sha256 of the metadata"})
	_ = accept.Complete(ctx, ref(s, "raw", "metadata.json"))
	r, _ = tr.Get(ctx, s)
	fmt.Println(r.Status, r.Stage(tracking.Enrichment).Destination.Key)
	// Output:
	// IN_PROGRESS running
	// tracking: claim enrichment: the stage is running (stage running, record IN_PROGRESS) true
	// SUCCESS tenant=acme/user=u1/uploads/0199a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b/metadata.json
}

func ExampleNew() {
	tb, _ := table.New(table.NewMemory(nil), nil)
	_, err := tracking.New(tb, tracking.Pipeline{
		Name: "docs",
		Stages: []tracking.StageSpec{
			{Stage: "user_upload", External: true},
			{Stage: "analysed", After: []tracking.Stage{"user_upload"}, MaxAttempts: 3},
			{Stage: "embedding", After: []tracking.Stage{"analyzed"}},
		},
	}, nil)
	fmt.Println(err)
	// Output:
	// tracking: new: invalid pipeline: stage embedding comes after "analyzed", which is not declared before it
}

func ExampleAttempt_Fail() {
	ctx := context.Background()
	tb, _ := table.New(table.NewMemory(nil), nil)
	tr, _ := tracking.New(tb, tracking.Uploads(), nil)
	_, s := session("0199a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b")
	_, _ = tr.Create(ctx, s, nil)
	a, _ := tr.Claim(ctx, s, tracking.Enrichment, &tracking.ClaimOptions{
		Key: "run-1", Observed: &tracking.Observation{Stage: tracking.UserUpload},
	})
	cause := errors.New("429 from arn:aws:bedrock:us-east-1:123456789012:model/m")
	_ = a.Fail(ctx, &tracking.Error{Code: "throttled", Message: "The model is busy (429). Please try again.", Retryable: true, Err: cause})

	r, _ := tr.Get(ctx, s)
	fmt.Println(r.Status, r.Reason, r.Terminal)
	fmt.Println(r.Stage(tracking.Enrichment).Error.Message)
	// Output:
	// FAILED throttled false
	// The model is busy (429). Please try again.
}

// A message of a queue requests that a document becomes searchable. Delivered twice, it is worked on once.
func ExampleTracker_Track() {
	ctx := context.Background()
	tb, _ := table.New(table.NewMemory(nil), nil)
	tr, _ := tracking.New(tb, tracking.Pipeline{
		Name: "docs", Stages: []tracking.StageSpec{{Stage: "embedding"}},
	}, nil)
	_, s := session("0199a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b")
	_, _ = tr.Create(ctx, s, nil)
	for range 2 {
		err := tr.Track(ctx, s, "embedding", &tracking.ClaimOptions{Key: "message-17", Automatic: true},
			func(ctx context.Context) (object.Ref, error) {
				fmt.Println("working")
				return ref(s, "raw", "vectors.bin"), nil
			})
		fmt.Println(err)
	}
	// Output:
	// working
	// <nil>
	// <nil>
}

// A sweep ends the stages of a killed process before the first request is answered.
func ExampleTracker_Sweep() {
	ctx := context.Background()
	tb, _ := table.New(table.NewMemory(nil), nil)
	tr, _ := tracking.New(tb, tracking.Uploads(), nil)
	_, s := session("0199a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b")
	_, _ = tr.Create(ctx, s, nil)
	_, _ = tr.Claim(ctx, s, tracking.Enrichment, &tracking.ClaimOptions{
		Key: "run-1", Observed: &tracking.Observation{Stage: tracking.UserUpload},
	})
	res, err := tr.Sweep(ctx, &tracking.SweepOptions{
		System:  tb.System(),
		Orphans: true, // the file's lock proves it
		Look: func(context.Context, tracking.Record, tracking.Stage) (object.Ref, bool, error) {
			return object.Ref{}, false, nil // in a program, presign's Arrived
		},
	})
	fmt.Println(res.Lost, err)
	r, _ := tr.Get(ctx, s)
	fmt.Println(r.Status, r.Reason, r.Terminal)
	// Output:
	// 1 <nil>
	// FAILED lost false
}

func ExampleTracker_List() {
	ctx := context.Background()
	tb, _ := table.New(table.NewMemory(nil), nil)
	tr, _ := tracking.New(tb, tracking.Uploads(), nil)
	user, s := session("0199a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b")
	_, _ = tr.Create(ctx, s, &tracking.CreateOptions{Filename: "cover.jpg"})

	page, _ := tr.List(ctx, user, tracking.Filter{Class: tracking.ClassActive, Limit: 10})
	for _, r := range page.Records {
		fmt.Println(r.Filename, r.Class, r.Stage, r.State)
	}
	counts, _ := tr.Count(ctx, user)
	fmt.Println(counts.All, counts.Active)
	// Output:
	// cover.jpg active user_upload running
	// 1 1
}
