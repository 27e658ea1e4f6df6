package bedrock

import (
	"errors"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
	"github.com/aws/smithy-go"

	"github.com/carrel-go/carrel/agent"
)

// newOutputConfig asks for the structured output of a request; it returns nil if the request does not.
// Source: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_OutputConfig.html
func (m *Model) newOutputConfig(r *agent.Request) (*types.OutputConfig, error) {
	if r.Output == nil {
		return nil, nil
	}
	doc, err := m.schemas.convert(r.Output.Schema, true)
	if err != nil {
		return nil, newInvalidError("schema of the output %q: %w", r.Output.Name, err)
	}
	schema, err := doc.MarshalSmithyDocument()
	if err != nil {
		return nil, newInvalidError("schema of the output %q: %w", r.Output.Name, err)
	}
	def := types.JsonSchemaDefinition{Name: aws.String(r.Output.Name), Schema: aws.String(string(schema))}
	if !isBlank(r.Output.Description) {
		def.Description = aws.String(r.Output.Description)
	}
	return &types.OutputConfig{TextFormat: &types.OutputFormat{
		Type:      types.OutputFormatTypeJsonSchema,
		Structure: &types.OutputFormatStructureMemberJsonSchema{Value: def},
	}}, nil
}

// mapOutputError replaces the refusal of a model that does not support structured output, so that its message says so.
// It returns every other error unchanged. A Claude model without structured output answers "output_config.format: Extra
// inputs are not permitted", others that they do not support the field.
func mapOutputError(r *agent.Request, err error) error {
	me, ok := errors.AsType[*agent.ModelError](err)
	api, isAPI := errors.AsType[smithy.APIError](err)
	if r.Output == nil || !ok || !isAPI || me.Code != agent.CodeInvalidCall {
		return err
	}
	words := api.ErrorMessage()
	if !strings.Contains(words, "outputConfig") && !strings.Contains(words, "output_config.format: ") {
		return err
	}
	return &agent.ModelError{
		Code: agent.CodeInvalidCall, Message: "The model does not support structured output.", Err: me.Err,
	}
}
