package presign_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/carrel-go/carrel/presign"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/object"
)

func ExampleSigner_Put() {
	client := s3.New(s3.Options{
		Region:      "eu-central-1",
		Credentials: credentials.NewStaticCredentialsProvider("AKID", "SECRET", ""),
	})
	signer, err := presign.New(client, object.New(object.NewMemory(), "carrel-landing", nil), nil)
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
		fmt.Printf("%s: %s\n", name, grant.Headers.Get(name))
	}
	// Output:
	// PUT https://carrel-landing.s3.eu-central-1.amazonaws.com/tenant%3Dacme/user%3Du1/uploads/0190b2d4-7c3a-7e51-9b7e-1f2a3c4d5e6f/cover.jpg
	// Content-Type: image/jpeg
	// If-None-Match: *
	// X-Amz-Checksum-Sha256: LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=
}

func ExampleSigner_Arrived() {
	ctx := context.Background()
	bucket := object.New(object.NewMemory(), "carrel-landing", nil)
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
