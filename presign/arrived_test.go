package presign_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/presign"
	"github.com/carrel-go/carrel/scope/object"
)

// denying is a store that says nothing about what it has.
type denying struct{ object.Driver }

func (denying) Stat(context.Context, object.Addr) (object.Info, error) {
	return object.Info{}, object.ErrDenied
}

func TestArrived(t *testing.T) {
	b := object.New(object.NewMemory(), "carrel-landing", nil)
	s, err := presign.New(client(&vault{}), b, nil)
	require.NoError(t, err)
	root, err := b.In(session(t))
	require.NoError(t, err)
	ref, err := root.Ref("a.jpg")
	require.NoError(t, err)

	_, _, err = s.Arrived(t.Context(), session(t), "a.jpg", nil)
	require.ErrorIs(t, err, presign.ErrNotArrived)
	stored, _, err := root.Put(t.Context(), ref, strings.NewReader("12345"), nil)
	require.NoError(t, err)

	for _, o := range []*presign.ArrivedOptions{nil, {}, {MaxSize: 5}} {
		seen, info, err := s.Arrived(t.Context(), session(t), "a.jpg", o)
		require.NoError(t, err)
		require.Equal(t, stored, seen, "pinned to what is there")
		require.EqualValues(t, 5, info.Size)
	}
	seen, _, err := s.Arrived(t.Context(), session(t), "a.jpg", &presign.ArrivedOptions{MaxSize: 4})
	large, ok := errors.AsType[*presign.TooLargeError](err)
	require.True(t, ok, err)
	require.Equal(t, stored, large.Ref)
	require.EqualError(t, err, `presign: "a.jpg" has 5 bytes, 4 are allowed`)
	require.True(t, seen.IsZero())
}

// What can't be seen has not been proven absent.
func TestArrivedUnknown(t *testing.T) {
	s, err := presign.New(client(&vault{}), object.New(denying{object.NewMemory()}, "carrel-landing", nil), nil)
	require.NoError(t, err)
	_, _, err = s.Arrived(t.Context(), session(t), "a.jpg", nil)
	require.ErrorIs(t, err, object.ErrDenied)
	require.NotErrorIs(t, err, presign.ErrNotArrived)
}
