package presign_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"

	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/carrel-go/carrel/internal/must"
	"github.com/carrel-go/carrel/presign"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/object"
)

func ExampleSigner_Put() {
	client := s3.New(s3.Options{
		Region:      "eu-central-1",
		Credentials: credentials.NewStaticCredentialsProvider("AKID", "SECRET", ""),
	})
	bucket, _ := object.New(object.NewMemory(), "carrel-landing", nil)
	signer, err := presign.New(client, bucket, nil)
	if err != nil {
		panic(err)
	}
	session, _, _ := scope.ParseKey("tenant=acme/user=u1/uploads/0190b2d4-7c3a-7e51-9b7e-1f2a3c4d5e6f/cover.jpg")
	file := []byte("hello")
	sum := sha256.Sum256(file)
	grant, err := signer.Put(context.Background(), session, "cover.jpg", &presign.PutOptions{
		Type: "image/jpeg", Size: int64(len(file)), SHA256: sum[:],
	})
	if err != nil {
		panic(err)
	}
	url, _, _ := strings.Cut(grant.URL, "?")
	fmt.Println(grant.Method, url)
	for _, name := range []string{"Content-Type", "If-None-Match", "X-Amz-Checksum-Sha256"} {
		fmt.Printf("%s: %s\n", name, grant.Headers[name])
	}
	// Output:
	// PUT https://carrel-landing.s3.eu-central-1.amazonaws.com/tenant%3Dacme/user%3Du1/uploads/0190b2d4-7c3a-7e51-9b7e-1f2a3c4d5e6f/cover.jpg
	// Content-Type: image/jpeg
	// If-None-Match: *
	// X-Amz-Checksum-Sha256: LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=
}

func ExampleSigner_Arrived() {
	ctx := context.Background()
	bucket, _ := object.New(object.NewMemory(), "carrel-landing", nil)
	client := s3.New(s3.Options{Region: "eu-central-1"})
	signer, err := presign.New(client, bucket, nil)
	if err != nil {
		panic(err)
	}
	session, _, _ := scope.ParseKey("tenant=acme/user=u1/uploads/0190b2d4-7c3a-7e51-9b7e-1f2a3c4d5e6f/cover.jpg")
	_, _, err = signer.Arrived(ctx, session, "cover.jpg", nil)
	fmt.Println(errors.Is(err, presign.ErrNotArrived))

	root, _ := bucket.In(session) // stands for the client, who uploads
	ref, _ := root.Ref("cover.jpg")
	if _, _, err := root.Put(ctx, ref, strings.NewReader("hello"), nil); err != nil {
		panic(err)
	}
	ref, info, err := signer.Arrived(ctx, session, "cover.jpg", &presign.ArrivedOptions{MaxSize: 20 << 20})
	fmt.Println(ref.Name(), info.Size, err)
	// Output:
	// true
	// cover.jpg 5 <nil>
}

func exampleSigner(o *presign.Options) *presign.Signer {
	client := s3.New(s3.Options{
		Region:      "eu-central-1",
		Credentials: credentials.NewStaticCredentialsProvider("AKID", "SECRET", ""),
	})
	signer, err := presign.New(client, must.Get(object.New(object.NewMemory(), "carrel-landing", nil)), o)
	if err != nil {
		panic(err)
	}
	return signer
}

func exampleSession() scope.Scope {
	session, _, _ := scope.ParseKey("tenant=acme/user=u1/uploads/0190b2d4-7c3a-7e51-9b7e-1f2a3c4d5e6f/cover.jpg")
	return session
}

func ExampleSigner_Post() {
	form, err := exampleSigner(nil).Post(context.Background(), exampleSession(), "cover.jpg", &presign.PostOptions{
		Type: "image/jpeg", MinSize: 1, MaxSize: 20 << 20,
	})
	if err != nil {
		panic(err)
	}
	fmt.Println(form.URL)
	fmt.Println(form.Fields["key"])
	fmt.Println(form.Fields["Content-Type"])
	// Output:
	// https://carrel-landing.s3.eu-central-1.amazonaws.com
	// tenant=acme/user=u1/uploads/0190b2d4-7c3a-7e51-9b7e-1f2a3c4d5e6f/cover.jpg
	// image/jpeg
}

func ExampleSigner_Get() {
	bucket, _ := object.New(object.NewMemory(), "carrel-landing", nil)
	root, _ := bucket.In(exampleSession())
	ref, _ := root.Ref("naïve cover.jpg")
	signer := exampleSigner(&presign.Options{Types: []string{"image/jpeg"}})
	for _, kind := range []string{"image/jpeg", "text/html"} {
		grant, err := signer.Get(context.Background(), ref, &presign.GetOptions{Type: kind})
		if err != nil {
			panic(err)
		}
		u, _ := url.Parse(grant.URL)
		fmt.Println(u.Query().Get("response-content-type"))
		fmt.Println(u.Query().Get("response-content-disposition"))
	}
	// Output:
	// image/jpeg
	// attachment; filename="na_ve cover.jpg"; filename*=UTF-8''na%C3%AFve%20cover.jpg
	// application/octet-stream
	// attachment; filename="na_ve cover.jpg"; filename*=UTF-8''na%C3%AFve%20cover.jpg
}

func ExampleSigner_CreateMultipart() {
	ctx, session := context.Background(), exampleSession()
	// Stands for S3, which answers a Create with an id and a Complete with an ETag.
	store := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		io.WriteString(w, `<Result><UploadId>VXBsb2Fk</UploadId><ETag>"e-2"</ETag></Result>`)
	}))
	defer store.Close()
	client := s3.New(s3.Options{
		Region: "eu-central-1", BaseEndpoint: &store.URL, UsePathStyle: true,
		Credentials: credentials.NewStaticCredentialsProvider("AKID", "SECRET", ""),
	})
	bucket, _ := object.New(object.NewMemory(), "carrel-landing", nil)
	signer, err := presign.New(client, bucket, nil)
	if err != nil {
		panic(err)
	}

	plan, err := signer.CreateMultipart(ctx, session, "scan.tiff", &presign.MultipartOptions{Type: "image/tiff", Size: 100 << 20})
	if err != nil {
		panic(err)
	}
	fmt.Println("id", plan.ID, "parts", plan.Parts())
	// … the server keeps plan with the session's record, and gives the client its ID …
	for n := 1; n <= plan.Parts(); n++ {
		grant, err := signer.Part(ctx, session, plan, n, nil)
		if err != nil {
			panic(err)
		}
		fmt.Println("part", n, "of", grant.Size, "bytes")
	}
	// … the client sends the parts, and then the ETags that it got …
	err = signer.Complete(ctx, session, plan, []presign.Part{{ETag: `"e1"`}, {ETag: `"e2"`}})
	fmt.Println(err)
	// Output:
	// id VXBsb2Fk parts 2
	// part 1 of 67108864 bytes
	// part 2 of 37748736 bytes
	// <nil>
}

func ExampleParseEvent() {
	message := `{"Records":[{"eventVersion":"2.1","eventSource":"aws:s3","eventName":"ObjectCreated:Put","eventTime":"2026-01-02T03:04:05.678Z",
		"s3":{"bucket":{"name":"carrel-landing"},"object":{"size":48213,
		"key":"tenant%3Dacme/user%3Du1/uploads/0190b2d4-7c3a-7e51-9b7e-1f2a3c4d5e6f/front+cover.jpg"}}}]}`
	events, err := presign.ParseEvent([]byte(message), "carrel-landing")
	if err != nil {
		panic(err)
	}
	for _, e := range events {
		fmt.Println(e.Scope.TenantID(), e.Scope.UserID(), e.Name, e.Size)
	}
	_, err = presign.ParseEvent([]byte(message), "carrel-raw")
	fmt.Println(err)
	// Output:
	// acme u1 front cover.jpg 48213
	// presign: parse event: record 0: invalid event: unexpected bucket "carrel-landing"
}
