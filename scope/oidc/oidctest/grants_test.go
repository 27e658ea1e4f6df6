package oidctest

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

func TestOldestGrantIsDroppedWhenTheStoreIsFull(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := grants{life: time.Hour}
		first := s.put(grant{})
		time.Sleep(time.Second)
		second := s.put(grant{})
		for range maxGrants - 1 {
			s.put(grant{})
		}
		require.Len(t, s.byID, maxGrants)
		_, ok := s.take(first)
		require.False(t, ok)
		_, ok = s.take(second)
		require.True(t, ok)
	})
}
