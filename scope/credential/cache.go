package credential

import (
	"container/list"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// cache is an LRU cache of credentials. It is not safe for concurrent use. An LRU
// library would save about 20 of its lines and add a dependency.
type cache struct {
	size    int
	recent  *list.List // of *entry, the most recently used first
	entries map[key]*list.Element
}

type entry struct {
	key   key
	creds aws.Credentials
}

func newCache(size int) *cache {
	return &cache{size: size, recent: list.New(), entries: map[key]*list.Element{}}
}

func (c *cache) get(k key) (aws.Credentials, bool) {
	e, ok := c.entries[k]
	if !ok {
		return aws.Credentials{}, false
	}
	c.recent.MoveToFront(e)
	return e.Value.(*entry).creds, true
}

// put stores creds. The caller has just looked k up, so it is the most recently used.
func (c *cache) put(k key, creds aws.Credentials) {
	if e, ok := c.entries[k]; ok {
		e.Value.(*entry).creds = creds
		return
	}
	c.entries[k] = c.recent.PushFront(&entry{k, creds})
	if c.recent.Len() > c.size {
		oldest := c.recent.Remove(c.recent.Back()).(*entry)
		delete(c.entries, oldest.key)
	}
}
