package bedrock

import (
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"

	"github.com/carrel-go/carrel/agent"
	"github.com/carrel-go/carrel/tools"
)

const pdf = "pdf"

// isCitable reports whether every document of a request can be cited. PDF files can be, and texts if they are sent as
// text, because the service decodes cited bytes as PDF. Claude cites all documents of a request or none, and none in
// structured output.
// Source: https://github.com/boto/boto3/issues/4726, https://platform.claude.com/docs/en/build-with-claude/citations
func isCitable(r *agent.Request) bool {
	formats := []string{pdf, "txt", "md", "csv", "html"}
	isBad := func(m *tools.Media) bool { return m != nil && !slices.Contains(formats, m.Format) }
	isBadBlock := func(b tools.Block) bool { return isBad(b.Document) }
	for _, m := range r.Messages {
		for _, p := range m.Parts {
			if isBad(p.Document) || p.Result != nil && slices.ContainsFunc(p.Result.Blocks, isBadBlock) {
				return false
			}
		}
	}
	return r.Output == nil
}

// newCitation converts a citation delta, which contains a complete citation. Its text is the text of its block, which
// may come before or after it.
// Source: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_CitationsDelta.html; in recordings of
// Claude the delta comes first in its block.
func newCitation(d types.CitationsDelta) agent.Citation {
	c := agent.Citation{Source: aws.ToString(d.Source), Title: aws.ToString(d.Title), Location: newLocation(d.Location)}
	for _, s := range d.SourceContent {
		if s.Text != nil { // it is a union on the wire
			c.Quotes = append(c.Quotes, *s.Text)
		}
	}
	return c
}

// newLocation converts a location. It returns an empty Location if the service does not name a place, or names one that
// the SDK does not know.
func newLocation(l types.CitationLocation) agent.Location {
	at := func(kind string, index, start, end *int32) agent.Location {
		return agent.Location{
			Kind: kind, Index: int(aws.ToInt32(index)), Start: int(aws.ToInt32(start)), End: int(aws.ToInt32(end)),
		}
	}
	switch l := l.(type) {
	case *types.CitationLocationMemberDocumentChar:
		return at("char", l.Value.DocumentIndex, l.Value.Start, l.Value.End)
	case *types.CitationLocationMemberDocumentPage:
		return at("page", l.Value.DocumentIndex, l.Value.Start, l.Value.End)
	case *types.CitationLocationMemberDocumentChunk:
		return at("chunk", l.Value.DocumentIndex, l.Value.Start, l.Value.End)
	case *types.CitationLocationMemberSearchResultLocation:
		return at("search_result", l.Value.SearchResultIndex, l.Value.Start, l.Value.End)
	case *types.CitationLocationMemberWeb:
		return agent.Location{Kind: "web", URL: aws.ToString(l.Value.Url), Domain: aws.ToString(l.Value.Domain)}
	}
	return agent.Location{}
}
