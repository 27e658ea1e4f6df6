package kinds

import "strings"

// RoleOfMeaning returns the role whose meaning is that text, or whose column has it as a name, or "".
func RoleOfMeaning(meaning string) Role {
	meaning = strings.ToLower(strings.Trim(strings.TrimSpace(meaning), "."))
	if meaning == "" {
		return ""
	}
	for role, text := range meanings() {
		if text == meaning {
			return role
		}
	}
	return RoleOf(meaning)
}
